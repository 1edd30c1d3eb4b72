"""Fills: the FILL rows of a book, with what analyses ask of them.

Owns the first reading of a tape: whether it is sorted, how far its prices reach, and the list of fills; it is half as wide as the rows. The sides are the
aggressor's, as on the tape. Fills of one event bear the same number `event`.
"""
from dataclasses import dataclass

import numpy as np

from lob.analytics.records import select
from lob.jit import jit, pool_reader
from lob.messages import NOBODY, REPORT, Flag, ReportKind
from lob.tape.columns import check_order

FILL = np.dtype(
    [
        ("time_ns", "i8"), ("sequence", "i8"), ("price_ticks", "i8"), ("lots", "i8"), ("level_lots", "i8"), ("resting_id", "i8"),
        ("fee", "i8"), ("resting_fee", "i8"), ("owner", "i4"), ("resting_owner", "i4"), ("event", "i4"), ("flags", "u2"), ("side", "i1"),
    ],
    align=True,
)
report_at, fill_at = pool_reader(REPORT), pool_reader(FILL)
KIND, LAST = int(ReportKind.FILL), int(Flag.LAST)
ACCEPTED, REPLACED, TRIGGERED, REFRESHED = (int(ReportKind[name]) for name in ("ACCEPTED", "REPLACED", "TRIGGERED", "REFRESHED"))


@dataclass(frozen=True)
class Extent:
    """How much of one book is on a tape: its fills, FILL[n] by time; how many rows may bring an order to rest, and the range of their prices (0, 0 without)."""

    fills: np.ndarray
    entries: int
    low_ticks: int
    high_ticks: int


def extent(tape, book=0):
    """Return the Extent of one book; derived once. Raises TapeError if the tape is not sorted."""
    return tape.derived(_extent, book)


def _extent(tape, book):
    # Room for a fill with every row; memory that is not written costs nothing.
    found = np.empty(len(tape), FILL)
    count, entries, low_ticks, high_ticks = _read(tape.rows.ctypes.data, len(tape), book, found.ctypes.data)
    if count < 0:
        check_order(tape.rows, repr(tape))
    return Extent(found[:count], entries, low_ticks if entries else 0, high_ticks if entries else 0)


def fills(tape, book=0):
    """Return the fills of one book, by time: FILL[n]; derived once. Raises TapeError if the tape is not sorted."""
    return extent(tape, book).fills


def maker_fills(tape, book=0):
    """Return the fills in which an agent's resting order was filled by one that came to it: FILL[n]. In an auction nobody comes to anybody."""
    found = fills(tape, book)
    return select(found, is_maker_fill(found))


def is_maker_fill(fills):
    """Return whether each fill is one of `maker_fills`: bool[n]."""
    return (fills["resting_owner"] > NOBODY) & ~is_in_auction(fills)


def is_in_auction(fills):
    """Return whether each fill was made in a call auction: bool[n]."""
    return fills["flags"] & Flag.AUCTION != 0


@jit
def may_rest(row):
    """Return whether a row may bring an order to rest at its price."""
    kind = row.kind
    return row.price_ticks > 0 and (kind == ACCEPTED or kind == REPLACED or kind == TRIGGERED or kind == REFRESHED)


@jit
def _read(rows, row_count, book, found):
    """Write the fills; return what an Extent holds, their number first, -1 if the rows are not sorted."""
    count, event, entries, time_ns, sequence, low_ticks, high_ticks = 0, 0, 0, -(2**63), -(2**63), 2**62, 0
    for i in range(row_count):
        row = report_at(rows, i)
        if i > 0 and (row.time_ns < time_ns or row.sequence <= sequence):
            return -1, 0, 0, 0
        time_ns, sequence = row.time_ns, row.sequence
        if row.book != book:
            continue
        if row.kind == KIND:
            _write_fill(fill_at(found, count), row, event)
            count += 1
        elif may_rest(row):
            entries += 1
            low_ticks, high_ticks = min(low_ticks, row.price_ticks), max(high_ticks, row.price_ticks)
        event += row.flags & LAST != 0
    return count, entries, low_ticks, high_ticks


@jit
def _write_fill(fill, row, event):
    fill.time_ns, fill.sequence, fill.price_ticks, fill.lots, fill.level_lots = row.time_ns, row.sequence, row.price_ticks, row.lots, row.level_lots
    fill.resting_id, fill.owner, fill.resting_owner, fill.side = row.resting_id, row.owner, row.resting_owner, row.side
    fill.fee, fill.resting_fee, fill.flags, fill.event = row.fee, row.resting_fee, row.flags, event
