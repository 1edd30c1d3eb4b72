"""Trades: one incoming order, and all that it traded at once.

Owns the list that every statistic of order flow begins with: a sweep of five resting orders is one decision, not five. On a passive tape the trades are those
of the recorded flow: what agents did is not history. The fills of an auction are nobody's decision at a time, and no trades here.
"""
import numpy as np

from lob.analytics.fills import fill_at, fills
from lob.jit import jit, pool_reader
from lob.messages import Flag

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
trade_at, IN_AUCTION = pool_reader(TRADE), int(Flag.AUCTION)


def trades(tape, book=0):
    """Return the trades of one book, by time: TRADE[n]; derived once. Raises TapeError if the tape is not sorted."""
    return tape.derived(_trades, book)


def _trades(tape, book):
    every = fills(tape, book)
    found = np.empty(len(every) + 1, TRADE)
    count = _gather(every.ctypes.data, len(every), tape.execution == "passive", found.ctypes.data)
    return found[:count]


@jit
def _gather(fills, fill_count, is_passive, found):
    count, event = 0, -1
    for i in range(fill_count):
        fill = fill_at(fills, i)
        if fill.flags & IN_AUCTION or (is_passive and (fill.owner > 0 or fill.resting_owner > 0)):
            continue
        if fill.event != event:
            trade, event = trade_at(found, count), fill.event
            trade.time_ns, trade.sequence, trade.owner, trade.side = fill.time_ns, fill.sequence, fill.owner, fill.side
            trade.lots, trade.cash_ticks, trade.fills = 0, 0, 0
            count += 1
        trade = trade_at(found, count - 1)
        trade.lots += fill.lots
        trade.cash_ticks += fill.price_ticks * fill.lots
        trade.fills += 1
        trade.last_ticks = fill.price_ticks
    return count
