"""The matcher: what a venue does with one request, in price-time priority.

`apply(book, request, reports)` is a total function: any bits in a request give at least one row, and a request that is refused leaves the book as it
was. It allocates nothing; when an array is too short for the worst this request can do, it says so (a Shortage, below zero), changes nothing, and
is called again after the owner of the memory has made room. Knows no clock and no agent.

Cost of a request: O(1) for each order it adds, takes off or fills, and the ladder's search when a best level empties.
"""
from enum import IntEnum

from lob.exchange.book import (
    find, has_room, head_of, join, ladder_of, leave, level_key, order_of, price_lots, reduce, remove, rest,
)
from lob.exchange.ladder import key_of, lots_at, next_key
from lob.exchange.reports import begin, close
from lob.jit import jit
from lob.messages import LOTS_MAX, PRICE_MAX_TICKS, Action, CancelReason, Flag, RejectReason, ReportKind, Side, TimeInForce

LIMIT, MARKET, CANCEL, REPLACE, STATUS = (int(a) for a in (Action.LIMIT, Action.MARKET, Action.CANCEL, Action.REPLACE, Action.STATUS))
IOC, FOK, POST_ONLY = int(TimeInForce.IOC), int(TimeInForce.FOK), int(Flag.POST_ONLY)
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

    ORDERS = -1
    ROWS = -2


@jit(inline=True)
def _rows_short(book, request, reports):
    """Return whether the rows of the worst this request can do might not fit: each fill takes a lot of it and an order of the book."""
    fills = 0 if request.action == CANCEL else max(0, min(request.lots, book.order_count))
    return reports.capacity - reports.count < fills + 4


@jit
def apply(book, request, reports):
    """Do what a request asks; return how many rows were written, or a Shortage."""
    if _rows_short(book, request, reports):
        return -2
    before = reports.count
    reason = malformed(book, request)
    if reason:
        reject(request, reports, reason)
    elif request.action == LIMIT:
        if not has_room(book, request.side):
            return -1
        _limit(book, request, reports)
    elif request.action == CANCEL:
        cancel(book, request, reports)
    elif request.action == MARKET:
        _market(book, request, reports)
    else:
        if not (has_room(book, 1) and has_room(book, -1)):
            return -1
        _replace(book, request, reports)
    close(reports)
    return reports.count - before


@jit(inline=True)
def reject(request, reports, reason):
    row = begin(reports, request, REJECTED)
    row.tif, row.flags, row.reason = request.tif, request.flags, reason


@jit(inline=True)
def malformed(book, request):
    """Return why a request cannot be read, 0 if it can; the order of the checks is that of RejectReason."""
    action = request.action
    if action > REPLACE:
        return UNKNOWN_ACTION if action > STATUS else NOT_IN_RECORDED_DAY
    if request.book != book.number:
        return UNKNOWN_BOOK
    if request.owner < 0:
        return OWNER_OUT_OF_RANGE
    if request.order_id < 1:
        return ORDER_ID_OUT_OF_RANGE
    # The square, since a branch on a side that is as often one as the other is mispredicted half the time.
    if action <= MARKET and request.side * request.side != 1:
        return UNKNOWN_SIDE
    if action == LIMIT and request.tif > FOK:
        return UNKNOWN_TIME_IN_FORCE
    if action == LIMIT or action == REPLACE:
        if request.flags > POST_ONLY or (action == LIMIT and request.flags and request.tif):
            return UNKNOWN_FLAG
        if request.price_ticks < 1 or request.price_ticks > PRICE_MAX_TICKS:
            return PRICE_OUT_OF_RANGE
    if request.lots > LOTS_MAX or request.lots < (action != CANCEL):
        return LOTS_OUT_OF_RANGE
    return 0


@jit(inline=True)
def _crosses(book, side, price_ticks):
    """Return whether an order of `side` at a price would trade against the opposite touch."""
    return ladder_of(book, -side).best_key >= key_of(-side, price_ticks)


@jit(inline=True)
def _limit(book, request, reports):
    if find(book, request.owner, request.order_id):
        return reject(request, reports, DUPLICATE_ORDER_ID)
    side, price_ticks, lots = request.side, request.price_ticks, request.lots
    crosses = _crosses(book, side, price_ticks)
    if crosses and request.flags & POST_ONLY:
        return reject(request, reports, WOULD_CROSS)
    row = begin(reports, request, ACCEPTED)
    row.tif, row.flags, row.open_lots = request.tif, request.flags, lots
    if request.tif == 0:
        row.lots_ahead = price_lots(book, side, price_ticks)
    if crosses and not (request.tif == FOK and _reachable(book, side, price_ticks, lots) < lots):
        lots = _match(book, request, reports, side, key_of(-side, price_ticks), lots)
    if lots:
        if request.tif:
            cancel_rest(request, reports, lots, price_ticks, FILL_OR_KILL if request.tif == FOK else UNFILLED)
        else:
            rest(book, request.owner, request.order_id, side, price_ticks, lots)


@jit(inline=True)
def _market(book, request, reports):
    if find(book, request.owner, request.order_id):
        return reject(request, reports, DUPLICATE_ORDER_ID)
    row = begin(reports, request, ACCEPTED)
    row.price_ticks, row.open_lots = 0, request.lots
    lots = _match(book, request, reports, request.side, 1, request.lots)
    if lots:
        cancel_rest(request, reports, lots, 0, UNFILLED)


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
    row.level_lots = reduce(book, slot, traded)
    return lots - traded


@jit(inline=True)
def cancel(book, request, reports):
    """Take an order off the book, or some of its lots."""
    slot = find(book, request.owner, request.order_id)
    if slot == 0:
        return reject(request, reports, UNKNOWN_ORDER)
    order = order_of(book, slot)
    taken = order.lots if request.lots == 0 else min(request.lots, order.lots)
    take_off(request, reports, order, taken, CANCELLED if taken == order.lots else REDUCED, ASKED)
    reduce(book, slot, taken)


@jit(inline=True)
def take_off(request, reports, order, lots, kind, reason):
    row = begin(reports, request, kind)
    row.side, row.price_ticks, row.lots, row.open_lots = order.side, key_of(order.side, level_key(order)), lots, order.lots - lots
    row.reason = reason if kind == CANCELLED else 0


@jit
def _replace(book, request, reports):
    slot = find(book, request.owner, request.order_id)
    if slot == 0:
        return reject(request, reports, UNKNOWN_ORDER)
    order = order_of(book, slot)
    side, price_ticks, lots = order.side, request.price_ticks, request.lots
    crosses = _crosses(book, side, price_ticks)
    if crosses and request.flags & POST_ONLY:
        return reject(request, reports, WOULD_CROSS)
    # A replace that only shrinks keeps its place in the queue; any other change goes to the back.
    if book.replace_keeps_place and key_of(side, price_ticks) == level_key(order) and lots <= order.lots:
        return shrink(book, request, reports, slot)
    take_off(request, reports, order, order.lots, CANCELLED, FOR_REPLACE)
    leave(book, slot)
    row = begin(reports, request, REPLACED)
    row.side, row.open_lots, row.flags = side, lots, request.flags
    row.lots_ahead = price_lots(book, side, price_ticks)
    _enter_again(book, request, reports, slot, crosses, lots)


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
