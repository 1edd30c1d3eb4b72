"""A LOBSTER day that is read a block at a time says what the same day says that is read at once, wherever the blocks end."""
import gzip

import numpy as np
import pyarrow
import pytest

from lob import feeds
from lob.errors import FeedError
from lob.feeds.feed import joined
from lob.feeds.table import read_rows
from lob.messages import Action, Flag

SECOND_NS = 10**9
TEN_OCLOCK_NS = 36_000 * SECOND_NS
MICROSOFT = "MSFT_2012-06-21_34200000_37800000_message_50.csv.gz"
AMAZON = "LOBSTER_SampleFile_AMZN_2012-06-21_5.zip"


@pytest.fixture
def blocks_of_bytes(monkeypatch):
    """Return a function that sets how many bytes of a file are read at a time."""
    return lambda count: monkeypatch.setattr(read_rows, "__defaults__", (count,))


def facts(feed):
    """Return what a Feed says once its rows are read."""
    return feed.name, feed.source, feed.seed_count, feed.tick_size, feed.start_ns, feed.end_ns, feed.summary


def write_gzip(day, folder):
    """Write the message file alone."""
    (folder / f"{day.message_name}.gz").write_bytes(gzip.compress(day.message_text.encode(), mtime=0))
    return folder / f"{day.message_name}.gz"


def write_zstd(day, folder):
    for name, text in ((day.message_name, day.message_text), (day.book_name, day.book_text)):
        (folder / f"{name}.zst").write_bytes(pyarrow.Codec("zstd").compress(text.encode(), asbytes=True))
    return folder / f"{day.message_name}.zst"


def write_excerpt(day, folder):
    time = day.messages[60].split(",")[0]
    (folder / f"TEST_2024-01-02_orderbook_{day.level_count}_40rows_from_{time}.csv").write_text("\n".join(day.book[60:100]))
    return day.write(folder, with_book=False)


@pytest.mark.parametrize("block_bytes", [1, 7, 4096])
@pytest.mark.parametrize("write", [
    lambda day, folder: day.write(folder), lambda day, folder: day.write_zip(folder), write_gzip, write_zstd, write_excerpt,
], ids=["plain", "zip", "gzip, no book", "zstd", "excerpt"])
def test_wherever_blocks_end_the_rows_are_the_same(write, block_bytes, simulate_day, blocks_of_bytes, tmp_path):
    day = simulate_day(3, 2, 150)
    path = write(day, tmp_path)
    whole = feeds.lobster(path)
    blocks_of_bytes(block_bytes)
    again, streamed = feeds.lobster(path), feeds.lobster(path, stream=True)
    blocks = list(streamed.blocks())
    assert block_bytes > 7 or len(blocks) > 80
    assert joined(blocks).tobytes() == again.rows.tobytes() == whole.rows.tobytes()
    assert again.event_ends.tolist() == whole.event_ends.tolist()
    assert facts(streamed) == facts(again) == facts(whole)


@pytest.mark.parametrize("from_second", [None, 34_201])
def test_a_streamed_day_begins_and_ends_where_it_is_told_to(from_second, simulate_day, blocks_of_bytes, tmp_path):
    path = simulate_day(4, 3, 300).write(tmp_path)
    bounds = {"from_ns": from_second and from_second * SECOND_NS, "to_ns": 34_203 * SECOND_NS}
    whole = feeds.lobster(path, **bounds)
    blocks_of_bytes(100)
    streamed = feeds.lobster(path, **bounds, stream=True)
    assert streamed.rows.tobytes() == whole.rows.tobytes()
    assert facts(streamed) == facts(whole)


def test_blocks_end_between_whole_events(simulate_day, blocks_of_bytes, tmp_path):
    blocks_of_bytes(7)
    blocks = [rows for rows in feeds.lobster(simulate_day(3, 2, 150).write(tmp_path), stream=True).blocks() if len(rows)]
    assert {int(rows["flags"][-1]) for rows in blocks} == {Flag.LAST}


