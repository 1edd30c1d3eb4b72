"""A tape on disk is whole, or says up to where it is; a disk that fills loses nothing that was written."""
import json

import numpy as np
import polars
import pyarrow.parquet
import pytest
from full_disk import file_size_limit
from random_market import random_tape

from lob.errors import TapeError
from lob.messages import REPORT
from lob.tape import parquet
from lob.tape.parquet import TapeWriter
from lob.tape.record import Tape


@pytest.fixture
def tape():
    return random_tape(2_000, seed=2, complete=True, end_ns=10**12)


def rewrite(path, change):
    """Write the Parquet file of a tape again with its table changed."""
    table = pyarrow.parquet.read_table(path)
    pyarrow.parquet.write_table(change(table), path)


def test_a_tape_comes_back_from_its_folder_as_it_was(tape, tmp_path):
    tape.write(tmp_path)
    again = Tape.read(tmp_path)
    assert again.sha256 == tape.sha256
    assert again.provenance == tape.provenance


def test_a_tape_comes_back_from_its_parquet_file(tape, tmp_path):
    assert Tape.read(tape.write(tmp_path)).sha256 == tape.sha256


def test_a_tape_without_rows_comes_back(tmp_path):
    Tape(np.zeros(0, REPORT), {}).write(tmp_path)
    assert len(Tape.read(tmp_path)) == 0


def test_any_parquet_reader_reads_a_tape(tape, tmp_path):
    assert polars.read_parquet(tape.write(tmp_path)).equals(tape.to_polars())


def test_a_tape_that_polars_wrote_is_read(tape, tmp_path):
    path = tmp_path / "tape.parquet"
    tape.to_polars().write_parquet(path, metadata={"lob": json.dumps(tape.provenance)})
    again = Tape.read(path)
    assert again.sha256 == tape.sha256
    assert again.provenance == tape.provenance


def test_a_run_that_ends_gives_its_file_a_footer(tape, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "GROUP_ROWS", 1_000)
    writer = TapeWriter(tmp_path, {"complete": False})
    writer.append(tape.rows[:7])
    writer.append(tape.rows[7:])
    path = writer.close(tape.provenance)
    assert (writer.row_count, writer.sha256) == (len(tape), tape.sha256)
    assert [entry.name for entry in tmp_path.iterdir()] == ["tape.parquet"]
    assert Tape.read(path).sha256 == tape.sha256
    assert pyarrow.parquet.ParquetFile(path).num_row_groups == 1 + (len(tape) - 7 + 999) // 1_000


def test_a_file_goes_on_after_its_footer_is_taken_off(tape, tmp_path):
    writer = TapeWriter(tmp_path, {})
    writer.append(tape.rows[:70])
    writer.close({})
    assert writer.sha256 == Tape(tape.rows[:70], {}).sha256
    for first, behind in ((70, 100), (100, 100), (100, len(tape))):
        writer.reopen({"complete": False})
        assert Tape.read(tmp_path).rows.tobytes() == tape.rows[:first].tobytes(), "a kill would lose nothing"
        writer.append(tape.rows[first:behind])
        path = writer.close(tape.provenance)
    assert [entry.name for entry in tmp_path.iterdir()] == ["tape.parquet"]
    assert (Tape.read(path).sha256, Tape.read(path).provenance) == (tape.sha256, tape.provenance)


def test_a_file_that_another_run_has_replaced_is_not_taken_for_ones_own(tape, tmp_path):
    writer = TapeWriter(tmp_path, {})
    writer.append(tape.rows)
    writer.close({})
    Tape(tape.rows[:5], {}).write(tmp_path)
    with pytest.raises(TapeError, match="not the tape that this run wrote"):
        writer.reopen({})
    with pytest.raises(TapeError, match="not the tape that this run wrote"):
        print(writer.sha256)


@pytest.mark.parametrize("file", ["tape.parquet.part", "tape.groups"])
def test_a_killed_run_leaves_every_whole_group(tape, tmp_path, file):
    writer = TapeWriter(tmp_path, {"scenario": "calm", "complete": True})
    writer.append(tape.rows[:60])
    writer.append(tape.rows[60:100])
    with open(tmp_path / file, "ab") as growing:
        growing.write(b"the beginning of a group, which has many more bytes than these")
    killed = Tape.read(tmp_path)
    assert killed.rows.tolist() == tape.rows[:100].tolist()
    assert (killed.provenance["scenario"], killed.provenance["complete"]) == ("calm", False)


def test_a_group_that_is_said_and_not_there_is_none(tape, tmp_path):
    writer = TapeWriter(tmp_path, {})
    writer.append(tape.rows[:60])
    writer.append(tape.rows[60:100])
    part = tmp_path / "tape.parquet.part"
    part.write_bytes(part.read_bytes()[:-1])
    assert Tape.read(tmp_path).rows.tobytes() == tape.rows[:60].tobytes()


def test_a_new_run_replaces_the_tape_in_its_folder(tape, tmp_path):
    tape.write(tmp_path)
    TapeWriter(tmp_path, {}).append(tape.rows[:5])
    assert len(Tape.read(tmp_path)) == 5


