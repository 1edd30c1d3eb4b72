"""The rules of the market, an example each, for the engine and for the reference."""
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lob.messages import LOTS_MAX, PRICE_MAX_TICKS, REPORT, REQUEST, Action, CancelReason, Flag, RejectReason, ReportKind, Side, TimeInForce

BUY, SELL = Side.BUY, Side.SELL
GTC, IOC, FOK = list(TimeInForce)[:3]
ACCEPTED, FILL, CANCELLED, REDUCED, REPLACED, REJECTED = list(ReportKind)[:6]
LAST, POST_ONLY = Flag.LAST, Flag.POST_ONLY
VALID_LIMIT = {"order_id": 9, "price_ticks": 100, "lots": 10, "owner": 1, "action": Action.LIMIT, "side": BUY, "tif": GTC}
ID_MAX = 2**63 - 1


def request_of(**fields):
    request = np.zeros((), dtype=REQUEST)
    for name, value in fields.items():
        request[name] = value
    return request


def told(rows, *names):
    """Return the named fields of each row."""
    return [row if len(names) > 1 else row[0] for row in rows[list(names)].tolist()]


def state(book):
    """Return all that a book shows of the orders in it."""
    sides = [(side, book.depth(side, 100).tolist()) for side in (BUY, SELL)]
    return sides, [book.orders_at(side, level[0]).tolist() for side, levels in sides for level in levels]


# Resting

def test_an_empty_book_has_no_touch(book):
    assert book.best_bid_ticks is None
    assert book.best_ask_ticks is None
    assert book.order_count == 0
    assert len(book.depth(BUY)) == len(book.orders_at(SELL, 100)) == 0


def test_a_limit_order_that_meets_nobody_rests_at_its_price(book):
    rows = book.limit(BUY, 100, 10, order_id=1)
    assert told(rows, "kind", "side", "price_ticks", "lots", "open_lots", "lots_ahead", "flags") == [(ACCEPTED, BUY, 100, 10, 10, 0, LAST)]
    assert (book.best_bid_ticks, book.best_ask_ticks, book.order_count) == (100, None, 1)
    assert book.orders_at(BUY, 100).tolist() == [(1, 0, 10)]


def test_a_report_repeats_when_it_was_sent_and_who_asked(make_book):
    book = make_book(book=3)
    rows = book.send(request_of(**VALID_LIMIT, time_ns=700, sent_ns=500, book=3))
    assert rows.dtype == REPORT
    assert told(rows, "time_ns", "sent_ns", "owner", "order_id", "book", "action") == [(700, 500, 1, 9, 3, Action.LIMIT)]


def test_rows_are_numbered_from_zero_over_all_events(book):
    rows = [book.limit(BUY, 100, 5, 1), book.limit(BUY, 0, 5, 2), book.limit(SELL, 100, 9, 3)]
    assert [told(event, "sequence") for event in rows] == [[0], [1], [2, 3]]


def test_only_the_last_row_of_an_event_is_flagged_last(book):
    book.limit(SELL, 100, 1, 1)
    book.limit(SELL, 101, 1, 2)
    rows = book.market(BUY, 5, 3)
    assert told(rows, "kind", "flags") == [(ACCEPTED, 0), (FILL, 0), (FILL, 0), (CANCELLED, LAST)]


def test_an_order_that_rests_hears_how_many_lots_are_ahead_of_it(book):
    book.limit(BUY, 100, 10, 1)
    book.limit(BUY, 101, 50, 2)
    book.limit(BUY, 100, 7, 3)
    rows = book.limit(BUY, 100, 1, 4)
    assert told(rows, "lots_ahead") == [17]
    assert [book.queue_ahead(order_id) for order_id in (1, 2, 3, 4)] == [0, 0, 10, 17]


