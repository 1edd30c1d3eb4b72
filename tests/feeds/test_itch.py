"""What Nasdaq's ITCH 5.0 messages say about the book, and how the file is read."""
import gzip
import io

import numpy as np
import pytest
from made_files import SECOND_NS, itch, itch_file, with_lengths

from lob import Simulation, feeds
from lob.errors import FeedError
from lob.feeds.itch_messages import ID_OF_ZERO, SIZE_OF_KIND, Messages
from lob.feeds.packed import Packed
from lob.messages import Action, Flag, Side

SAMPLE = "ex20101224.TEST_ITCH_50.gz"
L, C, E, P, S = (int(a) for a in (Action.LIMIT, Action.CANCEL, Action.EXECUTE, Action.PRINT, Action.STATUS))
BID, ASK = itch("A", ref=1, side="B", shares=500, price=1_000_000), itch("F", ref=2, side="S", shares=300, price=1_000_200)
EVERY_KIND = [
    itch("S", locate=0, event="O"), itch("R"), itch("H", state="T"), itch("Y"), itch("L"), itch("V", locate=0), itch("W", locate=0), itch("K"), itch("J"),
    BID, ASK, itch("E", ref=2, shares=100), itch("C", ref=2, shares=50, price=1_000_100), itch("X", ref=1, shares=100),
    itch("U", ref=1, new_ref=3, shares=700, price=999_900), itch("P", shares=10, price=1_000_100), itch("Q", shares=20, price=1_000_000),
    itch("B"), itch("I"), itch("N"), itch("O"), itch("h", action="H"), itch("D", ref=3),
]


def rows_of(tmp_path, messages, **options):
    """Return (action, order_id, side, price_ticks, lots, is_last) of the rows of messages."""
    feed = feeds.itch(itch_file(tmp_path / "day.itch", messages), **options)
    return [(*row[:5], bool(row[5] & Flag.LAST)) for row in feed.rows[["action", "order_id", "side", "price_ticks", "lots", "flags"]].tolist()]


def decoded(path, block_bytes=2**20):
    with Packed(path) as packed:
        return np.concatenate(list(Messages(packed, block_bytes)))


def test_every_kind_of_message_is_read(tmp_path):
    assert {chr(message[0]) for message in EVERY_KIND} == set(SIZE_OF_KIND)
    assert rows_of(tmp_path, EVERY_KIND) == [
        (S, 0, 0, 2, 0, True), (L, 1, 1, 10_000, 500, True), (L, 2, -1, 10_002, 300, True),
        (E, 2, -1, 10_002, 100, False), (C, 2, -1, 10_002, 50, False), (P, 0, 1, 10_001, 50, True), (C, 1, 1, 10_000, 100, True),
        (C, 1, 1, 10_000, 400, False), (L, 3, 1, 9_999, 700, True), (P, 0, 0, 10_001, 10, True), (P, 0, 0, 10_000, 20, True),
        (S, 0, 0, 0, 0, True), (C, 3, 1, 9_999, 700, True)]


def test_an_execution_that_does_not_print_is_part_of_a_cross_and_only_takes_the_order_off(tmp_path):
    assert rows_of(tmp_path, [BID, itch("C", ref=1, shares=500, price=1_000_000, printable="N")])[1:] == [(C, 1, 1, 10_000, 500, True)]


def test_executions_of_one_time_and_side_and_what_is_left_of_the_aggressor_are_one_event(tmp_path):
    later = 2 * SECOND_NS
    messages = [BID, itch("A", ref=4, side="B", shares=100, price=1_000_000), itch("E", later, ref=1, shares=500), itch("P", later, shares=5, price=1_000_000),
                itch("E", later, ref=4, shares=100), itch("A", later, ref=5, side="S", shares=50, price=1_000_000), itch("D", later, ref=5)]
    assert [(row[0], row[5]) for row in rows_of(tmp_path, messages)[2:]] == [(E, False), (P, False), (E, False), (L, True), (C, True)]


def test_both_ways_of_telling_messages_apart_give_the_same_rows_in_blocks_of_any_size(tmp_path):
    with_lengths, without = (itch_file(tmp_path / name, EVERY_KIND, name == "lengths.itch") for name in ("lengths.itch", "zeros.itch"))
    assert feeds.itch(with_lengths).rows.tobytes() == feeds.itch(without).rows.tobytes()
    for path in (with_lengths, without):
        for block_bytes in (1, 20, 51, 1000):
            assert decoded(path, block_bytes).tobytes() == decoded(path).tobytes()


def test_the_two_ways_cannot_change_within_a_file(tmp_path):
    path = itch_file(tmp_path / "day.itch", [BID])
    path.write_bytes(path.read_bytes() + b"\0\0" + ASK)
    with pytest.raises(FeedError, match=r"day.itch: byte 38: a message must have a type of ITCH 5.0 and, before it, its length, .* was type b'F', length 0"):
        feeds.itch(path)


