"""Displaced: recorded rows under the rule `displace`, where each lot of recorded flow and of a recorded order trades once.

What an agent's resting order got of recorded flow is missing behind it: the recorded orders there keep these lots as *spare* ones, in their places and on
display, until flow reaches them, their owner cancels or their price leaves the window. What an agent took of a recorded order is gone: flow that the recording
says traded with it goes on to those behind at its price. Lots that nobody changed go the way that the recording says, whatever their place in the queue; so a
day without agents is the recording. A recorded execution that went another way has a DISPLACED row first, which says what the recording says.

Cost: O(1) for each order met, and for each order in front of the executed one that is passed over.
"""
from lob.exchange import matcher
from lob.exchange.book import book_at, find, head_of, ladder_of, level_key, map_at, order_of, price_lots, reduce, remove, rest
from lob.exchange.history.state import (
    anonymous_id_of,
    depart,
    fill_agent,
    fill_recorded,
    find_anonymous,
    find_departed,
    forget_departed,
    give_stamp,
    is_before,
    recorded_lots,
    stamp_of,
    taken_of,
)
from lob.exchange.ladder import is_price, key_of, next_key
from lob.exchange.reports import begin
from lob.jit import jit
from lob.messages import NOBODY, Action, CancelReason, ReportKind

CANCEL = int(Action.CANCEL)
ACCEPTED, CANCELLED, REDUCED, REJECTED = (int(ReportKind[name]) for name in ("ACCEPTED", "CANCELLED", "REDUCED", "REJECTED"))
DISPLACED = int(ReportKind.DISPLACED)
ASKED, LEFT_WINDOW = int(CancelReason.ASKED), int(CancelReason.LEFT_WINDOW)
EVERYONE = 2**62  # a stamp that all stand before


@jit
def is_short(history, most):
    """Return whether there might be no room to remember the orders that a request of so many fills can take off."""
    departed = book_at(history.departed, 0)
    return departed.order_count + most + 2 >= departed.order_capacity or ladder_of(departed, 1).free_pages == 0 or ladder_of(departed, -1).free_pages == 0


@jit
def limit(history, recorded, agents, request, reports):
    """Let a recorded order trade with the agents' orders and spare lots at or through its price, and let the rest of it rest."""
    side, price_ticks, lots = request.side, request.price_ticks, request.lots
    namesake = find(recorded, NOBODY, request.order_id)
    if namesake and recorded_lots(history, recorded, namesake) > 0:
        begin(reports, request, REJECTED).reason = matcher.DUPLICATE_ORDER_ID
        return
    forget_departed(history, request.order_id)
    row = begin(reports, request, ACCEPTED)
    if namesake:
        # The recording names anew what rests here as spare lots only: what it shows takes their place.
        _leave_window(recorded, request, reports, namesake)
    row.open_lots, row.lots_ahead = lots, price_lots(recorded, side, price_ticks)
    traded = meet(history, recorded, agents, request, reports, -side, price_ticks, EVERYONE, lots)
    give_stamp(recorded, agents)
    stamp = 0 if request.order_id == anonymous_id_of(side, price_ticks) else recorded.stamp + 1
    if traded == lots:
        recorded.stamp += 1
        depart(history, request.order_id, side, lots, stamp)
        return
    slot = rest(recorded, NOBODY, request.order_id, side, price_ticks, lots - traded)
    map_at(recorded.stamps, slot).value = stamp
    taken_of(history, slot).value = traded


@jit
def _leave_window(recorded, request, reports, slot):
    order = order_of(recorded, slot)
    row = begin(reports, request, CANCELLED)
    row.side, row.price_ticks, row.lots, row.reason = order.side, key_of(order.side, level_key(order)), order.lots, LEFT_WINDOW
    remove(recorded, slot)


@jit
def reduction(history, recorded, agents, request, reports):
    """A recorded execution or cancel: of an order that rests, of one that agents have traded away, or of the anonymous volume at its price."""
    slot = find(recorded, NOBODY, request.order_id)
    gone = 0 if slot else find_departed(history, request.order_id, request.side, request.price_ticks)
    if gone:
        _reduce_departed(history, recorded, agents, request, reports, gone)
        return
    if slot == 0:
        slot = find_anonymous(recorded, request.side, request.price_ticks)
    if slot and request.action == CANCEL:
        _cancel(history, recorded, request, reports, slot)
    elif slot and recorded_lots(history, recorded, slot) > 0:
        _execute(history, recorded, agents, request, reports, slot)
    else:
        begin(reports, request, REJECTED).reason = matcher.UNKNOWN_ORDER
        if request.action != CANCEL and _is_place(request):
            meet(history, recorded, agents, request, reports, request.side, request.price_ticks, 0, request.lots)


@jit(inline=True)
def _is_place(request):
    return request.side * request.side == 1 and is_price(request.price_ticks)


@jit
def _cancel(history, recorded, request, reports, slot):
    """Take lots off as the recording says; an owner who cancels all that the recording shows cancels spare lots too."""
    order, shown = order_of(recorded, slot), recorded_lots(history, recorded, slot)
    is_whole = request.lots == 0 or request.lots >= shown
    lots = order.lots if is_whole else min(request.lots, order.lots)
    row = begin(reports, request, CANCELLED if lots == order.lots else REDUCED)
    row.order_id, row.side, row.price_ticks = order.id, order.side, key_of(order.side, level_key(order))
    row.lots, row.open_lots, row.reason = lots, order.lots - lots, ASKED if lots == order.lots else 0
    reduce(recorded, slot, lots)


