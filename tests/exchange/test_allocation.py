"""Allocation beyond the stories in cases/: all in time order is price-time, products at the limits, and who trades with itself."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lob.exchange.order_book import OrderBook
from lob.exchange.reference_allocation import shares
from lob.exchange.venue import Allocation, Venue
from lob.messages import LOTS_MAX, ReportKind, SelfTrade, Side

BUY, SELL = Side.BUY, Side.SELL
PRO_RATA = Venue(allocation=Allocation.pro_rata())


def fills(rows):
    return [(int(row["resting_id"]), int(row["lots"])) for row in rows if row["kind"] == ReportKind.FILL]


def test_the_names_of_allocations_are_those_of_the_venues():
    assert Allocation.price_time() == Allocation(0, 0, 100, 1) == Allocation()
    assert Allocation.pro_rata(2, 40, 50) == Allocation(40, 50, 0, 2)
    assert Allocation.split(30, 5) == Allocation(0, 0, 30, 5)


@pytest.mark.parametrize("allocation", [Allocation.price_time(), Allocation(50, 3, 100, 4)])
def test_where_all_goes_in_time_order_the_first_in_line_trade_whatever_else_is_set(make_book, allocation):
    book = make_book(venue=Venue(allocation=allocation))
    for order_id in (1, 2, 3):
        book.limit(SELL, 100, 10, order_id)
    assert fills(book.market(BUY, 15, 4)) == [(1, 10), (2, 5)]


def test_the_largest_orders_there_are_share_exactly(make_book):
    book = make_book(venue=PRO_RATA)
    for order_id in (1, 2, 3):
        book.limit(SELL, 100, LOTS_MAX, order_id)
    assert fills(book.market(BUY, LOTS_MAX, 4)) == [(1, 333_333_334), (2, 333_333_333), (3, 333_333_333)]


@pytest.mark.parametrize(("allocation", "expected"), [
    # 34 of 69 and the lot left over; 11, 3 of 58 and the lot left over; all that it has.
    (Allocation.pro_rata(1, 50), [(1, 35), (2, 34)]), (Allocation.pro_rata(1, 50, 11), [(1, 15), (2, 54)]), (Allocation.pro_rata(1, 100), [(1, 40), (2, 29)]),
])
def test_the_first_in_line_gets_its_percentage_rounded_down_and_no_more_than_the_limit_and_than_it_has(make_book, allocation, expected):
    book = make_book(venue=Venue(allocation=allocation))
    for order_id, lots in ((1, 40), (2, 400)):
        book.limit(SELL, 100, lots, order_id)
    assert fills(book.market(BUY, 69, 4)) == expected


def test_an_order_that_is_filled_by_its_share_leaves_and_the_others_keep_their_places(make_book):
    book = make_book(venue=Venue(allocation=Allocation.pro_rata(1, 100)))
    for order_id, lots in ((1, 4), (2, 50), (3, 50)):
        book.limit(SELL, 100, lots, order_id)
    assert fills(book.market(BUY, 24, 4)) == [(1, 4), (2, 10), (3, 10)]
    assert book.orders_at(SELL, 100)["order_id"].tolist() == [2, 3]
    assert book.queue_ahead(3) == 40


def test_a_sell_order_is_shared_out_as_a_buy_order_is(make_book):
    told = []
    for side in Side:
        book = make_book(venue=Venue(allocation=Allocation(20, 3, 30, 2)))
        for order_id, lots in enumerate((7, 20, 1, 13), 1):
            book.limit(side, 100, lots, order_id)
        told.append(fills(book.market(-side, 25, 9)))
    assert told[0] == told[1] == [(1, 7), (2, 12), (4, 6)]


@pytest.mark.parametrize(("mode", "expected"), [
    (SelfTrade.CANCEL_RESTING, [(1, 10), (3, 10)]), (SelfTrade.CANCEL_INCOMING, []), (SelfTrade.CANCEL_BOTH, []), (SelfTrade.DECREMENT, [(1, 5), (3, 5)]),
])
def test_the_owners_own_orders_are_dealt_with_before_lots_are_shared_out(make_book, mode, expected):
    book = make_book(venue=Venue(self_trade={5: mode}, allocation=Allocation.pro_rata()))
    for order_id, owner in ((1, 1), (2, 5), (3, 2)):
        book.limit(SELL, 100, 10 if owner == 5 else 20, order_id, owner=owner)
    assert fills(book.market(BUY, 20, 4, owner=5)) == expected


def test_an_order_that_takes_all_that_is_displayed_meets_its_owners_in_their_turn(make_book):
    book = make_book(venue=Venue(self_trade={5: SelfTrade.CANCEL_INCOMING}, allocation=Allocation.pro_rata()))
    for order_id, owner in ((1, 1), (2, 5)):
        book.limit(SELL, 100, 10, order_id, owner=owner)
    assert fills(book.market(BUY, 20, 4, owner=5)) == [(1, 10)]


@given(
    st.builds(Allocation, st.integers(0, 100), st.integers(0, 20), st.integers(0, 99), st.integers(1, 9)), st.lists(st.integers(2, 40), min_size=1), st.data(),
)
def test_every_lot_is_shared_out_and_nobody_gets_more_than_it_has(allocation, queue, data):
    lots = data.draw(st.integers(1, sum(queue) - 1))
    parts = shares(allocation, lots, queue)
    assert sum(parts) == lots and all(0 <= part <= whole for part, whole in zip(parts, queue, strict=True))


def test_thirty_stops_that_share_out_find_room_for_all_their_rows():
    book = OrderBook(venue=PRO_RATA)
    for order_id in range(1, 301):
        book.limit(SELL, 100, 1_000, order_id)
    for order_id in range(301, 331):
        book.market(BUY, 600, order_id, trigger_ticks=100)
    rows = book.market(BUY, 1, 999)
    assert np.count_nonzero(rows["kind"] == ReportKind.FILL) == 1 + 30 * 300
    book.check()
