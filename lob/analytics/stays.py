"""Stays: every order's time at one place in one queue, and every change of the displayed lots.

Owns one pass over the rows of a tape that follows each displayed order from its entry to its end. A *stay* begins when an order comes to rest, and
when an iceberg shows its next lots; it ends with the last fill, a cancel, a replace that loses the place, or an iceberg's refill. Of the lots ahead at
entry it says how many traded and how many were cancelled until the first fill, or until the end if none came: a tree of sums for each price (Fenwick, 1994)
knows how much left in front of any place. A *change* is one addition to the displayed lots or one taking from them, with its distance from the touch.

Hidden orders and waiting stops have no stay. On a passive tape agents' orders have stays too, but only the recorded flow changes the displayed lots.

Cost: one pass, about 60 ns a row; 90 bytes a stay, 24 a change.
"""
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from lob.analytics.live_orders import LIVE, LiveOrders, add_live, find_live, remove_live, stay_of
from lob.analytics.quotes import quotes
from lob.analytics.records import select
from lob.jit import jit, pool_reader
from lob.messages import PRICE_MAX_TICKS, REPORT, CancelReason, Flag, ReportKind
from lob.tape.replay import TOUCH


class End(IntEnum):
    """How a stay ended."""

    RESTING = 0    # it did not: the tape ends
    FILLED = 1
    CANCELLED = 2  # by its owner, by an expiry, by the venue
    MOVED = 3      # a replace took it to another place
    REFRESHED = 4  # the shown lots of an iceberg are filled, the next ones are at the back
    UNSEEN = 5     # the recording no longer shows its price


class Change(IntEnum):
    """What changed the displayed lots."""

    ADDED = 0
    CANCELLED = 1
    TRADED = 2


STAY = np.dtype(
    [
        ("entry_row", "i8"),        # index of the ACCEPTED, REPLACED, TRIGGERED or REFRESHED row
        ("time_ns", "i8"),
        ("end_ns", "i8"),           # RESTING: the end of the tape
        ("first_fill_ns", "i8"),    # -1 without a fill
        ("price_ticks", "i8"),
        ("lots_ahead", "i8"),       # at entry
        ("traded_ahead", "i8"),     # of them, until the first fill or the end
        ("cancelled_ahead", "i8"),
        ("owner", "i4"),
        ("lots", "i4"),             # that came to rest, shown and reserve
        ("filled_lots", "i4"),      # while resting
        ("cancelled_lots", "i4"),
        ("gap_ticks", "i4"),        # behind the touch before its event; negative where it improved it; GAP_UNKNOWN on an empty side
        ("touch", "i4"),            # index of the touch before its event, -1 before any
        ("flags", "u2"),
        ("side", "i1"),
        ("end", "u1"),
        ("was_at_touch", "u1"),     # whether its price was the best of its side at any time of the stay
    ],
    align=True,
)
CHANGE = np.dtype([("time_ns", "i8"), ("row", "i4"), ("lots", "i4"), ("gap_ticks", "i4"), ("side", "i1"), ("kind", "u1")], align=True)
GAP_UNKNOWN = -(2**31)