@jit
def _execute(history, recorded, agents, request, reports, slot):
    order, stamp = order_of(recorded, slot), stamp_of(recorded, slot)
    side, price_ticks = order.side, key_of(order.side, level_key(order))
    lots = min(request.lots, recorded_lots(history, recorded, slot))
    if lots <= order.lots and not _meets_anyone(history, recorded, agents, side, price_ticks, stamp):
        fill_recorded(history, recorded, request, reports, slot, lots)
        return
    row = begin(reports, request, DISPLACED)
    row.order_id, row.side, row.price_ticks, row.lots = order.id, side, price_ticks, lots
    left = lots - meet(history, recorded, agents, request, reports, side, price_ticks, stamp, lots)
    traded = min(left, order.lots)
    # The recording shows fewer lots of it by the whole execution, whoever traded them.
    taken_of(history, slot).value -= lots - traded
    if traded:
        fill_recorded(history, recorded, request, reports, slot, traded)
    row.open_lots = _meet_behind(history, recorded, agents, request, reports, side, price_ticks, stamp, left - traded)


@jit
def _reduce_departed(history, recorded, agents, request, reports, gone):
    """What the recording says of an order that agents have traded away: it cannot be cancelled, and who would have traded with it goes on."""
    departed = book_at(history.departed, 0)
    stamp, shown = stamp_of(departed, gone), order_of(departed, gone).lots
    lots = shown if request.lots == 0 else min(request.lots, shown)
    reduce(departed, gone, lots)
    begin(reports, request, REJECTED).reason = matcher.UNKNOWN_ORDER
    if request.action != CANCEL and _is_place(request):
        left = lots - meet(history, recorded, agents, request, reports, request.side, request.price_ticks, stamp, lots)
        _meet_behind(history, recorded, agents, request, reports, request.side, request.price_ticks, stamp, left)


# Who meets the flow.

@jit(inline=True)
def _spare_lots(history, slot):
    return max(0, -taken_of(history, slot).value)


@jit
def _next_spare(history, recorded, side, limit_key, stamp, key, slot):
    """Return the slot of the next recorded order that has spare lots, from `slot` on at `key`, 0 if none stands before a stamp at a price."""
    while key >= limit_key and key > 0:
        while slot and not (key == limit_key and stamp_of(recorded, slot) >= stamp):
            if _spare_lots(history, slot):
                return slot
            slot = order_of(recorded, slot).next
        key = next_key(ladder_of(recorded, side), key)
        slot = head_of(recorded, side, key_of(side, key)) if key else 0
    return 0


@jit
def _first_spare(history, recorded, side, limit_key, stamp):
    key = ladder_of(recorded, side).best_key
    return _next_spare(history, recorded, side, limit_key, stamp, key, head_of(recorded, side, key_of(side, key))) if key else 0


@jit
def _first_agent(agents, side, limit_key, stamp):
    """Return the slot of the first agent's order in line, 0 if none stands before a stamp at a price."""
    key = ladder_of(agents, side).best_key
    if key == 0 or key < limit_key:
        return 0
    slot = head_of(agents, side, key_of(side, key))
    return 0 if key == limit_key and stamp_of(agents, slot) >= stamp else slot


@jit
def _meets_anyone(history, recorded, agents, side, price_ticks, stamp):
    limit_key = key_of(side, price_ticks)
    return _first_agent(agents, side, limit_key, stamp) != 0 or _first_spare(history, recorded, side, limit_key, stamp) != 0


@jit
def meet(history, recorded, agents, request, reports, side, price_ticks, stamp, lots):
    """Let flow of so many lots trade with agents' orders and spare lots of a side; return the lots traded.

    They are those at better prices, and at the price itself those that stand before `stamp`.
    """
    limit_key, left = key_of(side, price_ticks), lots
    spare = _first_spare(history, recorded, side, limit_key, stamp)
    while left:
        agent = _first_agent(agents, side, limit_key, stamp)
        if agent and (spare == 0 or is_before(agents, agent, recorded, spare)):
            traded = min(left, order_of(agents, agent).lots)
            fill_agent(agents, request, reports, agent, traded)
        elif spare:
            traded = min(left, _spare_lots(history, spare))
            key, behind = level_key(order_of(recorded, spare)), order_of(recorded, spare).next
            taken_of(history, spare).value += traded
            fill_recorded(history, recorded, request, reports, spare, traded)
            spare = _next_spare(history, recorded, side, limit_key, stamp, key, behind)
        else:
            break
        left -= traded
    return lots - left


@jit
def _meet_behind(history, recorded, agents, request, reports, side, price_ticks, stamp, lots):
    """Let flow that finds an order gone go on to those behind it at its price, agents and recorded orders alike; return the lots left over."""
    slot = head_of(recorded, side, price_ticks)
    while lots:
        while slot and stamp_of(recorded, slot) <= stamp:
            slot = order_of(recorded, slot).next
        agent = head_of(agents, side, price_ticks)
        if agent and (slot == 0 or stamp_of(agents, agent) < stamp_of(recorded, slot)):
            traded = min(lots, order_of(agents, agent).lots)
            fill_agent(agents, request, reports, agent, traded)
        elif slot:
            traded, behind = min(lots, order_of(recorded, slot).lots), order_of(recorded, slot).next
            taken_of(history, slot).value += traded
            fill_recorded(history, recorded, request, reports, slot, traded)
            slot = behind
        else:
            break
        lots -= traded
    return lots
