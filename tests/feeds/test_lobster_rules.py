"""What a LOBSTER row means, and how a row or file that cannot be true is refused."""
import gzip
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lob import feeds
from lob.errors import FeedError
from lob.feeds import Feed
from lob.messages import Action, Flag, Side, anonymous_id

ADD_BID = "34200.5,1,11,100,1000000,1"


@pytest.fixture
def read(tmp_path):
    """Return a function that writes text rows as a message file, without a book or with the rows of one, and reads them."""
    def read_rows(*rows, book=None):
        path = tmp_path / "TEST_2024-01-02_34200000_57600000_message_1.csv"
        path.write_text("".join(f"{row}\n" for row in rows))
        if book:
            path.with_name(path.name.replace("message", "orderbook")).write_text("".join(f"{row}\n" for row in book))
        return feeds.lobster(path)
    return read_rows


def request(feed, i, *fields):
    return tuple(feed.rows[i][list(fields)].tolist())


@pytest.mark.parametrize(("row", "action", "order_id", "price_ticks", "lots", "side"), [
    ("34201,1,12,40,1000100,-1", Action.LIMIT, 12, 10_001, 40, Side.SELL),
    ("34201,2,11,40,1000000,1", Action.CANCEL, 11, 10_000, 40, Side.BUY),
    ("34201,3,11,100,1000000,1", Action.CANCEL, 11, 10_000, 0, Side.BUY),
    ("34201,3,99,60,1000000,1", Action.CANCEL, 99, 10_000, 60, Side.BUY),
    ("34201,4,11,40,1000000,1", Action.EXECUTE, 11, 10_000, 40, Side.BUY),
    ("34201,5,0,40,1000000,1", Action.PRINT, 0, 10_000, 40, Side.SELL),
    ("34201,5,0,40,1000000,-1", Action.PRINT, 0, 10_000, 40, Side.BUY),
    ("34201,6,-1,40,1000000,-1", Action.PRINT, 0, 10_000, 40, 0),
    ("34201,7,0,0,-1,-1", Action.STATUS, 0, 0, 0, 0),
    ("34201,7,0,0,0,-1", Action.STATUS, 0, 1, 0, 0),
    ("34201,7,0,0,1,-1", Action.STATUS, 0, 2, 0, 0),
])
def test_each_type_of_message_becomes_one_request(read, row, action, order_id, price_ticks, lots, side):
    feed = read(ADD_BID, row)
    assert request(feed, 1, "action", "order_id", "price_ticks", "lots", "side") == (action, order_id, price_ticks, lots, side)
    assert request(feed, 1, "time_ns", "sent_ns", "owner", "book", "tif", "flags") == (34_201 * 10**9, 34_201 * 10**9, 0, 0, 0, Flag.LAST)


def test_a_delete_in_a_blind_book_takes_all_that_rests_though_an_earlier_cancel_went_by_unseen(read):
    assert request(read(ADD_BID, "34201,3,11,70,1000000,1"), 1, "action", "lots") == (Action.CANCEL, 0)


def test_a_cross_that_traded_nothing_leaves_no_row(read):
    feed = read(ADD_BID, "34201,6,-1,0,0,-1")
    assert feed.rows.size == 1
    assert feed.event_ends.tolist() == [1, 1]


@pytest.mark.parametrize(("text", "time_ns"), [
    ("34201", 34_201_000_000_000), ("34201.", 34_201_000_000_000), ("34200.5", 34_200_500_000_000), ("34200.600000001", 34_200_600_000_001),
    ("43002.632812672004", 43_002_632_812_672), ("43002.632812671996", 43_002_632_812_672), ("57599.999999999", 57_599_999_999_999),
])
def test_times_are_read_to_the_nanosecond(read, text, time_ns):
    assert request(read(ADD_BID, f"{text},1,12,1,1000000,1"), 1, "time_ns") == (time_ns,)


def test_rows_may_end_in_carriage_returns_and_the_last_one_in_nothing(tmp_path):
    path = tmp_path / "day.csv"
    path.write_bytes(f"{ADD_BID}\r\n34201,5,0,40,1000000,1".encode())
    assert feeds.lobster(path).rows.size == 2


def test_the_tick_is_a_cent_where_every_displayed_price_is_one_in_cents(read):
    feed = read(ADD_BID, "34201,5,0,40,1000050,1", "34202,5,0,40,1000050,-1")
    assert (feed.tick_size, feed.lot_size) == (Decimal("0.01"), Decimal(1))
    assert feed.summary["prints_off_tick"] == 2