def is_one_event(before, message):
    """Return whether two rows of a message file are of one aggressor."""
    (time, kind, _, _, _, side), (later, next_kind, _, _, _, next_side) = before.split(","), message.split(",")
    if time != later or kind not in "45":
        return False
    return next_side == side if next_kind in "45" else next_kind == "1" and next_side != side


SWEEP = [
    "34200,1,1,5,1000000,1", "34200,1,2,5,1000000,1", "34200,1,3,5,1000000,1", "34201,4,1,5,1000000,1", "34201,4,2,5,1000000,1", "34201,5,0,5,1000000,1",
    "34201,4,3,5,1000000,1", "34201,1,4,5,1000000,-1", "34201,4,4,1,1000000,-1", "34201,4,4,1,1000000,-1", "34202,4,4,1,1000000,-1", "34202,1,5,1,1000000,1",
    "34202,1,6,1,1000000,1", "34202,4,5,1,1000000,1",
]


@pytest.mark.parametrize("block_bytes", [1, 4096])
def test_executions_of_one_time_and_side_and_the_aggressors_rest_are_one_event(block_bytes, lobster_day, blocks_of_bytes, tmp_path):
    blocks_of_bytes(block_bytes)
    rows = feeds.lobster(lobster_day(SWEEP, [], 1).write(tmp_path, with_book=False), stream=True).rows
    follows = [is_one_event(*pair) for pair in zip(SWEEP, SWEEP[1:], strict=False)]
    assert (rows["flags"] == Flag.LAST).tolist() == [not f for f in follows] + [True]
    assert sum(follows) == 6


@pytest.mark.parametrize("block_bytes", [1, 4096])
def test_a_contradiction_is_left_out_and_reading_goes_on(block_bytes, lobster_day, blocks_of_bytes, tmp_path):
    blocks_of_bytes(block_bytes)
    true = [f"{34_200 + i},1,{i},5,1000000,1" for i in range(1, 1_203)]
    false = [f"{34_200 + i}.5,4,{i},6,1000000,1" for i in range(1, 1_202)]
    path = lobster_day(sorted(true + false, key=lambda row: float(row.split(",")[0])), [], 1).write(tmp_path, with_book=False)
    feed = feeds.lobster(path, keep_going=True, stream=True)
    assert feed.rows["order_id"].tolist() == list(range(1, 1_203)) and set(feed.rows["action"]) == {Action.LIMIT}
    assert feed.summary["skipped"] == len(false)
    assert feed.summary["damage"][0].endswith("row 2: a message must not take more than its order has open, was '34201.5,4,1,6,1000000,1'")
    with pytest.raises(FeedError, match=r"message_1.csv: row 2: a message must not take more than its order has open, was '34201.5,4,1,6,1000000,1'"):
        list(feeds.lobster(path, stream=True).blocks())


@pytest.mark.parametrize("block_bytes", [7, 4096])
def test_damage_is_the_same_wherever_blocks_end(block_bytes, simulate_day, blocks_of_bytes, tmp_path):
    day = simulate_day(5, 2, 500)
    for row, text in ((30, "x"), (60, "34200.1,1,1,1"), (150, "34201,9,1,1,1000000,1")):
        day.messages[row] = text
    day.book[100] = f"x{day.book[100]}"
    path = day.write(tmp_path)
    whole = feeds.lobster(path, keep_going=True)
    assert whole.summary["messages"] == 500 - 1 - whole.summary["skipped"] == 495
    blocks_of_bytes(block_bytes)
    streamed = feeds.lobster(path, keep_going=True, stream=True)
    assert streamed.rows.tobytes() == whole.rows.tobytes()
    assert {**streamed.summary, "damage": set(whole.summary["damage"])} == {**whole.summary, "damage": set(streamed.summary["damage"])}


@pytest.mark.parametrize("block_bytes", [1, 4096])
def test_a_time_that_goes_back_is_refused_wherever_blocks_end(block_bytes, lobster_day, blocks_of_bytes, tmp_path):
    blocks_of_bytes(block_bytes)
    path = lobster_day(["34201,1,1,5,1000000,1", "34200.5,1,2,5,1000000,1"], [], 1).write(tmp_path, with_book=False)
    with pytest.raises(FeedError, match="row 2: time must not go back, was 34200.5"):
        feeds.lobster(path, stream=True)


