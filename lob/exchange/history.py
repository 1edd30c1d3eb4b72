"""History: one recorded day that agents trade in without changing it (the execution rule `passive`).

Two books stand behind one venue. The recorded book holds what the recording shows, and only recorded rows change it. Agents' orders rest in a book of
their own; every order of both carries a stamp, the moment it took its place, so an agent's order has its true place among the recorded ones. It
fills when recorded flow reaches that place: an order behind it at its price is executed, a worse price trades, or an opposite order arrives at or through its
price; never for more lots than that flow had. An agent that takes consumes displayed lots, and cannot take them twice: each recorded order remembers
what agents traded of it for as long as it stands. Rows that name an agent never change the displayed book. Anonymous volume was there before the
recording looked, so it is ahead of every agent. `apply` is a total function, as the matcher is. Knows no clock and no agent.
"""
import numpy as np

from lob.exchange import matcher
from lob.exchange.book import book_at, find, head_of, join, ladder_of, leave, level_key, map_at, order_of, price_lots, reduce, remove, rest, tag_of
from lob.exchange.ladder import key_of, next_key
from lob.exchange.reports import begin, close, report_at
from lob.exchange.rules.fees import charge_agents, costs_too_much, has_owner_room, note_owner
from lob.exchange.rules.state import fees_of, rules_of
from lob.jit import jit, pool_reader
from lob.messages import LOTS_MAX, NOBODY, PRICE_MAX_TICKS, Action, CancelReason, Flag, RejectReason, ReportKind, anonymous_id

HISTORY = np.dtype([("recorded", "i8"), ("agents", "i8"), ("taken", "i8")], align=True)
history_at = pool_reader(HISTORY)
_anonymous_id = jit(anonymous_id)

LIMIT, MARKET, CANCEL, REPLACE, EXECUTE, DROP_LEVEL, PRINT, STATUS = (int(a) for a in list(Action)[:8])
ACCEPTED, FILL, CANCELLED, REDUCED, REPLACED, REJECTED, PRINTED, STATUS_ROW = (int(k) for k in list(ReportKind)[:8])
NOTIONAL_OUT_OF_RANGE = int(RejectReason.NOTIONAL_OUT_OF_RANGE)
ASKED, LEFT_WINDOW, FOR_REPLACE = int(CancelReason.ASKED), int(CancelReason.LEFT_WINDOW), int(CancelReason.REPLACED)
STATUSES, NOT_PLAIN = 3, int(Flag.STOP | Flag.TO_LIMIT)


@jit
def _stamp_of(book, slot):
    return map_at(book.stamps, slot).value


@jit
def _available(history, recorded, slot):
    """Return the lots of a recorded order that agents have not traded."""
    return order_of(recorded, slot).lots - map_at(history.taken, slot).value


@jit
def _give_stamp(recorded, agents):
    # One count for both books: the next order of either stands behind every order of both.
    latest = max(recorded.stamp, agents.stamp)
    recorded.stamp, agents.stamp = latest, latest


@jit
def apply(history, request, reports):
    """Do what a request asks: a recorded row if nobody owns it, else an agent's; return how many rows were written, or a Shortage."""
    return apply_recorded(history, request, reports) if request.owner == NOBODY else apply_agent(history, request, reports)


# Fees: the agents' book has the rules of its venue if there are any.

@jit(inline=True)
def _charge(agents, row):
    if agents.rules:
        charge_agents(fees_of(rules_of(agents)), row)


@jit(inline=True)
def _costs_too_much(agents, request):
    return agents.rules and costs_too_much(fees_of(rules_of(agents)), request.price_ticks, request.lots)


# The recorded flow.