def test_a_hidden_execution_between_two_ticks_never_reaches_further_than_it_did(read):
    feed = read(ADD_BID, "34201,5,0,40,1000050,1", "34202,5,0,40,1000050,-1")
    assert request(feed, 1, "side", "price_ticks") == (Side.SELL, 10_001)
    assert request(feed, 2, "side", "price_ticks") == (Side.BUY, 10_000)


def test_below_a_dollar_the_tick_is_the_unit_of_the_file(read):
    feed = read("34200,1,11,100,9501,1", "34201,1,12,100,9600,-1")
    assert feed.tick_size == Decimal("0.0001")
    assert feed.rows["price_ticks"].tolist() == [9501, 9600]


def test_an_order_that_left_the_window_is_anonymous_when_its_price_comes_back(read):
    bid, empty = "1000000,100", "9999999999,0"
    feed = read(
        ADD_BID, "34201,1,12,7,1000100,1", "34202,3,12,7,1000100,1", "34203,4,11,100,1000000,1",
        book=[f"{empty},{bid}", f"{empty},1000100,7", f"{empty},{bid}", f"{empty},-9999999999,0"],
    )
    anonymous = anonymous_id(Side.BUY, 10_000)
    assert [tuple(row) for row in feed.rows[["action", "order_id", "lots"]].tolist()] == [
        (Action.LIMIT, anonymous, 100),
        (Action.LIMIT, 12, 7), (Action.DROP_LEVEL, 0, 0),
        (Action.LIMIT, anonymous, 100), (Action.CANCEL, 12, 0),
        (Action.EXECUTE, 11, 100),
    ]
    assert feed.event_ends.tolist() == [1, 3, 5, 6]
    assert {name: feed.summary[name] for name in ("re_entries", "levels_dropped", "anonymous_references", "unknown_references")} == {
        "re_entries": 1, "levels_dropped": 1, "anonymous_references": 1, "unknown_references": 0,
    }


def test_the_summary_counts_what_was_read(read):
    feed = read(ADD_BID, "34201,5,0,40,1000050,1", "34202,7,0,0,-1,-1", "34203,3,99,40,1000000,1")
    assert feed.summary == {
        "format": "LOBSTER", "message_file": feed.source, "book_file": None, "levels": 1, "seeding": "blind", "seed_row": None, "messages": 4, "rows": 4,
        "first_ns": 34_200_500_000_000, "last_ns": 34_203_000_000_000, "tick_units": 100, "limit_orders": 1, "partial_cancels": 0, "deletes": 1,
        "executions": 0, "hidden_executions": 1, "auction_prints": 0, "status_changes": 1, "prints_off_tick": 1, "re_entries": 0, "levels_dropped": 0,
        "anonymous_references": 0, "unknown_references": 1, "unexplained_messages": 0,
    }


@pytest.mark.parametrize(("row", "rule"), [
    ("34201,1,12,100,1000000", "a row must have 6 columns, was '34201,1,12,100,1000000'"),
    ("34201,1,12,100,1000000,1,0", "a row must have 6 columns"),
    ("34201,1,12,10", "a row must have 6 columns"),
    ("34201,1,", "order id must be a whole number, was ''"),
    ("", "time must be a decimal number, was ''"),
    ("noon,1,12,100,1000000,1", "time must be a decimal number, was 'noon'"),
    ("34201,1,12,100.5,1000000,1", "size must be a whole number, was '100.5'"),
    ("34201,1,12,100,1000000,1 ", "direction must be a whole number, was '1 '"),
    ("34201,1,1234567890123456789,100,1000000,1", "order id must have at most 18 digits"),
    ("12345678901,1,12,100,1000000,1", "time must have at most 9 digits"),
    ("34200.4,1,12,100,1000000,1", "time must not go back, was 34200.4"),
    ("86400.1,1,12,100,1000000,1", "time must lie within a day, was 86400.1"),
    ("34201,0,12,100,1000000,1", "type must be 1 to 7, was 0"),
    ("34201,8,12,100,1000000,1", "type must be 1 to 7, was 8"),
    ("34201,1,0,100,1000000,1", "order id must be at least 1 in types 1 to 4, was 0"),
    ("34201,1,12,-100,1000000,1", "size must be 1 to 1000000000, or from 0 in types 6 and 7, was -100"),
    ("34201,1,12,0,1000000,1", "size must be 1 to"),
    ("34201,1,12,1000000001,1000000,1", "size must be 1 to"),
    ("34201,1,12,100,0,1", "price must be 1 to 2147483648, or -1 to 1 in a halt, was 0"),
    ("34201,1,12,100,9999999999,1", "price must be 1 to"),
    ("34201,7,0,0,2,-1", "price must be 1 to"),
    ("34201,1,12,100,1000000,0", "direction must be 1 or -1, or 0 in types 6 and 7, was 0"),
    ("34201,1,11,100,1000000,1", "a new order's id must not be that of an order with lots open"),
    ("34201,3,11,100,1000100,1", "a message must have the price and direction of the order it names"),
    ("34201,3,11,100,1000000,-1", "a message must have the price and direction of the order it names"),
    ("34201,4,11,101,1000000,1", "a message must not take more than its order has open"),
])
def test_a_row_that_cannot_be_true_is_refused_by_file_row_and_rule(read, row, rule):
    with pytest.raises(FeedError) as error:
        read(ADD_BID, row, "34202,5,0,40,1000000,1")
    assert "message_1.csv: row 2: " in str(error.value)
    assert rule in str(error.value)


