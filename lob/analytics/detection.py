"""Detection: how well what is not shown can be seen, against the truth that the tape knows.

Owns a watcher who sees the displayed touch and the trades, and nothing else. When an incoming order trades T lots at the best price, where Q were shown and
Q' are shown after it, T - (Q - Q') of them were not shown before. The watcher says *iceberg* where this is more than none and lots are still shown there, and
*hidden* where it is more than none and the level is gone, or where a trade prints inside the spread. The truth: rows that are REFRESHED, and fills that
are HIDDEN. Source: the reading of trades beyond the displayed depth in Frey and Sandas (2009), the impact of iceberg orders.
"""
import numpy as np

from lob.analytics.quotes import quotes
from lob.jit import jit, pool_reader
from lob.messages import REPORT, Flag, ReportKind
from lob.tape.replay import TOUCH

report_at, touch_at = pool_reader(REPORT), pool_reader(TOUCH)
FILL, REFRESHED = int(ReportKind.FILL), int(ReportKind.REFRESHED)
LAST, HIDDEN, IN_AUCTION = int(Flag.LAST), int(Flag.HIDDEN), int(Flag.AUCTION)
WORDS = ("iceberg", "hidden")


def detection(tape, book=0):
    """Return how often the watcher was right: a polars frame, one row for icebergs and one for hidden orders.

    Columns: what, trades (incoming orders that traded at a known touch), present (in truth), seen (by the watcher), right (both), precision (right / seen),
    recall (right / present), note. Null where nothing was seen, or nothing was there.
    """
    import polars as pl

    touches = quotes(tape, book)
    is_passive = tape.execution == "passive"
    counts = _watch(tape.rows.ctypes.data, len(tape), book, is_passive, touches.ctypes.data, len(touches))
    lines = []
    for k, word in enumerate(WORDS):
        present, seen, right = (int(count) for count in counts[k])
        note = None if present else f"no {word} order traded on this tape"
        lines.append((word, int(counts[2, 0]), present, seen, right, right / seen if seen else None, right / present if present else None, note))
    counted, shares = dict.fromkeys(("trades", "present", "seen", "right"), pl.Int64), dict.fromkeys(("precision", "recall"), pl.Float64)
    return pl.DataFrame(lines, schema={"what": pl.String} | counted | shares | {"note": pl.String}, orient="row")


@jit
def _watch(rows, row_count, book, is_passive, touches, touch_count):
    """Return counts[3, 3]: (present, seen, right) for icebergs and for hidden orders, and the number of trades."""
    counts = np.zeros((3, 3), np.int64)
    touch, first = -1, 0
    for i in range(row_count):
        row = report_at(rows, i)
        if row.book != book or not row.flags & LAST:
            continue
        after = touch
        if touch + 1 < touch_count and touch_at(touches, touch + 1).sequence == row.sequence:
            after = touch + 1
        if touch >= 0:
            _watch_event(rows, first, i + 1, is_passive, touch_at(touches, touch), touch_at(touches, after), counts)
        touch, first = after, i + 1
    return counts


@jit
def _watch_event(rows, first, end, is_passive, before, after, counts):
    traded, side, is_inside, is_refreshed, is_hidden = 0, 0, False, False, False
    for i in range(first, end):
        row = report_at(rows, i)
        if is_passive and (row.owner > 0 or row.resting_owner > 0):
            continue
        if row.kind == FILL and not row.flags & IN_AUCTION:
            side = -row.side
            best_ticks = before.best_bid_ticks if side > 0 else before.best_ask_ticks
            traded += row.lots if row.price_ticks == best_ticks else 0
            is_inside |= side * (row.price_ticks - best_ticks) > 0 and best_ticks > 0
            is_hidden |= row.flags & HIDDEN != 0
        elif row.kind == REFRESHED:
            is_refreshed = True
    if side == 0:
        return
    counts[2, 0] += 1
    price_ticks, shown = (before.best_bid_ticks, before.bid_lots) if side > 0 else (before.best_ask_ticks, before.ask_lots)
    then_ticks, then_lots = (after.best_bid_ticks, after.bid_lots) if side > 0 else (after.best_ask_ticks, after.ask_lots)
    left = then_lots if then_ticks == price_ticks else 0
    is_more = price_ticks > 0 and traded > shown - left
    _count(counts[0], is_refreshed, is_more and left > 0)
    _count(counts[1], is_hidden, is_inside or (is_more and left == 0))


@jit
def _count(counts, is_present, is_seen):
    counts[0] += is_present
    counts[1] += is_seen
    counts[2] += is_present and is_seen