def test_depth_is_best_first_on_both_sides(book):
    for order_id, price_ticks in enumerate([98, 100, 99, 100], start=1):
        book.limit(BUY, price_ticks, 5, order_id)
        book.limit(SELL, 202 - price_ticks, 5, order_id + 10)
    assert book.depth(BUY).tolist() == [(100, 10, 2), (99, 5, 1), (98, 5, 1)]
    assert book.depth(SELL, levels=2).tolist() == [(102, 10, 2), (103, 5, 1)]
    assert book.lots_at(BUY, 100) == 10
    assert book.lots_at(BUY, 102) == book.lots_at(SELL, 100) == 0


def test_an_order_that_does_not_rest_has_no_place_in_the_queue(book):
    book.limit(BUY, 100, 10, order_id=1, owner=1)
    assert book.queue_ahead(1, owner=2) is None


@pytest.mark.parametrize("price_ticks", [-(2**63), -5, 0, PRICE_MAX_TICKS + 1, 2**40, 2**63 - 1])
def test_nobody_rests_at_a_price_that_does_not_exist(book, price_ticks):
    book.limit(BUY, 1, 10, 1)
    assert book.lots_at(BUY, price_ticks) == book.lots_at(SELL, price_ticks) == 0
    assert len(book.orders_at(BUY, price_ticks)) == len(book.orders_at(SELL, price_ticks)) == 0


# Trading

def test_the_best_price_trades_first(book):
    book.limit(SELL, 102, 5, 1)
    book.limit(SELL, 101, 5, 2)
    rows = book.limit(BUY, 102, 7, 3)
    assert told(rows, "kind", "resting_id", "price_ticks", "lots") == [(ACCEPTED, 0, 102, 7), (FILL, 2, 101, 5), (FILL, 1, 102, 2)]


def test_at_one_price_the_first_in_line_trades_first(book):
    book.limit(BUY, 100, 5, 1)
    book.limit(BUY, 100, 5, 2)
    rows = book.limit(SELL, 100, 6, 3)
    assert told(rows[1:], "resting_id", "lots", "resting_open_lots", "open_lots") == [(1, 5, 0, 1), (2, 1, 4, 0)]
    assert book.orders_at(BUY, 100).tolist() == [(2, 0, 4)]


def test_a_trade_happens_at_the_resting_price_and_names_both_sides(book):
    book.limit(SELL, 100, 5, order_id=1, owner=7)
    rows = book.limit(BUY, 105, 3, order_id=2, owner=8)
    named = told(rows[1:], "price_ticks", "side", "order_id", "owner", "resting_id", "resting_owner")
    assert named == [(100, BUY, 2, 8, 1, 7)]


def test_a_fill_says_what_is_left_at_the_price_behind_it(book):
    book.limit(BUY, 100, 5, 1)
    book.limit(BUY, 100, 4, 2)
    rows = book.market(SELL, 6, 3)
    assert told(rows[1:], "level_lots") == [4, 3]


def test_an_order_stops_at_its_limit_and_rests_there(book):
    book.limit(SELL, 100, 5, 1)
    book.limit(SELL, 101, 5, 2)
    rows = book.limit(BUY, 100, 8, 3)
    assert told(rows, "kind", "lots", "open_lots", "lots_ahead") == [(ACCEPTED, 8, 8, 0), (FILL, 5, 3, 0)]
    assert (book.best_bid_ticks, book.best_ask_ticks) == (100, 101)
    assert book.orders_at(BUY, 100).tolist() == [(3, 0, 3)]


def test_an_owner_may_trade_with_itself(book):
    book.limit(SELL, 100, 5, order_id=1, owner=4)
    rows = book.limit(BUY, 100, 5, order_id=2, owner=4)
    assert told(rows, "kind") == [ACCEPTED, FILL]


def test_a_market_order_trades_at_any_price(book):
    book.limit(SELL, 1, 5, 1)
    book.limit(SELL, PRICE_MAX_TICKS, 5, 2)
    rows = book.market(BUY, 10, 3)
    assert told(rows, "kind", "price_ticks", "open_lots") == [(ACCEPTED, 0, 10), (FILL, 1, 5), (FILL, PRICE_MAX_TICKS, 0)]
    assert book.order_count == 0


