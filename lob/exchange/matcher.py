"""The matcher: what a venue does with one plain request, in price-time priority. Which requests are plain is the gate's; the others go to the rules.

`apply(book, request, reports)` is a total function: any bits in a request give at least one row, and one that is refused leaves the book as it was.
It allocates nothing; when an array is too short for the worst this request can do, it says so (a Shortage, below zero), changes nothing, and
is called again after the owner of the memory has made room. Knows no clock and no agent.

Cost of a request: O(1) for each order it adds, takes off or fills, and the ladder's search when a best level empties.
"""
from enum import IntEnum

import numpy as np

from lob.exchange.book import (
    enter,
    find,
    has_room,
    head_of,
    join,
    ladder_of,
    leave,
    level_key,
    line_up,
    order_of,
    place_of,
    price_lots,
    reduce,
    remove,
    remove_at,
    rest,
    slot_at,
    tag_of,
)
from lob.exchange.ladder import key_of, lots_at, next_key
from lob.exchange.reports import begin, close, only
from lob.jit import jit
from lob.messages import LOTS_MAX, PRICE_MAX_TICKS, Action, CancelReason, Flag, RejectReason, ReportKind, TimeInForce

LIMIT, MARKET, CANCEL, REPLACE, STATUS = (int(a) for a in (Action.LIMIT, Action.MARKET, Action.CANCEL, Action.REPLACE, Action.STATUS))
GTC, FOK, POST_ONLY = int(TimeInForce.GTC), int(TimeInForce.FOK), int(Flag.POST_ONLY)
ACCEPTED, FILL, CANCELLED, REDUCED, REPLACED, REJECTED = (int(k) for k in list(ReportKind)[:6])
ASKED, UNFILLED, FILL_OR_KILL, FOR_REPLACE = (int(r) for r in list(CancelReason)[:4])
WOULD_CROSS, UNKNOWN_ORDER, DUPLICATE_ORDER_ID = int(RejectReason.WOULD_CROSS), int(RejectReason.UNKNOWN_ORDER), int(RejectReason.DUPLICATE_ORDER_ID)
UNKNOWN_ACTION, UNKNOWN_BOOK, OWNER_OUT_OF_RANGE = int(RejectReason.UNKNOWN_ACTION), int(RejectReason.UNKNOWN_BOOK), int(RejectReason.OWNER_OUT_OF_RANGE)
ORDER_ID_OUT_OF_RANGE, UNKNOWN_SIDE = int(RejectReason.ORDER_ID_OUT_OF_RANGE), int(RejectReason.UNKNOWN_SIDE)
UNKNOWN_TIME_IN_FORCE, UNKNOWN_FLAG = int(RejectReason.UNKNOWN_TIME_IN_FORCE), int(RejectReason.UNKNOWN_FLAG)
PRICE_OUT_OF_RANGE, LOTS_OUT_OF_RANGE = int(RejectReason.PRICE_OUT_OF_RANGE), int(RejectReason.LOTS_OUT_OF_RANGE)
NOT_IN_RECORDED_DAY = int(RejectReason.NOT_IN_RECORDED_DAY)


class Shortage(IntEnum):
    """What `apply` needs before it can take the request."""

    ORDERS = -1  # a free order or a free page of a ladder
    ROWS = -2


ORDERS_SHORT, ROWS_SHORT = int(Shortage.ORDERS), int(Shortage.ROWS)


@jit
def apply(book, request, reports):
    """Do what a plain request asks of a plain book; return how many rows were written, or a Shortage."""
    return answer(book, request, reports, tag_of(request.owner, request.order_id))


@jit(inline=True)
def answer(book, request, reports, tag):
    """Apply a request whose order's tag is known."""
    # The action is asked for once: the code is there for each of them, without what it has no need of.
    action = request.action
    if action == LIMIT:
        return _answer(book, request, reports, tag, LIMIT)
    if action == CANCEL:
        return _answer(book, request, reports, tag, CANCEL)
    if action == MARKET:
        return _answer(book, request, reports, tag, MARKET)
    return _answer_rarely(book, request, reports, tag, action)


@jit
def _answer_rarely(book, request, reports, tag, action):
    return _answer(book, request, reports, tag, action)


@jit(inline=True)
def _answer(book, request, reports, tag, action):
    if malformed(book, request, action):
        return _reject_malformed(book, request, reports)
    if _rows_short(book, request, reports, action):
        return ROWS_SHORT
    if action == CANCEL:
        return cancel(book, request, reports, tag)
    if action == LIMIT and not has_room(book, request.side):
        return ORDERS_SHORT
    if action == LIMIT:
        return _limit(book, request, reports, tag)
    if action == REPLACE and not (has_room(book, 1) and has_room(book, -1)):
        return ORDERS_SHORT
    if action == MARKET:
        return _market(book, request, reports, tag)
    return _replace(book, request, reports)


