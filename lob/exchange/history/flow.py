"""Flow: what the rows of a recording do, and what recorded flow does to agents' orders under the rule `passive`.

An agent's order fills when recorded flow reaches its place: an order behind it at its price is executed, a worse price trades, or an opposite order arrives
at or through its price; never for more lots than that flow had. Rows that name an agent never change the displayed book. Anonymous volume was there before
the recording looked, so it is ahead of every agent.
"""
from lob.exchange import matcher
from lob.exchange.book import book_at, find, head_of, ladder_of, level_key, map_at, order_of, price_lots, reduce, remove, rest
from lob.exchange.history import displaced
from lob.exchange.history.state import (
    anonymous_id_of,
    fill_agent,
    find_anonymous,
    give_stamp,
    is_too_dear,
    stamp_of,
    taken_of,
)
from lob.exchange.ladder import is_price, key_of
from lob.exchange.reports import begin, close, request_at
from lob.exchange.stream import STRIDE, expect, expect_order
from lob.jit import jit
from lob.messages import LOTS_MAX, NOBODY, Action, CancelReason, RejectReason, ReportKind

LIMIT, MARKET, CANCEL, REPLACE, EXECUTE, DROP_LEVEL, PRINT, STATUS = (int(a) for a in list(Action)[:8])
ACCEPTED, FILL, CANCELLED, REDUCED, REPLACED, REJECTED, PRINTED, STATUS_ROW = (int(k) for k in list(ReportKind)[:8])
NOTIONAL_OUT_OF_RANGE = int(RejectReason.NOTIONAL_OUT_OF_RANGE)
ASKED, LEFT_WINDOW = int(CancelReason.ASKED), int(CancelReason.LEFT_WINDOW)
STATUSES, TRADES = 3, 2  # of the statuses the last is that of trading


@jit
def apply_recorded(history, request, reports):
    """Do what a recorded row says, and fill the agents' orders that it reaches; return how many rows were written, or a Shortage.

    A dropped level where nothing rests is the one request that has no rows.
    """
    recorded, agents = book_at(history.recorded, 0), book_at(history.agents, 0)
    most = _rows_most(history, recorded, agents, request)
    if reports.capacity - reports.count < most + 4:
        return matcher.ROWS_SHORT
    if history.displaces and displaced.is_short(history, most):
        return matcher.ORDERS_SHORT
    before = reports.count
    reason = _malformed(recorded, request)
    if reason:
        refuse(request, reports, reason)
    elif request.action == LIMIT:
        if not matcher.has_room(recorded, request.side):
            return matcher.ORDERS_SHORT
        _limit(history, recorded, agents, request, reports)
    elif request.action == EXECUTE or request.action == CANCEL:
        _reduction(history, recorded, agents, request, reports)
    elif request.action == DROP_LEVEL:
        _drop_level(recorded, request, reports)
    elif request.action == PRINT:
        begin(reports, request, PRINTED)
        if request.side:
            _fill_better(history, recorded, agents, request, reports, -request.side)
    else:
        begin(reports, request, STATUS_ROW)
        history.is_halted = request.price_ticks != TRADES
    if reports.count > before:
        close(reports)
    return reports.count - before


@jit(inline=True)
def expect_rows(recorded, rows, next_row, row_count):
    """Send for what recorded rows that come soon will touch: the entry of a name, and later its order."""
    if next_row + 2 * STRIDE < row_count:
        expect(recorded, next_row + 2 * STRIDE, request_at(rows, next_row + 2 * STRIDE))
        expect_order(recorded, next_row + STRIDE)


@jit(inline=True)
def _rows_most(history, recorded, agents, request):
    """Return the most fills that a row can bring about: each takes a lot of the flow and an order that it reaches; a dropped level has a row for each order."""
    if request.action == DROP_LEVEL:
        return recorded.order_count
    return max(0, min(request.lots, agents.order_count + history.displaces * recorded.order_count))


@jit
def _malformed(recorded, request):
    """Return why a recorded row cannot be read, 0 if it can; the order of the checks is that of RejectReason.

    A CANCEL and an EXECUTE name an order; their side and price are looked at only if it does not rest.
    """
    action, side, lots = request.action, request.side, request.lots
    if action > STATUS or action == MARKET or action == REPLACE:
        return matcher.UNKNOWN_ACTION
    if request.book != recorded.number:
        return matcher.UNKNOWN_BOOK
    if request.owner != NOBODY:
        return matcher.OWNER_OUT_OF_RANGE
    if (action == LIMIT or action == CANCEL or action == EXECUTE) and request.order_id < 1:
        return matcher.ORDER_ID_OUT_OF_RANGE
    if action == LIMIT or action == DROP_LEVEL or action == PRINT:
        if side * side != 1 and not (action == PRINT and side == 0):
            return matcher.UNKNOWN_SIDE
        if not is_price(request.price_ticks):
            return matcher.PRICE_OUT_OF_RANGE
    if action == STATUS and (request.price_ticks < 0 or request.price_ticks >= STATUSES):
        return matcher.PRICE_OUT_OF_RANGE
    if action != DROP_LEVEL and action != STATUS and (lots > LOTS_MAX or lots < (action != CANCEL)):
        return matcher.LOTS_OUT_OF_RANGE
    return 0


