"""Nanoseconds a message with each rule of the venue in use: python benchmarks/rules.py --json

Each flow is the mixed one of `lob.bench` with every order of it of one kind, where the rule allows: what rests in order to be traded with stays plain in the
flows of stops and minimum quantities, and a mass cancel stands for ten cancels. The first row is the mixed flow as it is, the second the same with a rule armed
that no order uses. All are timed in the same way: a block of requests is laid into the processor's cache, the clock starts, they are applied, the clock stops,
the rows are counted. The clock and the call into compiled code are in the figures, about two nanoseconds a message.
"""
import argparse
import json
import statistics
import time

import numpy as np
from provenance import measured_on, one_line

from lob import OrderBook
from lob.bench import MID_TICKS, mixed
from lob.exchange.stream import apply_many
from lob.messages import REQUEST, Action, Flag, ReportKind, SelfTrade, TimeInForce

BLOCK = 512
OWNERS = 8
ORDERS_OF_AN_OWNER = 10


def plain(warm, timed, rng):
    """The mixed flow as it is."""
    return warm, timed


def post_only(warm, timed, rng):
    """Every limit order is post-only; none of them would cross."""
    return with_flags(warm, timed, Flag.POST_ONLY)


def good_till_time(warm, timed, rng):
    """Every limit order has an expiry; about as many expire as are cancelled."""
    lifetime_ns = 1_000 * 4 * len(warm)
    for requests in (warm, timed):
        limits = requests["action"] == Action.LIMIT
        requests["tif"][limits] = TimeInForce.GTT
        requests["expiry_ns"][limits] = requests["time_ns"][limits] + rng.integers(1, lifetime_ns, limits.sum())
    return warm, timed


def iceberg(warm, timed, rng):
    """Every limit order shows three lots of ten to thirty."""
    warm, timed = with_flags(warm, timed, Flag.ICEBERG)
    for requests in (warm, timed):
        limits = requests["action"] == Action.LIMIT
        requests["lots"][limits], requests["display_lots"][limits] = rng.integers(10, 30, limits.sum()), 3
    return warm, timed


def hidden(warm, timed, rng):
    """Every limit order is hidden."""
    return with_flags(warm, timed, Flag.HIDDEN)


def stop(warm, timed, rng):
    """Every order added is a stop-limit order that a trade at its distance from the mid triggers."""
    limits = timed["action"] == Action.LIMIT
    timed["flags"][limits] = Flag.STOP
    distance = rng.geometric(0.2, limits.sum())
    timed["trigger_ticks"][limits] = MID_TICKS + timed["side"][limits] * distance
    return warm, timed


def minimum_quantity(warm, timed, rng):
    """Every market order is a limit order far beyond the touch that wants half its lots at once, or nothing."""
    takes = timed["action"] == Action.MARKET
    timed["action"][takes], timed["tif"][takes], timed["flags"][takes] = Action.LIMIT, TimeInForce.IOC, Flag.MINIMUM
    timed["price_ticks"][takes] = MID_TICKS + np.int64(1_000) * timed["side"][takes]
    timed["min_lots"][takes] = (timed["lots"][takes] + 1) // 2
    return warm, timed


def market_to_limit(warm, timed, rng):
    """What a market order does not fill at the touch rests there."""
    timed["flags"][timed["action"] == Action.MARKET] = Flag.TO_LIMIT
    return warm, timed


def sliding(warm, timed, rng):
    """Every limit order is post-only and slides; one in five would cross."""
    warm, timed = with_flags(warm, timed, Flag.POST_ONLY | Flag.SLIDE)
    crossing = (timed["action"] == Action.LIMIT) & (rng.random(len(timed)) < 0.2)
    timed["price_ticks"][crossing] = MID_TICKS + np.int64(3) * timed["side"][crossing]
    return warm, timed


def mass_cancel(warm, timed, rng):
    """Ten orders have one owner; one cancel in ten takes all of them, the others are left out."""
    owner_of = lambda ids: 1 + ids // ORDERS_OF_AN_OWNER  # noqa: E731
    for requests in (warm, timed):
        requests["owner"] = owner_of(requests["order_id"])
    cancels = np.flatnonzero(timed["action"] == Action.CANCEL)
    kept = cancels[::ORDERS_OF_AN_OWNER]
    timed["action"][kept] = Action.MASS_CANCEL
    for name in ("order_id", "side", "price_ticks"):
        timed[name][kept] = 0
    return warm, np.delete(timed, np.setdiff1d(cancels, kept))


def self_trade(warm, timed, rng):
    """Eight owners, and each order meets one of its own owner at every eighth fill."""
    for requests in (warm, timed):
        requests["owner"] = 1 + requests["order_id"] % OWNERS
    return warm, timed


