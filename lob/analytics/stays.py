"""Stays: every order's time at one place in one queue, and every change of the displayed lots.

Owns one pass over the rows of a tape that follows each displayed order from its entry to its end. A *stay* begins when an order comes to rest, and
when an iceberg shows its next lots; it ends with the last fill, a cancel, a replace that loses the place, or an iceberg's refill. Of the lots ahead at
entry it says how many traded and how many were cancelled until the first fill, or until the end if none came: a tree of sums for each price (Fenwick, 1994)
knows how much left in front of any place. A *change* is one addition to the displayed lots or one taking from them, with its distance from the touch.

Hidden orders and waiting stops have no stay. On a passive tape agents' orders have stays too, but only the recorded flow changes the displayed lots.

Cost: one pass, about 60 ns a row; 90 bytes a stay, 24 a change.
"""
from dataclasses import dataclass

import numpy as np

from lob.analytics.live_orders import LiveOrders
from lob.analytics.quotes import quotes
from lob.analytics.records import select
from lob.analytics.stay import CHANGE, GAP_UNKNOWN, LEFT, LEVEL, PLACE, STAY, WALK, report_at, touch_at
from lob.analytics.stay_walk import ACCEPTED, FILL, REFRESHED, REPLACED, TRIGGERED, close_stays, walk_rows
from lob.jit import jit

LEVELS_MAX = 2**22  # counted one by one; of prices further apart only those that occur


@dataclass(frozen=True)
class Walk:
    """What the pass found: stays STAY[n] by entry; changes CHANGE[m] by time; fill_stays int32[k], the stay of the resting order of every FILL row of the
    book, -1 where it had none.
    """

    stays: np.ndarray
    changes: np.ndarray
    fill_stays: np.ndarray


def walk(tape, book=0):
    """Return the Walk over one book of a tape; derived once. Raises TapeError as `quotes` does."""
    return tape.derived(_walk_of, book)


def touch_stays(tape, book=0):
    """Return the stays that joined or improved a touch that was there: STAY[n]; derived once."""
    return tape.derived(_touch_stays, book)


def _touch_stays(tape, book):
    stays = walk(tape, book).stays
    return select(stays, (stays["gap_ticks"] <= 0) & (stays["gap_ticks"] != GAP_UNKNOWN))


def _walk_of(tape, book):
    rows, touches = tape.rows, quotes(tape, book)
    keys = np.empty(len(rows), np.int64)
    entries, fills = _read_entries(rows.ctypes.data, len(rows), book, keys)
    entry_levels, touch_levels, level_count = _levels(keys[:entries], touches)
    counts = np.bincount(entry_levels, minlength=level_count)
    levels = np.zeros(level_count, LEVEL)
    levels["places"], levels["first"] = counts, np.cumsum(counts) - counts
    arrays = {
        "rows": rows, "touches": touches, "touch_levels": touch_levels, "entry_levels": entry_levels, "levels": levels,
        "tree": np.zeros(entries + 1, LEFT), "places": np.empty(entries + 1, PLACE),
        "stays": np.empty(entries + 1, STAY), "changes": np.empty(len(rows) + fills + 1, CHANGE), "fill_stays": np.empty(fills + 1, np.int32),
    }
    record = np.zeros(1, WALK)
    for name, array in arrays.items():
        record[name] = array.ctypes.data
    record["book"], record["is_passive"], record["touch_count"], record["touch"] = book, tape.execution == "passive", len(touches), -1
    live = LiveOrders(record["live"])
    while record["next_row"][0] < len(rows):
        walk_rows(record.ctypes.data, len(rows))
        live.grow()
    close_stays(record.ctypes.data, tape.end_ns)
    return Walk(arrays["stays"][: record["stay_count"][0]], arrays["changes"][: record["change_count"][0]], arrays["fill_stays"][:fills])


@jit
def _read_entries(rows, row_count, book, keys):
    """Write 2 x price + (1 for an ask) of every row that may begin a stay; return how many, and the number of fills."""
    entries = fills = 0
    for i in range(row_count):
        row = report_at(rows, i)
        if row.book != book:
            continue
        if row.kind == FILL:
            fills += 1
        elif row.kind == ACCEPTED or row.kind == REPLACED or row.kind == TRIGGERED or row.kind == REFRESHED:
            keys[entries] = 2 * row.price_ticks + (row.side < 0)
            entries += 1
    return entries, fills


def _levels(keys, touches):
    """Return the number of the level of every entry and of both sides of every touch, and how many levels there are."""
    low, high = (int(keys.min()), int(keys.max())) if len(keys) else (0, 0)
    if high - low < LEVELS_MAX:
        numbers = np.arange(high - low + 1, dtype=np.int32)
        levels = (keys - low).astype(np.int32)
        return levels, _touch_levels(touches.ctypes.data, len(touches), low, numbers, np.zeros(0, np.int64)), len(numbers)
    unique, levels = np.unique(keys, return_inverse=True)
    return levels.astype(np.int32), _touch_levels(touches.ctypes.data, len(touches), low, np.zeros(0, np.int32), unique), len(unique)


@jit
def _touch_levels(touches, touch_count, low, numbers, unique):
    """Return the levels of the best bid and the best ask of each touch, -1 for an empty side: int32[touches, 2]. Keys are dense from `low`, or looked up."""
    found = np.full((touch_count, 2), -1, np.int32)
    for i in range(touch_count):
        touch = touch_at(touches, i)
        for side in range(2):
            price_ticks = touch.best_ask_ticks if side else touch.best_bid_ticks
            key = 2 * price_ticks + side
            at = key - low if len(numbers) else np.searchsorted(unique, key)
            if price_ticks > 0 and 0 <= at < max(len(numbers), len(unique)):
                found[i, side] = at
    return found