@jit
def apply_recorded(history, request, reports):
    """Do what a recorded row says, and fill the agents' orders that it reaches; return how many rows were written, or a Shortage.

    A dropped level where nothing rests is the one request that has no rows.
    """
    recorded, agents = book_at(history.recorded, 0), book_at(history.agents, 0)
    # Each fill takes a lot of the flow and an order of the agents; a dropped level has a row for each of its orders.
    most = recorded.order_count if request.action == DROP_LEVEL else max(0, min(request.lots, agents.order_count))
    if reports.capacity - reports.count < most + 4:
        return matcher.ROWS_SHORT
    before = reports.count
    reason = _malformed(recorded, request)
    if reason:
        _reject(request, reports, reason)
    elif request.action == LIMIT:
        if not matcher.has_room(recorded, request.side):
            return matcher.ORDERS_SHORT
        _recorded_limit(history, recorded, agents, request, reports)
    elif request.action == EXECUTE or request.action == CANCEL:
        _recorded_reduction(history, recorded, agents, request, reports)
    elif request.action == DROP_LEVEL:
        _drop_level(recorded, request, reports)
    elif request.action == PRINT:
        begin(reports, request, PRINTED)
        if request.side:
            _fill_reached(agents, request, reports, -request.side, request.price_ticks, 0, request.lots)
    else:
        begin(reports, request, STATUS_ROW)
    if reports.count > before:
        close(reports)
    return reports.count - before


@jit(inline=True)
def _is_price(price_ticks):
    return price_ticks >= 1 and price_ticks <= PRICE_MAX_TICKS


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
        if not _is_price(request.price_ticks):
            return matcher.PRICE_OUT_OF_RANGE
    if action == STATUS and (request.price_ticks < 0 or request.price_ticks >= STATUSES):
        return matcher.PRICE_OUT_OF_RANGE
    if action != DROP_LEVEL and action != STATUS and (lots > LOTS_MAX or lots < (action != CANCEL)):
        return matcher.LOTS_OUT_OF_RANGE
    return 0


@jit
def _reject(request, reports, reason):
    """Refuse a recorded row. It has no time in force and no flags: whatever stands there is not repeated."""
    begin(reports, request, REJECTED).reason = reason


@jit
def _recorded_limit(history, recorded, agents, request, reports):
    side, price_ticks, lots = request.side, request.price_ticks, request.lots
    if _costs_too_much(agents, request):
        return _reject(request, reports, NOTIONAL_OUT_OF_RANGE)
    if find(recorded, NOBODY, request.order_id):
        return _reject(request, reports, matcher.DUPLICATE_ORDER_ID)
    row = begin(reports, request, ACCEPTED)
    row.open_lots, row.lots_ahead = lots, price_lots(recorded, side, price_ticks)
    _give_stamp(recorded, agents)
    slot = rest(recorded, NOBODY, request.order_id, side, price_ticks, lots)
    if request.order_id == _anonymous_id(side, price_ticks):
        map_at(recorded.stamps, slot).value = 0
    # It meets every agent's order on the other side at or through its price, wherever that stands in its queue: no recorded order is left to trade with there.
    map_at(history.taken, slot).value = _fill_reached(agents, request, reports, -side, price_ticks, agents.stamp + 1, lots)


@jit
def _recorded_reduction(history, recorded, agents, request, reports):
    """A recorded execution or cancel of an order, or of the anonymous volume at its price if the order is not known."""
    slot = find(recorded, NOBODY, request.order_id)
    if slot == 0:
        slot = _find_anonymous(recorded, request.side, request.price_ticks)
    if slot == 0:
        _reject(request, reports, matcher.UNKNOWN_ORDER)
        if request.action == EXECUTE and request.side * request.side == 1 and _is_price(request.price_ticks):
            _fill_reached(agents, request, reports, request.side, request.price_ticks, 0, request.lots)
        return
    order, stamp = order_of(recorded, slot), _stamp_of(recorded, slot)
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
def _find_anonymous(recorded, side, price_ticks):
    """Return the slot of the anonymous volume at a side and price, 0 if there is none, as there is not at a side or price that cannot be."""
    if side * side != 1 or not _is_price(price_ticks):
        return 0
    slot = find(recorded, NOBODY, _anonymous_id(side, price_ticks))
    if slot:
        order = order_of(recorded, slot)
        if order.side != side or key_of(order.side, level_key(order)) != price_ticks:
            return 0
    return slot