def test_the_unfilled_rest_of_a_market_order_is_cancelled(book):
    book.limit(BUY, 100, 4, 1)
    rows = book.market(SELL, 10, 2)
    assert told(rows[-1:], "kind", "reason", "price_ticks", "lots", "open_lots") == [(CANCELLED, CancelReason.UNFILLED, 0, 6, 0)]
    assert book.best_ask_ticks is None


def test_a_market_order_into_an_empty_book_is_cancelled_whole(book):
    rows = book.market(BUY, 10, 1)
    assert told(rows, "kind", "lots", "lots_ahead") == [(ACCEPTED, 10, 0), (CANCELLED, 10, 0)]


def test_the_rest_of_an_ioc_order_never_rests(book):
    book.limit(SELL, 100, 4, 1)
    rows = book.limit(BUY, 101, 10, 2, tif=IOC)
    assert told(rows, "kind", "reason", "price_ticks", "lots", "tif") == [
        (ACCEPTED, 0, 101, 10, IOC), (FILL, 0, 100, 4, IOC), (CANCELLED, CancelReason.UNFILLED, 101, 6, IOC),
    ]
    assert book.order_count == 0


def test_an_ioc_order_has_no_queue_and_so_no_lots_ahead(book):
    book.limit(BUY, 100, 10, 1)
    assert told(book.limit(BUY, 100, 10, 2, tif=IOC), "lots_ahead") == [0, 0]


def test_a_fok_order_fills_whole_across_prices(book):
    book.limit(BUY, 100, 4, 1)
    book.limit(BUY, 99, 4, 2)
    rows = book.limit(SELL, 99, 8, 3, tif=FOK)
    assert told(rows, "kind", "tif") == [(ACCEPTED, FOK), (FILL, FOK), (FILL, FOK)]


def test_a_fok_order_that_cannot_fill_whole_trades_nothing(book):
    book.limit(BUY, 100, 4, 1)
    book.limit(BUY, 98, 40, 2)
    before = state(book)
    rows = book.limit(SELL, 99, 5, 3, tif=FOK)
    assert told(rows, "kind", "reason", "lots", "open_lots") == [(ACCEPTED, 0, 5, 5), (CANCELLED, CancelReason.FILL_OR_KILL, 5, 0)]
    assert state(book) == before


def test_a_post_only_order_that_does_not_cross_rests(book):
    book.limit(SELL, 101, 5, 1)
    rows = book.limit(BUY, 100, 5, 2, post_only=True)
    assert told(rows, "kind", "flags") == [(ACCEPTED, POST_ONLY | LAST)]


def test_a_post_only_order_that_would_trade_is_refused(book):
    book.limit(SELL, 100, 5, 1)
    rows = book.limit(BUY, 100, 5, 2, post_only=True)
    assert told(rows, "kind", "reason", "flags", "open_lots") == [(REJECTED, RejectReason.WOULD_CROSS, POST_ONLY | LAST, 0)]
    assert book.best_bid_ticks is None


# Cancelling

def test_a_cancel_takes_the_whole_order_off(book):
    book.limit(BUY, 100, 10, 1)
    rows = book.cancel(1)
    assert told(rows, "kind", "reason", "side", "price_ticks", "lots", "open_lots") == [(CANCELLED, CancelReason.ASKED, BUY, 100, 10, 0)]
    assert book.order_count == 0


def test_a_partial_cancel_keeps_the_place_in_the_queue(book):
    book.limit(BUY, 100, 10, 1)
    book.limit(BUY, 100, 5, 2)
    rows = book.cancel(1, lots=4)
    assert told(rows, "kind", "lots", "open_lots", "reason") == [(REDUCED, 4, 6, 0)]
    assert book.orders_at(BUY, 100).tolist() == [(1, 0, 6), (2, 0, 5)]


@pytest.mark.parametrize("lots", [10, 11, LOTS_MAX])
def test_a_cancel_of_all_its_lots_or_more_takes_the_order_off(book, lots):
    book.limit(SELL, 100, 10, 1)
    assert told(book.cancel(1, lots=lots), "kind", "lots") == [(CANCELLED, 10)]


