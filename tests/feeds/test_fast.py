"""The form that replays fastest gives back the same day, and the files that other tools read give back the same book."""
import hashlib

import numpy as np
import pyarrow
import pytest
from itch_market import ItchMarket
from made_files import SECOND_NS, dbn_file, itch, itch_file, mbo
from pyarrow import parquet
from random_market import random_tape

from lob import Simulation, feeds
from lob.errors import FeedError
from lob.feeds.fast import METADATA_KEY
from lob.messages import Action, Side
from lob.tape.recorded import feed_of

ESH4 = "esh4-glbx-mdp3-20231225.mbo.dbn.zst"


@pytest.fixture(scope="session")
def real_day(data_folder):
    return feeds.databento(data_folder / ESH4)


def levels_after(feed, book):
    for row in feed.rows.tolist():
        book.apply(row)
    return {side: [(price * feed.tick_size, lots) for price, lots in book.levels(side)] for side in Side}


def test_the_fast_form_gives_the_same_feed(real_day, tmp_path):
    feed = feeds.read(feeds.write_fast(real_day, tmp_path / "day.parquet"))
    assert feed.is_streamed and feed.rows.tobytes() == real_day.rows.tobytes()
    assert feed.event_ends.tolist() == real_day.event_ends.tolist()
    for name in ("name", "seed_count", "tick_size", "lot_size", "start_ns", "end_ns", "summary"):
        assert getattr(feed, name) == getattr(real_day, name)


