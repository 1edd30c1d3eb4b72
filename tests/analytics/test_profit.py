"""Profit: what the fills earned is what the accounts hold, to the last half-tick."""
import numpy as np
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_market import INSTRUMENT, random_requests, random_tape

from lob.analytics.profit import profit_and_loss
from lob.exchange.order_book import OrderBook
from lob.messages import ReportKind, Side
from lob.tape.accounts import accounts
from lob.tape.record import Tape
from lob.tape.replay import touches


def naive_total_half_ticks(tape, owner):
    """Return the sum of side x (last mid - 2 price) x lots over all fills of an owner, its own side of each, by a plain loop."""
    two_sided = [touch for touch in touches(tape.rows) if touch["best_bid_ticks"] and touch["best_ask_ticks"]]
    mid, total = int(two_sided[-1]["best_bid_ticks"] + two_sided[-1]["best_ask_ticks"]), 0
    for fill in tape.rows[tape.rows["kind"] == ReportKind.FILL]:
        gain = int(fill["side"]) * (mid - 2 * int(fill["price_ticks"])) * int(fill["lots"])
        total += gain * (int(fill["owner"] == owner) - int(fill["resting_owner"] == owner))
    return total


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32))
def test_cash_and_inventory_at_the_mid_are_what_the_fills_made(seed):
    tape = random_tape(300, seed)
    held = accounts(tape)
    for line in profit_and_loss(tape).filter(polars.col("fills") > 0).iter_rows(named=True):
        account = held[line["owner"]]
        total = 2 * account.cash_ticks + account.inventory_lots * line["mid_half_ticks"]
        assert line["total_half_ticks"] == line["spread_half_ticks"] + line["drift_half_ticks"] == total == naive_total_half_ticks(tape, line["owner"])


def test_before_fees_what_some_make_others_lose():
    assert profit_and_loss(random_tape(1_000, seed=2))["total_half_ticks"].sum() == 0


def test_fees_are_taken_from_the_profit_and_rebates_added():
    line = profit_and_loss(random_tape(1_000, seed=2)).row(0, named=True)
    assert line["fees_microticks"] == -200_000 * line["maker_lots"] + 300_000 * line["taker_lots"]
    assert line["pnl_ticks"] == line["total_half_ticks"] / 2 - line["fees_microticks"] / 1e6


def test_an_agent_that_never_traded_has_a_line_of_zeros():
    tape = random_tape(0, seed=1)
    profits = profit_and_loss(tape)
    assert profits["agent"].to_list() == [f"agent-{owner}" for owner in range(1, 7)]
    assert profits["fills"].sum() == 0


def test_an_owner_that_is_no_agent_is_named_by_its_number():
    book = OrderBook()
    rows = np.concatenate([book.limit(Side.SELL, 101, 1, order_id=1, owner=40), book.market(Side.BUY, 1, order_id=1)])
    assert profit_and_loss(Tape(rows, {})).select("agent", "kind").rows() == [("recorded", "recorded"), ("owner-40", "unknown")]


def test_without_any_mid_there_is_no_profit_to_speak_of():
    book = OrderBook()
    rows = np.concatenate([book.limit(Side.SELL, 101, 1, order_id=1, owner=1), book.market(Side.BUY, 1, order_id=1, owner=2)])
    profits = profit_and_loss(Tape(rows, {"instrument": INSTRUMENT}))
    assert profits["cash_ticks"].to_list() == [101, -101]
    assert profits["pnl_ticks"].to_list() == [None, None]


@pytest.mark.parametrize("book", [0, 1])
def test_each_book_is_accounted_for_alone(book):
    first, second = random_requests(300, seed=3), random_requests(300, seed=4, book=1)
    rows = [OrderBook().send_many(first), OrderBook(book=1).send_many(second)]
    mixed = np.sort(np.concatenate(rows), order=["time_ns", "book", "sequence"])
    mixed["sequence"] = np.arange(len(mixed))
    assert profit_and_loss(Tape(mixed, {}), book).equals(profit_and_loss(Tape(rows[book], {}), book))
