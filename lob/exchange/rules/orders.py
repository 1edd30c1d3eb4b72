"""Orders: what comes of a limit, market, cancel or replace request where rules are in force.

Owns the requests that bring, change or end an order, once they have been checked. A function that writes the rows of an event closes it.
"""
from lob.exchange.book import best_price, find, order_of
from lob.exchange.ladder import key_of
from lob.exchange.matcher import FILL_OR_KILL, FOR_REPLACE, UNFILLED, cancel_rest
from lob.exchange.reports import begin, close
from lob.exchange.rules.queues import (
    CANCELLED,
    GTT,
    REDUCED,
    can_rest,
    forget,
    leave_queue,
    line_up_at,
    lots_ahead,
    name_of,
    open_lots,
    row_about,
    take_lots,
    take_some,
)
from lob.exchange.rules.state import HIDDEN, ICEBERG, extra_of, own_request, rules_of
from lob.exchange.rules.trading import match, reachable
from lob.jit import jit
from lob.messages import CancelReason, Flag, ReportKind, TimeInForce

ACCEPTED, REPLACED = int(ReportKind.ACCEPTED), int(ReportKind.REPLACED)
FOK, SLIDE, MINIMUM, TO_LIMIT = int(TimeInForce.FOK), int(Flag.SLIDE), int(Flag.MINIMUM), int(Flag.TO_LIMIT)
ASKED, TOO_FEW = int(CancelReason.ASKED), int(CancelReason.MINIMUM)


@jit
def restate(request, other):
    """Make `other` ask what `request` asks."""
    other.time_ns, other.sent_ns, other.order_id, other.owner, other.book = request.time_ns, request.sent_ns, request.order_id, request.owner, request.book
    other.action, other.side, other.price_ticks, other.lots = request.action, request.side, request.price_ticks, request.lots
    other.tif, other.flags = request.tif, request.flags
    other.display_lots, other.min_lots, other.trigger_ticks, other.expiry_ns = request.display_lots, request.min_lots, request.trigger_ticks, request.expiry_ns
    other.offset_ticks = request.offset_ticks
    return other


@jit
def slid(book, request):
    """Return a request at the nearest price at which it does not cross the opposite touch, which is at or through its own."""
    other = restate(request, own_request(rules_of(book)))
    other.price_ticks = best_price(book, -request.side) - request.side
    return other


@jit
def enter_limit(book, request, reports, first_kind):
    """Let a limit order trade and rest; its first row is ACCEPTED, or TRIGGERED if it has waited."""
    side, price_ticks, lots = request.side, request.price_ticks, request.lots
    row = begin(reports, request, first_kind)
    row.tif, row.flags, row.open_lots = request.tif, request.flags, lots
    if can_rest(request):
        row.lots_ahead = lots_ahead(book, side, price_ticks, request.flags & HIDDEN)
        row.expiry_ns = request.expiry_ns if request.tif == GTT else 0
        row.display_lots = request.display_lots if request.flags & ICEBERG else 0
    limit_key = key_of(-side, price_ticks)
    needed = lots if request.tif == FOK else (request.min_lots if request.flags & MINIMUM else 0)
    if reachable(book, request.owner, side, limit_key, lots, needed) < needed:
        cancel_rest(request, reports, lots, price_ticks, FILL_OR_KILL if request.tif == FOK else TOO_FEW)
        return close(reports)
    lots = match(book, request, reports, side, limit_key, lots)
    if lots and can_rest(request):
        line_up_at(book, name_of(book, request, request.flags & (HIDDEN | ICEBERG)), price_ticks, lots)
    elif lots:
        cancel_rest(request, reports, lots, price_ticks, UNFILLED)
    close(reports)


@jit
def enter_market(book, request, reports, first_kind):
    """Let a market order trade; what is left is cancelled, or of market-to-limit rests at the price of the touch that it met."""
    side, is_to_limit = request.side, request.flags & TO_LIMIT
    row = begin(reports, request, first_kind)
    row.price_ticks, row.open_lots, row.flags = 0, request.lots, is_to_limit
    price_ticks = best_price(book, -side)
    limit_key = key_of(-side, price_ticks) if is_to_limit else 1
    lots = request.lots
    if price_ticks or not is_to_limit:
        lots = match(book, request, reports, side, limit_key, lots)
    if lots and is_to_limit and price_ticks and not rules_of(book).tripped:
        row = begin(reports, request, REPLACED)
        row.price_ticks, row.lots, row.open_lots, row.lots_ahead = price_ticks, lots, lots, lots_ahead(book, side, price_ticks, 0)
        line_up_at(book, name_of(book, request, 0), price_ticks, lots)
    elif lots:
        cancel_rest(request, reports, lots, 0, UNFILLED)
    close(reports)


@jit
def cancel(book, request, reports):
    """Take an order off the book or out of the stops, or some of its lots."""
    slot = find(book, request.owner, request.order_id)
    lots = open_lots(book, slot)
    take_some(book, request, reports, slot, min(request.lots, lots) if request.lots else lots, ASKED)
    close(reports)


@jit
def replace(book, request, reports):
    """Give an order a new price and new open lots; it stays the kind of order that it is."""
    slot = find(book, request.owner, request.order_id)
    order = order_of(book, slot)
    side, price_ticks, lots = order.side, request.price_ticks, request.lots
    opened = open_lots(book, slot)
    if book.replace_keeps_place and key_of(side, price_ticks) == order.key and lots <= opened:
        row_about(book, request, reports, slot, REDUCED, opened - lots, 0)
        take_lots(book, slot, opened - lots)
        return close(reports)
    row_about(book, request, reports, slot, CANCELLED, opened, FOR_REPLACE)
    leave_queue(book, slot)
    row = begin(reports, request, REPLACED)
    row.side, row.open_lots, row.flags = side, lots, request.flags | order.kind & (HIDDEN | ICEBERG)
    row.lots_ahead = lots_ahead(book, side, price_ticks, order.kind & HIDDEN)
    row.display_lots = extra_of(book, slot).display if order.kind & ICEBERG else 0
    lots = match(book, request, reports, side, key_of(-side, price_ticks), lots)
    if lots:
        line_up_at(book, slot, price_ticks, lots)
    else:
        forget(book, slot)
    close(reports)
