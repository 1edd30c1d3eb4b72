"""Trades: one incoming order, and all that it traded at once.

Owns the list that every statistic of order flow begins with: a sweep of five resting orders is one decision, not five. On a passive tape the trades are those
of the recorded flow: what agents did is not history. The fills of an auction are nobody's decision at a time, and no trades here.
"""
import numpy as np

from lob.analytics.quotes import fill_count
from lob.jit import jit, pool_reader
from lob.messages import REPORT, Flag, ReportKind

TRADE = np.dtype(
    [
        ("time_ns", "i8"),
        ("sequence", "i8"),       # of its first FILL row
        ("lots", "i8"),
        ("cash_ticks", "i8"),     # sum of price x lots
        ("last_ticks", "i8"),     # the price of its last fill
        ("owner", "i4"),
        ("fills", "i4"),
        ("side", "i1"),           # of the incoming order
    ],
    align=True,
)
report_at, trade_at = pool_reader(REPORT), pool_reader(TRADE)
FILL, LAST, IN_AUCTION = int(ReportKind.FILL), int(Flag.LAST), int(Flag.AUCTION)


def trades(tape, book=0):
    """Return the trades of one book, by time: TRADE[n]; derived once. Raises TapeError if the tape is not sorted."""
    return tape.derived(_trades, book)


def _trades(tape, book):
    rows = tape.rows
    found = np.empty(fill_count(tape, book) + 1, TRADE)
    count = _gather(rows.ctypes.data, len(rows), book, tape.execution == "passive", found.ctypes.data)
    return found[:count]


@jit
def _gather(rows, row_count, book, is_passive, found):
    count, is_open = 0, False
    for i in range(row_count):
        row = report_at(rows, i)
        if row.book != book:
            continue
        if row.kind == FILL and not row.flags & IN_AUCTION and not (is_passive and (row.owner > 0 or row.resting_owner > 0)):
            trade = trade_at(found, count - is_open)
            if not is_open:
                trade.time_ns, trade.sequence, trade.owner, trade.side = row.time_ns, row.sequence, row.owner, row.side
                trade.lots, trade.cash_ticks, trade.fills = 0, 0, 0
                count, is_open = count + 1, True
            trade.lots += row.lots
            trade.cash_ticks += row.price_ticks * row.lots
            trade.fills += 1
            trade.last_ticks = row.price_ticks
        if row.flags & LAST:
            is_open = False
    return count