def with_flags(warm, timed, flags):
    for requests in (warm, timed):
        requests["flags"][requests["action"] == Action.LIMIT] = flags
    return warm, timed


# What each row is called, what it makes of the mixed flow, and the mode of the owners who may not trade with themselves.
ROWS = (
    ("plain", plain, None, ()),
    ("plain, a rule armed", plain, SelfTrade.CANCEL_RESTING, (OWNERS + 1,)),
    ("post-only", post_only, None, ()),
    ("good till time", good_till_time, None, ()),
    ("iceberg", iceberg, None, ()),
    ("hidden", hidden, None, ()),
    ("stop-limit", stop, None, ()),
    ("minimum quantity", minimum_quantity, None, ()),
    ("market-to-limit", market_to_limit, None, ()),
    ("sliding", sliding, None, ()),
    ("mass cancel", mass_cancel, None, ()),
    *((f"self-trade, {mode.name.lower().replace('_', ' ')}", self_trade, mode, range(1, OWNERS + 1)) for mode in list(SelfTrade)[1:]),
)


def flow_of(shape, messages, resting, seed=7):
    """Return (warm, timed), REQUEST[n] a microsecond apart: the mixed flow as a shape makes it."""
    flow = mixed(messages, resting)
    warm, timed = flow.warm.copy(), flow.timed.copy()
    times_ns = 1_000 * np.arange(1, len(warm) + len(timed) + 1)
    warm["time_ns"], timed["time_ns"] = times_ns[:len(warm)], times_ns[len(warm):]
    return shape(warm, timed, np.random.default_rng(seed))


def run(warm, timed, mode, owners):
    """Return (nanoseconds, {kind: how many rows of it}) of the timed part, with memory for all of it and a warm book."""
    book, hot, elapsed_ns, rows_of = OrderBook(), np.zeros(BLOCK, REQUEST), 0, np.zeros(256, np.int64)
    for owner in owners:
        book.prevent_self_trades(owner, mode)
    book.send_many(warm)
    book.memory.set_order_capacity(4 * len(warm))
    for start in range(0, len(timed), BLOCK):
        block = timed[start:start + BLOCK]
        hot[:len(block)].view(np.uint8)[:] = block.view(np.uint8)
        done = 0
        while done < len(block):
            started_ns = time.perf_counter_ns()
            done = apply_many(book.memory.address, hot.ctypes.data, done, len(block), book.reports.address)
            elapsed_ns += time.perf_counter_ns() - started_ns
            if done < len(block):
                book.make_room(hot[done], book.reports)
        rows_of += np.bincount(book.reports.rows["kind"][:book.reports.count], minlength=256)
        book.reports.clear()
    return elapsed_ns, {kind.name.lower(): int(rows_of[kind]) for kind in ReportKind if rows_of[kind]}


def measure(messages, resting, repeats):
    """Return the rows of the table: medians of `repeats` runs after one that is not counted, all flows in turn."""
    flows = {name: (*flow_of(shape, messages, resting), mode, owners) for name, shape, mode, owners in ROWS}
    runs = [{name: run(*flow) for name, flow in flows.items()} for _ in range(repeats + 1)][1:]
    return [row_of(name, len(flows[name][1]), [each[name] for each in runs]) for name in flows]


def row_of(name, messages, runs):
    times_ns, rows = [elapsed_ns / messages for elapsed_ns, _ in runs], runs[0][1]
    return {
        "rule": name, "messages": messages, "ns_per_message": round(statistics.median(times_ns), 1), "fastest_ns": round(min(times_ns), 1),
        "slowest_ns": round(max(times_ns), 1), "rows_per_message": round(sum(rows.values()) / messages, 2), "rows": rows,
    }


def table(result):
    """Return the result as lines of text."""
    lines = [f"{'rule':32}{'ns a message':>14}{'of all runs':>18}{'rows a message':>16}"]
    for row in result["rows"]:
        spread = f"{row['fastest_ns']:.1f} to {row['slowest_ns']:.1f}"
        lines.append(f"{row['rule']:32}{row['ns_per_message']:>14.1f}{spread:>18}{row['rows_per_message']:>16.2f}")
    return "\n".join([*lines, one_line(result)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--resting", type=int, default=10_000, help="how many orders rest")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    options = parser.parse_args()
    result = {"benchmark": "rules", **measured_on(), "resting_orders": options.resting, "rows": measure(options.messages, options.resting, options.repeats)}
    print(json.dumps(result, indent=1) if options.json else table(result))


if __name__ == "__main__":
    main()
