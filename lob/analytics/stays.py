"""Stays: every order's time at one place in one queue, and every change of the displayed lots.

Owns one pass over the rows of a tape that follows each displayed order from its entry to its end. A *stay* begins when an order comes to rest, and
when an iceberg shows its next lots; it ends with the last fill, a cancel, a replace that loses the place, or an iceberg's refill. Of the lots ahead at
entry it says how many traded and how many were cancelled until the first fill, or until the end if none came: a tree of sums for each price (Fenwick, 1994)
knows how much left in front of any place. A *change* is one addition to the displayed lots or one taking from them, with its distance from the touch.

Hidden orders and waiting stops have no stay. On a passive tape agents' orders have stays too, but only the recorded flow changes the displayed lots.

Cost: one pass, about 60 ns a row; 80 bytes a stay, 16 a change.
"""
from dataclasses import dataclass

import numpy as np

from lob.analytics.fills import extent, may_rest
from lob.analytics.live_orders import LiveOrders
from lob.analytics.quotes import quotes
from lob.analytics.stay import CHANGE, GAP_UNKNOWN, LEFT, LEVEL, PLACE, ROOM_MIN, STAY, WALK, report_at, stay_at
from lob.analytics.stay_walk import close_stays, level_key, walk_rows
from lob.jit import jit

LEVELS_MAX = 2**22  # counted one by one; of prices further apart only those that occur

COLUMNS = (
    "number", "time_ns", "end_ns", "first_fill_ns", "lots_ahead", "traded_ahead", "cancelled_ahead", "owner", "lots", "filled_lots", "gap_ticks", "touch",
    "flags", "side", "end",
)


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
    """Return the stays that joined or improved a touch, as columns: `number`, the index among all stays, and fields of STAY; derived once.

    {name: array[n]}: those that several analyses need, read in one pass. Orders that were there before the run began are left out: how long they had waited
    by then, behind whom, and how many had gone, is not on the tape.
    """
    return tape.derived(_touch_stays, book)


def _touch_stays(tape, book):
    stays = walk(tape, book).stays
    # Memory that is not written costs nothing.
    columns = {name: np.empty(len(stays), np.int32 if name == "number" else STAY[name]) for name in COLUMNS}
    count = _read_touch_stays(stays.ctypes.data, len(stays), tape.start_ns, *columns.values())
    return {name: column[:count] for name, column in columns.items()}


@jit
def _read_touch_stays(
    stays, stay_count, start_ns, number, time_ns, end_ns, first_fill_ns, lots_ahead, traded_ahead, cancelled_ahead, owner, lots, filled_lots, gap_ticks, touch,
    flags, side, end,
):
    count = 0
    for i in range(stay_count):
        stay = stay_at(stays, i)
        if GAP_UNKNOWN < stay.gap_ticks <= 0 and stay.time_ns >= start_ns:
            number[count], time_ns[count], end_ns[count], first_fill_ns[count] = i, stay.time_ns, stay.end_ns, stay.first_fill_ns
            lots_ahead[count], traded_ahead[count], cancelled_ahead[count] = stay.lots_ahead, stay.traded_ahead, stay.cancelled_ahead
            owner[count], lots[count], filled_lots[count], touch[count] = stay.owner, stay.lots, stay.filled_lots, stay.touch
            gap_ticks[count], flags[count], side[count], end[count] = stay.gap_ticks, stay.flags, stay.side, stay.end
            count += 1
    return count


def _walk_of(tape, book):
    rows, touches, size = tape.rows, quotes(tape, book), extent(tape, book)
    (keys, low, level_count), fills = _keys(tape, book, size), len(size.fills)
    arrays = {
        "rows": rows, "touches": touches, "levels": np.zeros(level_count, LEVEL), "places": np.empty(size.entries + 1, PLACE),
        # A level's blocks are together less than four times its entries. Memory that is not written costs nothing.
        "tree": np.empty(ROOM_MIN * (size.entries + 1), LEFT),
        "stays": np.empty(size.entries + 1, STAY), "changes": np.empty(len(rows) + fills + 1, CHANGE), "fill_stays": np.empty(fills + 1, np.int32),
    }
    record = np.zeros(1, WALK)
    for name, array in arrays.items():
        record[name] = array.ctypes.data
    record["book"], record["is_passive"], record["touch_count"], record["touch"] = book, tape.execution == "passive", len(touches), -1
    record["keys"], record["low"], record["level_count"] = keys.ctypes.data if len(keys) else 0, low, level_count
    live = LiveOrders(record["live"])
    while record["next_row"][0] < len(rows):
        walk_rows(record.ctypes.data, len(rows))
        live.grow()
    close_stays(record.ctypes.data, tape.end_ns)
    return Walk(arrays["stays"][: record["stay_count"][0]], arrays["changes"][: record["change_count"][0]], arrays["fill_stays"][:fills])


def _keys(tape, book, size):
    """Return (the keys of all levels, sorted, or none where every key from the first to the last is a level; the first key; how many levels there are)."""
    low, high = level_key(1, size.low_ticks), level_key(-1, size.high_ticks)
    if high - low < LEVELS_MAX:
        return np.zeros(0, np.int64), low, high - low + 1
    keys = np.empty(size.entries, np.int64)
    _read_keys(tape.rows.ctypes.data, len(tape), book, keys)
    keys = np.unique(keys)
    return keys, 0, len(keys)


@jit
def _read_keys(rows, row_count, book, keys):
    """Write the level's key of every row that may begin a stay."""
    count = 0
    for i in range(row_count):
        row = report_at(rows, i)
        if row.book == book and may_rest(row):
            keys[count] = level_key(row.side, row.price_ticks)
            count += 1
