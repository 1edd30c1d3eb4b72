"""Checks of the ReferenceBook: which kinds of order go together, and what their numbers must be. Knows no book."""
from lob.messages import PRICE_MAX_TICKS, Action, Flag, RejectReason, TimeInForce

SLICES_MAX = 1000
RESTS = (TimeInForce.GTC, TimeInForce.GTT, TimeInForce.DAY)
PEGS = (Flag.PEG_NEAR, Flag.PEG_MID, Flag.PEG_FAR)
# A plain number: the complement of an IntFlag has only the bits that have names.
LIMIT_FLAGS = int(Flag.POST_ONLY | Flag.SLIDE | Flag.HIDDEN | Flag.ICEBERG | Flag.STOP | Flag.MINIMUM | sum(PEGS))
# Kinds that exclude each other, and those that only an order which can rest may be.
EXCLUSIVE = [(Flag.HIDDEN, Flag.ICEBERG), (Flag.MINIMUM, Flag.POST_ONLY), *((Flag.STOP, flag) for flag in Flag(LIMIT_FLAGS) if flag != Flag.STOP)]
FOR_RESTING = Flag.POST_ONLY | Flag.HIDDEN | Flag.ICEBERG | sum(PEGS)


def is_price(price_ticks):
    return 1 <= price_ticks <= PRICE_MAX_TICKS


def is_range(low_ticks, high_ticks):
    return low_ticks == high_ticks == 0 or (is_price(low_ticks) and is_price(high_ticks) and low_ticks <= high_ticks)


def go_together(request):
    """Return whether the kinds that a request's flags name go together, and with its time in force."""
    flags = request.flags
    if request.action == Action.MARKET:
        return not (flags & Flag.STOP and flags & Flag.TO_LIMIT)
    if request.action == Action.REPLACE:
        return flags in (0, Flag.POST_ONLY)
    if request.action != Action.LIMIT:
        return True
    return not (
        flags & ~LIMIT_FLAGS
        or any(flags & one and flags & other for one, other in EXCLUSIVE)
        or flags & Flag.SLIDE and not flags & Flag.POST_ONLY
        or flags & Flag.MINIMUM and request.tif not in (TimeInForce.GTC, TimeInForce.IOC)
        or flags & sum(PEGS) and flags not in PEGS
        or flags & FOR_RESTING and request.tif not in RESTS
    )


def wrong_terms(request):
    """Return what is wrong with the numbers that the kind of a new order asks for."""
    is_limit, flags = request.action == Action.LIMIT, request.flags
    if is_limit and flags & Flag.ICEBERG and not (1 <= request.display_lots < request.lots <= SLICES_MAX * request.display_lots):
        return RejectReason.DISPLAY_OUT_OF_RANGE
    if flags & Flag.STOP and not is_price(request.trigger_ticks):
        return RejectReason.TRIGGER_OUT_OF_RANGE
    if is_limit and request.tif == TimeInForce.GTT and request.expiry_ns <= request.time_ns:
        return RejectReason.EXPIRY_IN_THE_PAST
    if is_limit and flags & Flag.MINIMUM and not 1 <= request.min_lots <= request.lots:
        return RejectReason.MINIMUM_OUT_OF_RANGE
    if is_limit and flags & sum(PEGS) and request.offset_ticks < 0:
        return RejectReason.OFFSET_OUT_OF_RANGE
    return RejectReason.NONE


def is_meant(request, order):
    """Return whether a mass cancel takes this order off; a market order that waits counts with its trigger."""
    price_ticks = order.price_ticks or order.trigger_ticks
    is_in_range = request.trigger_ticks == 0 or request.price_ticks <= price_ticks <= request.trigger_ticks
    return order.owner == request.owner and request.side in (0, order.side) and is_in_range
