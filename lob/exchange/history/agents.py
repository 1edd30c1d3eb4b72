"""Agents: what agents ask inside a recorded day.

An agent that takes trades with recorded orders and other agents' by price and then by who was first. Under `passive` the recorded orders stay on display, and
each remembers what agents have traded of it for as long as it stands, so no lot is taken twice; under `displace` what was taken is gone. While the recording
says that nothing trades, no order comes in: what an auction would have made of it is not known.
"""
from lob.exchange import matcher
from lob.exchange.book import book_at, find, first_in_line, head_of, join, ladder_of, leave, level_key, order_of, price_lots, reduce, remove, rest, tag_of
from lob.exchange.history.displaced import is_short
from lob.exchange.history.state import available, charge_row, give_stamp, is_before, is_too_dear, take_recorded, taken_of
from lob.exchange.ladder import key_of, next_key
from lob.exchange.reports import begin, close, report_at
from lob.exchange.rules.fees import has_owner_room, note_owner
from lob.exchange.rules.state import fees_of, mode_of, rules_of
from lob.jit import jit
from lob.messages import Action, CancelReason, Flag, RejectReason, ReportKind, SelfTrade

LIMIT, MARKET, CANCEL, REPLACE = (int(a) for a in list(Action)[:4])
ACCEPTED, FILL, CANCELLED, REDUCED, REPLACED = (int(k) for k in list(ReportKind)[:5])
NOTIONAL_OUT_OF_RANGE, WRONG_PHASE = int(RejectReason.NOTIONAL_OUT_OF_RANGE), int(RejectReason.WRONG_PHASE)
FOR_REPLACE, SELF_TRADE = int(CancelReason.REPLACED), int(CancelReason.SELF_TRADE)
CANCEL_RESTING, CANCEL_INCOMING, DECREMENT = int(SelfTrade.CANCEL_RESTING), int(SelfTrade.CANCEL_INCOMING), int(SelfTrade.DECREMENT)
NOT_PLAIN = int(Flag.STOP | Flag.TO_LIMIT)


@jit
def apply_agent(history, request, reports):
    """Do what an agent asks inside the recorded day; return how many rows were written, or a Shortage."""
    recorded, agents = book_at(history.recorded, 0), book_at(history.agents, 0)
    fills = 0 if request.action == CANCEL else max(0, min(request.lots, recorded.order_count + agents.order_count))
    # Orders of one's own that give way to one's own take no lots, so they are counted apart.
    if reports.capacity - reports.count < fills + 4 + (agents.order_count if agents.rules else 0):
        return matcher.ROWS_SHORT
    if _is_short(history, agents, fills):
        return matcher.ORDERS_SHORT
    before = reports.count
    reason = _refusal(history, agents, request)
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


@jit(inline=True)
def _is_short(history, agents, fills):
    if not (matcher.has_room(agents, 1) and matcher.has_room(agents, -1)) or (agents.rules and not has_owner_room(fees_of(rules_of(agents)))):
        return True
    return history.displaces and is_short(history, fills)


@jit
def _refusal(history, agents, request):
    """Return why a request is refused before the books are looked at, 0 if it is not."""
    reason = matcher.malformed(agents, request, request.action) or matcher.UNKNOWN_FLAG * (request.action == MARKET and request.flags & NOT_PLAIN != 0)
    if reason or request.action == CANCEL:
        return reason
    if history.is_halted:
        return WRONG_PHASE
    return NOTIONAL_OUT_OF_RANGE if request.action != MARKET and is_too_dear(agents, request) else 0


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
    if is_limit and request.tif == matcher.FOK and _reachable(history, recorded, agents, request.owner, side, limit_key, lots) < lots:
        return matcher.cancel_rest(request, reports, lots, price_ticks, matcher.FILL_OR_KILL)
    lots = _take(history, recorded, agents, request, reports, side, limit_key, lots)
    if lots and is_limit and request.tif == 0:
        give_stamp(recorded, agents)
        rest(agents, request.owner, request.order_id, side, price_ticks, lots)
    elif lots:
        matcher.cancel_rest(request, reports, lots, price_ticks, matcher.UNFILLED)


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
    give_stamp(recorded, agents)
    join(agents, slot, price_ticks, lots)
    if lots == 0:
        remove(agents, slot)


# What there is to trade with.

@jit
def _next_recorded(history, recorded, side, key, slot):
    """Return the slot of the next recorded order that has lots to take, 0 if none: from `slot` on in its queue, then at the levels behind `key`."""
    while key:
        while slot:
            if available(history, recorded, slot) > 0:
                return slot
            slot = order_of(recorded, slot).next
        key = next_key(ladder_of(recorded, side), key)
        slot = head_of(recorded, side, key_of(side, key)) if key else 0
    return 0


@jit
def _first_recorded(history, recorded, side):
    key = ladder_of(recorded, side).best_key
    return _next_recorded(history, recorded, side, key, head_of(recorded, side, key_of(side, key))) if key else 0