PLACE = np.dtype([("level", "i4"), ("place", "i4")], align=True)
LEVEL = np.dtype(
    [
        ("lots", "i8"), ("traded", "i8"), ("cancelled", "i8"),  # displayed now; that left since the level was first used
        ("touch_row", "i8"),                                    # until which row it was last the best
        ("first", "i4"), ("places", "i4"), ("used", "i4"), ("is_best", "i4"),
    ],
    align=True,
)
LEFT, INDEX = np.dtype([("traded", "i8"), ("cancelled", "i8")], align=True), np.dtype([("value", "i4")], align=True)
WALK = np.dtype(
    [
        ("live", LIVE),
        ("book", "i8"), ("is_passive", "i8"), ("rows", "i8"), ("next_row", "i8"),
        ("touches", "i8"), ("touch_count", "i8"), ("touch", "i8"),             # touch: index of the one before the event, -1 for none
        ("touch_levels", "i8"),                                                # address of INDEX[2 x touches]: level of the best bid and of the best ask
        ("entry_levels", "i8"), ("entry", "i8"),                               # level of every row that may begin a stay; how many were met
        ("levels", "i8"), ("tree", "i8"),                                      # LEVEL[]; LEFT[], a block of places a level
        ("places", "i8"), ("stays", "i8"), ("stay_count", "i8"),
        ("changes", "i8"), ("change_count", "i8"), ("fill_stays", "i8"), ("fill_count", "i8"),
        ("pending_lots", "i8"), ("pending_row", "i8"), ("pending_id", "i8"), ("pending_owner", "i8"), ("pending_entry", "i8"),
    ],
    align=True,
)
walk_at, report_at, touch_at, stay_at, change_at = (pool_reader(dtype) for dtype in (WALK, REPORT, TOUCH, STAY, CHANGE))
level_at, place_at, left_at, index_at = (pool_reader(dtype) for dtype in (LEVEL, PLACE, LEFT, INDEX))

ACCEPTED, FILL, CANCELLED, REDUCED, REPLACED = (int(ReportKind[name]) for name in ("ACCEPTED", "FILL", "CANCELLED", "REDUCED", "REPLACED"))
REFRESHED, TRIGGERED = int(ReportKind.REFRESHED), int(ReportKind.TRIGGERED)
UNFILLED, FILL_OR_KILL, TOO_FEW, SELF_TRADE = (int(CancelReason[name]) for name in ("UNFILLED", "FILL_OR_KILL", "MINIMUM", "SELF_TRADE"))
LAST, HIDDEN, ICEBERG, UNDISPLAYED = int(Flag.LAST), int(Flag.HIDDEN), int(Flag.ICEBERG), int(Flag.HIDDEN | Flag.STOP)
WAS_REPLACED, LEFT_WINDOW = int(CancelReason.REPLACED), int(CancelReason.LEFT_WINDOW)
END_FILLED, END_CANCELLED, END_MOVED, END_REFRESHED, END_UNSEEN = (int(End[name]) for name in ("FILLED", "CANCELLED", "MOVED", "REFRESHED", "UNSEEN"))
ADDED, PULLED, TRADED = int(Change.ADDED), int(Change.CANCELLED), int(Change.TRADED)


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
        "stays": np.empty(entries + 1, STAY), "changes": np.empty(len(rows) + 1, CHANGE), "fill_stays": np.empty(fills + 1, np.int32),
    }
    record = np.zeros(1, WALK)
    for name, array in arrays.items():
        record[name] = array.ctypes.data
    record["book"], record["is_passive"], record["touch_count"], record["touch"] = book, tape.execution == "passive", len(touches), -1
    live = LiveOrders(record["live"])
    while record["next_row"][0] < len(rows):
        _walk_rows(record.ctypes.data, len(rows))
        live.grow()
    _close_stays(record.ctypes.data, tape.end_ns)
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
    if high - low < 2**22:
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


@jit
def _walk_rows(address, row_count):
    """Read rows to the end, or until the map of live orders is half full."""
    walk = walk_at(address, 0)
    while walk.next_row < row_count and 2 * walk.live.count < walk.live.capacity:
        row = report_at(walk.rows, walk.next_row)
        if row.book == walk.book:
            _read_row(walk, row)
        walk.next_row += 1


@jit
def _read_row(walk, row):
    kind = row.kind
    if kind == ACCEPTED or kind == REPLACED or kind == TRIGGERED:
        walk.pending_lots = 0 if row.flags & UNDISPLAYED else row.lots
        walk.pending_row, walk.pending_id, walk.pending_owner, walk.pending_entry = walk.next_row, row.order_id, row.owner, walk.entry
        walk.entry += 1
    elif kind == FILL:
        _read_fill(walk, row)
    elif kind == CANCELLED or kind == REDUCED:
        if _is_about_pending(walk, row):
            walk.pending_lots = max(walk.pending_lots - row.lots, 0)
        elif not row.flags & UNDISPLAYED:
            _read_cancel(walk, row)
    elif kind == REFRESHED:
        _read_refresh(walk, row)
    if row.flags & LAST:
        _end_event(walk, row)


