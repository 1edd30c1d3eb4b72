"""Trading: an order on its way in meets those that rest, by price, then displayed before hidden, then by time.

Owns the step from one resting order to the next: the trade itself, the next lots of an iceberg, what happens when an owner meets itself, and how lots are
shared out where a venue's allocation says so.
Cost: O(1) for each order met; `reachable` walks the orders that it counts, and lots that are shared out walk the orders at the price, twice.
"""
from lob.exchange.book import ladder_of, leave_ladder, level_key, line_up, order_of, price_lots
from lob.exchange.ladder import key_of, level_of, lots_at, next_key, page_of
from lob.exchange.reports import begin
from lob.exchange.rules.allocation import fifo_lots, pro_rata_lots, top_lots
from lob.exchange.rules.bands import may_trade_at
from lob.exchange.rules.fees import charge
from lob.exchange.rules.queues import forget, leave_queue, open_lots, take_off, take_some, tif_on_rows
from lob.exchange.rules.state import HIDDEN, ICEBERG, PEGGED, allocation_of, extra_of, fees_of, hidden_ladder, mode_of, rules_of
from lob.jit import jit
from lob.messages import Action, CancelReason, ReportKind, SelfTrade

MARKET = int(Action.MARKET)
FILL, CANCELLED, REDUCED, REFRESHED = int(ReportKind.FILL), int(ReportKind.CANCELLED), int(ReportKind.REDUCED), int(ReportKind.REFRESHED)
SELF_TRADE = int(CancelReason.SELF_TRADE)
CANCEL_RESTING, CANCEL_INCOMING, DECREMENT = int(SelfTrade.CANCEL_RESTING), int(SelfTrade.CANCEL_INCOMING), int(SelfTrade.DECREMENT)


@jit
def head_in(ladder, key):
    """Return the slot of the first order at a key of a ladder, 0 if there is none."""
    page = page_of(ladder, key)
    return level_of(page, key).head if page else 0


@jit
def next_resting(book, side, limit_key):
    """Return the slot of the order of a side that is first in line, 0 if none is at `limit_key` or better."""
    displayed, hidden = ladder_of(book, side), hidden_ladder(rules_of(book), side)
    if max(displayed.best_key, hidden.best_key) < limit_key:
        return 0
    return head_in(displayed, displayed.best_key) if displayed.best_key >= hidden.best_key else head_in(hidden, hidden.best_key)


@jit
def match(book, request, reports, side, limit_key, lots):
    """Trade against the best opposite orders down to `limit_key`; return the lots left over."""
    rules = rules_of(book)
    mode, is_shared = mode_of(rules, request.owner), allocation_of(rules).is_shared
    # In a phase in which orders collect, none trades on its way in.
    while lots and rules.phase == 0:
        slot = next_resting(book, -side, limit_key)
        if slot == 0:
            break
        order = order_of(book, slot)
        if not may_trade_at(rules, key_of(-side, level_key(order))):
            rules.tripped = 1
            break
        if is_shared and not order.kind & HIDDEN and lots < lots_at(ladder_of(book, -side), level_key(order)):
            own = _first_of(book, slot, request.owner) if mode else 0
            lots = _meet_all_of_oneself(book, request, reports, own, side, mode, lots) if own else _share_out(book, request, reports, slot, side, lots)
        elif mode and order.owner == request.owner:
            lots = _meet_oneself(book, request, reports, slot, side, mode, lots)
        else:
            lots = _fill(book, request, reports, slot, side, lots, min(lots, order.lots))
    return lots


@jit
def _share_out(book, request, reports, slot, side, lots):
    """Share lots out among the displayed orders of a price, which have more, from the first in line on; return the lots left over, 0."""
    allocation, order = allocation_of(rules_of(book)), order_of(book, slot)
    top = top_lots(allocation, lots, order.lots)
    fifo = fifo_lots(allocation, lots - top)
    shared, level_lots = lots - top - fifo, lots_at(ladder_of(book, -side), level_key(order)) - top - fifo
    spare = shared - _sum_of_shares(book, slot, top, fifo, shared, level_lots) if shared else 0
    while lots:
        order = order_of(book, slot)
        here, has = slot, order.lots - top
        timely = min(has, fifo)
        share = pro_rata_lots(allocation, shared, has - timely, level_lots)
        more = min(has - timely - share, spare)
        traded = top + timely + share + more
        top, fifo, spare, slot = 0, fifo - timely, spare - more, order.next
        if traded:
            lots = _fill(book, request, reports, here, side, lots, traded)
    return lots


@jit
def _sum_of_shares(book, slot, top, fifo, shared, level_lots):
    """Return the lots that the shares of all orders of a price add up to: rounding and the minimum leave some over."""
    allocation, given = allocation_of(rules_of(book)), 0
    while slot:
        order = order_of(book, slot)
        timely = min(order.lots - top, fifo)
        given += pro_rata_lots(allocation, shared, order.lots - top - timely, level_lots)
        top, fifo, slot = 0, fifo - timely, order.next
    return given


@jit
def _first_of(book, slot, owner):
    """Return the first order of an owner from a slot on in its queue, 0 if there is none."""
    while slot and order_of(book, slot).owner != owner:
        slot = order_of(book, slot).next
    return slot


