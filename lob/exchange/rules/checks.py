"""Checks: why a request is refused where rules are in force. The order is that of RejectReason; a field that the request does not use is never looked at.

Owns which kinds of order go together.
"""
import numpy as np

from lob.exchange import matcher
from lob.exchange.book import best_price, find, ladder_of, order_of
from lob.exchange.ladder import is_price, key_of
from lob.exchange.matcher import CANCEL, LIMIT, MARKET, REPLACE, meets
from lob.exchange.rules.bands import is_outside_band
from lob.exchange.rules.fees import costs_too_much
from lob.exchange.rules.pegs import PEG_FAR, PEG_MID, PEG_NEAR, PEGS, peg_price
from lob.exchange.rules.phases import CONTINUOUS, PRICE_OUTSIDE_BAND, WRONG_PHASE, takes
from lob.exchange.rules.queues import GTT, UNTIL_CLOSED
from lob.exchange.rules.state import AT_MARKET, HIDDEN, ICEBERG, PEGGED, SLICES_MAX, STOP, extra_of, fees_of, rules_of
from lob.jit import jit
from lob.messages import LOTS_MAX, NOBODY, PRICE_MAX_TICKS, Action, Flag, Phase, RejectReason, SelfTrade, TimeInForce

MASS_CANCEL, GTC, IOC = int(Action.MASS_CANCEL), int(TimeInForce.GTC), int(TimeInForce.IOC)
PHASE, CLOCK, MODE, PHASE_MAX, MODE_MAX = int(Action.PHASE), int(Action.CLOCK), int(Action.MODE), int(max(Phase)), int(max(SelfTrade))
POST_ONLY, SLIDE, MINIMUM, TO_LIMIT = int(Flag.POST_ONLY), int(Flag.SLIDE), int(Flag.MINIMUM), int(Flag.TO_LIMIT)
LIMIT_FLAGS = POST_ONLY | SLIDE | HIDDEN | ICEBERG | STOP | MINIMUM | PEGS
DISPLAY_OUT_OF_RANGE, TRIGGER_OUT_OF_RANGE = int(RejectReason.DISPLAY_OUT_OF_RANGE), int(RejectReason.TRIGGER_OUT_OF_RANGE)
EXPIRY_IN_THE_PAST, MINIMUM_OUT_OF_RANGE = int(RejectReason.EXPIRY_IN_THE_PAST), int(RejectReason.MINIMUM_OUT_OF_RANGE)
NOTIONAL_OUT_OF_RANGE = int(RejectReason.NOTIONAL_OUT_OF_RANGE)
OFFSET_OUT_OF_RANGE, NO_REFERENCE_PRICE = int(RejectReason.OFFSET_OUT_OF_RANGE), int(RejectReason.NO_REFERENCE_PRICE)


@jit
def malformed(book, request):
    """Return why a request cannot be read, 0 if it can."""
    action, side = request.action, np.int64(request.side)
    if action > REPLACE and action < MASS_CANCEL or action > MODE:
        return matcher.UNKNOWN_ACTION if action > MODE else matcher.NOT_IN_RECORDED_DAY
    if request.book != book.number:
        return matcher.UNKNOWN_BOOK
    if request.owner < 0 or (request.owner != NOBODY and (action == PHASE or action == CLOCK)):
        return matcher.OWNER_OUT_OF_RANGE
    if action >= PHASE:
        return 0 if action == CLOCK or _names_one_of(request, PHASE_MAX if action == PHASE else MODE_MAX) else matcher.PRICE_OUT_OF_RANGE
    if request.order_id < 1 and action != MASS_CANCEL:
        return matcher.ORDER_ID_OUT_OF_RANGE
    if (action <= MARKET and abs(side) != 1) or (action == MASS_CANCEL and abs(side) > 1):
        return matcher.UNKNOWN_SIDE
    if action == LIMIT and request.tif > UNTIL_CLOSED:
        return matcher.UNKNOWN_TIME_IN_FORCE
    if not _go_together(action, request.flags, request.tif):
        return matcher.UNKNOWN_FLAG
    if (action == LIMIT or action == REPLACE) and not is_price(request.price_ticks):
        return matcher.PRICE_OUT_OF_RANGE
    if action == MASS_CANCEL:
        return 0 if _is_range(request.price_ticks, request.trigger_ticks) else matcher.PRICE_OUT_OF_RANGE
    if request.lots > LOTS_MAX or request.lots < (action != CANCEL):
        return matcher.LOTS_OUT_OF_RANGE
    reason = _misses_terms(request) if action <= MARKET else 0
    if reason == 0 and action != CANCEL and book.rules and costs_too_much(fees_of(rules_of(book)), _price_to_rest(book, request), request.lots):
        return NOTIONAL_OUT_OF_RANGE
    return reason


