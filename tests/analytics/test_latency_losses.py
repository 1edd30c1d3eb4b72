"""Latency: cancels that came too late and quotes that were stale, on a story and against a plain loop."""
import numpy as np
import pytest

from agents import InformedTrader, NoiseTrader, SymmetricMaker
from lob import Fundamental, Latency, Simulation
from lob.analytics.latency import LATEST_BITS, losses, lost_cancels, stale_quotes
from lob.analytics.quotes import Mids
from lob.exchange.order_book import OrderBook
from lob.messages import REQUEST, Action, CancelReason, RejectReason, ReportKind, Side
from lob.tape.record import Tape

SECOND_NS, MS = 1_000_000_000, 1_000_000
AGENTS = [{"owner": 1, "name": "maker", "kind": "Maker", "role": "maker", "latency": {"feed_ns": 2 * MS, "order_ns": 3 * MS}}]


def tape_of(*requests):
    """Return the tape of requests given as (sent in ms, arrives in ms, action, owner, order_id, side, price_ticks, lots)."""
    rows = np.zeros(len(requests), REQUEST)
    for row, (sent, arrives, *values) in zip(rows, requests, strict=True):
        row["sent_ns"], row["time_ns"] = sent * MS, arrives * MS
        for name, value in zip(("action", "owner", "order_id", "side", "price_ticks", "lots"), values, strict=True):
            row[name] = value
    return Tape(OrderBook().send_many(rows), {"agents": AGENTS, "complete": True, "end_ns": 10 * SECOND_NS})


BOOK = ((0, 1, Action.LIMIT, 9, 1, Side.BUY, 98, 50), (0, 1, Action.LIMIT, 9, 2, Side.SELL, 102, 50), (0, 1, Action.LIMIT, 1, 1, Side.BUY, 100, 5))


def test_a_cancel_that_was_on_its_way_when_the_order_traded_lost_its_race():
    tape = tape_of(
        *BOOK, (20, 25, Action.MARKET, 9, 3, Side.SELL, 0, 5), (22, 28, Action.CANCEL, 1, 1, 0, 0, 0), (30, 31, Action.LIMIT, 9, 4, Side.SELL, 99, 9),
    )
    line = lost_cancels(tape).row(0, named=True)
    assert (line["agent"], line["requests"], line["lost"], line["lost_lots"], line["late_ns"]) == ("maker", 1, 1, 5, 3 * MS)
    # Bought at 100, a second later the mid is 98.5: a tick and a half a lot.
    assert (line["cost"], line["cost_ticks"]) == (1.5, 7.5)


def test_a_cancel_that_was_sent_after_the_fill_lost_nothing():
    tape = tape_of(*BOOK, (20, 25, Action.MARKET, 9, 3, Side.SELL, 0, 5), (26, 28, Action.CANCEL, 1, 1, 0, 0, 0))
    assert lost_cancels(tape)["lost"].to_list() == [0]
    assert lost_cancels(tape)["cost"].to_list() == [None]


def test_what_was_left_got_away():
    tape = tape_of(*BOOK, (20, 25, Action.MARKET, 9, 3, Side.SELL, 0, 2), (22, 28, Action.CANCEL, 1, 1, 0, 0, 0))
    assert lost_cancels(tape).select("requests", "lost", "lost_lots").row(0) == (1, 1, 2)


def test_a_fill_is_lost_once():
    cancel = (22, 28, Action.CANCEL, 1, 1, 0, 0, 0)
    tape = tape_of(*BOOK, (20, 25, Action.MARKET, 9, 3, Side.SELL, 0, 5), cancel, (23, 29, *cancel[2:]))
    assert lost_cancels(tape).select("requests", "lost", "lost_lots").row(0) == (2, 1, 5)


def test_orders_that_share_a_place_in_the_table_of_fills_are_told_apart():
    def place(order_id):
        return ((order_id ^ (1 << 40)) * 0x9E3779B97F4A7C15 % 2**64) >> (64 - LATEST_BITS)

    other = next(order_id for order_id in range(2, 10**6) if place(order_id) == place(1))
    tape = tape_of(
        *BOOK, (0, 1, Action.LIMIT, 1, other, Side.BUY, 100, 7), (20, 25, Action.MARKET, 9, 3, Side.SELL, 0, 12), (22, 28, Action.CANCEL, 1, 1, 0, 0, 0),
    )
    assert lost_cancels(tape).select("requests", "lost", "lost_lots").row(0) == (1, 1, 5)


