"""Pegged orders where a story would be too long: what a random market seldom does, and a great many of them at once."""
import numpy as np
import pytest

from lob.errors import TapeError
from lob.exchange.order_book import OrderBook
from lob.exchange.reference import ReferenceBook
from lob.messages import REQUEST, Action, Flag, RejectReason, ReportKind, Side

BUY, SELL = Side.BUY, Side.SELL


def moves_of(rows):
    """Return [(order_id, price)] of the pegged orders that came to a price."""
    moved = rows[rows["kind"] == ReportKind.REPLACED]
    return list(zip(moved["order_id"].tolist(), moved["price_ticks"].tolist(), strict=True))


def test_an_order_that_enters_while_others_have_yet_to_follow_follows_the_touch_that_its_own_trades_leave(book):
    book.limit(BUY, 100, 1, order_id=1)
    for order_id, price_ticks in ((2, 110), (3, 113), (4, 115)):
        book.limit(SELL, price_ticks, 1, order_id=order_id)
    book.limit(BUY, 200, 1, order_id=5, peg="far", offset_ticks=4)
    book.limit(SELL, 109, 1, order_id=6, hidden=True)
    book.limit(BUY, 108, 1, order_id=7, hidden=True)
    book.market(BUY, 1, order_id=8, trigger_ticks=109)
    book.limit(SELL, 113, 1, order_id=9, trigger_ticks=108)
    # The touch is 113, the pegged buyer trades at 109, and the stop takes the 113: the touch is 115, and nobody has followed it yet.
    assert moves_of(book.cancel(2)) == [(5, 109)]
    assert book.best_ask_ticks == 115
    # It enters by 115, and what it triggers makes the touch 113 again, the one that had been seen.
    rows = book.limit(SELL, 1, 2, order_id=10, peg="mid")
    assert moves_of(rows) == [(10, 108), (10, 107)]
    assert book.best_ask_ticks == 113
    book.check()


def test_the_stops_that_moving_orders_trigger_move_no_pegged_order_before_the_next_request(book):
    book.limit(BUY, 100, 1, order_id=1)
    for order_id, price_ticks in ((2, 110), (3, 113), (4, 115)):
        book.limit(SELL, price_ticks, 1, order_id=order_id)
    book.limit(BUY, 200, 5, order_id=5, peg="far", offset_ticks=4)
    book.limit(SELL, 109, 1, order_id=6, hidden=True)
    book.market(BUY, 1, order_id=8, trigger_ticks=109)
    rows = book.cancel(2)
    assert rows["kind"].tolist() == [ReportKind[name] for name in ("CANCELLED", "REPLACED", "FILL", "TRIGGERED", "FILL")]
    assert np.flatnonzero(rows["flags"] & Flag.LAST).tolist() == [0, 2, 4]
    rows = book.cancel(99)
    assert (rows["reason"][0], moves_of(rows)) == (RejectReason.UNKNOWN_ORDER, [(5, 111)])


def test_one_that_trades_away_while_others_move_does_not_move_itself_and_those_behind_it_do(book):
    book.limit(BUY, 100, 1, order_id=1)
    book.limit(SELL, 110, 1, order_id=2)
    book.limit(SELL, 112, 1, order_id=3)
    book.limit(BUY, 200, 5, order_id=4, peg="far", offset_ticks=6)
    book.limit(SELL, 1, 2, order_id=5, peg="mid")
    book.limit(BUY, 200, 1, order_id=6, peg="far", offset_ticks=8)
    rows = book.cancel(2)
    assert moves_of(rows) == [(4, 106), (6, 104)]
    assert rows["resting_id"][rows["kind"] == ReportKind.FILL].tolist() == [5]
    book.check()


def many_pegs(count):
    """Return REQUEST[count + 4]: pegged buyers whose limits are pages apart, and a bid that lets each come to its own."""
    requests = np.zeros(count + 4, REQUEST)
    requests["lots"], requests["side"], requests["order_id"], requests["book"] = 3, BUY, np.arange(1, count + 5), 0
    requests["price_ticks"] = 5_000 * np.arange(1, count + 5)
    requests["flags"][1:-3] = Flag.PEG_NEAR
    requests["price_ticks"][0] = 1_000
    requests["price_ticks"][-3:] = 10**9, 10**9 + 1, 2_000
    requests["action"][-1], requests["order_id"][-1] = Action.CANCEL, count + 2
    return requests


@pytest.mark.parametrize("count", [10, 700, 3_000])
def test_many_move_at_once_each_to_a_page_of_its_own(count):
    engine, reference = OrderBook(), ReferenceBook()
    requests = many_pegs(count)
    rows = [engine.send(request) for request in requests]
    assert np.concatenate(rows).tolist() == reference.send_many(requests).tolist()
    assert len(rows[-3]) == count + 1
    engine.check()


@pytest.mark.parametrize("field", ["peg", "offset_ticks", "price_ticks", "tif"])
def test_a_pegged_order_that_no_book_can_hold_is_refused_when_it_is_loaded(tmp_path, field):
    book = OrderBook()
    book.limit(BUY, 100, 1, order_id=1)
    book.limit(BUY, 110, 1, order_id=2, peg="near", offset_ticks=2)
    with np.load(book.save(tmp_path / "book.npz")) as archive:
        arrays = dict(archive)
    arrays["rules"][field] = {"peg": 4, "offset_ticks": -1, "price_ticks": 97, "tif": 9}[field]
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(TapeError, match="no book can hold"):
        OrderBook.load(tmp_path / "other.npz")


def test_a_loaded_book_moves_pegged_orders_in_the_order_of_their_entry(tmp_path):
    book = OrderBook()
    book.limit(BUY, 100, 1, order_id=1)
    for order_id in range(2, 12):
        book.limit(BUY, 110 - order_id % 3, 1, order_id=order_id, peg="near", offset_ticks=order_id * 7 % 5)
    book.cancel(4)
    book.limit(BUY, 110, 1, order_id=12, peg="near")
    loaded = OrderBook.load(book.save(tmp_path / "book.npz"))
    loaded.check()
    rows = book.limit(BUY, 105, 1, order_id=13)
    assert loaded.limit(BUY, 105, 1, order_id=13).tolist() == rows.tolist()
    assert [order_id for order_id, _ in moves_of(rows)] == [2, 3, *range(5, 13)]