@jit
def _is_about_pending(walk, row):
    """Return whether it is the incoming order that loses lots, and not one that rests."""
    if row.reason == SELF_TRADE:
        return row.order_id == walk.pending_id and row.owner == walk.pending_owner
    return row.reason == UNFILLED or row.reason == FILL_OR_KILL or row.reason == TOO_FEW


@jit
def _read_fill(walk, row):
    is_agents = walk.is_passive and row.resting_owner > 0
    if not is_agents or row.owner > 0:
        walk.pending_lots = max(walk.pending_lots - row.lots, 0)
    slot = -1
    if not row.flags & HIDDEN and (is_agents or not walk.is_passive or row.owner == 0):
        slot = find_live(walk.live, row.resting_owner, row.resting_id)
        if not is_agents:
            _write_change(walk, row, -row.side, row.lots, TRADED, 0)
    index_at(walk.fill_stays, walk.fill_count).value = stay_of(walk.live, slot) if slot >= 0 else -1
    walk.fill_count += 1
    if slot < 0:
        return
    i = stay_of(walk.live, slot)
    stay = stay_at(walk.stays, i)
    if stay.first_fill_ns < 0:
        _count_ahead(walk, i)
        stay.first_fill_ns = row.time_ns
    stay.filled_lots += row.lots
    if not is_agents:
        _take(walk, i, row.lots, 0)
    if row.resting_open_lots == 0:
        _end_stay(walk, i, row.time_ns, END_FILLED)
        remove_live(walk.live, slot)


@jit
def _read_cancel(walk, row):
    is_agents = walk.is_passive and row.owner > 0
    lots = row.display_lots if row.flags & ICEBERG else row.lots
    if not is_agents:
        _write_change(walk, row, row.side, lots, PULLED, _gap_ticks(walk, row.side, row.price_ticks))
    slot = find_live(walk.live, row.owner, row.order_id)
    if slot < 0:
        return
    i = stay_of(walk.live, slot)
    stay_at(walk.stays, i).cancelled_lots += row.lots
    if row.kind == CANCELLED:
        _end_stay(walk, i, row.time_ns, END_MOVED if row.reason == WAS_REPLACED else (END_UNSEEN if row.reason == LEFT_WINDOW else END_CANCELLED))
        remove_live(walk.live, slot)
    if not is_agents:
        _take(walk, i, 0, lots)


@jit
def _read_refresh(walk, row):
    slot = find_live(walk.live, row.owner, row.order_id)
    if slot >= 0:
        _end_stay(walk, stay_of(walk.live, slot), row.time_ns, END_REFRESHED)
        remove_live(walk.live, slot)
    _begin_stay(walk, row, walk.next_row, walk.entry, row.open_lots, row.lots)
    walk.entry += 1


@jit
def _end_event(walk, row):
    if walk.pending_lots:
        entry = report_at(walk.rows, walk.pending_row)
        shown = min(walk.pending_lots, entry.display_lots) if entry.flags & ICEBERG else walk.pending_lots
        _begin_stay(walk, entry, walk.pending_row, walk.pending_entry, walk.pending_lots, shown)
        walk.pending_lots = 0
    following = walk.touch + 1
    if following < walk.touch_count and touch_at(walk.touches, following).sequence == row.sequence:
        for side in range(2):
            _move_best(walk, side)
        walk.touch = following


@jit
def _move_best(walk, side):
    """Note which level is the best of a side from now on, and until when the last one was."""
    before = index_at(walk.touch_levels, 2 * walk.touch + side).value if walk.touch >= 0 else -1
    after = index_at(walk.touch_levels, 2 * walk.touch + 2 + side).value
    if before == after:
        return
    if before >= 0:
        level = level_at(walk.levels, before)
        level.is_best, level.touch_row = 0, walk.next_row
    if after >= 0:
        level_at(walk.levels, after).is_best = 1