@jit
def _reject_malformed(book, request, reports):
    # Why is asked again, out of the way: on the way only whether matters.
    if reports.count == reports.capacity:
        return ROWS_SHORT
    return _refuse(request, reports, malformed(book, request, request.action))


@jit(inline=True)
def _rows_short(book, request, reports, action):
    """Return whether the rows of the worst this valid request can do might not fit: each fill takes a lot of it and an order of the book."""
    free = reports.capacity - reports.count - 4
    return free < request.lots and free < (0 if action == CANCEL else book.order_count)


@jit(inline=True)
def reject(request, reports, reason):
    row = begin(reports, request, REJECTED)
    row.tif, row.flags, row.reason = request.tif, request.flags, reason
    row.display_lots, row.trigger_ticks, row.expiry_ns = request.display_lots, request.trigger_ticks, request.expiry_ns
    row.offset_ticks = request.offset_ticks


@jit(inline=True)
def _refuse(request, reports, reason):
    reject(request, reports, reason)
    close(reports)
    return 1


@jit(inline=True)
def malformed(book, request, action):
    """Return why a request cannot be read, 0 if it can; the order of the checks is that of RejectReason."""
    if action > REPLACE:
        return UNKNOWN_ACTION if action > STATUS else NOT_IN_RECORDED_DAY
    if request.book != book.number:
        return UNKNOWN_BOOK
    if request.owner < 0:
        return OWNER_OUT_OF_RANGE
    if request.order_id < 1:
        return ORDER_ID_OUT_OF_RANGE
    # The absolute value, since a branch on a side that is as often one as the other is mispredicted half the time.
    if action <= MARKET and abs(request.side) != 1:
        return UNKNOWN_SIDE
    if action == LIMIT and request.tif > FOK:
        return UNKNOWN_TIME_IN_FORCE
    if action == LIMIT or action == REPLACE:
        if request.flags and (request.flags > POST_ONLY or (action == LIMIT and request.tif)):
            return UNKNOWN_FLAG
        if request.price_ticks < 1 or request.price_ticks > PRICE_MAX_TICKS:
            return PRICE_OUT_OF_RANGE
    if request.lots > LOTS_MAX or request.lots < (action != CANCEL):
        return LOTS_OUT_OF_RANGE
    return 0


@jit(inline=True)
def _crosses(book, side, price_ticks):
    """Return whether an order of `side` at a price would trade against the opposite touch."""
    return meets(ladder_of(book, -side), key_of(side, price_ticks))


@jit(inline=True)
def meets(opposite, key):
    """Return whether the best level of the other side is at the price of a key or better."""
    # The keys of one price on the two sides sum up to PRICE_MAX_TICKS + 1.
    return opposite.best_key + key > PRICE_MAX_TICKS


@jit(inline=True)
def _limit(book, request, reports, tag):
    if slot_at(book, place_of(book, tag, request.owner, request.order_id)):
        return _refuse(request, reports, DUPLICATE_ORDER_ID)
    side, lots = np.int64(request.side), request.lots
    key = key_of(side, request.price_ticks)
    if request.tif or meets(ladder_of(book, -side), key):
        return _aggressive_limit(book, request, reports)
    slot = enter(book, tag, request.owner, request.order_id, side)
    return only(_accept(request, reports, line_up(book, ladder_of(book, side), key, slot, lots)))


@jit
def _aggressive_limit(book, request, reports):
    """Enter a limit order that trades at once, or never."""
    if request.flags & POST_ONLY:
        return _refuse(request, reports, WOULD_CROSS)
    before = reports.count
    side, price_ticks, lots = request.side, request.price_ticks, request.lots
    _accept(request, reports, price_lots(book, side, price_ticks) if request.tif == GTC else 0)
    if not (request.tif == FOK and _reachable(book, side, price_ticks, lots) < lots):
        lots = _match(book, request, reports, side, key_of(-side, price_ticks), lots)
    if lots:
        if request.tif:
            cancel_rest(request, reports, lots, price_ticks, FILL_OR_KILL if request.tif == FOK else UNFILLED)
        else:
            rest(book, request.owner, request.order_id, side, price_ticks, lots)
    close(reports)
    return reports.count - before


@jit(inline=True)
def _accept(request, reports, lots_ahead):
    row = begin(reports, request, ACCEPTED)
    row.tif, row.flags, row.open_lots, row.lots_ahead = request.tif, request.flags, request.lots, lots_ahead
    return row


@jit(inline=True)
def _market(book, request, reports, tag):
    if slot_at(book, place_of(book, tag, request.owner, request.order_id)):
        return _refuse(request, reports, DUPLICATE_ORDER_ID)
    before = reports.count
    row = begin(reports, request, ACCEPTED)
    row.price_ticks, row.open_lots = 0, request.lots
    lots = _match(book, request, reports, request.side, 1, request.lots)
    if lots:
        cancel_rest(request, reports, lots, 0, UNFILLED)
    close(reports)
    return reports.count - before


