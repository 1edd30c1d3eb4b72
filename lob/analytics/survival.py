"""Survival: how long an order waits for its first fill, by its place in the queue, with cancels as what they are.

Owns two estimators over the stays of a tape, by class of order. *Survival* is Kaplan and Meier's: the chance of no fill by a time, if nobody ever cancelled;
a cancel, a move or the end of the tape takes the order out of the risk set. It is the right number only where cancelling has nothing to do with filling. The
*incidences* make no such claim: the chance to be filled by a time, and to be cancelled by it first (competing risks). Survival's error is Greenwood's, that
of an incidence binomial; both take orders for independent. Sources: Kaplan and Meier (1958); Greenwood (1926); Aalen and Johansen (1978); Lo, MacKinlay and
Zhang (2002), limit order execution times.
"""
import numpy as np

from lob.analytics.labels import class_column, label_column
from lob.analytics.notes import shortage, where_known
from lob.analytics.quotes import quotes
from lob.analytics.records import kept
from lob.analytics.stay import GAP_UNKNOWN, End
from lob.analytics.stays import touch_stays, walk
from lob.jit import jit

TIMES_NS = (10_000_000, 100_000_000, 500_000_000, 1_000_000_000, 2_000_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000, 60_000_000_000)
ORDERS_MIN = 20

PLACES, PLACE_EDGES = ("first in line", "1-4 lots ahead", "5-9", "10-19", "20-49", "50-99", "100-999", "1,000 or more"), (1, 5, 10, 20, 50, 100, 1000)
SHARES, SHARE_EDGES = ("own queue under 20 %", "20-40 %", "40-60 %", "60-80 %", "80 % or more"), (0.2, 0.4, 0.6, 0.8)
GAPS, GAP_EDGES = ("improves the touch", "at the touch", "1 tick behind", "2 behind", "3-5 behind", "6 or more"), (0, 1, 2, 3, 6)
FILL_EVENT, CANCEL_EVENT, CENSORED = 0, 1, 2
WAIT = ("time_ns", "end_ns", "first_fill_ns", "end")  # what says of a stay how long it waited, and for what


def stay_class(tape, stays, by, book=0):
    """Return the class of each stay, a polars Enum (side: int8). by: place (lots ahead at entry), imbalance (own share of both queues at entry), gap (from the
    touch at entry), side, agent, kind or role (of its owner). stays: STAY[n], or its columns, as `touch_stays` returns them.
    """
    import polars

    if by == "place":
        return class_column(np.ascontiguousarray(stays["lots_ahead"]), PLACE_EDGES, PLACES)
    if by == "gap":
        gaps = np.ascontiguousarray(stays["gap_ticks"])
        return class_column(gaps, GAP_EDGES, GAPS, gaps != GAP_UNKNOWN)
    if by == "imbalance":
        return _share_class(quotes(tape, book), stays)
    return polars.Series(stays["side"].copy()) if by == "side" else label_column(tape, stays["owner"], by)


def _share_class(touches, stays):
    if len(touches) == 0:
        return class_column(np.zeros(len(stays["side"])), SHARE_EDGES, SHARES, np.zeros(len(stays["side"]), bool))
    touch = stays["touch"]
    bid, ask = touches["bid_lots"][touch], touches["ask_lots"][touch]
    is_known = (touch >= 0) & (bid > 0) & (ask > 0)
    return class_column(np.where(stays["side"] > 0, bid, ask) / np.maximum(bid + ask, 1), SHARE_EDGES, SHARES, is_known)


def time_to_fill(tape, by="place", times_ns=TIMES_NS, only_at_touch=True, book=0):
    """Return survival and incidences by class and time: a polars frame.

    by: see `stay_class`. Columns: by, time_ns, time_s, orders, at_risk (neither filled nor gone by then), survival, survival_error, filled and cancelled
    (incidences), filled_error, note. Null, with a note, in a class of fewer than 20 orders; survival_error also where nobody is left at risk.
    only_at_touch: leave out orders that entered behind the touch, or on an empty side.
    """
    stays = touch_stays(tape, book) if only_at_touch else walk(tape, book).stays
    classes = stay_class(tape, stays, by, book)
    words = classes.unique().drop_nulls().sort()
    codes = _codes(classes, words)
    is_known = classes.is_not_null().to_numpy()
    keys, bits = _packed(kept({name: stays[name] for name in WAIT}, is_known), codes[is_known].astype(np.int64), max(len(words), 1))
    counts, found = _survive(np.sort(keys), bits, max(len(words), 1), np.array(sorted(times_ns), np.int64))
    return _table(by, words, np.array(sorted(times_ns)), counts, found)


