"""Queues: where orders with rules of their own rest, and what becomes of their lots.

Owns the way from an order's kind to its ladder, and the counts that the rules keep. Writes the rows that say how a resting order lost its lots. Knows no taker.
"""
from lob.exchange.book import enter, ladder_of, leave_ladder, level_key, line_up, map_place, order_of, price_lots, release, tag_of
from lob.exchange.ladder import key_of, level_of, lots_at, page_of
from lob.exchange.reports import begin
from lob.exchange.rules.state import (
    AT_MARKET,
    DAY,
    HIDDEN,
    ICEBERG,
    PEGGED,
    STOP,
    TIMED,
    expiries_of,
    extra_at,
    extra_of,
    hidden_ladder,
    market_ladder,
    rules_of,
    stop_ladder,
)
from lob.jit import jit
from lob.messages import PRICE_MAX_TICKS, Action, CancelReason, Flag, ReportKind, TimeInForce
from lob.schedule import add

LIMIT, GTC, GTT, UNTIL_CLOSED = int(Action.LIMIT), int(TimeInForce.GTC), int(TimeInForce.GTT), int(TimeInForce.DAY)
CANCELLED, REDUCED = int(ReportKind.CANCELLED), int(ReportKind.REDUCED)
SELF_TRADE, EXPIRED = int(CancelReason.SELF_TRADE), int(CancelReason.EXPIRED)
MARKET_KEY = PRICE_MAX_TICKS + 1  # before the key of every limit
ROW_KINDS = HIDDEN | ICEBERG | STOP
assert int(Flag.HIDDEN) == HIDDEN


@jit(inline=True)
def tif_on_rows(request):
    return request.tif if request.action == LIMIT else 0


@jit(inline=True)
def can_rest(request):
    return request.tif == GTC or request.tif >= GTT


@jit
def ladder_where(book, order):
    """Return the ladder in which an order rests."""
    if order.kind & HIDDEN:
        return hidden_ladder(rules_of(book), order.side)
    if order.kind & STOP:
        return stop_ladder(rules_of(book), order.side)
    if order.kind & AT_MARKET:
        return market_ladder(rules_of(book), order.side)
    return ladder_of(book, order.side)


@jit
def price_where(book, slot):
    """Return an order's limit price, 0 for a market order that waits for its trigger or for an auction."""
    order = order_of(book, slot)
    return extra_of(book, slot).price_ticks if order.kind & (STOP | AT_MARKET) else key_of(order.side, level_key(order))


@jit
def open_lots(book, slot):
    """Return all open lots of an order, shown or not."""
    order = order_of(book, slot)
    return order.lots + (extra_of(book, slot).reserve if order.kind & ICEBERG else 0)


@jit
def lots_ahead(book, side, price_ticks, is_hidden):
    """Return the lots that stand before a new order at a price: displayed ones, and for a hidden order hidden ones too."""
    ahead = price_lots(book, side, price_ticks)
    return ahead + lots_at(hidden_ladder(rules_of(book), side), key_of(side, price_ticks)) if is_hidden else ahead


@jit
def count_refills(extra):
    return (extra.reserve + extra.display - 1) // extra.display


@jit
def name_of(book, request, kind_bits):
    """Return an order that is new to the book and in no queue yet: its slot, with its rare fields set if it has any."""
    slot = enter(book, tag_of(request.owner, request.order_id), request.owner, request.order_id, request.side)
    kind = kind_bits
    if request.action == LIMIT and request.tif >= GTT:
        kind |= TIMED if request.tif == GTT else DAY
    order_of(book, slot).kind = kind
    if kind:
        rules, extra = rules_of(book), extra_of(book, slot)
        book.armed += 1
        rules.entry += 1
        extra.entry, extra.reserve, extra.display = rules.entry, 0, request.display_lots
        extra.price_ticks, extra.trigger_ticks = 0, 0
        if kind & TIMED:
            extra.expiry_ns = request.expiry_ns
            _plan_expiry(rules, extra, slot)
    return slot


@jit
def take_up(book, owner, order_id, side, price_ticks, lots, kind, saved):
    """Put an order with rules of its own back where it rested or waited, at the back of its queue; saved: its EXTRA.

    Pegged orders are to be lined up by entry when all are there.
    """
    slot = enter(book, tag_of(owner, order_id), owner, order_id, side)
    order, rules, extra = order_of(book, slot), rules_of(book), extra_of(book, slot)
    order.kind = kind
    book.armed += 1
    extra.entry, extra.expiry_ns, extra.trigger_ticks, extra.price_ticks = saved.entry, saved.expiry_ns, saved.trigger_ticks, saved.price_ticks
    extra.reserve, extra.display, extra.action, extra.tif = saved.reserve, saved.display, saved.action, saved.tif
    extra.peg, extra.offset_ticks = saved.peg, saved.offset_ticks
    if kind & TIMED:
        _plan_expiry(rules, extra, slot)
    if kind & ICEBERG:
        rules.refills += count_refills(extra)
    if kind & STOP:
        rules.stop_count += 1
        rules.stop_lots += lots
    if kind & PEGGED:
        rules.peg_lots += lots
    key = MARKET_KEY if kind & AT_MARKET else key_of(side, price_ticks)
    line_up(book, ladder_where(book, order), key_of(-side, extra.trigger_ticks) if kind & STOP else key, slot, lots)


