"""The book comes back from the rows alone: row by row, at any time, for a living market and for a recorded day."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_market import random_requests, random_tape

from lob.errors import TapeError
from lob.exchange.order_book import OrderBook
from lob.messages import PRICE_MAX_TICKS, REPORT, Action, CancelReason, Flag, ReportKind, Side
from lob.tape.record import Tape
from lob.tape.replay import TOUCH, ReplayedBook, book_at, touches


def naive_touches(rows, execution="live", book=0):
    """Return what `touches` returns, the slow way: a dict of prices to lots a side, read from end to end at every event."""
    lots_at = {Side.BUY: {}, Side.SELL: {}}
    pending, found, last = None, [], (0, 0, 0, 0)
    for row in (dict(zip(REPORT.names, values, strict=True)) for values in rows.tolist()):
        if row["book"] != book:
            continue
        if execution == "live" or (row["owner"] == 0 and row["resting_owner"] == 0):
            pending = naive_row(lots_at, pending, row)
        if row["flags"] & Flag.LAST:
            if pending and pending[2]:
                add_lots(lots_at, *pending)
            pending = None
            touch = naive_touch(lots_at)
            if touch != last:
                found.append((row["time_ns"], row["sequence"], *touch))
            last = touch
    return np.array(found, TOUCH)


def naive_row(lots_at, pending, row):
    """Do what one row says and return the order that is still pending: (side, price, lots) or None."""
    side, price, lots = row["side"], row["price_ticks"], row["lots"]
    if row["kind"] in (ReportKind.ACCEPTED, ReportKind.REPLACED):
        return side, price, lots
    if row["kind"] == ReportKind.FILL:
        add_lots(lots_at, -side, price, -lots)
        return pending and (pending[0], pending[1], pending[2] - lots)
    if row["reason"] in (CancelReason.UNFILLED, CancelReason.FILL_OR_KILL):
        return None
    if row["kind"] in (ReportKind.CANCELLED, ReportKind.REDUCED):
        add_lots(lots_at, side, price, -lots)
    return pending


def add_lots(lots_at, side, price, lots):
    lots_at[side][price] = lots_at[side].get(price, 0) + lots
    assert lots_at[side][price] >= 0


def naive_touch(lots_at):
    bids, asks = ([price for price, lots in lots_at[side].items() if lots] for side in (Side.BUY, Side.SELL))
    bid, ask = max(bids, default=0), min(asks, default=0)
    return bid, ask, lots_at[Side.BUY].get(bid, 0), lots_at[Side.SELL].get(ask, 0)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 300), price_step_ticks=st.sampled_from([1, 5, 1_000]))
def test_touches_are_those_of_a_naive_book(seed, count, price_step_ticks):
    rows = OrderBook().send_many(random_requests(count, seed, price_step_ticks))
    assert touches(rows).tolist() == naive_touches(rows).tolist()


def test_a_touch_is_taken_when_its_event_is_over_and_not_in_the_middle_of_a_sweep():
    book = OrderBook()
    rows = [book.limit(Side.SELL, price, 5, order_id=price) for price in (101, 102, 103)] + [book.limit(Side.BUY, 102, 12, order_id=1)]
    rows = np.concatenate(rows)
    assert touches(rows)[["best_bid_ticks", "best_ask_ticks", "bid_lots", "ask_lots"]].tolist() == [(0, 101, 0, 5), (102, 103, 2, 5)]
    assert touches(rows)["sequence"].tolist() == [0, rows["sequence"][-1]]


def test_an_empty_tape_has_no_touch():
    assert touches(np.zeros(0, REPORT)).tolist() == []


def test_prices_at_both_ends_of_the_range_are_replayed():
    book = OrderBook()
    rows = np.concatenate([book.limit(Side.BUY, 1, 3, order_id=1), book.limit(Side.SELL, PRICE_MAX_TICKS, 4, order_id=2)])
    assert touches(rows)[["best_bid_ticks", "best_ask_ticks"]].tolist() == [(1, 0), (1, PRICE_MAX_TICKS)]


def test_a_book_over_more_pages_of_prices_than_it_began_with_is_replayed():
    book = OrderBook()
    rows = np.concatenate([book.limit(Side.BUY, 1 + 5_000 * i, 1, order_id=1 + i) for i in range(100)])
    assert touches(rows)["best_bid_ticks"].tolist() == [1 + 5_000 * i for i in range(100)]


@pytest.mark.parametrize("seed", range(5))
def test_the_book_at_a_time_is_the_engines_after_the_requests_until_then(seed):
    requests = random_requests(500, seed)
    time_ns = int(requests["time_ns"][321])
    engine = OrderBook()
    tape, until = Tape(OrderBook().send_many(requests), {}), engine.send_many(requests[:322])
    replayed = book_at(tape, time_ns)
    assert [replayed.depth(side, None).tolist() for side in Side] == [engine.depth(side, 1_000).tolist() for side in Side]
    assert (replayed.best_bid_ticks, replayed.best_ask_ticks) == (engine.best_bid_ticks, engine.best_ask_ticks)
    assert len(tape.rows_until(time_ns)) == len(until)


def test_lots_at_a_price_are_those_that_rest_there():
    book = OrderBook()
    rows = np.concatenate([book.limit(Side.BUY, 100, 3, order_id=1), book.limit(Side.BUY, 100, 4, order_id=2)])
    replayed = book_at(Tape(rows, {}), time_ns=0)
    assert (replayed.lots_at(Side.BUY, 100), replayed.lots_at(Side.BUY, 99), replayed.lots_at(Side.SELL, 100)) == (7, 0, 0)


def test_a_book_that_is_advanced_in_pieces_sees_the_same_touches():
    rows = random_tape(400, seed=8).rows
    book = ReplayedBook()
    pieces = [touch for piece in np.array_split(rows, 7) for changes in book.advance(piece) for touch in changes.tolist()]
    assert pieces == touches(rows).tolist()


def test_each_book_of_a_world_is_replayed_alone():
    first, second = random_requests(200, seed=3), random_requests(200, seed=4, book=1)
    rows = np.sort(np.concatenate([OrderBook().send_many(first), OrderBook(book=1).send_many(second)]), order=["time_ns", "book", "sequence"])
    assert touches(rows, book=1).tolist() == touches(rows[rows["book"] == 1], book=1).tolist()
    assert touches(rows, book=0).tolist() == naive_touches(rows, book=0).tolist()


def test_a_row_that_takes_more_lots_than_rest_is_refused():
    book = OrderBook()
    rows = np.concatenate([book.limit(Side.BUY, 100, 3, order_id=1), book.cancel(1)])
    rows["lots"][1] = 4
    with pytest.raises(TapeError, match="row 1: CANCELLED takes 4 lots at 100 ticks, where 3 rest"):
        touches(rows)


def recorded(kind, action, **fields):
    """Return one row of a recorded day; each is an event of its own unless flags says otherwise."""
    row = np.zeros(1, REPORT)
    for name, value in {"kind": kind, "action": action, "flags": Flag.LAST, **fields}.items():
        row[name] = value
    return row


def test_agents_on_a_recorded_day_do_not_move_the_recorded_book():
    rows = np.concatenate([
        recorded(ReportKind.ACCEPTED, Action.LIMIT, order_id=1, side=Side.BUY, price_ticks=100, lots=5),
        recorded(ReportKind.ACCEPTED, Action.LIMIT, order_id=1, owner=1, side=Side.BUY, price_ticks=101, lots=2),
        recorded(ReportKind.ACCEPTED, Action.LIMIT, order_id=2, side=Side.SELL, price_ticks=101, lots=7, flags=0),
        recorded(ReportKind.FILL, Action.LIMIT, order_id=2, side=Side.SELL, price_ticks=101, lots=2, resting_id=1, resting_owner=1),
    ])
    assert touches(rows, "passive")[["best_bid_ticks", "best_ask_ticks", "ask_lots"]].tolist() == [(100, 0, 0), (100, 101, 7)]
    assert touches(rows, "passive").tolist() == naive_touches(rows, "passive").tolist()


def test_a_recorded_execution_takes_lots_off_the_recorded_book():
    rows = np.concatenate([
        recorded(ReportKind.ACCEPTED, Action.LIMIT, order_id=1, side=Side.BUY, price_ticks=100, lots=5),
        recorded(ReportKind.FILL, Action.EXECUTE, side=Side.SELL, price_ticks=100, lots=3, resting_id=1, resting_open_lots=2),
        recorded(ReportKind.CANCELLED, Action.DROP_LEVEL, order_id=1, side=Side.BUY, price_ticks=100, lots=2, reason=CancelReason.LEFT_WINDOW),
    ])
    assert touches(rows, "passive")["bid_lots"].tolist() == [5, 2, 0]
