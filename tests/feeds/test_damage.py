"""Files that are cut short or have wrong bits: an error that says where, or a feed; with keep_going what came before is kept and the rest is counted."""
import gzip
import os

import numpy as np
import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_files import dbn_day, dbn_head, itch_day, mbo

from lob import feeds
from lob.errors import FeedError
from lob.messages import LOTS_MAX, NOBODY, PRICE_MAX_TICKS, Action

EXAMPLES = 60


@pytest.fixture(scope="module")
def contents(tmp_path_factory, simulate_day):
    """Return the folder of a small day in every format and packing."""
    folder, zstd = tmp_path_factory.mktemp("whole"), pyarrow.Codec("zstd")
    plain = {"dbn": dbn_day(), "itch": itch_day(), "csv": simulate_day(1, 3, 120).message_text.encode()}
    found = dict(plain)
    found |= {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in plain.items()}
    found |= {f"{name}.zst": zstd.compress(content, asbytes=True) for name, content in plain.items()}
    (folder / "whole.dbn").write_bytes(plain["dbn"])
    found["parquet"] = feeds.write_fast(feeds.read(folder / "whole.dbn"), folder / "day.parquet").read_bytes()
    for name, content in (found | {"zip": simulate_day(1, 3, 120).write_zip(folder).read_bytes()}).items():
        (folder / name).write_bytes(content)
    return folder


PLAIN = ["dbn", "itch", "csv"]
FORMATS = [*PLAIN, "dbn.gz", "itch.gz", "csv.gz", "dbn.zst", "itch.zst", "csv.zst", "parquet", "zip"]


def read_all(path, **options):
    """Return the rows of a file, or None for a FeedError, which must name the file."""
    try:
        return feeds.read(path, **options).rows
    except FeedError as error:
        assert str(path) in str(error), error
        return None


@pytest.mark.parametrize("name", FORMATS)
def test_a_whole_file_is_read(name, contents):
    assert len(read_all(contents / name)) > 100


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(where=st.floats(0, 1, exclude_max=True), keep_going=st.booleans())
def test_a_file_that_is_cut_short_gives_an_error_or_what_came_before(name, where, keep_going, contents, tmp_path):
    content = (contents / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(content[:int(where * len(content))])
    rows = read_all(path, keep_going=keep_going)
    assert rows is None or keep_going or name in PLAIN  # the end of a plain file may be that of a record
    told = ["time_ns", "action", "order_id", "lots"]  # not the price: with fewer of them the tick may be another
    whole = feeds.read(contents / name).rows[told].tolist()
    assert rows is None or (len(rows) <= len(whole) and rows[told].tolist()[:-3] == whole[:len(rows)][:-3])


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(data=st.data(), keep_going=st.booleans())
def test_wrong_bits_give_an_error_or_a_feed_and_nothing_else(name, data, keep_going, contents, tmp_path):
    rows = read_damaged(name, data, keep_going, contents, tmp_path)
    assert rows is None or is_sound(rows)


@pytest.mark.long
@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=int(os.environ.get("LOB_FUZZ_EXAMPLES", 5_000)), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), keep_going=st.booleans())
def test_many_wrong_bits_give_an_error_or_a_feed_and_nothing_else(name, data, keep_going, contents, tmp_path):
    rows = read_damaged(name, data, keep_going, contents, tmp_path)
    assert rows is None or is_sound(rows)


def is_sound(rows):
    """Return whether rows are what an exchange can be given: in order of time, known actions, numbers within their limits."""
    is_priced = np.isin(rows["action"], (Action.LIMIT, Action.EXECUTE, Action.PRINT, Action.DROP_LEVEL))
    is_priced &= (rows["action"] != Action.EXECUTE) | (rows["side"] != 0)  # an order that nobody knows has none: the exchange refuses it
    return bool(
        (np.diff(rows["time_ns"]) >= 0).all() and np.isin(rows["action"], list(Action)).all() and np.isin(rows["side"], (-1, 0, 1)).all()
        and (rows["lots"] >= 0).all() and (rows["lots"] <= LOTS_MAX).all() and (rows["owner"] == NOBODY).all()
        and (rows["price_ticks"][is_priced] >= 1).all() and (rows["price_ticks"] <= PRICE_MAX_TICKS).all()
    )


