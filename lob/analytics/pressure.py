"""Pressure: how fast the best queues are eaten, pulled and refilled, and the hazards that follow.

Over a window of length W, at the best level of a side: d = (V_eaten + V_pulled - V_added) / W, in lots per second, the eaten and the pulled kept apart.
With the queue Q of the side, the hazard that it empties is h = max(d, 0) / Q per second. The race between the two sides as competing hazards:

    p_up = h_ask / (h_ask + h_bid)        the next move of the mid is up, since the ask empties first; expected drift 2 p_up - 1 ticks

A first-order form: how well it is calibrated is measured, in `race`. Hidden orders do not count, nor do prices behind the touch as it was before the event,
not even where a sweep reaches them; a lot that improves the touch counts as added. Source: competing hazards as in Cox (1959); the queues and their
intensities as in Cont, Stoikov and Talreja (2010).
"""
import numpy as np

from lob.analytics.quotes import quotes
from lob.analytics.records import last_at
from lob.analytics.spans import checked_span_ns
from lob.analytics.stay import Change, change_at
from lob.analytics.stays import walk
from lob.jit import jit
from lob.messages import Side

WINDOW_NS = 1_000_000_000
FLOWS = {"eaten": Change.TRADED, "pulled": Change.CANCELLED, "added": Change.ADDED}


def flow_sums(tape, book):
    """Return {(side, flow): (times int64[n], running sums of lots int64[n + 1])} of the changes at the touch; derived once."""
    changes, counts = walk(tape, book).changes, np.zeros(len(Side) * len(FLOWS), np.int64)
    _count_flows(changes.ctypes.data, len(changes), counts)
    firsts = np.cumsum(counts) - counts
    times, sums = np.empty(counts.sum(), np.int64), np.zeros(counts.sum() + len(counts), np.int64)
    _sum_flows(changes.ctypes.data, len(changes), firsts.copy(), times, sums)
    parts = zip(firsts.tolist(), counts.tolist(), strict=True)
    found = [(times[first: first + count], sums[first + k: first + k + count + 1]) for k, (first, count) in enumerate(parts)]
    return {(side, name): found[_flow_number(int(side), int(kind))] for side in Side for name, kind in FLOWS.items()}


@jit
def _flow_number(side, kind):
    return 3 * (side < 0) + kind


@jit
def _count_flows(changes, change_count, counts):
    for i in range(change_count):
        change = change_at(changes, i)
        if not change.is_behind:
            counts[_flow_number(change.side, change.kind)] += 1


@jit
def _sum_flows(changes, change_count, at, times, sums):
    """Write the flows one after the other, from the places `at` on; the sums of each have a 0 before them."""
    running = np.zeros(len(at), np.int64)
    for i in range(change_count):
        change = change_at(changes, i)
        if not change.is_behind:
            k = _flow_number(change.side, change.kind)
            running[k] += change.lots
            times[at[k]], sums[at[k] + k + 1] = change.time_ns, running[k]
            at[k] += 1


def flows_between(tape, from_ns, to_ns, book=0):
    """Return the lots eaten, pulled and added at each side's touch in (from, to]: {(side, "eaten" | "pulled" | "added"): int64[n]}.

    from_ns, to_ns: int64[n] each.
    """
    return {(side, flow): flow_between(tape, side, flow, from_ns, to_ns, book) for side in Side for flow in FLOWS}


def flow_between(tape, side, flow, from_ns, to_ns, book=0):
    """Return one of these flows: int64[n]."""
    times, total = tape.derived(flow_sums, book)[side, flow]
    return total[last_at(times, to_ns) + 1] - total[last_at(times, from_ns) + 1]


def hazards(tape, time_ns, window_ns=WINDOW_NS, book=0):
    """Return (h_bid, h_ask, is_known) per second at each time, from the window before it and the queues then: float64[n], float64[n], bool[n].

    Not known where a side is empty or less than a window of the tape has passed.
    """
    touches = quotes(tape, book)
    if len(touches) == 0:
        return np.zeros(len(time_ns)), np.zeros(len(time_ns)), np.zeros(len(time_ns), bool)
    i = last_at(touches["time_ns"], time_ns)
    is_known = (i >= 0) & (touches["bid_lots"][i] > 0) & (touches["ask_lots"][i] > 0) & (time_ns - window_ns >= touches["time_ns"][0])
    flows = flows_between(tape, time_ns - window_ns, time_ns, book)
    found = []
    for side, name in ((Side.BUY, "bid_lots"), (Side.SELL, "ask_lots")):
        d = (flows[side, "eaten"] + flows[side, "pulled"] - flows[side, "added"]) / (window_ns / 1e9)
        found.append(np.maximum(d, 0) / np.maximum(touches[name][i], 1))
    return *found, is_known


def p_up(hazard_bid, hazard_ask):
    """Return the probability that the ask empties before the bid: h_ask / (h_ask + h_bid); one half where neither is threatened."""
    total = hazard_bid + hazard_ask
    return np.where(total > 0, hazard_ask / np.where(total > 0, total, 1), 0.5)


def pressure(tape, window_ns=WINDOW_NS, book=0):
    """Return the pressure on each side window by window, from the first touch on, as a polars frame.

    Columns: time_ns (the end of the window), bid_eaten, bid_pulled, bid_added, bid_pressure, ask_eaten, ..., ask_pressure (lots per second),
    bid_lots, ask_lots (queues at the end), hazard_bid, hazard_ask (per second), p_up. Hazards and p_up are null where a side is empty.
    """
    import polars as pl

    window_ns, touches = checked_span_ns("window_ns", window_ns), quotes(tape, book)
    first_ns = max(int(touches["time_ns"][0]), tape.start_ns) if len(touches) else 0
    ends = np.arange(first_ns + window_ns, tape.end_ns + 1, window_ns) if len(touches) else np.zeros(0, np.int64)
    flows, seconds = flows_between(tape, ends - window_ns, ends, book), window_ns / 1e9
    columns = {"time_ns": ends}
    for side, name in ((Side.BUY, "bid"), (Side.SELL, "ask")):
        rates = {flow: flows[side, flow] / seconds for flow in FLOWS}
        columns |= {f"{name}_{flow}": rate for flow, rate in rates.items()} | {f"{name}_pressure": rates["eaten"] + rates["pulled"] - rates["added"]}
    i = last_at(touches["time_ns"], ends)
    h_bid, h_ask, is_known = hazards(tape, ends, window_ns, book)
    columns |= {"bid_lots": touches["bid_lots"][i], "ask_lots": touches["ask_lots"][i], "hazard_bid": h_bid, "hazard_ask": h_ask, "p_up": p_up(h_bid, h_ask)}
    unknown = pl.when(pl.Series("is_known", is_known))
    return pl.DataFrame(columns).with_columns(unknown.then(pl.col("hazard_bid", "hazard_ask", "p_up")))
