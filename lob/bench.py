"""Named flows for the matcher and their timing on this machine.

Owns the flows of the benchmarks and of `lob bench`: each is REQUEST[n] made from a seed, with a warm part that fills the book before the clock starts.
Knows the exchange only.

What is timed is what a simulation does: its requests are few and in the processor's cache, and its rows go into a chunk that is handed over when full.
So a flow waits in memory as the records of a stream, 16 bytes each; under the clock a batch of them is read into a small array of requests, these are
applied, and their rows are written. When the chunk is full the clock stands still, until its rows are counted and it is begun again.
"""
import statistics
import time
from dataclasses import dataclass

import numpy as np

from lob.exchange.book import NAMES_AHEAD, book_at
from lob.exchange.order_book import OrderBook
from lob.exchange.reports import ReportBuffer, reports_at, request_at
from lob.exchange.stream import AHEAD, apply_known, expect, horizon
from lob.jit import address_of, jit, pool_reader, prefetch
from lob.messages import REQUEST, Action, ReportKind, Side

MID_TICKS = 1_000_000  # no price of any flow is below one tick
CHUNK_ROWS = 8192

# What a plain request of owner 0 says, in half the width.
RECORD = np.dtype(
    [("order_id", "i4"), ("price_ticks", "i4"), ("lots", "i4"), ("book", "u2"), ("action", "u1"), ("side", "i1")], align=True,
)
record_at = pool_reader(RECORD)


@dataclass(frozen=True)
class Flow:
    """A stream of requests: `warm` fills the book, `timed` is what the clock sees."""

    name: str
    warm: np.ndarray
    timed: np.ndarray


def _requests(count):
    requests = np.zeros(count, REQUEST)
    requests["lots"] = 1
    return requests


def _limits(rng, ids, side, prices, lots_max=10):
    requests = _requests(len(ids))
    requests["order_id"], requests["side"], requests["price_ticks"] = ids, side, prices
    requests["lots"] = rng.integers(1, lots_max, len(ids), endpoint=True)
    return requests


def _passive(rng, count, spread_ticks, ids):
    """Return limit orders on both sides, geometric in their distance from the mid."""
    side = rng.choice([Side.BUY, Side.SELL], count)
    distance = rng.geometric(1 / spread_ticks, count)
    return _limits(rng, ids, side, MID_TICKS - side * distance)


def mixed(messages=1_000_000, live_orders=10_000, seed=1, spread_ticks=20, market_share=0.1):
    """45 % add, 45 % cancel, 10 % market orders, about `live_orders` resting: the everyday flow."""
    rng = np.random.default_rng(seed)
    warm = _passive(rng, live_orders, spread_ticks, np.arange(1, live_orders + 1))
    adds = _passive(rng, messages, spread_ticks, np.arange(live_orders + 1, live_orders + messages + 1))
    kinds = rng.choice(3, messages, p=[(1 - market_share) / 2, (1 - market_share) / 2, market_share])
    timed = adds
    takes = kinds == 2
    timed["action"][takes] = Action.MARKET
    timed["lots"][takes] = rng.integers(1, 10, takes.sum(), endpoint=True)
    live = list(warm["order_id"])
    picks = rng.random(messages)
    for i in np.flatnonzero(kinds != 2):
        # A cancel names one of the orders that were added and not yet cancelled; some of them have traded since and the cancel is refused, as in life.
        if kinds[i] == 1 and live:
            j = int(picks[i] * len(live))
            live[j], live[-1] = live[-1], live[j]
            timed["action"][i], timed["order_id"][i], timed["lots"][i] = Action.CANCEL, live.pop(), 0
        else:
            live.append(timed["order_id"][i])
    return Flow("mixed", warm, timed)


def far_from_touch(messages=1_000_000, live_orders=10_000, seed=2):
    """Adds and cancels on average 20,000 ticks (five pages) from the mid, some of them 200,000: few share a page."""
    flow = mixed(messages, live_orders, seed, spread_ticks=20_000, market_share=0.02)
    return Flow("far_from_touch", flow.warm, flow.timed)


def deep_fifo(messages=1_000_000, live_orders=100_000, seed=3):
    """One price, a long queue: cancels from its middle, adds at its back."""
    flow = mixed(messages, live_orders, seed, spread_ticks=1, market_share=0.1)
    return Flow("deep_fifo", flow.warm, flow.timed)