@jit
def refuse(request, reports, reason):
    """Refuse a recorded row. It has no time in force and no flags: whatever stands there is not repeated."""
    begin(reports, request, REJECTED).reason = reason


@jit
def _limit(history, recorded, agents, request, reports):
    side, price_ticks, lots = request.side, request.price_ticks, request.lots
    if is_too_dear(agents, request):
        return refuse(request, reports, NOTIONAL_OUT_OF_RANGE)
    if history.displaces:
        return displaced.limit(history, recorded, agents, request, reports)
    if find(recorded, NOBODY, request.order_id):
        return refuse(request, reports, matcher.DUPLICATE_ORDER_ID)
    row = begin(reports, request, ACCEPTED)
    row.open_lots, row.lots_ahead = lots, price_lots(recorded, side, price_ticks)
    give_stamp(recorded, agents)
    slot = rest(recorded, NOBODY, request.order_id, side, price_ticks, lots)
    if request.order_id == anonymous_id_of(side, price_ticks):
        map_at(recorded.stamps, slot).value = 0
    # It meets every agent's order on the other side at or through its price, wherever that stands in its queue: no recorded order is left to trade with there.
    taken_of(history, slot).value = _fill_reached(agents, request, reports, -side, price_ticks, agents.stamp + 1, lots)


@jit
def _reduction(history, recorded, agents, request, reports):
    """A recorded execution or cancel of an order, or of the anonymous volume at its price if the order is not known."""
    if history.displaces:
        return displaced.reduction(history, recorded, agents, request, reports)
    slot = find(recorded, NOBODY, request.order_id)
    if slot == 0:
        slot = find_anonymous(recorded, request.side, request.price_ticks)
    if slot == 0:
        refuse(request, reports, matcher.UNKNOWN_ORDER)
        if request.action == EXECUTE and request.side * request.side == 1 and is_price(request.price_ticks):
            _fill_better(history, recorded, agents, request, reports, request.side)
        return
    order, stamp = order_of(recorded, slot), stamp_of(recorded, slot)
    side, price_ticks = order.side, key_of(order.side, level_key(order))
    lots = order.lots if request.lots == 0 else min(request.lots, order.lots)
    if request.action == CANCEL:
        row = begin(reports, request, CANCELLED if lots == order.lots else REDUCED)
        row.order_id, row.side, row.price_ticks, row.lots, row.open_lots = order.id, side, price_ticks, lots, order.lots - lots
        row.reason = ASKED if lots == order.lots else 0
        _take_from_recorded(history, recorded, slot, lots)
        return
    row = begin(reports, request, FILL)
    row.order_id, row.resting_id, row.resting_open_lots, row.side, row.price_ticks, row.lots = 0, order.id, order.lots - lots, -side, price_ticks, lots
    row.level_lots = _take_from_recorded(history, recorded, slot, lots)
    _fill_reached(agents, request, reports, side, price_ticks, stamp, lots)


@jit
def _take_from_recorded(history, recorded, slot, lots):
    left = order_of(recorded, slot).lots - lots
    taken = taken_of(history, slot)
    taken.value = min(taken.value, left)
    return reduce(recorded, slot, lots)


@jit
def _drop_level(recorded, request, reports):
    slot = head_of(recorded, request.side, request.price_ticks)
    while slot:
        order = order_of(recorded, slot)
        row = begin(reports, request, CANCELLED)
        row.order_id, row.lots, row.open_lots, row.reason = order.id, order.lots, 0, LEFT_WINDOW
        behind = order.next
        remove(recorded, slot)
        slot = behind


@jit
def _fill_better(history, recorded, agents, request, reports, side):
    """Let flow that traded elsewhere at a price, hidden or with an order that is not known, fill what stands at better prices."""
    if history.displaces:
        displaced.meet(history, recorded, agents, request, reports, side, request.price_ticks, 0, request.lots)
    else:
        _fill_reached(agents, request, reports, side, request.price_ticks, 0, request.lots)


@jit
def _fill_reached(agents, request, reports, side, price_ticks, stamp, lots):
    """Fill the agents' orders of a side that recorded flow of so many lots at a price reaches; return the lots that they traded.

    They are those at better prices, and at the price itself those that stand before `stamp`.
    """
    ladder, key, left = ladder_of(agents, side), key_of(side, price_ticks), lots
    while left and ladder.best_key >= key:
        slot = head_of(agents, side, key_of(side, ladder.best_key))
        if ladder.best_key == key and stamp_of(agents, slot) >= stamp:
            break
        traded = min(left, order_of(agents, slot).lots)
        fill_agent(agents, request, reports, slot, traded)
        left -= traded
    return lots - left