@jit
def _take_from_recorded(history, recorded, slot, lots):
    left = order_of(recorded, slot).lots - lots
    taken = map_at(history.taken, slot)
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
def _fill_reached(agents, request, reports, side, price_ticks, stamp, lots):
    """Fill the agents' orders of a side that recorded flow of so many lots at a price reaches; return the lots that they traded.

    They are those at better prices, and at the price itself those that stand before `stamp`.
    """
    ladder, key, left = ladder_of(agents, side), key_of(side, price_ticks), lots
    while left and ladder.best_key >= key:
        slot = head_of(agents, side, key_of(side, ladder.best_key))
        if ladder.best_key == key and _stamp_of(agents, slot) >= stamp:
            break
        order = order_of(agents, slot)
        traded = min(left, order.lots)
        row = begin(reports, request, FILL)
        row.order_id = request.order_id if request.action == LIMIT else 0
        row.resting_id, row.resting_owner, row.resting_open_lots = order.id, order.owner, order.lots - traded
        row.side, row.price_ticks, row.lots = -side, key_of(side, ladder.best_key), traded
        row.level_lots = reduce(agents, slot, traded)
        _charge(agents, row)
        left -= traded
    return lots - left


# The agents' requests.

@jit
def apply_agent(history, request, reports):
    """Do what an agent asks inside the recorded day; return how many rows were written, or a Shortage."""
    recorded, agents = book_at(history.recorded, 0), book_at(history.agents, 0)
    fills = 0 if request.action == CANCEL else max(0, min(request.lots, recorded.order_count + agents.order_count))
    if reports.capacity - reports.count < fills + 4:
        return matcher.ROWS_SHORT
    if not (matcher.has_room(agents, 1) and matcher.has_room(agents, -1)) or (agents.rules and not has_owner_room(fees_of(rules_of(agents)))):
        return matcher.ORDERS_SHORT
    before = reports.count
    reason = matcher.malformed(agents, request, request.action) or matcher.UNKNOWN_FLAG * (request.action == MARKET and request.flags & NOT_PLAIN != 0)
    if reason == 0 and (request.action == LIMIT or request.action == REPLACE) and _costs_too_much(agents, request):
        reason = NOTIONAL_OUT_OF_RANGE
    if reason:
        matcher.reject(request, reports, reason)
    elif request.action == CANCEL:
        matcher.cancel(agents, request, reports, tag_of(request.owner, request.order_id))
    elif request.action == REPLACE:
        _replace(history, recorded, agents, request, reports)
    elif find(agents, request.owner, request.order_id):
        matcher.reject(request, reports, matcher.DUPLICATE_ORDER_ID)
    else:
        _enter(history, recorded, agents, request, reports)
    close(reports)
    return reports.count - before


@jit
def _crosses(recorded, agents, side, price_ticks):
    key = key_of(-side, price_ticks)
    return max(ladder_of(recorded, -side).best_key, ladder_of(agents, -side).best_key) >= key


@jit
def _lots_ahead(recorded, agents, side, price_ticks):
    return price_lots(recorded, side, price_ticks) + price_lots(agents, side, price_ticks)


@jit
def _enter(history, recorded, agents, request, reports):
    side, is_limit = request.side, request.action == LIMIT
    price_ticks = request.price_ticks if is_limit else 0
    if is_limit and request.flags and _crosses(recorded, agents, side, price_ticks):
        return matcher.reject(request, reports, matcher.WOULD_CROSS)
    if agents.rules:
        note_owner(fees_of(rules_of(agents)), request.owner)
    row = begin(reports, request, ACCEPTED)
    row.price_ticks, row.open_lots = price_ticks, request.lots
    if is_limit:
        row.tif, row.flags = request.tif, request.flags
        if request.tif == 0:
            row.lots_ahead = _lots_ahead(recorded, agents, side, price_ticks)
    limit_key = key_of(-side, price_ticks) if is_limit else 1
    lots = request.lots
    if not (is_limit and request.tif == matcher.FOK and _reachable(history, recorded, agents, side, limit_key, lots) < lots):
        lots = _take(history, recorded, agents, request, reports, side, limit_key, lots)
    if lots:
        if is_limit and request.tif == 0:
            _give_stamp(recorded, agents)
            rest(agents, request.owner, request.order_id, side, price_ticks, lots)
        else:
            matcher.cancel_rest(request, reports, lots, price_ticks, matcher.FILL_OR_KILL if is_limit and request.tif == matcher.FOK else matcher.UNFILLED)


