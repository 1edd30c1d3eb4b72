"""Stay walk: one pass over the rows of a tape, in compiled code, that follows each displayed order from its entry to its end.

Owns what a row does to the stays and to the trees of `stays`, which prepares the memory. Knows no file and no provenance.
"""
from lob.analytics.live_orders import add_live, find_live, remove_live, stay_of
from lob.analytics.stay import (
    GAP_UNKNOWN,
    ROOM_MIN,
    Change,
    End,
    change_at,
    index_at,
    key_at,
    left_at,
    level_at,
    place_at,
    report_at,
    stay_at,
    touch_at,
    walk_at,
)
from lob.jit import jit
from lob.messages import PRICE_MAX_TICKS, CancelReason, Flag, ReportKind

ACCEPTED, FILL, CANCELLED, REDUCED, REPLACED = (int(ReportKind[name]) for name in ("ACCEPTED", "FILL", "CANCELLED", "REDUCED", "REPLACED"))
REFRESHED, TRIGGERED = int(ReportKind.REFRESHED), int(ReportKind.TRIGGERED)
UNFILLED, FILL_OR_KILL, TOO_FEW, SELF_TRADE = (int(CancelReason[name]) for name in ("UNFILLED", "FILL_OR_KILL", "MINIMUM", "SELF_TRADE"))
LAST, HIDDEN, ICEBERG, IN_AUCTION, UNDISPLAYED = int(Flag.LAST), int(Flag.HIDDEN), int(Flag.ICEBERG), int(Flag.AUCTION), int(Flag.HIDDEN | Flag.STOP)
WAS_REPLACED, LEFT_WINDOW = int(CancelReason.REPLACED), int(CancelReason.LEFT_WINDOW)
END_FILLED, END_CANCELLED, END_MOVED, END_REFRESHED, END_UNSEEN = (int(End[name]) for name in ("FILLED", "CANCELLED", "MOVED", "REFRESHED", "UNSEEN"))
ADDED, PULLED, TRADED = int(Change.ADDED), int(Change.CANCELLED), int(Change.TRADED)


@jit
def walk_rows(address, row_count):
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
        walk.pending_lots = 0 if row.flags & UNDISPLAYED or row.price_ticks == 0 else row.lots
        walk.pending_row, walk.pending_id, walk.pending_owner = walk.next_row, row.order_id, row.owner
    elif kind == FILL and row.flags & IN_AUCTION:
        _read_auction_fill(walk, row)
    elif kind == FILL:
        _read_fill(walk, row)
    elif kind == CANCELLED or kind == REDUCED:
        if _is_about_pending(walk, row):
            walk.pending_lots = max(walk.pending_lots - row.lots, 0)
        elif not row.flags & UNDISPLAYED and row.price_ticks > 0:
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
            _write_change(walk, row, -row.side, row.lots, TRADED, _gap_ticks(walk, -row.side, row.price_ticks))
    index_at(walk.fill_stays, walk.fill_count).value = stay_of(walk.live, slot) if slot >= 0 else -1
    walk.fill_count += 1
    if slot < 0:
        return
    _fill_stay(walk, slot, row, 0 if is_agents else row.lots, row.resting_open_lots)


@jit
def _fill_stay(walk, slot, row, shown, open_lots):
    """Fill the stay in a slot by the lots of a row, of which so many were displayed."""
    i = stay_of(walk.live, slot)
    stay = stay_at(walk.stays, i)
    if stay.first_fill_ns < 0:
        _count_ahead(walk, i)
        stay.first_fill_ns = row.time_ns
    stay.filled_lots += row.lots
    if shown:
        _take(walk, i, shown, 0)
    if open_lots == 0:
        _end_stay(walk, i, row.time_ns, END_FILLED)
        remove_live(walk.live, slot)


@jit
def _read_auction_fill(walk, row):
    """Take a fill of an auction off both its orders, the buyer's and the seller's: both rest, if they are displayed."""
    index_at(walk.fill_stays, walk.fill_count).value = -1
    walk.fill_count += 1
    if row.trigger_ticks > 0:
        _take_in_auction(walk, row, 1, find_live(walk.live, row.owner, row.order_id), row.lots_ahead, row.open_lots)
    if row.offset_ticks > 0:
        _take_in_auction(walk, row, -1, find_live(walk.live, row.resting_owner, row.resting_id), row.level_lots, row.resting_open_lots)


@jit
def _take_in_auction(walk, row, side, slot, level_lots, open_lots):
    """Take what an auction filled of the order in a slot: level_lots are left displayed at its price, since an iceberg shows its next lots at once."""
    if slot < 0:
        return
    i = stay_of(walk.live, slot)
    stay = stay_at(walk.stays, i)
    shown = level_at(walk.levels, place_at(walk.places, i).level).lots - level_lots
    stay.flags |= IN_AUCTION
    if shown:
        _write_change(walk, row, side, shown, TRADED, _gap_ticks(walk, side, report_at(walk.rows, stay.entry_row).price_ticks))
    _fill_stay(walk, slot, row, shown, open_lots)


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
    _begin_stay(walk, row, walk.next_row, row.open_lots, row.lots)


