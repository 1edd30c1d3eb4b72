"""Fills: the FILL rows of a book, with what analyses ask of them.

Owns the list, gathered once; it is half as wide as the rows. The sides are the aggressor's, as on the tape.
"""
import numpy as np

from lob.analytics.quotes import fill_count
from lob.analytics.records import select
from lob.jit import jit, pool_reader
from lob.messages import NOBODY, REPORT, Flag, ReportKind

FILL = np.dtype(
    [
        ("time_ns", "i8"), ("sequence", "i8"), ("price_ticks", "i8"), ("lots", "i8"), ("level_lots", "i8"), ("resting_id", "i8"),
        ("fee", "i8"), ("resting_fee", "i8"), ("owner", "i4"), ("resting_owner", "i4"), ("flags", "u2"), ("side", "i1"),
    ],
    align=True,
)
report_at, fill_at = pool_reader(REPORT), pool_reader(FILL)
KIND = int(ReportKind.FILL)


def fills(tape, book=0):
    """Return the fills of one book, by time: FILL[n]; derived once. Raises TapeError if the tape is not sorted."""
    return tape.derived(_fills, book)


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


def _fills(tape, book):
    rows = tape.rows
    found = np.empty(fill_count(tape, book), FILL)
    _gather(rows.ctypes.data, len(rows), book, found.ctypes.data)
    return found


@jit
def _gather(rows, row_count, book, found):
    count = 0
    for i in range(row_count):
        row = report_at(rows, i)
        if row.kind == KIND and row.book == book:
            fill = fill_at(found, count)
            fill.time_ns, fill.sequence, fill.price_ticks, fill.lots, fill.level_lots = row.time_ns, row.sequence, row.price_ticks, row.lots, row.level_lots
            fill.resting_id, fill.owner, fill.resting_owner, fill.side = row.resting_id, row.owner, row.resting_owner, row.side
            fill.fee, fill.resting_fee, fill.flags = row.fee, row.resting_fee, row.flags
            count += 1
