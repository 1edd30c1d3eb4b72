"""Stops: orders that wait outside the book until a trade reaches their trigger, then enter as limit or market orders, in the order in which they came.

Owns the waiting and the triggering. A buy stop is triggered by a trade at its trigger or above, a sell stop by one at it or below. Those that one event
triggers enter in the order of their entry, each as an event of its own; what their trades trigger enters behind all that were triggered before.
"""
from lob.exchange.book import line_up, order_of
from lob.exchange.ladder import key_of
from lob.exchange.reports import begin, close
from lob.exchange.rules.orders import enter_limit, enter_market
from lob.exchange.rules.phases import CONTINUOUS, trip
from lob.exchange.rules.queues import GTT, LIMIT, forget, leave_queue, name_of, tif_on_rows
from lob.exchange.rules.state import STOP, extra_of, own_request, rules_of, stop_ladder, triggered_of
from lob.exchange.rules.trading import head_in
from lob.jit import jit
from lob.messages import ReportKind
from lob.schedule import add, entry_at, remove_first

ACCEPTED, TRIGGERED = int(ReportKind.ACCEPTED), int(ReportKind.TRIGGERED)


@jit
def enter_stop(book, request, reports):
    """Let a stop order wait."""
    is_limit = request.action == LIMIT
    price_ticks = request.price_ticks if is_limit else 0
    row = begin(reports, request, ACCEPTED)
    row.price_ticks, row.open_lots, row.flags, row.tif, row.trigger_ticks = price_ticks, request.lots, STOP, tif_on_rows(request), request.trigger_ticks
    row.expiry_ns = request.expiry_ns if is_limit and request.tif == GTT else 0
    close(reports)
    slot, rules = name_of(book, request, STOP), rules_of(book)
    extra = extra_of(book, slot)
    extra.trigger_ticks, extra.price_ticks, extra.action, extra.tif = request.trigger_ticks, price_ticks, request.action, tif_on_rows(request)
    rules.stop_count += 1
    rules.stop_lots += request.lots
    _wait(book, rules, slot, request.lots)


@jit
def _wait(book, rules, slot, lots):
    order = order_of(book, slot)
    line_up(book, stop_ladder(rules, order.side), key_of(-order.side, extra_of(book, slot).trigger_ticks), slot, lots)


@jit
def trigger(book, request, reports):
    """Let every stop that the trades of an event have reached enter, and those that its trades reach, until there is none."""
    rules = rules_of(book)
    triggered, batch = triggered_of(rules), 0
    while rules.stop_count and rules.phase == CONTINUOUS:
        _call_up(book, rules, triggered, batch)
        if triggered.count == 0:
            return
        slot = entry_at(triggered.entries, 0).who
        remove_first(triggered)
        _go_live(book, rules, request, reports, slot)
        trip(book, request, reports)
        batch += 1
    while triggered.count:
        # The breaker has tripped: they wait again, all that are at a price in their old order.
        slot = entry_at(triggered.entries, 0).who
        remove_first(triggered)
        _wait(book, rules, slot, order_of(book, slot).lots)


@jit
def _call_up(book, rules, triggered, batch):
    """Move the stops that trades have reached into the line of the triggered, behind earlier batches."""
    if rules.low_ticks == 0:
        return
    for side in (1, -1):
        ladder, key = stop_ladder(rules, side), key_of(-side, rules.high_ticks if side > 0 else rules.low_ticks)
        while ladder.best_key >= key:
            slot = head_in(ladder, ladder.best_key)
            leave_queue(book, slot)
            triggered.sequence = extra_of(book, slot).entry
            add(triggered, batch, 0, slot)


@jit
def _go_live(book, rules, request, reports, slot):
    """Enter a stop that has been triggered as a new order: the request that let it be triggered is behind its rows."""
    order, extra, live = order_of(book, slot), extra_of(book, slot), own_request(rules)
    live.time_ns, live.sent_ns, live.order_id, live.price_ticks, live.lots = request.time_ns, request.sent_ns, order.id, extra.price_ticks, order.lots
    live.owner, live.book, live.action, live.side, live.tif, live.flags = order.owner, book.number, extra.action, order.side, extra.tif, 0
    live.display_lots, live.min_lots, live.offset_ticks, live.trigger_ticks, live.expiry_ns = 0, 0, 0, 0, extra.expiry_ns
    forget(book, slot)
    if live.action == LIMIT:
        enter_limit(book, live, reports, TRIGGERED)
    else:
        enter_market(book, live, reports, TRIGGERED)
