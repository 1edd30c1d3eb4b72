"""How long one message takes, by its kind, measured inside compiled code: python benchmarks/latency.py --json

The processor's clock is read once between any two messages; a message's latency is the time from one reading to the next, so the latencies sum to the whole
run and nothing is left out: reading the request, the answer's rows and the reading of the clock itself. Nothing is subtracted; what the clock alone takes is
printed. The reading does not hold the processor up, so a few nanoseconds of one message's work may be counted to its neighbour.

`worst` is whatever was seen, the machine's interruptions with it. `repeats` tells them apart: each message is sent once a run, its best of all runs is the
book's own, and the worst of those is what the book does whenever it meets this message.
"""
import argparse
import json
import time

import numpy as np
from provenance import measured_on, one_line
from recycled import recycle, stamped, warm_book

from lob.bench import MID_TICKS, Flow, mixed
from lob.exchange import gate
from lob.exchange.book import book_at
from lob.exchange.order_book import OrderBook
from lob.exchange.reports import reports_at, request_at
from lob.jit import cycle_count, jit
from lob.messages import REQUEST, Action, Flag, ReportKind

KINDS = ("passive limit", "aggressive limit", "market", "cancel", "replace", "rejected")
PASSIVE_LIMIT, AGGRESSIVE_LIMIT, MARKET, CANCEL, REPLACE, REJECTED = range(len(KINDS))
QUANTILES = {"p50_ns": 0.5, "p99_ns": 0.99, "p99_9_ns": 0.999, "p99_99_ns": 0.9999, "worst_ns": 1.0}
CROSSING_TICKS = 50
REPLACE_SHARE = 0.1


@jit
@stamped
def clocked(book_address, requests, count, reports_address, readings):
    """Apply requests; readings[i] is the clock before request i, readings[count] after the last. Return the number done."""
    book, reports = book_at(book_address, 0), reports_at(reports_address, 0)
    readings[0] = cycle_count()
    for i in range(count):
        if gate.apply(book, request_at(requests, i), reports) < 0:
            return i
        recycle(reports)
        readings[i + 1] = cycle_count()
    return count


@jit
@stamped
def clock_alone(readings):
    """Read the clock as `clocked` does, with nothing in between."""
    for i in range(len(readings)):
        readings[i] = cycle_count()


def with_every_kind(flow, seed=5):
    """Return the flow with replaces of resting orders put in and half of its market orders turned into limit orders that cross the touch."""
    rng = np.random.default_rng(seed)
    timed = flow.timed.copy()
    crossing = np.flatnonzero(timed["action"] == Action.MARKET)[::2]
    timed["action"][crossing] = Action.LIMIT
    timed["price_ticks"][crossing] = MID_TICKS + timed["side"][crossing].astype(np.int64) * CROSSING_TICKS
    replaces, places = _replaces(rng, flow.warm, timed)
    merged = np.concatenate([timed, replaces])
    return Flow("every_kind", flow.warm, merged[np.argsort(np.concatenate([np.arange(len(timed)), places]), kind="stable")])


def _replaces(rng, warm, timed):
    """Return replaces of orders that a later cancel names, and where each belongs: anywhere between its order's add and this cancel."""
    cancels = rng.choice(np.flatnonzero(timed["action"] == Action.CANCEL), int(REPLACE_SHARE * len(timed)), replace=False)
    adds = np.flatnonzero(timed["action"] == Action.LIMIT)
    orders = np.concatenate([warm, timed[adds]])
    added = np.concatenate([np.full(len(warm), -1), adds])
    by_id = np.argsort(orders["order_id"])
    found = by_id[np.searchsorted(orders["order_id"], timed["order_id"][cancels], sorter=by_id)]
    replaces = np.zeros(len(cancels), REQUEST)
    replaces["action"], replaces["order_id"] = Action.REPLACE, timed["order_id"][cancels]
    replaces["price_ticks"] = MID_TICKS - orders["side"][found].astype(np.int64) * rng.geometric(1 / 20, len(cancels))
    replaces["lots"] = rng.integers(1, 10, len(cancels), endpoint=True)
    return replaces, added[found] + rng.random(len(cancels)) * (cancels - added[found])