@jit
def _gap_ticks(walk, side, price_ticks):
    """Return how many ticks a price lies behind the touch of its side before this event."""
    if walk.touch < 0:
        return GAP_UNKNOWN
    touch = touch_at(walk.touches, walk.touch)
    best_ticks = touch.best_bid_ticks if side > 0 else touch.best_ask_ticks
    if best_ticks == 0:
        return GAP_UNKNOWN
    return min(max(side * (best_ticks - price_ticks), -PRICE_MAX_TICKS + 1), PRICE_MAX_TICKS - 1)


@jit
def _write_change(walk, row, side, lots, kind, gap_ticks):
    change = change_at(walk.changes, walk.change_count)
    change.time_ns, change.row, change.lots, change.gap_ticks, change.side, change.kind = row.time_ns, walk.next_row, lots, gap_ticks, side, kind
    walk.change_count += 1


@jit
def _begin_stay(walk, row, row_index, entry, lots, shown):
    """Begin the stay of the order of an entry row: `lots` rest, `shown` of them are displayed."""
    number = index_at(walk.entry_levels, entry).value
    level, i = level_at(walk.levels, number), walk.stay_count
    place, stay = place_at(walk.places, i), stay_at(walk.stays, i)
    place.level, place.place = number, level.used
    level.used += 1
    stay.entry_row, stay.time_ns, stay.end_ns, stay.first_fill_ns = row_index, row.time_ns, row.time_ns, -1
    stay.price_ticks, stay.owner, stay.side, stay.flags, stay.touch = row.price_ticks, row.owner, row.side, row.flags & ~LAST, walk.touch
    stay.lots, stay.filled_lots, stay.cancelled_lots, stay.end, stay.was_at_touch = lots, 0, 0, 0, 0
    stay.gap_ticks = _gap_ticks(walk, row.side, row.price_ticks)
    stay.lots_ahead = row.lots_ahead if row.kind == ACCEPTED or row.kind == REPLACED else level.lots
    # All that left before was in front of it, since it is the last in line.
    stay.traded_ahead, stay.cancelled_ahead = -level.traded, -level.cancelled
    add_live(walk.live, row.owner, row.order_id, i)
    walk.stay_count += 1
    if not (walk.is_passive and row.owner > 0):
        level.lots += shown
        _write_change(walk, row, row.side, shown, ADDED, stay.gap_ticks)


@jit
def _take(walk, i, traded, cancelled):
    """Take displayed lots of a stay off its level, and note in the tree that they left at its place."""
    place = place_at(walk.places, i)
    level = level_at(walk.levels, place.level)
    level.lots -= traded + cancelled
    level.traded += traded
    level.cancelled += cancelled
    k = place.place + 1
    while k <= level.places:
        left = left_at(walk.tree, level.first + k - 1)
        left.traded += traded
        left.cancelled += cancelled
        k += k & -k


@jit
def _count_ahead(walk, i):
    """Add to a stay's counts what left in front of its place since the level was first used; at entry they were set to minus what had left by then."""
    place, stay = place_at(walk.places, i), stay_at(walk.stays, i)
    first, k = level_at(walk.levels, place.level).first, place.place
    while k > 0:
        left = left_at(walk.tree, first + k - 1)
        stay.traded_ahead += left.traded
        stay.cancelled_ahead += left.cancelled
        k -= k & -k


@jit
def _end_stay(walk, i, time_ns, end):
    stay = stay_at(walk.stays, i)
    if stay.first_fill_ns < 0:
        _count_ahead(walk, i)
    level = level_at(walk.levels, place_at(walk.places, i).level)
    # Who was filled was the best of its side then, if only for the moment of a sweep.
    stay.was_at_touch = stay.filled_lots > 0 or level.is_best != 0 or level.touch_row > stay.entry_row
    stay.end_ns, stay.end = time_ns, end


@jit
def _close_stays(address, end_ns):
    """End what still rests with the tape."""
    walk = walk_at(address, 0)
    for i in range(walk.stay_count):
        if stay_at(walk.stays, i).end == 0:
            _end_stay(walk, i, end_ns, 0)