def test_the_book_file_of_another_day_is_refused_when_all_is_read(simulate_day, blocks_of_bytes, tmp_path):
    day = simulate_day(1, 3, 200)
    day.book[100:] = simulate_day(2, 3, 200).book[100:]
    path = day.write(tmp_path)
    with pytest.raises(FeedError) as whole:
        feeds.lobster(path)
    blocks_of_bytes(7)
    with pytest.raises(FeedError) as streamed:
        list(feeds.lobster(path, stream=True).blocks())
    assert str(streamed.value) == str(whole.value) and "orderbook_3.csv: row 101: must follow from the row before" in str(whole.value)


def left_out(texts):
    """Return the numbers of the rows that errors name, from 0."""
    return [int(text.split(": row ")[1].split(":")[0]) - 1 for text in texts]


@pytest.mark.parametrize("block_bytes", [1, 4096])
@pytest.mark.parametrize(("rows", "time"), [([90], 0), ([30], 34_190), ([100], 34_601), ([100, 101, 102, 103, 104], 50_000), ([90, 94], 7), ([298], 40_000)])
def test_a_wild_time_costs_its_own_row_and_no_other(rows, time, block_bytes, lobster_day, blocks_of_bytes, tmp_path):
    blocks_of_bytes(block_bytes)
    times = [34_200 + i for i in range(300)]
    for row in rows:
        times[row] = time
    messages = [f"{time},1,{i + 1},5,1000000,1" for i, time in enumerate(times)]
    path = lobster_day(messages, [], 1).write(tmp_path, with_book=False)
    feed = feeds.lobster(path, keep_going=True)
    assert left_out(feed.summary["damage"]) == rows and feed.summary["skipped"] == len(rows)
    assert (np.diff(feed.rows["time_ns"]) >= 0).all()


def test_an_order_that_left_with_its_level_is_forgotten(lobster_day, tmp_path):
    shown = ["1000000,100", "1000000,200", "1000100,7", "1000000,200", "1000000,209"]
    day = lobster_day([
        "34199,1,9,100,1000000,1", "34200,1,1,100,1000000,1", "34201,1,2,7,1000100,1", "34202,3,2,7,1000100,1", "34203,1,1,9,1000000,1",
    ], [f"9999999999,0,{bid}" for bid in shown], 1)
    feed = feeds.lobster(day.write(tmp_path))
    assert feed.rows["order_id"][-1] == 1 and feed.summary["unexplained_messages"] == 0


def test_what_a_cut_packing_holds_is_kept_and_said_to_be_cut(simulate_day, tmp_path):
    path = write_gzip(simulate_day(1, 3, 1_000), tmp_path)
    path.write_bytes(path.read_bytes()[:-200])
    summary = feeds.lobster(path, keep_going=True).summary
    assert summary["is_cut_off"] and "the packing must be whole" in summary["damage"][-1]


def test_a_row_without_an_end_is_refused_before_it_fills_the_memory(tmp_path):
    path = tmp_path / "day.csv"
    path.write_bytes(b"34200,1,1,5,1000000,1\n" + b"1" * 2**22)
    with pytest.raises(FeedError, match=r"day.csv: row 2: must end within 1,048,576 bytes, begins at byte 22"):
        feeds.lobster(path)


@pytest.mark.parametrize("name", [AMAZON, MICROSOFT])
def test_real_days_give_the_same_rows_in_small_blocks(name, data_folder, blocks_of_bytes):
    bounds = {"from_ns": TEN_OCLOCK_NS, "to_ns": TEN_OCLOCK_NS + 600 * SECOND_NS}
    whole, part = feeds.lobster(data_folder / name), feeds.lobster(data_folder / name, **bounds)
    blocks_of_bytes(2**16)
    for options, expected in (({}, whole), (bounds, part)):
        streamed = feeds.lobster(data_folder / name, **options, stream=True)
        assert streamed.rows.tobytes() == expected.rows.tobytes()
        assert facts(streamed) == facts(expected)