def test_a_cancel_in_the_middle_moves_those_behind_up(book):
    for order_id in (1, 2, 3):
        book.limit(BUY, 100, 10, order_id)
    book.cancel(2)
    assert book.orders_at(BUY, 100).tolist() == [(1, 0, 10), (3, 0, 10)]
    assert book.queue_ahead(3) == 10


def test_a_market_order_ignores_the_fields_it_does_not_use(book):
    book.limit(BUY, 100, 10, 1)
    rows = book.send(request_of(order_id=2, lots=5, action=Action.MARKET, side=SELL, price_ticks=-5, tif=99, flags=POST_ONLY))
    assert told(rows, "kind", "price_ticks", "tif", "flags") == [(ACCEPTED, 0, 0, 0), (FILL, 100, 0, LAST)]


def test_a_cancel_ignores_the_fields_it_does_not_use(book):
    book.limit(BUY, 100, 10, 1)
    rows = book.send(request_of(order_id=1, action=Action.CANCEL, price_ticks=-5, side=77, tif=99, flags=255))
    assert told(rows, "kind", "side", "price_ticks", "tif", "flags") == [(CANCELLED, BUY, 100, 0, LAST)]


def test_an_order_that_traded_away_cannot_be_cancelled(book):
    book.limit(BUY, 100, 10, 1)
    book.market(SELL, 10, 2)
    assert told(book.cancel(1), "kind", "reason") == [(REJECTED, RejectReason.UNKNOWN_ORDER)]


# Replacing

def test_replace_that_shrinks_keeps_its_place_in_the_queue(book):
    book.limit(BUY, 100, 10, 1)
    book.limit(BUY, 100, 5, 2)
    rows = book.replace(1, 100, 4)
    assert told(rows, "kind", "lots", "open_lots", "side", "price_ticks") == [(REDUCED, 6, 4, BUY, 100)]
    assert book.orders_at(BUY, 100).tolist() == [(1, 0, 4), (2, 0, 5)]


def test_replace_that_changes_nothing_is_a_reduction_by_no_lots(book):
    book.limit(BUY, 100, 10, 1)
    assert told(book.replace(1, 100, 10), "kind", "lots", "open_lots") == [(REDUCED, 0, 10)]


def test_replace_that_grows_goes_to_the_back(book):
    book.limit(BUY, 100, 10, 1)
    book.limit(BUY, 100, 5, 2)
    rows = book.replace(1, 100, 11)
    assert told(rows, "kind", "reason", "lots", "open_lots", "lots_ahead") == [
        (CANCELLED, CancelReason.REPLACED, 10, 0, 0), (REPLACED, 0, 11, 11, 5),
    ]
    assert book.orders_at(BUY, 100).tolist() == [(2, 0, 5), (1, 0, 11)]


def test_replace_to_another_price_goes_to_the_back_of_it(book):
    book.limit(SELL, 101, 5, 2)
    book.limit(SELL, 100, 10, 1)
    rows = book.replace(1, 101, 3)
    assert told(rows, "kind", "price_ticks", "lots", "lots_ahead") == [(CANCELLED, 100, 10, 0), (REPLACED, 101, 3, 5)]
    assert book.best_ask_ticks == 101


def test_replace_through_the_touch_trades_and_rests_what_is_left(book):
    book.limit(SELL, 101, 5, 1)
    book.limit(BUY, 99, 10, 2)
    rows = book.replace(2, 102, 8)
    assert told(rows, "kind", "price_ticks", "lots", "open_lots") == [(CANCELLED, 99, 10, 0), (REPLACED, 102, 8, 8), (FILL, 101, 5, 3)]
    assert told(rows, "side", "tif", "action") == [(BUY, 0, Action.REPLACE)] * 3
    assert book.orders_at(BUY, 102).tolist() == [(2, 0, 3)]


def test_a_refused_post_only_replace_leaves_the_order_as_it_was(book):
    book.limit(SELL, 101, 5, 1)
    book.limit(BUY, 99, 10, 2)
    book.limit(BUY, 99, 10, 3)
    before = state(book)
    rows = book.replace(2, 101, 8, post_only=True)
    assert told(rows, "kind", "reason", "price_ticks", "lots") == [(REJECTED, RejectReason.WOULD_CROSS, 101, 8)]
    assert state(book) == before


