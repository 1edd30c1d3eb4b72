"""Decomposition: spread - adverse selection + inventory - fees is the profit, to the last micro-tick."""
import numpy as np
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_market import random_tape
from ruled_market import day_tape, ruled_tape

from lob.analytics.decomposition import decomposition
from lob.analytics.profit import profit_and_loss
from lob.exchange.order_book import OrderBook
from lob.messages import Flag, ReportKind, Side
from lob.tape.accounts import accounts
from lob.tape.record import Tape
from lob.tape.replay import touches

SECOND_NS = 1_000_000_000


def naive_mid(quotes, is_seen):
    """Return the sum of bid and ask in the last two-sided touch for which is_seen holds, None without one."""
    seen = [touch["best_bid_ticks"] + touch["best_ask_ticks"] for touch in quotes if 0 < touch["best_bid_ticks"] < touch["best_ask_ticks"] and is_seen(touch)]
    return int(seen[-1]) if seen else None


def naive_parts(tape, owner, is_maker, horizon_ns):
    """Return (spread, adverse, inventory) of an owner's fills by a plain loop."""
    quotes, rows = touches(tape.rows), tape.rows
    last, parts = naive_mid(quotes, lambda touch: True), [0, 0, 0]
    for i, fill in enumerate(rows):
        if fill["kind"] != ReportKind.FILL or fill["resting_owner" if is_maker else "owner"] != owner:
            continue
        start = i
        while start > 0 and not rows[start - 1]["flags"] & Flag.LAST:
            start -= 1
        price, side, lots = 2 * int(fill["price_ticks"]), int(fill["side"]) * (-1 if is_maker else 1), int(fill["lots"])
        before = naive_mid(quotes, lambda touch, start=start: touch["sequence"] < start)
        before = price if before is None else before
        later = naive_mid(quotes, lambda touch, end=fill["time_ns"] + horizon_ns: touch["time_ns"] <= end)
        later = before if later is None else later
        for k, move in enumerate((before - price, before - later, last - later)):
            parts[k] += side * move * lots
    return tuple(parts)


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32), horizon_ns=st.sampled_from([0, 30_000_000, SECOND_NS, 10**15]))
def test_parts_are_those_of_a_plain_loop(seed, horizon_ns):
    tape = random_tape(150, seed)
    for line in decomposition(tape, horizon_ns).iter_rows(named=True):
        found = (line["spread_half_ticks"], line["adverse_half_ticks"], line["inventory_half_ticks"])
        assert found == naive_parts(tape, line["owner"], line["liquidity"] == "maker", horizon_ns)


@pytest.mark.parametrize("make", [random_tape, ruled_tape, day_tape])
@pytest.mark.parametrize("horizon_ns", [0, SECOND_NS, 10**17])
def test_the_parts_of_every_owner_tie_out_with_cash_and_inventory_less_fees(make, horizon_ns):
    tape = make(4_000, seed=31)
    held, mid = accounts(tape), naive_mid(touches(tape.rows), lambda touch: True)
    table = decomposition(tape, horizon_ns)
    for owner in range(1, 7):
        lines, account = table.filter(polars.col("owner") == owner), held[owner]
        value = 500_000 * (2 * account.cash_ticks + account.inventory_lots * mid) - account.fees_microticks
        parts = 500_000 * (lines["spread_half_ticks"] - lines["adverse_half_ticks"] + lines["inventory_half_ticks"]) - lines["fees_microticks"]
        assert lines["pnl_microticks"].sum() == parts.sum() == value


def test_profit_is_that_of_the_profit_table():
    tape = random_tape(2_000, seed=32)
    totals = decomposition(tape).group_by("owner", maintain_order=True).agg(polars.col("pnl_microticks").sum())
    assert (totals["pnl_microticks"] / 1e6).to_list() == pytest.approx(profit_and_loss(tape)["pnl_ticks"].to_list(), rel=1e-12)


def test_adverse_selection_is_the_impact_and_inventory_what_came_later():
    book = OrderBook()
    rows = [
        book.limit(Side.BUY, 100, 9, order_id=1, owner=1),
        book.limit(Side.SELL, 102, 9, order_id=2, owner=1),
        book.limit(Side.BUY, 98, 9, order_id=3, owner=3),
        book.market(Side.SELL, 9, order_id=4, owner=2, now_ns=SECOND_NS),               # mid 101 before, 100 after
        book.limit(Side.BUY, 101, 1, order_id=5, owner=3, now_ns=5 * SECOND_NS),        # mid 101.5 at the end
    ]
    line = decomposition(Tape(np.concatenate(rows), {})).filter(polars.col("owner") == 1, polars.col("liquidity") == "maker").row(0, named=True)
    assert (line["spread_half_ticks"], line["adverse_half_ticks"], line["inventory_half_ticks"]) == (9 * 2, 9 * 2, 9 * 3)


def test_without_any_mid_the_parts_are_unknown():
    book = OrderBook()
    rows = [book.limit(Side.SELL, 101, 1, order_id=1, owner=1), book.market(Side.BUY, 1, order_id=1, owner=2)]
    assert decomposition(Tape(np.concatenate(rows), {}))["pnl_microticks"].to_list() == [None] * 4
