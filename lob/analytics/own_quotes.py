"""Own quotes: the best prices at which one owner rests, through time.

Owns the owner's side of the book as its rows tell it: its orders with what is open of them after each event. Waiting stops and market orders do not rest.
"""
import numpy as np

from lob.analytics.records import select
from lob.messages import Flag, ReportKind, Side

OWN_QUOTE = np.dtype([("time_ns", "i8"), ("sequence", "i8"), ("bid_ticks", "i8"), ("ask_ticks", "i8"), ("bid_lots", "i8"), ("ask_lots", "i8")], align=True)
ENTRIES = (ReportKind.ACCEPTED, ReportKind.REPLACED, ReportKind.TRIGGERED)


def own_quotes(tape, owner, book=0):
    """Return every change of an owner's best resting bid and ask: OWN_QUOTE[n], by time; price and lots are 0 while it has none on a side.

    Lots are all that is open of its orders at that price, hidden orders and the reserve of icebergs too. Cost: a microsecond or two for each of its rows.
    """
    return tape.derived(_own_quotes, owner, book)


def _own_quotes(tape, owner, book):
    rows = tape.rows
    is_mine = ((rows["owner"] == owner) | (rows["resting_owner"] == owner)) & (rows["book"] == book)
    mine = select(rows, is_mine)
    event = np.cumsum((rows["flags"] & Flag.LAST) != 0)[is_mine] - ((mine["flags"] & Flag.LAST) != 0)
    is_end = np.append(np.diff(event) != 0, True) if len(mine) else np.zeros(0, bool)
    live, found, last = {}, [], (0, 0, 0, 0)
    fields = (
        "kind", "order_id", "resting_id", "side", "price_ticks", "open_lots", "resting_open_lots", "resting_owner", "owner", "flags", "time_ns", "sequence",
    )
    for *row, is_over in zip(*(mine[name].tolist() for name in fields), is_end.tolist(), strict=True):
        _note(live, owner, *row[:-2])
        if is_over and (best := (*_best(live, Side.BUY), *_best(live, Side.SELL))) != last:
            found.append((row[-2], row[-1], best[0], best[2], best[1], best[3]))
            last = best
    return np.array(found, OWN_QUOTE)


def _note(live, owner, kind, order_id, resting_id, side, price_ticks, open_lots, resting_open_lots, resting_owner, row_owner, flags):
    """Note in {order id: [side, price, open lots]} what a row says of the owner's orders."""
    if kind in ENTRIES:
        if price_ticks > 0 and not (flags & Flag.STOP and kind != ReportKind.TRIGGERED):
            live[order_id] = [side, price_ticks, open_lots]
        return
    if kind == ReportKind.FILL:
        if resting_owner == owner:
            _leave(live, resting_id, resting_open_lots)
        if row_owner == owner:
            _leave(live, order_id, open_lots)
    elif kind == ReportKind.CANCELLED:
        live.pop(order_id, None)
    elif kind == ReportKind.REDUCED:
        _leave(live, order_id, open_lots)


def _leave(live, order_id, lots):
    if lots == 0:
        live.pop(order_id, None)
    elif order_id in live:
        live[order_id][2] = lots


def _best(live, side):
    """Return (price, lots there) of the best resting order of a side, (0, 0) without one."""
    keys = [(of * price, lots) for of, price, lots in live.values() if of == side and lots > 0]
    if not keys:
        return 0, 0
    best = max(key for key, _ in keys)
    return side * best, sum(lots for key, lots in keys if key == best)