@jit
def _replace(history, recorded, agents, request, reports):
    slot = find(agents, request.owner, request.order_id)
    if slot == 0:
        return matcher.reject(request, reports, matcher.UNKNOWN_ORDER)
    order = order_of(agents, slot)
    side, price_ticks, lots = order.side, request.price_ticks, request.lots
    if request.flags and _crosses(recorded, agents, side, price_ticks):
        return matcher.reject(request, reports, matcher.WOULD_CROSS)
    if agents.replace_keeps_place and key_of(side, price_ticks) == level_key(order) and lots <= order.lots:
        return matcher.shrink(agents, request, reports, slot)
    matcher.take_off(request, reports, order, order.lots, CANCELLED, FOR_REPLACE)
    leave(agents, slot)
    row = begin(reports, request, REPLACED)
    row.side, row.open_lots, row.flags, row.lots_ahead = side, lots, request.flags, _lots_ahead(recorded, agents, side, price_ticks)
    lots = _take(history, recorded, agents, request, reports, side, key_of(-side, price_ticks), lots)
    _give_stamp(recorded, agents)
    join(agents, slot, price_ticks, lots)
    if lots == 0:
        remove(agents, slot)


@jit
def _next_recorded(history, recorded, side, key, slot):
    """Return the slot of the next recorded order that has lots to take, 0 if none: from `slot` on in its queue, then at the levels behind `key`."""
    while key:
        while slot:
            if _available(history, recorded, slot) > 0:
                return slot
            slot = order_of(recorded, slot).next
        key = next_key(ladder_of(recorded, side), key)
        slot = head_of(recorded, side, key_of(side, key)) if key else 0
    return 0


@jit
def _first_recorded(history, recorded, side):
    key = ladder_of(recorded, side).best_key
    return _next_recorded(history, recorded, side, key, head_of(recorded, side, key_of(side, key))) if key else 0


@jit
def _reachable(history, recorded, agents, side, limit_key, lots):
    """Return the lots that an order of `side` could take down to `limit_key`, counted no further than `lots`."""
    reached = 0
    slot = _first_recorded(history, recorded, -side)
    while slot and reached < lots and level_key(order_of(recorded, slot)) >= limit_key:
        reached += _available(history, recorded, slot)
        slot = _next_recorded(history, recorded, -side, level_key(order_of(recorded, slot)), order_of(recorded, slot).next)
    ladder = ladder_of(agents, -side)
    key = ladder.best_key
    while key >= limit_key and reached < lots and key > 0:
        reached += price_lots(agents, -side, key_of(-side, key))
        key = next_key(ladder, key)
    return reached


@jit
def _take(history, recorded, agents, request, reports, side, limit_key, lots):
    """Trade an agent's order against recorded orders and other agents' by price, then by stamp; return the lots left over."""
    slot = _first_recorded(history, recorded, -side)
    ladder = ladder_of(agents, -side)
    while lots:
        recorded_key = level_key(order_of(recorded, slot)) if slot else 0
        if max(recorded_key, ladder.best_key) < limit_key:
            break
        other = head_of(agents, -side, key_of(-side, ladder.best_key)) if ladder.best_key else 0
        if ladder.best_key > recorded_key or (ladder.best_key == recorded_key and _stamp_of(agents, other) < _stamp_of(recorded, slot)):
            lots = matcher.fill_one(agents, request, reports, other, key_of(-side, ladder.best_key), side, lots)
        else:
            lots = _fill_recorded(history, recorded, request, reports, slot, side, lots)
            slot = _next_recorded(history, recorded, -side, recorded_key, slot)
        _charge(agents, report_at(reports.rows, reports.count - 1))
    return lots


@jit
def _fill_recorded(history, recorded, request, reports, slot, side, lots):
    """Let an agent take from a recorded order, which stays on display; return the lots left over."""
    order = order_of(recorded, slot)
    traded = min(lots, _available(history, recorded, slot))
    map_at(history.taken, slot).value += traded
    row = begin(reports, request, FILL)
    row.resting_id, row.resting_open_lots = order.id, _available(history, recorded, slot)
    row.side, row.price_ticks, row.lots, row.open_lots = side, key_of(order.side, level_key(order)), traded, lots - traded
    row.tif = request.tif if request.action == LIMIT else 0
    row.level_lots = price_lots(recorded, order.side, row.price_ticks)
    return lots - traded