def kinds_of(flow, batch=65_536):
    """Return the kind of each timed message, int64[n], from what the engine answers."""
    book, kinds = OrderBook(), []
    book.send_many(flow.warm)
    for start in range(0, len(flow.timed), batch):
        rows = book.send_many(flow.timed[start:start + batch])
        last = rows["flags"] & int(Flag.LAST) > 0
        first = np.flatnonzero(np.concatenate([[True], last[:-1]]))
        action, is_refusal = rows["action"][first], rows["kind"][first] == ReportKind.REJECTED
        asked = np.array([PASSIVE_LIMIT, MARKET, CANCEL, REPLACE])[action]
        kinds.append(np.where(is_refusal, REJECTED, np.where((action == Action.LIMIT) & ~last[first], AGGRESSIVE_LIMIT, asked)))
    return np.concatenate(kinds)


def run(flow):
    """Return the latency of each timed message in clock ticks, int64[n], and the nanoseconds of the whole run."""
    book, readings = warm_book(flow), np.zeros(len(flow.timed) + 1, np.int64)
    readings[:] = 1
    started_ns = time.perf_counter_ns()
    done = clocked(book.memory.address, flow.timed.ctypes.data, len(flow.timed), book.reports.address, readings)
    elapsed_ns = time.perf_counter_ns() - started_ns
    assert done == len(flow.timed), "the memory was enough for the whole flow"
    return np.diff(readings), elapsed_ns


def clock_ticks(count=1_000_000):
    """Return what the clock alone takes: int64[count] ticks."""
    readings = np.ones(count + 1, np.int64)
    clock_alone(readings)
    clock_alone(readings)
    return np.diff(readings)


def quantiles_ns(ticks, tick_ns):
    """Return {name: nanoseconds}: the smallest latency that the named share of messages does not exceed."""
    values = np.quantile(ticks, list(QUANTILES.values()), method="inverted_cdf") * tick_ns
    return dict(zip(QUANTILES, values.round(1).tolist(), strict=True))


def measure(messages=1_000_000, resting=10_000, repeats=5):
    """Return the latencies of the mixed flow with every kind in it, all runs together, after one run that is not counted."""
    flow = with_every_kind(mixed(messages, resting))
    kinds = kinds_of(flow)
    runs = [run(flow) for _ in range(repeats + 1)][1:]
    ticks = np.array([ticks for ticks, _ in runs])
    elapsed_ns = sum(elapsed_ns for _, elapsed_ns in runs)
    tick_ns = elapsed_ns / ticks.sum()
    best = ticks.min(axis=0)
    return {
        "messages": len(flow.timed), "runs": repeats, "resting_orders": resting, "tick_ns": tick_ns, "ns_per_message": round(elapsed_ns / ticks.size, 2),
        "clock_alone": quantiles_ns(clock_ticks(), tick_ns),
        "kinds": [
            {"kind": name, "messages": int(which.sum()), "mean_ns": round(float(ticks[:, which].mean() * tick_ns), 1)}
            | quantiles_ns(ticks[:, which].ravel(), tick_ns) | {"repeats_ns": round(float(best[which].max() * tick_ns), 1)}
            for name, which in _masks(kinds) if which.any()
        ],
    }


def _masks(kinds):
    yield "all", np.ones(len(kinds), bool)
    for number, name in enumerate(KINDS):
        yield name, kinds == number


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--resting", type=int, default=10_000, help="how many orders rest")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    options = parser.parse_args()
    result = {"benchmark": "latency", **measured_on(), **measure(options.messages, options.resting, options.repeats)}
    print(json.dumps(result, indent=1) if options.json else table(result))


def table(result):
    """Return the result as lines of text."""
    heads = ("kind", "messages", "mean", "p50", "p99", "p99.9", "p99.99", "worst", "repeats")
    names = ("kind", "messages", "mean_ns", *QUANTILES, "repeats_ns")
    cells = [[row.get(name, "") for name in names] for row in [*result["kinds"], {"kind": "the clock alone", **result["clock_alone"]}]]
    lines = [f"{kind:18}" + "".join(f"{cell:>13,}" if cell != "" else " " * 13 for cell in rest) for kind, *rest in cells]
    head = f"{heads[0]:18}" + "".join(f"{name:>13}" for name in heads[1:])
    about = f"ns; {result['runs']} runs of {result['ns_per_message']} ns a message, clock and all; one tick of the clock is {result['tick_ns']:.3f} ns"
    return "\n".join([head, *lines, about, one_line(result)])


if __name__ == "__main__":
    main()