def test_a_post_only_replace_says_so_in_its_report(book):
    book.limit(BUY, 99, 10, 1)
    rows = book.replace(1, 98, 10, post_only=True)
    assert told(rows, "kind", "flags") == [(CANCELLED, 0), (REPLACED, POST_ONLY | LAST)]


@pytest.mark.parametrize("lots", [4, 10])
def test_in_a_book_without_the_rule_every_replace_goes_to_the_back(make_book, lots):
    book = make_book(replace_keeps_place=False)
    book.limit(BUY, 100, 10, 1)
    book.limit(BUY, 100, 5, 2)
    rows = book.replace(1, 100, lots)
    assert told(rows, "kind", "lots", "lots_ahead") == [(CANCELLED, 10, 0), (REPLACED, lots, 5)]
    assert book.orders_at(BUY, 100).tolist() == [(2, 0, 5), (1, 0, lots)]


# Names

def test_two_owners_may_use_the_same_order_id(book):
    book.limit(BUY, 100, 10, order_id=1, owner=1)
    book.limit(BUY, 100, 20, order_id=1, owner=2)
    assert told(book.cancel(1, owner=2), "kind", "owner", "lots") == [(CANCELLED, 2, 20)]
    assert book.orders_at(BUY, 100).tolist() == [(1, 1, 10)]


def test_nobody_can_cancel_the_order_of_another(book):
    book.limit(BUY, 100, 10, order_id=1, owner=1)
    assert told(book.cancel(1, owner=2), "reason") == [RejectReason.UNKNOWN_ORDER]
    assert book.order_count == 1


def test_an_id_may_be_used_again_when_its_order_is_gone(book):
    book.limit(BUY, 100, 10, 1)
    book.cancel(1)
    assert told(book.limit(SELL, 100, 10, 1), "kind") == [ACCEPTED]


def test_order_ids_reach_the_largest_integer(book):
    book.limit(BUY, 100, 10, ID_MAX, owner=2**31 - 1)
    book.limit(BUY, 100, 10, ID_MAX - 1)
    rows = book.limit(SELL, 100, 15, 2**62)
    assert told(rows[1:], "resting_id", "resting_owner") == [(ID_MAX, 2**31 - 1), (ID_MAX - 1, 0)]
    assert told(book.cancel(ID_MAX - 1), "kind", "lots") == [(CANCELLED, 5)]


# Refusing