@jit(inline=True)
def cancel_rest(request, reports, lots, price_ticks, reason):
    row = begin(reports, request, CANCELLED)
    row.lots, row.price_ticks, row.reason = lots, price_ticks, reason
    row.tif = request.tif if request.action == LIMIT else 0


@jit
def _reachable(book, side, price_ticks, lots):
    """Return the opposite lots at `price_ticks` or better, counted no further than `lots`."""
    ladder, limit_key = ladder_of(book, -side), key_of(-side, price_ticks)
    key, reached = ladder.best_key, 0
    while key >= limit_key and reached < lots:
        reached += lots_at(ladder, key)
        key = next_key(ladder, key)
    return reached


@jit(inline=True)
def _match(book, request, reports, side, limit_key, lots):
    """Trade against the best opposite orders down to `limit_key`; return the lots left over."""
    ladder = ladder_of(book, -side)
    while lots and ladder.best_key >= limit_key:
        price_ticks = key_of(-side, ladder.best_key)
        lots = fill_one(book, request, reports, head_of(book, -side, price_ticks), price_ticks, side, lots)
    return lots


@jit(inline=True)
def fill_one(book, request, reports, slot, price_ticks, side, lots):
    order = order_of(book, slot)
    traded = min(lots, order.lots)
    row = begin(reports, request, FILL)
    row.resting_id, row.resting_owner, row.resting_open_lots = order.id, order.owner, order.lots - traded
    row.side, row.price_ticks, row.lots, row.open_lots = side, price_ticks, traded, lots - traded
    row.tif = request.tif if request.action == LIMIT else 0
    book.last_trade_ticks = price_ticks
    row.level_lots = reduce(book, slot, traded)
    return lots - traded


@jit(inline=True)
def cancel(book, request, reports, tag):
    """Take an order off the book, or some of its lots."""
    place = place_of(book, tag, request.owner, request.order_id)
    slot = slot_at(book, place)
    if slot == 0:
        return _refuse(request, reports, UNKNOWN_ORDER)
    order = order_of(book, slot)
    if 0 < request.lots < order.lots:
        row = take_off(request, reports, order, request.lots, REDUCED, 0)
        reduce(book, slot, request.lots)
        return only(row)
    side, price_ticks, lots = order.side, key_of(order.side, level_key(order)), order.lots
    remove_at(book, place, slot)
    row = begin(reports, request, CANCELLED)
    row.side, row.price_ticks, row.lots, row.open_lots, row.reason = side, price_ticks, lots, 0, ASKED
    return only(row)


@jit(inline=True)
def take_off(request, reports, order, lots, kind, reason):
    row = begin(reports, request, kind)
    row.side, row.price_ticks, row.lots, row.open_lots = order.side, key_of(order.side, level_key(order)), lots, order.lots - lots
    row.reason = reason
    return row


@jit
def _replace(book, request, reports):
    slot = find(book, request.owner, request.order_id)
    if slot == 0:
        return _refuse(request, reports, UNKNOWN_ORDER)
    order = order_of(book, slot)
    side, price_ticks, lots = order.side, request.price_ticks, request.lots
    crosses = _crosses(book, side, price_ticks)
    if crosses and request.flags & POST_ONLY:
        return _refuse(request, reports, WOULD_CROSS)
    # A replace that only shrinks keeps its place in the queue; any other change goes to the back.
    if book.replace_keeps_place and key_of(side, price_ticks) == level_key(order) and lots <= order.lots:
        shrink(book, request, reports, slot)
        close(reports)
        return 1
    before = reports.count
    take_off(request, reports, order, order.lots, CANCELLED, FOR_REPLACE)
    leave(book, slot)
    row = begin(reports, request, REPLACED)
    row.side, row.open_lots, row.flags = side, lots, request.flags
    row.lots_ahead = price_lots(book, side, price_ticks)
    _enter_again(book, request, reports, slot, crosses, lots)
    close(reports)
    return reports.count - before


@jit
def shrink(book, request, reports, slot):
    """Give an order fewer open lots, or as many; it keeps its place."""
    order = order_of(book, slot)
    taken = order.lots - request.lots
    take_off(request, reports, order, taken, REDUCED, 0)
    if taken:
        reduce(book, slot, taken)


@jit
def _enter_again(book, request, reports, slot, crosses, lots):
    """Let a replaced order, which is in no queue now, trade and rest at its new price."""
    order = order_of(book, slot)
    side = order.side
    if crosses:
        lots = _match(book, request, reports, side, key_of(-side, request.price_ticks), lots)
    join(book, slot, request.price_ticks, lots)
    if lots == 0:
        remove(book, slot)