def _codes(classes, words):
    """Return the number of each value among those that occur, which are sorted."""
    return np.searchsorted(words.to_physical().to_numpy(), classes.to_physical().fill_null(0).to_numpy())


def _packed(stays, groups, group_count):
    """Return each stay as one number, which sorts by waiting time and then fills before cancels before the rest; and how many bits are the group's."""
    first_fill_ns, end = stays["first_fill_ns"], stays["end"]
    is_filled = first_fill_ns >= 0
    until_ns = np.where(is_filled, first_fill_ns, stays["end_ns"]) - stays["time_ns"]
    has_left = (end == End.CANCELLED) | (end == End.MOVED)
    event = np.where(is_filled, FILL_EVENT, np.where(has_left, CANCEL_EVENT, CENSORED))
    bits = int(group_count).bit_length()
    return (np.minimum(until_ns, 2 ** (60 - bits)) << (bits + 2)) | (event << bits) | groups, bits


@jit
def _survive(keys, bits, groups, times):
    """Return (orders by group; float64[groups, times, 5]: at risk, survival, Greenwood's sum, filled, cancelled just after each time)."""
    counts = np.zeros(groups, np.int64)
    for key in keys:
        counts[key & ((1 << bits) - 1)] += 1
    at_risk, survival, greenwood = counts.astype(np.float64), np.ones(groups), np.zeros(groups)
    remaining, filled, cancelled = np.ones(groups), np.zeros(groups), np.zeros(groups)
    found = np.zeros((groups, len(times), 5))
    i = 0
    for k in range(len(times)):
        while i < len(keys) and keys[i] >> (bits + 2) <= times[k]:
            group, event = keys[i] & ((1 << bits) - 1), keys[i] >> bits & 3
            n = at_risk[group]
            if event == FILL_EVENT:
                # One order at a time, fills first: the product over ties is that of Kaplan and Meier.
                survival[group] *= 1 - 1 / n
                greenwood[group] += 1 / (n * (n - 1)) if n > 1 else np.inf
                filled[group] += remaining[group] / n
                remaining[group] *= 1 - 1 / n
            elif event == CANCEL_EVENT:
                cancelled[group] += remaining[group] / n
                remaining[group] *= 1 - 1 / n
            at_risk[group] = n - 1
            i += 1
        for group in range(groups):
            found[group, k, 0], found[group, k, 1], found[group, k, 2] = at_risk[group], survival[group], greenwood[group]
            found[group, k, 3], found[group, k, 4] = filled[group], cancelled[group]
    return counts, found


def _table(by, words, times_ns, counts, found):
    import polars as pl

    groups, times = len(words), len(times_ns)
    at_risk, survival, greenwood, filled, cancelled = (found[:groups, :, k].ravel() for k in range(5))
    orders = np.repeat(counts[:groups], times)
    notes = [shortage(int(count), ORDERS_MIN, "orders") for count in counts[:groups]]
    is_enough, has_error = np.repeat([note is None for note in notes], times).astype(bool), np.isfinite(greenwood)
    binomial = np.sqrt(np.maximum(filled * (1 - filled), 0) / np.maximum(orders, 1))
    columns = {
        by: pl.select(pl.Series(words).repeat_by(times).explode()).to_series() if groups else words, "time_ns": np.tile(times_ns, groups).astype(np.int64),
        "time_s": np.tile(times_ns, groups) / 1e9, "orders": orders, "at_risk": at_risk.astype(np.int64), "survival": where_known(survival, is_enough),
        "survival_error": where_known(survival * np.sqrt(np.where(has_error, greenwood, 0)), is_enough & has_error),
        "filled": where_known(filled, is_enough), "filled_error": where_known(binomial, is_enough), "cancelled": where_known(cancelled, is_enough),
        "note": pl.Series([note for note in notes for _ in range(times)], dtype=pl.String),
    }
    return pl.DataFrame(columns)