def test_a_replace_can_lose_its_race_too():
    tape = tape_of(*BOOK, (20, 25, Action.MARKET, 9, 3, Side.SELL, 0, 2), (22, 28, Action.REPLACE, 1, 1, 0, 99, 3))
    assert lost_cancels(tape)["lost_lots"].to_list() == [2]


def test_a_quote_is_stale_when_the_mid_moved_faster_than_its_owner_can():
    # Owner 1 needs 5 ms. The mid falls at 21 ms, and the fill comes at 25 ms: too soon to answer; at 27 ms it would have been time enough.
    stale = tape_of(*BOOK, (20, 21, Action.LIMIT, 9, 4, Side.SELL, 101, 9), (20, 25, Action.MARKET, 9, 3, Side.SELL, 0, 5))
    fresh = tape_of(*BOOK, (20, 21, Action.LIMIT, 9, 4, Side.SELL, 101, 9), (20, 27, Action.MARKET, 9, 3, Side.SELL, 0, 5))
    assert stale_quotes(stale).select("fills", "stale", "stale_lots", "moved").row(0) == (1, 1, 5, 0.5)
    assert stale_quotes(fresh).select("fills", "stale", "stale_lots", "moved").row(0) == (1, 0, 0, None)


@pytest.fixture(scope="module")
def slow_market():
    """Return the tape of a market in which makers are slow, so that many cancels come too late."""
    slow, far = Latency(feed_ns=20 * MS, order_ns=20 * MS, order_jitter_ns=10 * MS), Latency(feed_ns=MS, order_ns=MS, order_jitter_ns=MS)
    agents = [NoiseTrader(count=40, latency=far), SymmetricMaker(name="slow", latency=slow), SymmetricMaker(name="fast", latency=far)]
    agents += [InformedTrader(count=2, latency=Latency(feed_ns=100_000, order_ns=100_000))]
    return Simulation(agents, seed=5, fundamental=Fundamental(volatility_ticks=2.5)).run(minutes=2).tape


def test_lost_fills_are_those_of_a_plain_loop(slow_market):
    rows, expected, taken = slow_market.rows, [], set()
    fills = {}
    for i, row in enumerate(rows):
        if row["kind"] == ReportKind.FILL:
            fills.setdefault((int(row["resting_owner"]), int(row["resting_id"])), []).append(i)
        elif row["action"] in (Action.CANCEL, Action.REPLACE):
            refused = row["kind"] == ReportKind.REJECTED and row["reason"] == RejectReason.UNKNOWN_ORDER
            if refused or (row["kind"] == ReportKind.CANCELLED and row["reason"] in (CancelReason.ASKED, CancelReason.REPLACED)):
                for k in reversed(fills.get((int(row["owner"]), int(row["order_id"])), [])):
                    if rows[k]["time_ns"] > row["sent_ns"] and k not in taken:
                        taken.add(k)
                        expected.append((i, k))
    assert len(expected) > 30
    assert losses(slow_market).tolist() == expected


def test_who_is_slow_loses_more_races(slow_market):
    lines = {line["agent"]: line for line in lost_cancels(slow_market).iter_rows(named=True)}
    assert lines["slow"]["lost_share"] > lines["fast"]["lost_share"]
    stale = {line["agent"]: line for line in stale_quotes(slow_market).iter_rows(named=True)}
    assert stale["slow"]["stale_share"] > stale["fast"]["stale_share"]


def test_stale_quotes_are_those_of_a_plain_loop(slow_market):
    mids, moved = Mids.of(slow_market), {}
    reactions = {agent["owner"]: agent["latency"]["feed_ns"] + agent["latency"]["order_ns"] for agent in slow_market.agents.values()}
    for fill in slow_market.rows[slow_market.rows["kind"] == ReportKind.FILL]:
        first = int(fill["sequence"])
        while first > 0 and not slow_market.rows[first - 1]["flags"] & 128:
            first -= 1
        before, earlier = mids.half_ticks[mids.sequence < first], mids.half_ticks[mids.time_ns <= fill["time_ns"] - reactions[int(fill["resting_owner"])]]
        if len(before) and len(earlier) and fill["side"] * (before[-1] - earlier[-1]) > 0:
            moved.setdefault(int(fill["resting_owner"]), []).append(fill["side"] * (before[-1] - earlier[-1]) / 2)
    names = {agent["name"]: owner for owner, agent in slow_market.agents.items()}
    for line in stale_quotes(slow_market).iter_rows(named=True):
        mine = moved.get(names[line["agent"]], [])
        assert line["stale"] == len(mine)
        assert line["moved"] == (pytest.approx(np.mean(mine)) if mine else None)
