"""Trades: a sweep is one trade, and its lots and cash are those of its fills."""
import numpy as np
from random_market import random_tape

from lob.analytics.trades import trades
from lob.exchange.order_book import OrderBook
from lob.messages import Flag, ReportKind, Side
from lob.tape.record import Tape


def naive_trades(tape):
    found, first = [], 0
    for end in np.flatnonzero(tape.rows["flags"] & Flag.LAST):
        event, first = tape.rows[first:end + 1], end + 1
        fills = event[event["kind"] == ReportKind.FILL]
        if len(fills):
            cash = (fills["price_ticks"] * fills["lots"]).sum()
            start = fills[0]
            found.append((start["time_ns"], start["sequence"], fills["lots"].sum(), cash, fills[-1]["price_ticks"], start["owner"], len(fills), start["side"]))
    return found


def test_trades_are_those_of_a_plain_loop():
    tape = random_tape(3_000, seed=101)
    assert trades(tape).tolist() == naive_trades(tape)


def test_a_sweep_is_one_trade():
    book = OrderBook()
    rows = [book.limit(Side.SELL, 100, 2, 1), book.limit(Side.SELL, 101, 3, 2), book.market(Side.BUY, 4, 3, owner=7, now_ns=9)]
    trade = trades(Tape(np.concatenate(rows), {}))[0]
    assert (trade["lots"], trade["cash_ticks"], trade["fills"], trade["side"], trade["owner"], trade["last_ticks"]) == (4, 402, 2, Side.BUY, 7, 101)


def test_what_agents_trade_inside_a_recorded_day_is_no_trade_of_the_day():
    book = OrderBook()
    rows = np.concatenate([book.limit(Side.SELL, 100, 9, 1), book.market(Side.BUY, 1, 2, owner=3), book.market(Side.BUY, 2, 3)])
    assert trades(Tape(rows, {"execution": "passive"}))["lots"].tolist() == [2]
    assert trades(Tape(rows, {}))["lots"].tolist() == [1, 2]
