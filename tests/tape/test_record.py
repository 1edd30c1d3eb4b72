"""A tape is its rows and where they came from, and can be seen as a table."""
import hashlib

import numpy as np
import pytest
from random_market import random_tape

from lob.errors import TapeError
from lob.messages import REPORT
from lob.tape.record import Tape


def test_columns_of_the_polars_frame_are_the_fields_of_a_row():
    tape = random_tape(300, seed=1)
    frame = tape.to_polars()
    assert frame.columns == list(REPORT.names)
    assert [row == fields for row, fields in zip(frame.rows(), tape.rows.tolist(), strict=True)] == [True] * len(tape)


def test_columns_of_the_pandas_frame_are_the_fields_of_a_row():
    tape = random_tape(300, seed=1)
    assert tape.to_pandas().to_records(index=False).tolist() == tape.rows.tolist()


def test_kinds_actions_and_reasons_can_be_read_as_words():
    frame = random_tape(300, seed=1).to_polars(names=True)
    assert set(frame["kind"].unique()) == {"ACCEPTED", "FILL", "CANCELLED", "REDUCED", "REPLACED", "REJECTED"}
    assert set(frame["action"].unique()) == {"LIMIT", "MARKET", "CANCEL", "REPLACE"}
    assert {"NONE", "UNKNOWN_ORDER", "ASKED"} <= set(frame["reason"].unique())


def test_an_action_without_a_name_is_read_as_its_number():
    rows = np.zeros(1, REPORT)
    rows["action"] = 200
    assert Tape(rows, {}).to_polars(names=True)["action"].to_list() == ["200"]


def test_the_hash_of_a_tape_is_that_of_its_raw_rows():
    tape = random_tape(100, seed=1)
    assert tape.sha256 == hashlib.sha256(tape.rows.tobytes()).hexdigest()


def test_the_time_up_to_which_a_whole_run_is_known_is_its_end():
    assert random_tape(10, seed=1, complete=True, end_ns=10**12).end_ns == 10**12


def test_the_time_up_to_which_a_broken_run_is_known_is_its_last_row():
    tape = random_tape(10, seed=1, complete=False, end_ns=10**12)
    assert tape.end_ns == tape.rows["time_ns"][-1]


def test_an_unknown_execution_is_refused():
    with pytest.raises(TapeError, match="execution.*'dreamt'"):
        Tape(np.zeros(0, REPORT), {"execution": "dreamt"})
