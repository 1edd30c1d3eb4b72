"""Trading: an order on its way in meets those that rest, by price, then displayed before hidden, then by time.

Owns the step from one resting order to the next: the trade itself, the next lots of an iceberg, and what happens when an owner meets itself.
Cost: O(1) for each order met; `reachable` walks the orders that it counts.
"""
from lob.exchange.book import ladder_of, leave_ladder, level_key, line_up, order_of, price_lots
from lob.exchange.ladder import key_of, level_of, next_key, page_of
from lob.exchange.reports import begin
from lob.exchange.rules.bands import may_trade_at
from lob.exchange.rules.queues import forget, leave_queue, open_lots, take_off, take_some, tif_on_rows
from lob.exchange.rules.state import HIDDEN, ICEBERG, extra_of, hidden_ladder, mode_of, rules_of
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
    mode = mode_of(rules, request.owner)
    # In a phase in which orders collect, none trades on its way in.
    while lots and rules.phase == 0:
        slot = next_resting(book, -side, limit_key)
        if slot == 0:
            break
        if not may_trade_at(rules, key_of(-side, level_key(order_of(book, slot)))):
            rules.tripped = 1
            break
        if mode and order_of(book, slot).owner == request.owner:
            lots = _meet_oneself(book, request, reports, slot, side, mode, lots)
        else:
            lots = _fill(book, request, reports, slot, side, lots)
    return lots


@jit
def _fill(book, request, reports, slot, side, lots):
    order, rules = order_of(book, slot), rules_of(book)
    price_ticks, traded, left = key_of(order.side, level_key(order)), min(lots, order.lots), open_lots(book, slot) - min(lots, order.lots)
    row = begin(reports, request, FILL)
    row.resting_id, row.resting_owner, row.resting_open_lots = order.id, order.owner, left
    row.side, row.price_ticks, row.lots, row.open_lots = side, price_ticks, traded, lots - traded
    row.tif, row.flags = tif_on_rows(request), order.kind & HIDDEN
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
def reachable(book, owner, side, limit_key, enough):
    """Return the lots that an order of an owner could trade down to `limit_key`, counted no further than `enough`.

    What the breaker would stop it at ends the count. Orders of its own that it may not trade with are passed over if they would be cancelled, and end the count
    if they would end the order.
    """
    mode = mode_of(rules_of(book), owner)
    displayed, hidden = ladder_of(book, -side), hidden_ladder(rules_of(book), -side)
    key, reached = max(displayed.best_key, hidden.best_key), 0
    while key >= limit_key and reached < enough and may_trade_at(rules_of(book), key_of(-side, key)):
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