def read_damaged(name, data, keep_going, contents, tmp_path):
    """Return the rows of a file with up to four wrong bits, None for a FeedError."""
    content = bytearray((contents / name).read_bytes())
    for bit in data.draw(st.lists(st.integers(0, 8 * len(content) - 1), min_size=1, max_size=4)):
        content[bit // 8] ^= 1 << bit % 8
    path = tmp_path / name
    path.write_bytes(content)
    return read_all(path, keep_going=keep_going)


@pytest.mark.parametrize("name", ["dbn", "itch"])
def test_a_record_that_is_cut_off_is_named_by_its_byte_and_what_came_before_can_be_kept(name, contents, tmp_path):
    content, path = (contents / name).read_bytes(), tmp_path / name
    path.write_bytes(content[:-3])
    with pytest.raises(FeedError, match=rf"{name}: byte [\d,]+: the last record must be whole, the file ends after \d+ bytes of it"):
        feeds.read(path)
    feed = feeds.read(path, keep_going=True)
    assert feed.summary["is_cut_off"] and "the last record must be whole" in feed.summary["damage"][0]
    path.write_bytes(content)
    whole = feeds.read(path).rows
    assert len(whole) - 3 <= len(feed.rows) < len(whole) and feed.rows[:-3].tobytes() == whole[:len(feed.rows) - 3].tobytes()


@pytest.mark.parametrize("name", ["dbn.gz", "itch.gz", "csv.gz", "dbn.zst", "itch.zst", "csv.zst"])
def test_a_packing_that_is_cut_off_is_an_error_and_never_a_silent_end(name, contents, tmp_path):
    path = tmp_path / name
    path.write_bytes((contents / name).read_bytes()[:-5])
    with pytest.raises(FeedError, match=rf"{name}: (byte [\d,]+ of the unpacked file: the packing must be whole|cannot be read)"):
        feeds.read(path)


def test_a_file_may_be_packed_three_times_and_no_more(contents, tmp_path):
    path, content = tmp_path / "day", (contents / "dbn").read_bytes()
    whole = feeds.read(contents / "dbn").rows
    for depth in range(1, 5):
        content = gzip.compress(content)
        path.write_bytes(content)
        if depth < 4:
            assert feeds.read(path).rows.tobytes() == whole.tobytes()
    with pytest.raises(FeedError, match="day: must be packed at most 3 times, one in the other"):
        feeds.read(path)


def test_a_wrong_record_is_left_out_and_counted(contents, tmp_path):
    content, path = bytearray((contents / "dbn").read_bytes()), tmp_path / "day.dbn"
    at = len(dbn_head()) + 56 * 10 + 38
    content[at] = ord("?")
    path.write_bytes(content)
    with pytest.raises(FeedError, match=rf"day.dbn: byte {at - 38:,}: action must be one of AMCRTFN, was 63"):
        feeds.read(path)
    summary = feeds.read(path, keep_going=True).summary
    assert (summary["skipped"], summary["is_cut_off"]) == (1, False) and f"byte {at - 38:,}" in summary["damage"][0]


def test_a_wrong_lobster_row_is_left_out_with_its_book_row(simulate_day, tmp_path):
    day = simulate_day(1, 3, 300)
    day.messages[150] = "34200.5,1,x"
    path = day.write(tmp_path)
    with pytest.raises(FeedError, match=r"message_3.csv: row 151: order id must be a whole number, was 'x', at byte [\d,]+"):
        feeds.read(path)
    feed = feeds.read(path, keep_going=True)
    assert feed.summary["skipped"] == 1 and feed.summary["messages"] == 298 and feed.summary["unexplained_messages"] <= 2


@pytest.mark.parametrize("with_book", [False, True])
def test_a_lobster_day_of_which_no_row_keeps_the_rules_is_an_error(with_book, lobster_day, tmp_path):
    path = lobster_day(["34200.5,9,1,1,100,1", "x"], ["x", "1000100,1,1000000,1"], 1).write(tmp_path, with_book)
    with pytest.raises(FeedError, match=r"message_1.csv: a recording needs at least one row, none is left of the file that keeps the rules"):
        feeds.read(path, keep_going=True)


def test_lobster_files_that_have_no_whole_pair_of_rows_are_an_error(lobster_day, tmp_path):
    path = lobster_day(["34200.5,1,1,1,1000000,1", "x"], ["x", "1000100,1,1000000,1"], 1).write(tmp_path)
    with pytest.raises(FeedError, match=r"message_1.csv: a recording needs at least one row, none is left of the file that keeps the rules"):
        feeds.read(path, keep_going=True)


def test_an_order_that_is_open_already_is_an_error_or_counted(tmp_path):
    path = tmp_path / "day.dbn"
    path.write_bytes(dbn_head() + mbo("A", "B", 1, 100, 5) + mbo("A", "B", 1, 101, 5))
    with pytest.raises(FeedError, match=r"day.dbn: byte [\d,]+: an added order's id must not be that of an open order, was 1"):
        feeds.read(path)
    assert feeds.read(path, keep_going=True).summary["duplicate_orders"] == 1