@pytest.mark.parametrize(("row", "rule"), [
    ("1000100,100,1000000", "a row must have 4 columns"),
    ("1000100,100,1000000,-5", "bid size 1 must be 1 to 1000000000, or 0 for no level, was -5"),
    ("1000100,100,1000000,0", "bid size 1 must be"),
    ("9999999999,1,1000000,100", "ask size 1 must be"),
    ("-9999999999,0,1000000,100", "ask price 1 must be 1 to 2147483648, or 9999999999 for no level, was -9999999999"),
    ("0,100,1000000,100", "ask price 1 must be"),
    ("1000100,,1000000,100", "ask size 1 must be a whole number, was ''"),
])
def test_a_book_row_that_cannot_be_true_is_refused_by_file_row_and_rule(read, row, rule):
    with pytest.raises(FeedError) as error:
        read(ADD_BID, "34201,5,0,40,1000000,1", book=["1000100,100,1000000,100", row])
    assert "orderbook_1.csv: row 2: " in str(error.value)
    assert rule in str(error.value)


@pytest.mark.parametrize(("row", "rule"), [
    ("1000100,1,1000000,1,1000100,1,999900,1", "ask price 2 must lie behind the level before it, was 1000100"),
    ("1000100,1,1000000,1,1000200,1,1000000,1", "bid price 2 must lie behind the level before it, was 1000000"),
    ("1000100,1,-9999999999,0,1000200,1,1000000,1", "bid price 2 must lie behind the level before it, was 1000000"),
])
def test_levels_of_a_book_row_lie_behind_each_other(tmp_path, row, rule):
    (tmp_path / "day.csv").write_text(f"{ADD_BID}\n")
    (tmp_path / "book.csv").write_text(f"{row}\n")
    with pytest.raises(FeedError, match=f"book.csv: row 1: {rule}"):
        feeds.lobster(tmp_path / "day.csv", book=tmp_path / "book.csv")


@pytest.mark.parametrize("rows", [
    ["1000100,1,1000000,1", "1000200,1,1000000,1"],
    ["1000200,1,1000000,1", "1000100,1,1000000,1"],
    ["1000200,1,1000000,1", "1000200,2,1000000,1"],
    ["1000200,1,1000000,1", "9999999999,0,1000000,1"],
    ["9999999999,0,1000000,1", "1000200,1,1000000,1"],
])
def test_a_book_row_that_changes_without_a_message_belongs_to_another_day(read, rows):
    with pytest.raises(FeedError, match="orderbook_1.csv: row 2: must follow from the row before and its message; 1 of 2 rows do not"):
        read("34201,5,0,40,1000000,1", "34202,5,0,40,1000000,1", book=rows)


@pytest.mark.parametrize(("bounds", "rule"), [
    ({"from_ns": 34_201_000_000_001}, "from must not be after the last message at 34201.000000000 s, was 34201.000000001 s"),
    ({"to_ns": 34_200_000_000_000}, "to must not be before the start at 34200.500000000 s, was 34200.000000000 s"),
])
def test_a_replay_has_to_lie_within_the_day(tmp_path, bounds, rule):
    path = tmp_path / "day.csv"
    path.write_text(f"{ADD_BID}\n34201,5,0,40,1000000,1\n")
    with pytest.raises(FeedError, match=rule):
        feeds.lobster(path, **bounds)