REFUSED_LIMITS = [
    ({"action": len(Action)}, RejectReason.UNKNOWN_ACTION),
    ({"action": 255, "book": 9}, RejectReason.UNKNOWN_ACTION),
    ({"action": Action.EXECUTE, "book": 9}, RejectReason.NOT_IN_RECORDED_DAY),
    ({"action": Action.PHASE, "owner": 1, "price_ticks": 9}, RejectReason.OWNER_OUT_OF_RANGE),
    ({"action": Action.CLOCK, "owner": -1}, RejectReason.OWNER_OUT_OF_RANGE),
    ({"action": Action.PHASE, "owner": 0, "price_ticks": 8}, RejectReason.PRICE_OUT_OF_RANGE),
    ({"action": Action.MODE, "owner": -1}, RejectReason.OWNER_OUT_OF_RANGE),
    ({"action": Action.MODE, "price_ticks": 5}, RejectReason.PRICE_OUT_OF_RANGE),
    ({"action": Action.DROP_LEVEL}, RejectReason.NOT_IN_RECORDED_DAY),
    ({"action": Action.PRINT}, RejectReason.NOT_IN_RECORDED_DAY),
    ({"action": Action.STATUS}, RejectReason.NOT_IN_RECORDED_DAY),
    ({"book": 1, "owner": -1}, RejectReason.UNKNOWN_BOOK),
    ({"owner": -1, "order_id": 0}, RejectReason.OWNER_OUT_OF_RANGE),
    ({"owner": -(2**31)}, RejectReason.OWNER_OUT_OF_RANGE),
    ({"order_id": 0, "side": 0}, RejectReason.ORDER_ID_OUT_OF_RANGE),
    ({"order_id": -(2**63)}, RejectReason.ORDER_ID_OUT_OF_RANGE),
    ({"side": 0, "tif": 3}, RejectReason.UNKNOWN_SIDE),
    ({"side": 2}, RejectReason.UNKNOWN_SIDE),
    ({"side": -128}, RejectReason.UNKNOWN_SIDE),
    ({"tif": 5, "flags": 2}, RejectReason.UNKNOWN_TIME_IN_FORCE),
    ({"flags": 2, "price_ticks": 0}, RejectReason.UNKNOWN_FLAG),
    ({"flags": LAST}, RejectReason.UNKNOWN_FLAG),
    ({"flags": 4096}, RejectReason.UNKNOWN_FLAG),
    ({"flags": 32_768 | POST_ONLY}, RejectReason.UNKNOWN_FLAG),
    ({"flags": POST_ONLY, "tif": IOC}, RejectReason.UNKNOWN_FLAG),
    ({"flags": POST_ONLY, "tif": FOK}, RejectReason.UNKNOWN_FLAG),
    ({"price_ticks": 0, "lots": 0}, RejectReason.PRICE_OUT_OF_RANGE),
    ({"price_ticks": PRICE_MAX_TICKS + 1}, RejectReason.PRICE_OUT_OF_RANGE),
    ({"price_ticks": 2**32 + 100}, RejectReason.PRICE_OUT_OF_RANGE),
    ({"price_ticks": -(2**63)}, RejectReason.PRICE_OUT_OF_RANGE),
    ({"lots": 0, "order_id": 1}, RejectReason.LOTS_OUT_OF_RANGE),
    ({"lots": LOTS_MAX + 1}, RejectReason.LOTS_OUT_OF_RANGE),
    ({"lots": 2**32 + 1}, RejectReason.LOTS_OUT_OF_RANGE),
    ({"lots": -1}, RejectReason.LOTS_OUT_OF_RANGE),
    ({"order_id": 1, "flags": POST_ONLY, "price_ticks": 105}, RejectReason.DUPLICATE_ORDER_ID),
    ({"flags": POST_ONLY, "price_ticks": 105}, RejectReason.WOULD_CROSS),
    ({"action": Action.MARKET, "order_id": 1}, RejectReason.DUPLICATE_ORDER_ID),
    ({"action": Action.MARKET, "side": 0}, RejectReason.UNKNOWN_SIDE),
    ({"action": Action.MARKET, "lots": 0}, RejectReason.LOTS_OUT_OF_RANGE),
    ({"action": Action.CANCEL}, RejectReason.UNKNOWN_ORDER),
    ({"action": Action.CANCEL, "order_id": 1, "lots": -1}, RejectReason.LOTS_OUT_OF_RANGE),
    ({"action": Action.CANCEL, "order_id": 1, "lots": LOTS_MAX + 1}, RejectReason.LOTS_OUT_OF_RANGE),
    ({"action": Action.REPLACE}, RejectReason.UNKNOWN_ORDER),
    ({"action": Action.REPLACE, "order_id": 1, "flags": 3}, RejectReason.UNKNOWN_FLAG),
    ({"action": Action.REPLACE, "order_id": 1, "price_ticks": -1}, RejectReason.PRICE_OUT_OF_RANGE),
    ({"action": Action.REPLACE, "order_id": 1, "lots": 0}, RejectReason.LOTS_OUT_OF_RANGE),
    ({"action": Action.REPLACE, "order_id": 1, "flags": POST_ONLY, "price_ticks": 105}, RejectReason.WOULD_CROSS),
]