def sweep(messages=200_000, levels=50, seed=4):
    """Fifty levels of one order each are rebuilt, then one order takes them all."""
    rng = np.random.default_rng(seed)
    rounds = messages // (levels + 1)
    ids = np.arange(1, rounds * levels + 1).reshape(rounds, levels)
    timed = _requests(rounds * (levels + 1)).reshape(rounds, levels + 1)
    timed["side"][:, :levels], timed["order_id"][:, :levels] = Side.SELL, ids
    timed["price_ticks"][:, :levels] = MID_TICKS + rng.permuted(np.tile(np.arange(levels) * 3, (rounds, 1)), axis=1)
    timed["side"][:, levels], timed["order_id"][:, levels] = Side.BUY, rounds * levels + 1 + np.arange(rounds)
    timed["action"][:, levels], timed["lots"][:, levels] = Action.MARKET, levels
    return Flow("sweep", timed[0, :0], timed.reshape(-1))


FLOWS = {flow.__name__: flow for flow in (mixed, far_from_touch, deep_fifo, sweep)}


@jit(inline=True)
def read_record(record, request):
    """Read a record of a stream into a request."""
    request.order_id, request.price_ticks, request.lots = record.order_id, record.price_ticks, record.lots
    request.action, request.side = record.action, record.side


@jit
def play(book_address, records, first, count, ring, reports_address):
    """Apply the records [first, count) of a stream, read into a ring of NAMES_AHEAD requests; return `count`, or the number of the one that met a Shortage."""
    book, reports = book_at(book_address, 0), reports_at(reports_address, 0)
    known = first
    while first < count:
        end = min(first + AHEAD, count)
        for i in range(known, min(horizon(book, first), count)):
            record, request = record_at(records, i), request_at(ring, i & (NAMES_AHEAD - 1))
            prefetch(address_of(record_at(records, i + AHEAD)))
            read_record(record, request)
            expect(book, i, request)
            known += 1
        first = apply_known(book, ring, NAMES_AHEAD - 1, first, end, reports)
        if first < end:
            break
    return first


def to_stream(requests):
    """Return plain requests of owner 0 as the records of a stream, RECORD[n].

    It is made before the book, as other engines have their input: going through the requests leaves none of a book in the processor's cache.
    """
    records = np.zeros(len(requests), RECORD)
    for name in RECORD.names:
        records[name] = requests[name]
    return records


def prepared_book(flow, order_capacity=None):
    """Return an OrderBook with the warm part in it and memory for the rest, every page of it touched before the clock starts."""
    book = OrderBook()
    book.send_many(flow.warm)
    book.memory.set_order_capacity(max(order_capacity or 2 * max(book.order_count, 8192), len(book.memory.orders)))
    book.memory.orders.view(np.uint8)[::4096] |= 0
    book.memory.map.view(np.uint8)[::4096] |= 0
    return book


def run_timed(book, records):
    """Apply a stream, RECORD[n]; return (nanoseconds, fills, lots traded)."""
    ring, reports = np.zeros(NAMES_AHEAD, REQUEST), ReportBuffer(CHUNK_ROWS)
    reports.rows.view(np.uint8)[::4096] |= 0
    elapsed_ns = fills = volume_lots = done = 0
    while done < len(records):
        started_ns = time.perf_counter_ns()
        done = play(book.memory.address, records.ctypes.data, done, len(records), ring.ctypes.data, reports.address)
        elapsed_ns += time.perf_counter_ns() - started_ns
        rows = reports.rows[:reports.count]
        traded = rows["lots"][rows["kind"] == ReportKind.FILL]
        fills, volume_lots = fills + len(traded), volume_lots + int(traded.sum())
        reports.clear()
        if done < len(records):
            book.make_room(ring[done % NAMES_AHEAD], reports)
    return elapsed_ns, fills, volume_lots


def time_flow(flow, repeats=5):
    """Return what a flow costs: the median of `repeats` runs from the same warm book, after one that is not counted."""
    records, times = to_stream(flow.timed), []
    for _ in range(repeats + 1):
        book = prepared_book(flow)
        elapsed_ns, fills, volume_lots = run_timed(book, records)
        times.append(elapsed_ns / len(records))
    return {
        "flow": flow.name, "messages": len(flow.timed), "fills": fills, "volume_lots": volume_lots,
        "resting_orders": book.order_count, "order_capacity": len(book.memory.orders),
        "best_bid_ticks": book.best_bid_ticks, "best_ask_ticks": book.best_ask_ticks,
        "ns_per_message": statistics.median(times[1:]), "spread_ns": max(times[1:]) - min(times[1:]),
    }