def test_a_full_disk_keeps_the_whole_groups_before_it(tape, tmp_path):
    writer = TapeWriter(tmp_path, {})
    writer.append(tape.rows[:100])
    bytes_max = (tmp_path / "tape.parquet.part").stat().st_size + 50
    with pytest.raises(TapeError, match="tape.parquet.part: File too large; the tape is kept up to row 100"), file_size_limit(bytes_max):
        writer.append(tape.rows[100:])
    assert (tmp_path / "tape.parquet.part").stat().st_size == bytes_max - 50
    assert Tape.read(tmp_path).sha256 == writer.sha256 == Tape(tape.rows[:100], {}).sha256
    writer.append(tape.rows[100:])
    assert Tape.read(writer.close({})).sha256 == tape.sha256


def test_a_disk_that_fills_at_the_end_keeps_the_rows(tape, tmp_path):
    writer = TapeWriter(tmp_path, {})
    writer.append(tape.rows)
    with pytest.raises(TapeError, match=rf"cannot be written.*its {len(tape):,} rows are kept in .*tape.parquet.part"), file_size_limit(1_000):
        writer.close({})
    assert Tape.read(tmp_path).sha256 == tape.sha256
    assert not (tmp_path / "tape.parquet").exists()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(TapeError, match="no tape can be written here"):
        TapeWriter(tmp_path / "file", {})


def test_a_folder_without_a_tape_is_refused(tmp_path):
    with pytest.raises(TapeError, match="no tape here"):
        Tape.read(tmp_path)


def test_a_truncated_file_is_refused(tape, tmp_path):
    path = tape.write(tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(TapeError, match="tape.parquet: not a whole Parquet file"):
        Tape.read(path)


def test_a_column_name_that_is_no_text_is_refused(tape, tmp_path):
    path = tape.write(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"lots_ahead", b"lots_\xfbhead"))
    with pytest.raises(TapeError, match="tape.parquet: not a whole Parquet file: 'utf-8' codec"):
        Tape.read(path)


def test_another_parquet_file_is_refused(tmp_path):
    polars.DataFrame({"price": [1]}).write_parquet(tmp_path / "prices.parquet")
    with pytest.raises(TapeError, match="prices.parquet: not a tape"):
        Tape.read(tmp_path / "prices.parquet")


def test_a_tape_of_another_schema_version_is_refused(tape, tmp_path):
    path = tape.write(tmp_path)
    provenance = {b"lob": json.dumps(tape.provenance | {"schema_version": 99})}
    rewrite(path, lambda table: table.replace_schema_metadata(provenance))
    with pytest.raises(TapeError, match="schema version must be 2, was 99"):
        Tape.read(path)


def test_a_tape_without_a_column_is_refused(tape, tmp_path):
    path = tape.write(tmp_path)
    rewrite(path, lambda table: table.drop_columns("lots_ahead"))
    with pytest.raises(TapeError, match="column lots_ahead is missing"):
        Tape.read(path)


@pytest.mark.parametrize("kind", ["double", "string"])
def test_a_column_of_another_type_is_refused(tape, tmp_path, kind):
    path = tape.write(tmp_path)
    rewrite(path, lambda table: table.set_column(table.schema.get_field_index("lots"), "lots", table["lots"].cast(kind)))
    with pytest.raises(TapeError, match="column lots must be int64"):
        Tape.read(path)


def test_a_tape_that_goes_back_in_time_is_refused(tape, tmp_path):
    rows = tape.rows.copy()
    rows["time_ns"][30] = 0
    with pytest.raises(TapeError, match="not sorted: row 30 has time_ns 0 after"):
        Tape.read(Tape(rows, {}).write(tmp_path))


def test_a_tape_with_a_row_twice_is_refused(tape, tmp_path):
    with pytest.raises(TapeError, match="not sorted: row 31 has sequence 30 after 30"):
        Tape.read(Tape(np.insert(tape.rows, 30, tape.rows[30]), {}).write(tmp_path))


@pytest.mark.parametrize(("changed", "words"), [
    ({"instrument": {"gaker_fee": "0"}}, "provenance.instrument must be an instrument: .*gaker_fee"),
    ({"instrument": {"tick_size": "-1"}}, "provenance.instrument must be an instrument: instrument.tick_size must be positive, was -1"),
    ({"instrument": 5}, "provenance.instrument must be a table, was 5"), ({"scenario": 5}, "provenance.scenario must be text, was 5"),
    ({"end_ns": "late"}, "provenance.end_ns must be a whole number, was 'late'"),
    ({"end_ns": 2**63}, "provenance.end_ns must be from -.*, was 9223372036854775808"),
    ({"start_ns": True}, "provenance.start_ns must be a whole number, was True"), ({"books": 0}, "provenance.books must be from 1 to .*, was 0"),
    ({"agents": {}}, "provenance.agents must be a list"), ({"agents": [7]}, r"provenance.agents\[0\] must be a table, was 7"),
    ({"agents": [{"name": "x"}]}, r"provenance.agents\[0\].owner must be a whole number, was None"),
    ({"agents": [{"owner": 1, "venues": [{"book": 0}]}]}, r"provenance.agents\[0\].venues\[0\].latency must be a table, was None"),
    ({"venues": [{"name": "a"}]}, r"provenance.venues\[0\].venue must be a table, was None"),
    ({"venues": [{"name": "a", "venue": {}, "instrument": {"lot_size": "x"}}]}, r"provenance.venues\[0\].instrument must be an instrument"),
])
def test_a_provenance_that_cannot_be_read_is_refused_with_the_file_and_the_key(tape, tmp_path, changed, words):
    path = Tape(tape.rows[:10], tape.provenance | changed).write(tmp_path)
    with pytest.raises(TapeError, match=f"tape.parquet: {words}"):
        Tape.read(path)