@jit
def _end_event(walk, row):
    if walk.pending_lots:
        entry = report_at(walk.rows, walk.pending_row)
        shown = min(walk.pending_lots, entry.display_lots) if entry.flags & ICEBERG else walk.pending_lots
        _begin_stay(walk, entry, walk.pending_row, walk.pending_lots, shown)
        walk.pending_lots = 0
    following = walk.touch + 1
    if following < walk.touch_count and touch_at(walk.touches, following).sequence == row.sequence:
        for side in (1, -1):
            _move_best(walk, side)
        walk.touch = following


@jit
def _move_best(walk, side):
    """Note which level is the best of a side from now on, and until when the last one was."""
    before = _best_level(walk, side, walk.touch) if walk.touch >= 0 else -1
    after = _best_level(walk, side, walk.touch + 1)
    if before == after:
        return
    if before >= 0:
        level = level_at(walk.levels, before)
        level.is_best, level.touch_row = 0, walk.next_row
    if after >= 0:
        level_at(walk.levels, after).is_best = 1


@jit
def _best_level(walk, side, touch):
    """Return the number of the level of a touch's best price, -1 where the side is empty or no order of the tape was there."""
    touch = touch_at(walk.touches, touch)
    price_ticks = touch.best_bid_ticks if side > 0 else touch.best_ask_ticks
    return _level_of(walk, side, price_ticks) if price_ticks > 0 else -1


@jit
def _level_of(walk, side, price_ticks):
    """Return the number of a level, -1 if it has none."""
    key = level_key(side, price_ticks)
    at = key - walk.low
    if walk.keys:
        at, end = 0, walk.level_count
        while at < end:
            middle = (at + end) // 2
            if key_at(walk.keys, middle).value < key:
                at = middle + 1
            else:
                end = middle
        if at < walk.level_count and key_at(walk.keys, at).value != key:
            return -1
    return at if 0 <= at < walk.level_count else -1


@jit
def level_key(side, price_ticks):
    """Return the number that tells a level from all others: 2 x price, + 1 for an ask."""
    return 2 * price_ticks + (side < 0)


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
    change.time_ns, change.lots, change.side, change.kind, change.is_behind = row.time_ns, lots, side, kind, gap_ticks > 0
    walk.change_count += 1


@jit
def _begin_stay(walk, row, row_index, lots, shown):
    """Begin the stay of the order of an entry row: `lots` rest, `shown` of them are displayed."""
    number, i = _level_of(walk, row.side, row.price_ticks), walk.stay_count
    level, place, stay = level_at(walk.levels, number), place_at(walk.places, i), stay_at(walk.stays, i)
    place.level, place.place = number, _take_place(walk, level)
    stay.entry_row, stay.time_ns, stay.end_ns, stay.first_fill_ns = row_index, row.time_ns, row.time_ns, -1
    stay.owner, stay.side, stay.flags, stay.touch = row.owner, row.side, row.flags & ~LAST, walk.touch
    stay.lots, stay.filled_lots, stay.end, stay.was_at_touch = lots, 0, 0, 0
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
def _take_place(walk, level):
    """Return the next place of a level, whose node in the tree then holds what has left at the places it stands for."""
    if level.live == 0:
        # Nobody remembers the places of before.
        level.used, level.traded, level.cancelled = 0, 0, 0
    if level.used == level.room:
        _make_room(walk, level)
    place = level.used
    node, traded, cancelled, k = left_at(walk.tree, level.first + place), 0, 0, place
    lowest = place + 1 - ((place + 1) & -(place + 1))
    while k > lowest:
        left = left_at(walk.tree, level.first + k - 1)
        traded += left.traded
        cancelled += left.cancelled
        k -= k & -k
    node.traded, node.cancelled = traded, cancelled
    level.used += 1
    level.live += 1
    return place


@jit
def _make_room(walk, level):
    """Give a level a block of the tree twice as large; the one it leaves is not used again."""
    room = max(2 * level.room, ROOM_MIN)
    for k in range(level.used):
        old, new = left_at(walk.tree, level.first + k), left_at(walk.tree, walk.tree_used + k)
        new.traded, new.cancelled = old.traded, old.cancelled
    level.first, level.room = walk.tree_used, room
    walk.tree_used += room


@jit
def _take(walk, i, traded, cancelled):
    """Take displayed lots of a stay off its level, and note in the tree that they left at its place."""
    place = place_at(walk.places, i)
    level = level_at(walk.levels, place.level)
    level.lots -= traded + cancelled
    level.traded += traded
    level.cancelled += cancelled
    k = place.place + 1
    while k <= level.used:
        left = left_at(walk.tree, level.first + k - 1)
        left.traded += traded
        left.cancelled += cancelled
        k += k & -k


@jit
def _count_ahead(walk, i):
    """Add to a stay's counts what left in front of its place; at entry they were set to minus what had left of the level by then."""
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
    level.live -= 1
    # Who was filled was the best of its side then, if only for the moment of a sweep.
    stay.was_at_touch = stay.filled_lots > 0 or level.is_best != 0 or level.touch_row > stay.entry_row
    stay.end_ns, stay.end = time_ns, end


@jit
def close_stays(address, end_ns):
    """End what still rests with the tape."""
    walk = walk_at(address, 0)
    for i in range(walk.stay_count):
        if stay_at(walk.stays, i).end == 0:
            _end_stay(walk, i, end_ns, 0)
