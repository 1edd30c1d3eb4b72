"""Questions: a run, its tape and its file give the same answers; tapes that hold little or nothing give tables, not errors, and never a nan."""
from dataclasses import is_dataclass
from pathlib import Path

import numpy as np
import polars
import pytest
from random_market import random_tape
from ruled_market import day_tape, ruled_tape

from agents import NoiseTrader, SymmetricMaker
from lob import LobError, OrderBook, Simulation, Tape, TapeError
from lob.messages import REPORT, Side
from lob.questions import Questions

DRAWN = {"report", "figures"}  # of the same tables; tests/report looks at them
NAMES = sorted(name for name in vars(Questions) if not name.startswith("_") and name not in DRAWN)


def frames_of(answer):
    return list(vars(answer).values()) if is_dataclass(answer) else [answer]


def assert_no_nan(answer):
    for frame in frames_of(answer):
        for column in frame.iter_columns():
            assert not (column.dtype.is_float() and (column.is_nan().any() or column.is_infinite().any())), column.name


@pytest.mark.parametrize("name", NAMES)
def test_a_run_its_tape_and_its_file_answer_alike(name, tmp_path):
    run = Simulation([NoiseTrader(count=20), SymmetricMaker(name="maker")], seed=3).run(minutes=1)
    run.tape.write(tmp_path)
    answers = [frames_of(getattr(place, name)()) for place in (run, run.tape, Tape.read(tmp_path))]
    assert all(isinstance(frame, polars.DataFrame) for frame in answers[0])
    for frames in zip(*answers, strict=True):
        assert frames[0].equals(frames[1]) and frames[0].equals(frames[2])


@pytest.mark.parametrize("name", NAMES)
def test_the_page_on_analytics_names_every_column(name):
    page = (Path(__file__).parents[2] / "docs" / "analytics.md").read_text(encoding="utf-8")
    section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
    answer = getattr(random_tape(400, seed=6), name)()
    frames = vars(answer) if is_dataclass(answer) else {"": answer}
    missing = [f"{frame} {column}" for frame, table in frames.items() for column in table.columns if f"`{column}`" not in section]
    assert missing + [frame for frame in frames if frame and f"`{frame}`" not in section] == []


def one_sided_tape():
    book = OrderBook()
    return Tape(np.concatenate([book.limit(Side.BUY, 100 + i, 1, order_id=i + 1, owner=1) for i in range(5)]), {})


def one_agent_tape():
    book = OrderBook()
    rows = [book.limit(Side.BUY, 100, 5, 1, owner=1), book.limit(Side.SELL, 101, 5, 2, owner=1), book.market(Side.SELL, 2, 3, owner=1, now_ns=9)]
    return Tape(np.concatenate(rows), {"agents": [{"owner": 1, "name": "only", "kind": "Only", "role": "maker"}]})


POOR_TAPES = {
    "empty": lambda: Tape(np.zeros(0, REPORT), {}), "one row": lambda: random_tape(1, seed=1), "one side": one_sided_tape, "one agent": one_agent_tape,
    "short": lambda: random_tape(40, seed=2), "another book": lambda: Tape(OrderBook(book=3).limit(Side.BUY, 100, 1, order_id=1), {}),
    "passive": lambda: Tape(one_agent_tape().rows, {"execution": "passive"}), "every rule": lambda: ruled_tape(800, seed=3),
    "a day": lambda: day_tape(2_000, seed=3),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", POOR_TAPES)
def test_a_poor_tape_is_answered_honestly(name, kind):
    assert_no_nan(getattr(POOR_TAPES[kind](), name)())


@pytest.mark.parametrize("name", NAMES)
def test_an_unsorted_tape_is_refused(name):
    rows = random_tape(50, seed=4).rows.copy()
    rows["time_ns"][10] = 0
    with pytest.raises(TapeError, match="not sorted: row 10"):
        getattr(Tape(rows, {}), name)()


@pytest.mark.parametrize("name", NAMES)
def test_a_tape_that_takes_lots_which_are_not_there_is_refused(name):
    rows = random_tape(400, seed=5).rows
    with pytest.raises(TapeError, match="where"):
        getattr(Tape(rows[len(rows) // 2:], {}), name)()


@pytest.mark.parametrize(("name", "setting", "value", "words"), [
    ("pressure", "window_ns", 1.5, "window_ns must be a whole number of nanoseconds from 1 to"), ("pressure", "window_ns", 0, "window_ns must be"),
    ("race", "step_ns", 0, "step_ns must be"), ("race", "window_ns", -1, "window_ns must be"), ("decomposition", "horizon_ns", -1, "horizon_ns must be"),
    ("markouts", "horizons_ns", 5, "horizons_ns must be a list"), ("markouts", "horizons_ns", ["1s"], r"horizons_ns\[0\] must be .* was '1s'"),
    ("winners_curse", "horizons_ns", [1, 2**70], r"horizons_ns\[1\] must be"), ("queues", "horizon_ns", True, "horizon_ns must be"),
    ("latency_losses", "horizon_ns", -1, "horizon_ns must be"),
])
def test_a_length_of_time_that_is_none_is_refused(name, setting, value, words):
    with pytest.raises(LobError, match=words):
        getattr(random_tape(200, seed=2), name)(**{setting: value})
