"""Levels: every change of the displayed lots at a price, event by event.

Owns the list from which a picture of the book through time is drawn: the lots at each price that an event spoke of, as they stand when it is over. Starting
from an empty book, the changes up to a time give the depth at that time. Cost: one pass of compiled code, as in `replay`.
"""
import numpy as np

from lob.exchange.ladder import key_of, ladder_at, lots_at
from lob.jit import jit, pool_reader
from lob.messages import Flag, ReportKind
from lob.tape.replay import TOUCH, ReplayedBook, apply_event_row, replayed_at, report_at, touch_at

LEVEL_CHANGE = np.dtype([("time_ns", "i8"), ("sequence", "i8"), ("price_ticks", "i8"), ("lots", "i8"), ("side", "i1")], align=True)
CHANGES_A_CHUNK = 2**18
LOOK_BACK = 8  # changes of one event that are compared, so that a price swept by many fills is written about once
change_at = pool_reader(LEVEL_CHANGE)
FILL, LAST, IN_AUCTION = int(ReportKind.FILL), int(Flag.LAST), int(Flag.AUCTION)


def level_changes(tape, book=0):
    """Return the changes of the displayed lots of one book: LEVEL_CHANGE[n], by time; lots: those that are there after the event.

    A price that an event touches more than once may be listed more than once, each time with the same lots. Raises TapeError if the tape takes lots that its
    book does not have.
    """
    rows = tape.rows
    ends = np.flatnonzero(rows["flags"] & Flag.LAST)
    longest = int(np.diff(ends, prepend=-1).max(initial=0))
    chunks = ReplayedBook(tape.execution, book).advance_by(_read_levels, rows, LEVEL_CHANGE, max(CHANGES_A_CHUNK, 2 * longest + 2))
    return np.concatenate([np.empty(0, np.uint8), *(chunk.view(np.uint8) for chunk in chunks)]).view(LEVEL_CHANGE)


@jit
def _read_levels(replayed_address, rows, row_count, changes, capacity):
    """Read rows as `advance` does, and write the levels of each event; return how many were written, or -1 for a contradiction."""
    replayed, touch = replayed_at(replayed_address, 0), np.zeros(1, TOUCH)
    bids, asks = ladder_at(replayed.ladders, 0), ladder_at(replayed.ladders, 1)
    written = 0
    while replayed.next_row < row_count and bids.free_pages > 0 and asks.free_pages > 0:
        row = report_at(rows, replayed.next_row)
        if row.book == replayed.book:
            first = _event_start(rows, replayed.next_row) if row.flags & LAST else replayed.next_row + 1
            if written + 2 * (replayed.next_row + 1 - first) > capacity:
                return written
            if apply_event_row(replayed, row, touch_at(touch.ctypes.data, 0)) < 0:
                return -1
            written = _write_event(replayed, rows, first, changes, written)
        replayed.next_row += 1
    return written


@jit
def _event_start(rows, last):
    first = last
    while first > 0 and not report_at(rows, first - 1).flags & LAST:
        first -= 1
    return first


@jit
def _write_event(replayed, rows, first, changes, written):
    """Write the levels that rows `first` to the present one speak of, as they are now; return how many are written in all."""
    begin = written
    for i in range(first, replayed.next_row + 1):
        row = report_at(rows, i)
        if row.book != replayed.book:
            continue
        if row.kind == FILL and row.flags & IN_AUCTION:
            written = _write_level(replayed, row, 1, row.trigger_ticks, changes, begin, written)
            written = _write_level(replayed, row, -1, row.offset_ticks, changes, begin, written)
        else:
            written = _write_level(replayed, row, -row.side if row.kind == FILL else row.side, row.price_ticks, changes, begin, written)
    return written


@jit
def _write_level(replayed, row, side, price_ticks, changes, begin, written):
    if price_ticks <= 0 or (side != 1 and side != -1):
        return written
    for k in range(max(begin, written - LOOK_BACK), written):
        change = change_at(changes, k)
        if change.price_ticks == price_ticks and change.side == side:
            return written
    change = change_at(changes, written)
    change.time_ns, change.sequence, change.price_ticks, change.side = row.time_ns, row.sequence, price_ticks, side
    change.lots = lots_at(ladder_at(replayed.ladders, side < 0), key_of(side, price_ticks))
    return written + 1