@jit
def _meet_all_of_oneself(book, request, reports, slot, side, mode, lots):
    """Do what the owner's mode says with each of its orders from a slot on in its queue; return the lots left over."""
    while slot and lots:
        behind = _first_of(book, order_of(book, slot).next, request.owner)
        lots = _meet_oneself(book, request, reports, slot, side, mode, lots)
        slot = behind
    return lots


@jit
def _fill(book, request, reports, slot, side, lots, traded):
    """Let a resting order trade so many lots; return the lots left over of the incoming one."""
    order, rules = order_of(book, slot), rules_of(book)
    price_ticks, left = key_of(order.side, level_key(order)), open_lots(book, slot) - traded
    row = begin(reports, request, FILL)
    row.resting_id, row.resting_owner, row.resting_open_lots = order.id, order.owner, left
    row.side, row.price_ticks, row.lots, row.open_lots = side, price_ticks, traded, lots - traded
    row.tif, row.flags = tif_on_rows(request), order.kind & HIDDEN
    if fees_of(rules).tier_count:
        charge(fees_of(rules), row, False)
    book.last_trade_ticks = price_ticks
    rules.low_ticks = min(rules.low_ticks, price_ticks) if rules.low_ticks else price_ticks
    rules.high_ticks = max(rules.high_ticks, price_ticks)
    if traded == order.lots and left:
        leave_ladder(book, ladder_of(book, order.side), slot)
        row.level_lots = price_lots(book, order.side, price_ticks)
        _show_next(book, request, reports, slot, price_ticks)
    else:
        _trade_away(book, slot, traded)
        row.level_lots = price_lots(book, -side, price_ticks)
    return lots - traded


@jit
def _trade_away(book, slot, lots):
    order = order_of(book, slot)
    if lots == order.lots:
        leave_queue(book, slot)
        forget(book, slot)
        return
    if order.kind & PEGGED:
        rules_of(book).peg_lots -= lots
    # Shown lots trade; those not shown stay as they are.
    ladder = hidden_ladder(rules_of(book), order.side) if order.kind & HIDDEN else ladder_of(book, order.side)
    level = level_of(page_of(ladder, level_key(order)), level_key(order))
    order.lots -= lots
    level.lots -= lots


@jit
def _show_next(book, request, reports, slot, price_ticks):
    """Let an iceberg that is in no queue show its next lots at the back of its price."""
    order, extra = order_of(book, slot), extra_of(book, slot)
    shown = min(extra.reserve, extra.display)
    extra.reserve -= shown
    rules_of(book).refills -= 1
    row = begin(reports, request, REFRESHED)
    row.order_id, row.owner, row.side, row.price_ticks, row.tif = order.id, order.owner, order.side, price_ticks, tif_on_rows(request)
    row.lots, row.open_lots, row.display_lots = shown, shown + extra.reserve, shown
    row.lots_ahead = line_up(book, ladder_of(book, order.side), level_key(order), slot, shown)


@jit
def _meet_oneself(book, request, reports, slot, side, mode, lots):
    """Do what the owner's mode says instead of trading; return the lots left over of the incoming order."""
    if mode == DECREMENT:
        lost = min(lots, open_lots(book, slot))
        take_some(book, request, reports, slot, lost, SELF_TRADE)
        return _lose(request, reports, side, lots, lost)
    if mode != CANCEL_INCOMING:
        take_off(book, request, reports, slot, SELF_TRADE)
    return lots if mode == CANCEL_RESTING else _lose(request, reports, side, lots, lots)


@jit
def _lose(request, reports, side, lots, lost):
    """Write that an incoming order loses some of its lots, and return the others."""
    row = begin(reports, request, CANCELLED if lots == lost else REDUCED)
    row.side, row.price_ticks, row.lots, row.open_lots = side, 0 if request.action == MARKET else request.price_ticks, lost, lots - lost
    row.tif, row.reason = tif_on_rows(request), SELF_TRADE
    return lots - lost


@jit
def reachable(book, owner, side, limit_key, lots, enough):
    """Return how many of its lots an order of an owner could trade down to `limit_key`, counted no further than `enough`.

    What the breaker would stop it at ends the count. Orders of its own that it may not trade with are passed over if they would be cancelled, and end the count
    if they would end the order; wherever in line they are, if its last lots would be shared out at their price.
    """
    mode = mode_of(rules_of(book), owner)
    displayed, hidden = ladder_of(book, -side), hidden_ladder(rules_of(book), -side)
    key, reached = max(displayed.best_key, hidden.best_key), 0
    ends_early = allocation_of(rules_of(book)).is_shared and mode and mode != CANCEL_RESTING
    while key >= limit_key and reached < enough and may_trade_at(rules_of(book), key_of(-side, key)):
        if ends_early and lots - reached < lots_at(displayed, key) and _first_of(book, head_in(displayed, key), owner):
            return reached
        # In line: what is shown, then what icebergs show in its stead, then what is hidden.
        for turn in range(3):
            slot = head_in(hidden if turn == 2 else displayed, key)
            while slot and reached < enough:
                order = order_of(book, slot)
                if mode and order.owner == owner:
                    if mode != CANCEL_RESTING:
                        return reached
                elif turn == 1:
                    reached += extra_of(book, slot).reserve if order.kind & ICEBERG else 0
                else:
                    reached += order.lots
                slot = order.next
        key = max(next_key(displayed, key), next_key(hidden, key))
    return reached
