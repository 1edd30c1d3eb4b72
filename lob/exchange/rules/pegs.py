"""Pegs: orders that follow the displayed touch, not displayed themselves.

Owns where a pegged order rests and when it moves. After each request, once, and only if the displayed touch is not the one that pegged orders were last priced
by, each that has another price now goes to the back of the queue there, in the order of entry: O(pegged orders). Two pegged orders that move towards each other
trade; none ever reaches a displayed order.
"""
import numpy as np

from lob.exchange.book import best_price, level_key, order_of
from lob.exchange.ladder import key_of
from lob.exchange.reports import begin, close
from lob.exchange.rules.orders import ACCEPTED, REPLACED, restate
from lob.exchange.rules.queues import GTT, LIMIT, forget, leave_queue, line_up_at, line_up_peg, lots_ahead, name_of, tif_on_rows
from lob.exchange.rules.state import HIDDEN, PEGGED, extra_of, own_request, rules_of
from lob.exchange.rules.trading import match
from lob.jit import jit
from lob.messages import PRICE_MAX_TICKS, Flag

PEG_NEAR, PEG_MID, PEG_FAR = int(Flag.PEG_NEAR), int(Flag.PEG_MID), int(Flag.PEG_FAR)
PEGS = PEG_NEAR | PEG_MID | PEG_FAR


@jit
def peg_price(book, order_side, peg, offset_ticks, limit_ticks):
    """Return where a pegged order would rest, 0 if what it follows is not there or its price would be out of range."""
    # Side x price grows with urgency on either side, so the least of them is the one furthest from the other side.
    side = np.int64(order_side)
    near_ticks, far_ticks = best_price(book, side), best_price(book, -side)
    if (peg != PEG_FAR and near_ticks == 0) or (peg != PEG_NEAR and far_ticks == 0):
        return 0
    urgency = side * (near_ticks if peg == PEG_NEAR else far_ticks)
    if peg == PEG_MID:
        urgency = side * (near_ticks + far_ticks) >> 1
    urgency = min(urgency - offset_ticks, side * limit_ticks)
    if far_ticks:
        urgency = min(urgency, side * far_ticks - 1)
    price_ticks = side * urgency
    return price_ticks if price_ticks >= 1 and price_ticks <= PRICE_MAX_TICKS else 0


@jit
def _has_seen(book, rules):
    return rules.seen_bid_ticks == best_price(book, 1) and rules.seen_ask_ticks == best_price(book, -1)


@jit
def enter_peg(book, request, reports):
    """Let a pegged order trade with hidden ones down to its price, and rest there; its limit is on the first row, its price on the last."""
    rules, side = rules_of(book), request.side
    if not _has_seen(book, rules):
        rules.seen_bid_ticks = -1
    row = begin(reports, request, ACCEPTED)
    row.tif, row.flags, row.open_lots, row.offset_ticks = request.tif, request.flags | HIDDEN, request.lots, request.offset_ticks
    row.expiry_ns = request.expiry_ns if request.tif == GTT else 0
    live = restate(request, own_request(rules))
    live.price_ticks = peg_price(book, side, request.flags, request.offset_ticks, request.price_ticks)
    lots = match(book, live, reports, side, key_of(-side, live.price_ticks), request.lots)
    if lots:
        _write_place(book, live, reports, lots)
        slot = name_of(book, live, HIDDEN | PEGGED)
        extra = extra_of(book, slot)
        extra.price_ticks, extra.tif, extra.peg, extra.offset_ticks = request.price_ticks, request.tif, request.flags, request.offset_ticks
        line_up_peg(rules, slot)
        line_up_at(book, slot, live.price_ticks, lots)
    close(reports)


@jit
def _write_place(book, live, reports, lots):
    """Write that a pegged order comes to a price with so many lots."""
    row = begin(reports, live, REPLACED)
    row.lots, row.open_lots, row.lots_ahead = lots, lots, lots_ahead(book, live.side, live.price_ticks, HIDDEN)
    row.tif, row.flags, row.offset_ticks = tif_on_rows(live), live.flags | HIDDEN, live.offset_ticks


@jit
def follow(book, request, reports):
    """Move every pegged order that has another price now, each in an event of its own; return whether there was one."""
    rules, before = rules_of(book), reports.count
    if rules.phase or rules.peg_count == 0 or _has_seen(book, rules):
        return False
    rules.seen_bid_ticks, rules.seen_ask_ticks = best_price(book, 1), best_price(book, -1)
    slot = rules.first_peg
    while slot:
        order, extra = order_of(book, slot), extra_of(book, slot)
        price_ticks = peg_price(book, order.side, extra.peg, extra.offset_ticks, extra.price_ticks)
        moves = price_ticks > 0 and key_of(order.side, price_ticks) != level_key(order)
        slot = _move(book, rules, request, reports, slot, price_ticks) if moves else extra.behind
    return reports.count > before


@jit
def _move(book, rules, request, reports, slot, price_ticks):
    """Bring a pegged order to another price; return the slot of the one that entered next. The request that moved the touch is behind its rows."""
    order, extra, live = order_of(book, slot), extra_of(book, slot), own_request(rules)
    live.time_ns, live.sent_ns, live.order_id, live.price_ticks, live.lots = request.time_ns, request.sent_ns, order.id, price_ticks, order.lots
    live.owner, live.book, live.action, live.side, live.tif, live.flags = order.owner, book.number, LIMIT, order.side, extra.tif, extra.peg
    live.display_lots, live.min_lots, live.offset_ticks, live.trigger_ticks, live.expiry_ns = 0, 0, extra.offset_ticks, 0, 0
    leave_queue(book, slot)
    _write_place(book, live, reports, live.lots)
    lots = match(book, live, reports, live.side, key_of(-live.side, price_ticks), live.lots)
    # Read only now: the next one may just have traded away.
    behind = extra.behind
    if lots:
        line_up_at(book, slot, price_ticks, lots)
    else:
        forget(book, slot)
    close(reports)
    return behind