@pytest.mark.parametrize("fields, reason", REFUSED_LIMITS)
def test_a_refusal_gives_the_first_reason_repeats_the_request_and_leaves_the_book_alone(book, fields, reason):
    book.limit(BUY, 100, 10, order_id=1, owner=1)
    book.limit(SELL, 105, 10, order_id=2, owner=1)
    before = state(book)
    request = request_of(**(VALID_LIMIT | fields))
    rows = book.send(request)
    echoed = ["order_id", "price_ticks", "lots", "side", "tif", "action", "owner", "book"]
    assert told(rows, "kind", "reason", "flags", "open_lots", "lots_ahead") == [(REJECTED, reason, request["flags"] | LAST, 0, 0)]
    assert rows[echoed].tolist() == [request[echoed].item()]
    assert state(book) == before
    book.check()


def test_the_largest_order_at_the_largest_price_is_valid(book):
    rows = book.limit(SELL, PRICE_MAX_TICKS, LOTS_MAX, 1)
    assert told(rows, "kind", "lots", "open_lots") == [(ACCEPTED, LOTS_MAX, LOTS_MAX)]


def test_a_queue_holds_more_lots_than_fit_in_32_bits(book):
    for order_id in range(1, 7):
        book.limit(SELL, 100, LOTS_MAX, order_id)
    assert book.lots_at(SELL, 100) == 6 * LOTS_MAX
    assert book.queue_ahead(6) == 5 * LOTS_MAX
    assert told(book.market(BUY, 1, 7), "level_lots") == [0, 6 * LOTS_MAX - 1]


INTEGERS = {name: st.integers(np.iinfo(REQUEST[name]).min, np.iinfo(REQUEST[name]).max) for name in REQUEST.names}


@given(garbage=st.lists(st.fixed_dictionaries(INTEGERS), max_size=5))
def test_garbage_in_any_field_is_answered_and_what_is_refused_changes_nothing(make_book, garbage):
    book = make_book()
    book.limit(BUY, 100, 10, 1)
    for fields in garbage:
        before = state(book)
        rows = book.send(request_of(**fields))
        assert rows["flags"][-1] & LAST
        assert rows["kind"][0] == ACCEPTED or (told(rows, "kind") == [REJECTED] and state(book) == before)
        book.check()


def test_a_flood_of_garbage_behind_a_sweep_loses_no_row(book):
    for order_id in range(1, 1001):
        book.limit(BUY, 100, 1, order_id)
    sweep = request_of(**(VALID_LIMIT | {"action": Action.MARKET, "order_id": 2000, "side": SELL, "lots": 1000}))
    garbage = request_of(**(VALID_LIMIT | {"lots": -(2**63)}))
    rows = book.send_many(np.array([sweep] + [garbage] * 100))
    assert told(rows, "kind") == [ACCEPTED] + [FILL] * 1000 + [REJECTED] * 100


def test_no_requests_have_no_answer(book):
    rows = book.send_many(np.zeros(0, dtype=REQUEST))
    assert rows.dtype == REPORT and len(rows) == 0


# Far prices

def test_stub_quotes_at_the_ends_of_the_world_cost_no_memory_to_match(make_book):
    make_book().limit(BUY, 1, 1, 1)
    tracemalloc.start()
    book = make_book()
    for order_id, price_ticks in enumerate([1, 2, 30_000, 20_000_000, PRICE_MAX_TICKS - 1, PRICE_MAX_TICKS], start=1):
        side = BUY if price_ticks < 30_000 else SELL
        book.limit(side, price_ticks, 5, order_id)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 64_000_000
    assert (book.best_bid_ticks, book.best_ask_ticks) == (2, 30_000)
    assert book.depth(SELL).tolist() == [(30_000, 5, 1), (20_000_000, 5, 1), (PRICE_MAX_TICKS - 1, 5, 1), (PRICE_MAX_TICKS, 5, 1)]
    book.check()


def test_a_sweep_walks_from_a_near_price_to_the_farthest(book):
    for order_id, price_ticks in enumerate([1, 20_000_000, PRICE_MAX_TICKS], start=1):
        book.limit(SELL, price_ticks, 5, order_id)
    rows = book.limit(BUY, PRICE_MAX_TICKS, 20, 4)
    assert told(rows[1:], "price_ticks") == [1, 20_000_000, PRICE_MAX_TICKS]
    assert (book.best_bid_ticks, book.best_ask_ticks) == (PRICE_MAX_TICKS, None)