def test_a_day_that_begins_with_the_execution_of_an_unknown_order_can_be_replayed(tmp_path):
    feed = feeds.itch(itch_file(tmp_path / "day.itch", [itch("E", ref=8, shares=1), BID, ASK, itch("D", 2 * SECOND_NS, ref=1)]))
    assert Simulation([], feed=feed).run(progress=False).feed_unknown == 1


def test_one_stock_of_many_is_chosen_by_name(tmp_path):
    other = itch("A", locate=2, ref=9, side="B", shares=1, price=50_000, stock="OTHER")
    path = itch_file(tmp_path / "day.itch", [BID, other, ASK])
    assert feeds.itch_symbols(path) == {"TEST": 2, "OTHER": 1}
    assert feeds.itch(path, "OTHER").rows["order_id"].tolist() == [9] and feeds.itch(path, "TEST").rows["order_id"].tolist() == [1, 2]
    with pytest.raises(FeedError, match="symbol must be one of OTHER, TEST, was None"):
        feeds.itch(path)


def test_a_tick_is_a_cent_if_all_orders_are_in_whole_cents(tmp_path):
    assert str(feeds.itch(itch_file(tmp_path / "cents.itch", [BID, ASK])).tick_size) == "0.01"
    fine = itch("A", ref=4, side="B", shares=1, price=999_950)
    assert str(feeds.itch(itch_file(tmp_path / "fine.itch", [BID, fine])).tick_size) == "0.0001"


def test_an_unknown_order_is_counted_and_left_to_the_exchange_to_refuse(tmp_path):
    feed = feeds.itch(itch_file(tmp_path / "day.itch", [BID, itch("D", ref=8), itch("E", ref=8, shares=1), itch("U", ref=8, new_ref=9, shares=1, price=100)]))
    assert feed.summary["unknown_references"] == 3
    assert feed.rows[["action", "order_id"]].tolist()[1:] == [(C, 8), (E, 8), (C, 8)]


@pytest.fixture(scope="module")
def theirs(data_folder):
    """Return the sample's messages as itchfeed reads them."""
    parser = pytest.importorskip("itch.parser", reason="itchfeed is an optional test dependency: pip install itchfeed")
    content = with_lengths(gzip.decompress((data_folder / SAMPLE).read_bytes()))
    return list(parser.MessageParser().parse_file(io.BytesIO(content)))


def test_fields_are_those_that_itchfeed_reads(data_folder, theirs):
    ours = decoded(data_folder / SAMPLE)
    assert len(ours) == len(theirs) == 12_012
    names = {"ref": "order_reference_number", "other_ref": "new_order_reference_number", "price": "price"}
    for mine, message in zip(ours, theirs, strict=True):
        assert (chr(mine["kind"]), mine["locate"], mine["time_ns"]) == (message.message_type.decode(), message.stock_locate, message.timestamp)
        for name, field in names.items():
            if hasattr(message, field) and chr(mine["kind"]) != "P":
                value = getattr(message, field)
                assert mine[name] == (ID_OF_ZERO if name != "price" and value == 0 else value)
        lots = next((getattr(message, field) for field in ("shares", "executed_shares", "cancelled_shares") if hasattr(message, field)), 0)
        assert mine["lots"] == lots
        if hasattr(message, "buy_sell_indicator"):
            assert mine["side"] == {b"B": 1, b"S": -1}[message.buy_sell_indicator]


def test_the_book_is_that_of_the_messages_that_itchfeed_reads(data_folder, theirs, recorded_book):
    orders, unknown = {}, 0
    for message in [message for message in theirs if message.stock_locate == 2]:
        kind, ref = message.message_type.decode(), getattr(message, "order_reference_number", None)
        if kind in "AF":
            orders[ref] = (message.buy_sell_indicator, message.price, message.shares)
        elif kind in "EXDU":
            side, price, left = orders.pop(ref, (None, None, None))
            unknown += side is None
            left = 0 if kind in "DU" or side is None else left - getattr(message, "executed_shares" if kind == "E" else "cancelled_shares")
            if left > 0:
                orders[ref] = (side, price, left)
            if kind == "U" and side:
                orders[message.new_order_reference_number] = (side, message.price, message.shares)
    feed = feeds.itch(data_folder / SAMPLE, "BOB")
    for row in feed.rows.tolist():
        recorded_book.apply(row)
    levels = {}
    for side, price, lots in orders.values():
        side = Side.BUY if side == b"B" else Side.SELL
        levels[side, price] = levels.get((side, price), 0) + lots
    assert levels == {(side, price): lots for side in Side for price, lots in recorded_book.levels(side)}
    assert feed.summary["unknown_references"] == unknown == recorded_book.rejected_count == 41