def test_files_that_are_missing_empty_or_cut_off_are_refused(simulate_day, tmp_path):
    day = simulate_day()
    packed, zipped = day.write_gzip(tmp_path), day.write_zip(tmp_path)
    packed.write_bytes(packed.read_bytes()[:-100])
    zipped.write_bytes(zipped.read_bytes()[:-100])
    (tmp_path / "empty.csv").write_text("\n")
    empty, missing = tmp_path / "empty.csv", tmp_path / "none.csv"
    for path, rule in ((packed, "the packing must be whole"), (zipped, "cannot be read"), (empty, "at least one row"), (missing, "cannot be read")):
        with pytest.raises(FeedError, match=f"{path.name}: .*{rule}"):
            feeds.lobster(path)


def test_two_book_files_of_one_day_have_to_be_told_apart(simulate_day, tmp_path):
    day = simulate_day()
    path = day.write(tmp_path, with_book=False)
    for second in (34_300, 34_400):
        (tmp_path / f"TEST_2024-01-02_orderbook_3_9rows_from_{second}.csv").write_text(day.book_text)
    with pytest.raises(FeedError, match="one book file must belong to it, found TEST.*from_34300.csv, TEST.*from_34400.csv: name one"):
        feeds.lobster(path)


def test_a_book_file_of_another_symbol_date_or_level_count_is_not_taken(simulate_day, tmp_path):
    day = simulate_day()
    path = day.write(tmp_path, with_book=False)
    for name in ("REST_2024-01-02_x_y_orderbook_3.csv", "TEST_2024-01-03_x_y_orderbook_3.csv", "TEST_2024-01-02_x_y_orderbook_30.csv"):
        (tmp_path / name).write_text(day.book_text)
    assert feeds.lobster(path).summary["book_file"] is None


@st.composite
def damages(draw):
    """Draw how to damage a file: the share of it that is kept, and bytes to change as (place as a share, mask)."""
    share = st.floats(0, 1)
    return draw(st.sampled_from([1.0]) | share), draw(st.lists(st.tuples(share, st.integers(1, 255)), max_size=4))


def damage(content, kept, changes):
    content = bytearray(content[:round(kept * len(content))])
    for place, mask in changes:
        if content:
            content[min(int(place * len(content)), len(content) - 1)] ^= mask
    return bytes(content)


@pytest.fixture(scope="module")
def day_files(simulate_day, tmp_path_factory):
    """Return the paths of one short day as plain files, gzip and zip, with their bytes."""
    day, paths = simulate_day(message_count=40), []
    for write in (day.write, day.write_gzip, day.write_zip):
        folder = tmp_path_factory.mktemp("day")
        write(folder)
        paths += sorted(folder.iterdir())
    return [(path, path.read_bytes()) for path in paths]


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=st.integers(0, 4), how=damages())
@example(which=4, how=(1.0, []))
@example(which=4, how=(1.0, [(0.0, 1), (0.72265625, 1)]))  # a zip by its end alone, whose directory is damaged
def test_a_damaged_file_gives_a_feed_or_a_feed_error_and_nothing_else(day_files, which, how):
    path, content = day_files[which]
    message_path = next(other for other, _ in day_files if other.parent == path.parent and "orderbook" not in other.name)
    path.write_bytes(damage(content, *how))
    try:
        feed = feeds.lobster(message_path)
    except FeedError as error:
        assert str(path.parent) in str(error)
    else:
        assert isinstance(feed, Feed)
    finally:
        path.write_bytes(content)


@settings(max_examples=200)
@given(rows=st.lists(st.tuples(
    st.integers(34_200, 34_203), st.integers(1, 7), st.integers(-1, 4), st.integers(0, 3), st.sampled_from([-1, 0, 1, 100, 150, 200]), st.integers(-1, 1),
), min_size=1, max_size=12))
def test_any_numbers_give_a_feed_or_a_feed_error_and_nothing_else(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "numbers.csv.gz"
    path.write_bytes(gzip.compress("\n".join(",".join(map(str, row)) for row in sorted(rows)).encode()))
    try:
        feed = feeds.lobster(path)
    except FeedError as error:
        assert "numbers.csv.gz: row" in str(error)
    else:
        assert feed.event_ends.size == len(rows)