@jit
def line_up_peg(rules, slot):
    """Note a pegged order as the last that entered."""
    extra, last = extra_at(rules.extras, slot), rules.last_peg
    extra.before, extra.behind, rules.last_peg = last, 0, slot
    rules.peg_count += 1
    if last:
        extra_at(rules.extras, last).behind = slot
    else:
        rules.first_peg = slot


@jit
def _forget_peg(rules, slot):
    extra = extra_at(rules.extras, slot)
    before, behind = extra.before, extra.behind
    rules.peg_count -= 1
    if before:
        extra_at(rules.extras, before).behind = behind
    else:
        rules.first_peg = behind
    if behind:
        extra_at(rules.extras, behind).before = before
    else:
        rules.last_peg = before


@jit
def _plan_expiry(rules, extra, slot):
    rules.timed_count += 1
    expiries_of(rules).sequence = extra.entry
    add(expiries_of(rules), extra.expiry_ns, 0, slot)


@jit
def line_up_at(book, slot, price_ticks, lots):
    """Put a live order that is in no queue at the back of a price, with so many open lots."""
    order = order_of(book, slot)
    shown = lots
    if order.kind & ICEBERG:
        extra = extra_of(book, slot)
        shown = min(lots, extra.display)
        extra.reserve = lots - shown
        rules_of(book).refills += count_refills(extra)
    if order.kind & PEGGED:
        rules_of(book).peg_lots += lots
    return line_up(book, ladder_where(book, order), key_of(order.side, price_ticks), slot, shown)


@jit
def line_up_at_market(book, slot, side, lots):
    """Put a market order behind those that wait for the auction; return the lots ahead of it."""
    return line_up(book, market_ladder(rules_of(book), side), MARKET_KEY, slot, lots)


@jit
def leave_queue(book, slot):
    """Take an order with all its lots out of its queue; it keeps its slot and its name."""
    order = order_of(book, slot)
    leave_ladder(book, ladder_where(book, order), slot)
    if order.kind & ICEBERG:
        extra = extra_of(book, slot)
        rules_of(book).refills -= count_refills(extra)
        extra.reserve = 0
    if order.kind & PEGGED:
        rules_of(book).peg_lots -= order.lots


@jit
def forget(book, slot):
    """Give up the slot and the name of an order that is in no queue."""
    order, rules = order_of(book, slot), rules_of(book)
    if order.kind:
        book.armed -= 1
        rules.timed_count -= order.kind & TIMED
        if order.kind & STOP:
            rules.stop_count -= 1
            rules.stop_lots -= order.lots
        if order.kind & PEGGED:
            _forget_peg(rules, slot)
        order.kind = 0
    release(book, map_place(book, slot), slot)


@jit
def take_lots(book, slot, lots):
    """Take some of its open lots off an order, those not shown first; it keeps its place. Return how many of them were shown."""
    order = order_of(book, slot)
    if order.kind & ICEBERG:
        extra, rules = extra_of(book, slot), rules_of(book)
        rules.refills -= count_refills(extra)
        unseen = min(lots, extra.reserve)
        extra.reserve -= unseen
        lots -= unseen
        rules.refills += count_refills(extra)
    if order.kind & STOP:
        rules_of(book).stop_lots -= lots
    if order.kind & PEGGED:
        rules_of(book).peg_lots -= lots
    key = level_key(order)
    level = level_of(page_of(ladder_where(book, order), key), key)
    order.lots -= lots
    level.lots -= lots
    return lots


# Rows about an order that rests, whoever asked.

@jit
def row_about(book, request, reports, slot, kind, lots, reason):
    """Write that a resting order loses so many of its open lots, those not shown first, and return the row."""
    order = order_of(book, slot)
    row = begin(reports, request, kind)
    row.order_id, row.owner, row.side, row.book = order.id, order.owner, order.side, book.number
    row.price_ticks, row.lots, row.open_lots = price_where(book, slot), lots, open_lots(book, slot) - lots
    row.tif, row.reason, row.flags = tif_on_rows(request), reason, order.kind & ROW_KINDS
    if order.kind & ICEBERG:
        row.display_lots = max(lots - extra_of(book, slot).reserve, 0)
    if order.kind & STOP:
        row.trigger_ticks = extra_of(book, slot).trigger_ticks
    if order.kind & PEGGED:
        row.flags |= extra_of(book, slot).peg
        row.offset_ticks = extra_of(book, slot).offset_ticks
    return row


@jit
def take_off(book, request, reports, slot, reason):
    """Take a whole order off the book, and write it."""
    row_about(book, request, reports, slot, CANCELLED, open_lots(book, slot), reason)
    leave_queue(book, slot)
    forget(book, slot)


@jit
def take_some(book, request, reports, slot, lots, reason):
    """Take some of its open lots off an order, and write it; the whole order if these are all."""
    if lots == open_lots(book, slot):
        return take_off(book, request, reports, slot, reason)
    row_about(book, request, reports, slot, REDUCED, lots, reason if reason == SELF_TRADE else 0)
    take_lots(book, slot, lots)