def test_a_day_has_the_hash_of_its_file_and_its_run_says_so(tmp_path):
    path = itch_file(tmp_path / "day.itch", [itch("R"), itch("A", 2 * SECOND_NS, ref=1, side="B", shares=1, price=1_000_000)])
    feed = feeds.read(path)
    facts = Simulation([], feed=feed).run(progress=False).provenance["feed"]
    assert (facts["source"], facts["sha256"]) == (path.name, hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.mark.parametrize("block_rows", [1, 7, 4096])
def test_a_day_in_blocks_of_any_size_gives_the_same_tape(block_rows, real_day):
    rows = real_day.rows[:12_000]
    blocks = [rows[first:first + block_rows] for first in range(0, len(rows), block_rows)]
    facts = (real_day.tick_size, real_day.lot_size, real_day.start_ns, int(rows["time_ns"][-1]), {})
    whole, streamed = (feeds.Feed("ESH4", "day", given, None, 0, *facts) for given in (rows, lambda: iter(blocks)))
    assert Simulation([], feed=streamed).run(progress=False).tape_sha256 == Simulation([], feed=whole).run(progress=False).tape_sha256


def test_from_and_to_cut_a_feed(real_day, tmp_path):
    from_ns, to_ns = 23 * 3600 * 10**9, (23 * 3600 + 60) * 10**9
    path = feeds.write_fast(real_day, tmp_path / "day.parquet")
    for feed in (real_day.between(from_ns, to_ns), feeds.fast(path, from_ns, to_ns)):
        assert (feed.start_ns, feed.end_ns) == (from_ns, to_ns)
        assert feed.rows["time_ns"][-1] <= to_ns and len(feed.rows) == np.count_nonzero(real_day.rows["time_ns"] <= to_ns) == feed.event_ends[-1]
    with pytest.raises(FeedError, match=r"from and to must leave some of the recording, which is from [\d,]+ to [\d,]+ ns after midnight, were 3 and 2"):
        real_day.between(3, 2)


def test_a_file_that_another_made_is_refused(real_day, tmp_path):
    path = feeds.write_fast(real_day.between(None, real_day.start_ns), tmp_path / "day.parquet")
    table, made = parquet.read_table(path), parquet.read_metadata(path).metadata[METADATA_KEY]
    short, wide = table.drop_columns("lots"), table.set_column(3, "lots", pyarrow.array(np.zeros(len(table))))
    for name, changed, metadata, rule in (
        ("bare", table, b"", "must be made by `lob convert`"),
        ("old", table, made.replace(b'"schema_version": 1', b'"schema_version": 0'), "schema version must be 1, was 0"),
        ("nameless", table, made.replace(b'"seed_count"', b'"seed_kount"'), "seed_count must be of the kind int in its metadata, was None"),
        ("tickless", table, made.replace(b'"tick_size": "0.25"', b'"tick_size": "O.25"'), "tick_size must be a number above 0 in its metadata, was 'O.25'"),
        ("short", short, made, "column lots is missing"),
        ("wide", wide, made, "column lots must be int32"),
        ("back", table.take(pyarrow.array([len(table) - 1, 0])), made, "times must not go back"),
    ):
        parquet.write_table(changed.replace_schema_metadata({METADATA_KEY: metadata} if metadata else None), tmp_path / f"{name}.parquet")
        with pytest.raises(FeedError, match=rf"{name}.parquet: .*{rule}"):
            feeds.read(tmp_path / f"{name}.parquet").rows  # noqa: B018


def test_itch_that_was_written_gives_the_same_rows(real_day, tmp_path):
    feed = feeds.read(feeds.write_itch(real_day, tmp_path / "day.itch.gz"))
    columns = ["time_ns", "action", "order_id", "lots"]
    assert feed.rows[columns].tolist() == real_day.rows[columns].tolist()
    assert (feed.rows["price_ticks"] * feed.tick_size == real_day.rows["price_ticks"] * real_day.tick_size)[feed.rows["action"] != Action.STATUS].all()


def test_several_stocks_of_an_itch_file_are_converted_in_one_pass(tmp_path):
    path = itch_file(tmp_path / "day.itch", ItchMarket(seed=3, stocks=("TEST", "OTHER", "A/B")).messages(600))
    days, blocks = feeds.itch_many(path)
    paths = feeds.write_many(days, blocks, tmp_path / "out")
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["A_B.parquet", "OTHER.parquet", "TEST.parquet"]
    for name, day in days.items():
        alone = feeds.itch(path, name)
        assert feeds.read(paths[name]).rows.tobytes() == alone.rows.tobytes() == day.rows.tobytes() and len(alone.rows) > 100
        assert feeds.read(paths[name]).summary == day.summary == alone.summary
    assert list(feeds.itch_many(path, ["OTHER"])[0]) == ["OTHER"]
    with pytest.raises(FeedError, match="symbol must be one of A/B, OTHER, TEST, was 'NONE'"):
        feeds.itch_many(path, ["NONE"])


def test_a_conversion_that_fails_leaves_no_file_behind(tmp_path):
    path = itch_file(tmp_path / "day.itch", ItchMarket(seed=3).messages(60))
    path.write_bytes(path.read_bytes() + itch_file(tmp_path / "again", [itch("A", 10**12, ref=10**6, side="B", shares=1, price=100)] * 2).read_bytes())
    with pytest.raises(FeedError, match="a new order's reference must not be that of an open order"):
        feeds.write_many(*feeds.itch_many(path), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_itch_can_be_written_and_read_by_others(real_day, tmp_path):
    parser = pytest.importorskip("itch.parser", reason="itchfeed is an optional test dependency: pip install itchfeed")
    with open(feeds.write_itch(real_day, tmp_path / "day.itch"), "rb") as file:
        kinds = [message.message_type.decode() for message in parser.MessageParser().parse_file(file)]
    assert (kinds[0], kinds[1], kinds[-1], len(kinds)) == ("S", "R", "S", len(real_day.rows) + 3)


def test_lobster_that_was_written_shows_the_same_window(real_day, tmp_path, recorded_book):
    day = real_day.between(None, 23 * 3600 * 10**9 + 10**9)
    feed = feeds.read(feeds.write_lobster(day, tmp_path, levels=5))
    assert feed.summary["unexplained_messages"] == feed.summary["unknown_references"] == 0
    shown = levels_after(feed, recorded_book)
    whole = levels_after(day, type(recorded_book)())
    assert shown == {side: levels[:5] for side, levels in whole.items()}


def test_a_lobster_day_with_dropped_levels_becomes_itch(simulate_day, recorded_book, tmp_path):
    day = feeds.lobster(simulate_day(2, 2, 400).write(tmp_path))
    feed = feeds.itch(feeds.write_itch(day, tmp_path / "day.itch"))
    assert levels_after(feed, recorded_book) == levels_after(day, type(recorded_book)())


def test_a_tick_of_a_billionth_comes_back(tmp_path):
    day = feeds.databento(dbn_file(tmp_path / "day.dbn", [mbo("A", "B", 1, 1, 5)]), tick_size="0.000000001").between(None, None)
    assert feeds.read(feeds.write_fast(day, tmp_path / "day.parquet")).tick_size == day.tick_size


@pytest.mark.parametrize(("ticks", "name", "rule"), [
    ("0.00001", "TEST", "tick_size must be a multiple of 0.0001 in ITCH, was 0.00001"), ("0.01", "TOO LONG A NAME", "stock must be 1 to 8 ASCII letters"),
])
def test_what_itch_cannot_hold_is_refused(ticks, name, rule, tmp_path):
    feed = feeds.databento(dbn_file(tmp_path / "day.dbn", [mbo("A", "B", 1, 100, 5)]), tick_size=ticks)
    with pytest.raises(FeedError, match=rule):
        feeds.write_itch(feed, tmp_path / "day.itch", stock=name)
    assert not list(tmp_path.glob("*.itch*"))


def test_the_format_is_told_from_the_content(real_day, simulate_day, tmp_path):
    day = real_day.between(None, real_day.start_ns)
    assert feeds.format_of(feeds.write_fast(day, tmp_path / "a")) == "fast"
    assert feeds.format_of(dbn_file(tmp_path / "b", [])) == "dbn"
    assert feeds.format_of(itch_file(tmp_path / "c", [itch("R")])) == feeds.format_of(itch_file(tmp_path / "d", [itch("R")], False)) == "itch"
    assert feeds.format_of(simulate_day().write_zip(tmp_path)) == "lobster"
    (tmp_path / "e").write_text("what is this")
    with pytest.raises(FeedError, match="e: byte 0: a recording must be DBN, ITCH 5.0, LOBSTER or what `lob convert` made, begins with b'what is '"):
        feeds.format_of(tmp_path / "e")


def test_the_folder_of_a_lobster_day_is_read_as_its_files_and_no_other_folder(tmp_path):
    day = feed_of(random_tape(500, seed=3))
    messages = feeds.write_lobster(day, tmp_path / "day")
    assert feeds.read(tmp_path / "day").rows.tolist() == feeds.read(messages).rows.tolist()
    assert len(feeds.read(tmp_path / "day").rows)
    with pytest.raises(FeedError, match="a folder must have the message file of one LOBSTER day, has none"):
        feeds.read(tmp_path)
    feeds.write_lobster(day, tmp_path / "day", date="2024-01-03")
    with pytest.raises(FeedError, match="a folder must have the message file of one LOBSTER day, has .*2000-01-01.*, .*2024-01-03"):
        feeds.read(tmp_path / "day")