@jit(inline=True)
def _next_in_line(book, side, slot):
    """Return the slot of the order behind another one of its side, at its price or at the next, 0 if there is none."""
    order = order_of(book, slot)
    if order.next:
        return order.next
    key = next_key(ladder_of(book, side), level_key(order))
    return head_of(book, side, key_of(side, key)) if key else 0


@jit(inline=True)
def _mode_of(agents, owner):
    return mode_of(rules_of(agents), owner) if agents.rules else 0


@jit
def _reachable(history, recorded, agents, owner, side, limit_key, lots):
    """Return the lots that an order of `side` could take down to `limit_key`, counted no further than `lots`.

    Its owner's orders are passed over if they would give way to it, and end the count if it would give way to them.
    """
    mode = _mode_of(agents, owner)
    end = _first_of(agents, -side, owner) if mode and mode != CANCEL_RESTING else 0
    reached, slot = 0, _first_recorded(history, recorded, -side)
    while slot and reached < lots and level_key(order_of(recorded, slot)) >= limit_key and not (end and is_before(agents, end, recorded, slot)):
        reached += available(history, recorded, slot)
        slot = _next_recorded(history, recorded, -side, level_key(order_of(recorded, slot)), order_of(recorded, slot).next)
    slot = first_in_line(agents, -side)
    while slot and slot != end and reached < lots and level_key(order_of(agents, slot)) >= limit_key:
        order = order_of(agents, slot)
        reached += 0 if mode and order.owner == owner else order.lots
        slot = _next_in_line(agents, -side, slot)
    return reached


@jit
def _first_of(agents, side, owner):
    """Return the slot of the first order in line that an owner has on a side, 0 if there is none."""
    slot = first_in_line(agents, side)
    while slot and order_of(agents, slot).owner != owner:
        slot = _next_in_line(agents, side, slot)
    return slot


@jit
def _take(history, recorded, agents, request, reports, side, limit_key, lots):
    """Trade an agent's order against recorded orders and other agents' by price, then by stamp; return the lots left over."""
    mode, slot, ladder = _mode_of(agents, request.owner), _first_recorded(history, recorded, -side), ladder_of(agents, -side)
    while lots:
        recorded_key = level_key(order_of(recorded, slot)) if slot else 0
        if max(recorded_key, ladder.best_key) < limit_key:
            break
        other = first_in_line(agents, -side)
        if other and (slot == 0 or is_before(agents, other, recorded, slot)):
            if mode and order_of(agents, other).owner == request.owner:
                lots = _meet_oneself(agents, request, reports, other, side, mode, lots)
                continue
            lots = matcher.fill_one(agents, request, reports, other, key_of(-side, ladder.best_key), side, lots)
        else:
            lots = _fill_recorded(history, recorded, request, reports, slot, side, lots)
            slot = _first_recorded(history, recorded, -side) if history.displaces else _next_recorded(history, recorded, -side, recorded_key, slot)
        charge_row(agents, report_at(reports.rows, reports.count - 1))
    return lots


@jit
def _fill_recorded(history, recorded, request, reports, slot, side, lots):
    """Let an agent take from a recorded order, which under `passive` stays on display; return the lots left over."""
    order = order_of(recorded, slot)
    traded = min(lots, available(history, recorded, slot))
    row = begin(reports, request, FILL)
    row.resting_id, row.resting_open_lots = order.id, available(history, recorded, slot) - traded
    row.side, row.price_ticks, row.lots, row.open_lots = side, key_of(order.side, level_key(order)), traded, lots - traded
    row.tif = request.tif if request.action == LIMIT else 0
    taken_of(history, slot).value += traded
    row.level_lots = take_recorded(history, recorded, slot, traded) if history.displaces else price_lots(recorded, order.side, row.price_ticks)
    return lots - traded


@jit
def _meet_oneself(agents, request, reports, slot, side, mode, lots):
    """Do what the owner's SelfTrade mode says instead of trading; return the lots left over of the incoming order."""
    order = order_of(agents, slot)
    lost = min(lots, order.lots) if mode == DECREMENT else order.lots
    if mode != CANCEL_INCOMING:
        row = matcher.take_off(request, reports, order, lost, CANCELLED if lost == order.lots else REDUCED, SELF_TRADE)
        row.order_id, row.tif = order.id, request.tif if request.action == LIMIT else 0
        reduce(agents, slot, lost)
    if mode == CANCEL_RESTING:
        return lots
    lost = lost if mode == DECREMENT else lots
    row = begin(reports, request, CANCELLED if lost == lots else REDUCED)
    row.side, row.price_ticks, row.lots, row.open_lots = side, 0 if request.action == MARKET else request.price_ticks, lost, lots - lost
    row.tif, row.reason = request.tif if request.action == LIMIT else 0, SELF_TRADE
    return lots - lost