@jit
def _price_to_rest(book, request):
    """Return the price at which what a request brings would rest, 0 for an order that never does: it trades at the prices of those that do."""
    if request.action == MARKET and rules_of(book).phase != CONTINUOUS:
        return PRICE_MAX_TICKS
    if request.action == MARKET:
        return best_price(book, -request.side) if request.flags & TO_LIMIT else 0
    if request.action == LIMIT and request.flags & PEGS:
        return PRICE_MAX_TICKS  # to sell it may rest far above its limit
    slides = request.action == LIMIT and crosses(book, request, request.side) and _can_slide(book, request)
    return best_price(book, -request.side) - request.side if slides else request.price_ticks


@jit
def _names_one_of(request, last):
    """Return whether price_ticks is the number of a member of an enum that ends with `last`."""
    return request.price_ticks >= 0 and request.price_ticks <= last


@jit
def _is_range(low_ticks, high_ticks):
    return (low_ticks == 0 and high_ticks == 0) or (is_price(low_ticks) and is_price(high_ticks) and low_ticks <= high_ticks)


@jit
def _go_together(action, flags, tif):
    """Return whether the kinds that a request's flags name go together, and with its time in force."""
    if action == MARKET:
        return flags & (STOP | TO_LIMIT) != STOP | TO_LIMIT
    if action == REPLACE:
        return flags <= POST_ONLY
    if action != LIMIT:
        return True
    if flags & ~LIMIT_FLAGS or (flags & SLIDE and not flags & POST_ONLY) or (flags & HIDDEN and flags & ICEBERG):
        return False
    if flags & STOP and flags != STOP:
        return False
    if flags & PEGS and flags != PEG_NEAR and flags != PEG_MID and flags != PEG_FAR:
        return False
    if flags & MINIMUM and (flags & POST_ONLY or tif > IOC):
        return False
    return tif == GTC or tif >= GTT or not flags & (POST_ONLY | HIDDEN | ICEBERG | PEGS)


@jit
def _misses_terms(request):
    """Return what is wrong with the numbers that the kind of a new order asks for, 0 if nothing is."""
    is_limit, flags, lots = request.action == LIMIT, request.flags, request.lots
    display, least = request.display_lots, request.min_lots
    if is_limit and flags & ICEBERG and (display < 1 or display >= lots or lots > SLICES_MAX * np.int64(display)):
        return DISPLAY_OUT_OF_RANGE
    if flags & STOP and not is_price(request.trigger_ticks):
        return TRIGGER_OUT_OF_RANGE
    if is_limit and request.tif == GTT and request.expiry_ns <= request.time_ns:
        return EXPIRY_IN_THE_PAST
    if is_limit and flags & MINIMUM and (least < 1 or least > lots):
        return MINIMUM_OUT_OF_RANGE
    if is_limit and flags & PEGS and request.offset_ticks < 0:
        return OFFSET_OUT_OF_RANGE
    return 0


@jit
def _has_banded_price(request):
    """Return whether a request has a price that must lie within the band; a pegged order has a limit, and follows prices that do."""
    return request.action == REPLACE or (request.action == LIMIT and not request.flags & PEGS)


@jit
def refused(book, request):
    """Return why a request that can be read is refused by the book as it stands, 0 if it is not."""
    if request.action >= MASS_CANCEL:
        return 0
    if not takes(rules_of(book).phase, request):
        return WRONG_PHASE
    if _has_banded_price(request) and is_outside_band(book, _price_to_rest(book, request)):
        return PRICE_OUTSIDE_BAND
    slot = find(book, request.owner, request.order_id)
    if request.action <= MARKET:
        if slot:
            return matcher.DUPLICATE_ORDER_ID
        if request.action == LIMIT and request.flags & PEGS:
            has_price = peg_price(book, request.side, request.flags, request.offset_ticks, request.price_ticks) > 0
            return 0 if has_price else NO_REFERENCE_PRICE
        return matcher.WOULD_CROSS if request.action == LIMIT and crosses(book, request, request.side) and not _can_slide(book, request) else 0
    if slot == 0:
        return matcher.UNKNOWN_ORDER
    order = order_of(book, slot)
    if request.action == CANCEL:
        return 0
    if order.kind & (STOP | PEGGED | AT_MARKET):
        return matcher.UNKNOWN_ORDER
    if order.kind & ICEBERG and request.lots > SLICES_MAX * np.int64(extra_of(book, slot).display):
        return DISPLAY_OUT_OF_RANGE
    return matcher.WOULD_CROSS if crosses(book, request, order.side) else 0


@jit
def crosses(book, request, side):
    """Return whether a post-only request is at or through the opposite displayed touch; hidden orders are not seen."""
    return request.flags & POST_ONLY and meets(ladder_of(book, -side), key_of(side, request.price_ticks))


@jit
def _can_slide(book, request):
    return request.flags & SLIDE and is_price(best_price(book, -request.side) - request.side)
