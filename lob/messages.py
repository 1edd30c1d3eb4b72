"""Messages: what an agent may ask of the exchange, and what the exchange answers.

Owns the words of the field as enums, and the two records that everything else is made of: a REQUEST travels to the exchange, a REPORT
is one row of the tape. Imports nothing of the project.

Prices are integer ticks from 1 to PRICE_MAX_TICKS, quantities integer lots from 1 to LOTS_MAX, times int64 nanoseconds. An order is named by
its owner and its id together; owner 0 is NOBODY: the recorded flow of a historical day, or the only user of a plain book.
"""
from enum import IntEnum, IntFlag

import numpy as np

PRICE_MAX_TICKS = 2**31
LOTS_MAX = 10**9
NOBODY = 0


class Side(IntEnum):
    """The sign of a side in every formula."""

    BUY = 1
    SELL = -1


class Action(IntEnum):
    """What a request asks for. EXECUTE to STATUS are facts of a recorded day, refused in a living market."""

    LIMIT = 0
    MARKET = 1
    CANCEL = 2      # lots = 0 takes the whole order off, lots > 0 at most so many of its lots
    REPLACE = 3     # a new price and new open lots for an order that rests
    EXECUTE = 4     # recorded: `lots` of this resting order traded
    DROP_LEVEL = 5  # recorded: the price has left the window that the recording shows
    PRINT = 6       # recorded: a trade that touched no displayed order (hidden, auction)
    STATUS = 7      # recorded: trading halted (price_ticks 0), quoting resumes (1), trading resumes (2)
    MASS_CANCEL = 8  # all of an owner's orders: of one side or both (side 0), with prices from price_ticks to trigger_ticks (0 and 0: at any)
    PHASE = 9       # the venue's own (owner 0): the book moves to the Phase that price_ticks names
    CLOCK = 10      # the venue's own (owner 0): nothing is asked, only time passes
    MODE = 11       # from now on the SelfTrade mode that price_ticks names decides what happens when an order of this owner meets another one of it


class TimeInForce(IntEnum):
    """How long the unfilled rest of a limit order lives."""

    GTC = 0
    IOC = 1
    FOK = 2
    GTT = 3  # until expiry_ns
    DAY = 4  # until the book is closed


class Flag(IntFlag):
    """Bits of `flags`: what kind of order a request brings, and what kind of order a row speaks of; the rules are in docs/rules.md.

    LAST closes the rows of one event, as in Databento's records. On CANCELLED and REDUCED rows HIDDEN, ICEBERG and STOP say how the order rested, on FILL rows
    HIDDEN says that the resting order was not displayed.
    """

    POST_ONLY = 1
    SLIDE = 2       # with POST_ONLY: priced one tick from the touch that it would have crossed
    HIDDEN = 4
    ICEBERG = 8     # shows display_lots at a time
    STOP = 16       # waits until a trade reaches trigger_ticks
    PEG_NEAR = 32   # follows the best displayed price of its own side, offset_ticks behind it, no further than price_ticks
    MINIMUM = 64    # at least min_lots at once, or nothing
    LAST = 128
    TO_LIMIT = 256  # MARKET: trades at the best price only, the rest becomes a limit order there
    PEG_MID = 512   # follows the middle of the two best displayed prices
    PEG_FAR = 1024  # follows the best displayed price of the other side
    AUCTION = 2048  # FILL rows: traded in a call auction


class Phase(IntEnum):
    """What a book does with orders at a time of the day."""

    CONTINUOUS = 0       # they trade as they come
    PRE_OPEN = 1         # they collect
    OPENING_AUCTION = 2  # they collect, and trade at one price when the phase ends
    HALT = 3             # none comes in; those that rest can be cancelled
    CLOSING_AUCTION = 4
    CLOSED = 5
    BREAKER_AUCTION = 6  # an auction in the middle of the day
    BATCH = 7            # frequent batch auctions: they collect, and trade at one price at every batch_interval_ns


class ReportKind(IntEnum):
    """What a row of the tape says."""

    ACCEPTED = 1   # a new order is valid; FILL and CANCELLED rows of the same event say what became of it at once
    FILL = 2       # one resting order traded with one incoming order
    CANCELLED = 3  # what was left of the order is gone, for a CancelReason
    REDUCED = 4    # the order lost lots and kept its place
    REPLACED = 5   # the order has a new price or more lots and went to the back of its queue
    REJECTED = 6   # nothing happened, for a RejectReason
    PRINT = 7      # a recorded trade off the displayed book
    STATUS = 8     # a recorded change of the trading status
    REFRESHED = 9  # an iceberg shows its next lots, at the back of its price
    TRIGGERED = 10  # a stop order has become a live one; what follows in the event is as after ACCEPTED
    # The book is in the Phase that price_ticks names. Reason, if nobody asked for it: EXPIRED, its time was over; PRICE_OUTSIDE_BAND, the breaker tripped.
    PHASE = 11
    INDICATIVE = 12  # at which price (0: none) how many lots would trade if the auction ended now; level_lots: the lots bid less those asked there
    AUCTION = 13    # the same of an auction that ends; its FILL rows follow, the buyer first in each. Reason EXPIRED: nobody asked, the time was over
    MODE = 14       # the owner has the SelfTrade mode that price_ticks names
    DISPLACED = 15  # a recorded execution, as the recording has it; it went another way, and its FILL rows follow. open_lots: what nobody traded


class RejectReason(IntEnum):
    """Why a request was refused; checked in this order, but that those from DISPLAY_OUT_OF_RANGE on come after LOTS_OUT_OF_RANGE."""

    NONE = 0
    UNKNOWN_ACTION = 1
    UNKNOWN_BOOK = 2
    OWNER_OUT_OF_RANGE = 3
    ORDER_ID_OUT_OF_RANGE = 4
    UNKNOWN_SIDE = 5
    UNKNOWN_TIME_IN_FORCE = 6
    UNKNOWN_FLAG = 7
    PRICE_OUT_OF_RANGE = 8
    LOTS_OUT_OF_RANGE = 9
    DUPLICATE_ORDER_ID = 10
    UNKNOWN_ORDER = 11
    WOULD_CROSS = 12
    NOT_IN_RECORDED_DAY = 13
    DISPLAY_OUT_OF_RANGE = 14
    TRIGGER_OUT_OF_RANGE = 15
    EXPIRY_IN_THE_PAST = 16
    MINIMUM_OUT_OF_RANGE = 17
    OFFSET_OUT_OF_RANGE = 18
    NO_REFERENCE_PRICE = 19     # a pegged order finds nothing to follow
    WRONG_PHASE = 20            # not in this phase of the day
    PRICE_OUTSIDE_BAND = 21
    NOTIONAL_OUT_OF_RANGE = 22  # price x lots are too large for the fees to be an exact 64-bit number


class CancelReason(IntEnum):
    """Why an order left the book without a fill."""

    ASKED = 64
    UNFILLED = 65       # the rest of an IOC or a market order
    FILL_OR_KILL = 66   # not enough lots to fill it whole
    REPLACED = 67       # the same event's REPLACED row puts it back
    LEFT_WINDOW = 68    # the recording no longer shows this price
    EXPIRED = 69
    SELF_TRADE = 70     # its owner would have traded with itself; also the reason of a REDUCED row
    MASS = 71
    MINIMUM = 72        # fewer lots than its minimum could trade at once


class SelfTrade(IntEnum):
    """What happens when an order meets one of its own owner."""

    NONE = 0             # they trade
    CANCEL_RESTING = 1
    CANCEL_INCOMING = 2
    CANCEL_BOTH = 3
    DECREMENT = 4        # both lose the lots of the smaller


REQUEST = np.dtype(
    [
        ("time_ns", "i8"),      # when it reaches the exchange
        ("sent_ns", "i8"),      # when its owner sent it
        ("order_id", "i8"),
        ("price_ticks", "i8"),
        ("lots", "i8"),
        ("owner", "i4"),
        ("book", "u2"),
        ("action", "u1"),
        ("side", "i1"),
        ("tif", "u1"),
        ("flags", "u2"),
        ("display_lots", "i4"),   # ICEBERG
        ("min_lots", "i4"),       # MINIMUM
        ("offset_ticks", "i4"),   # PEG_NEAR, PEG_MID, PEG_FAR
        ("trigger_ticks", "i8"),  # STOP; MASS_CANCEL: the upper end of the range of prices
        ("expiry_ns", "i8"),      # GTT
    ],
    align=True,
)

REPORT = np.dtype(
    [
        # As in REQUEST, so that a row begins as a copy of the request behind it.
        ("time_ns", "i8"),
        ("sent_ns", "i8"),            # when the request behind this row was sent
        ("order_id", "i8"),           # FILL: the aggressor
        ("price_ticks", "i8"),        # FILL: the resting order's price; MARKET: 0
        ("lots", "i8"),               # ACCEPTED, REPLACED: the order's lots; FILL: traded; CANCELLED, REDUCED: taken off
        ("owner", "i4"),
        ("book", "u2"),
        ("action", "u1"),             # of the request behind this row
        ("side", "i1"),               # of the order; FILL: of the aggressor
        ("sequence", "i8"),           # the row's number on the tape, from 0
        ("resting_id", "i8"),         # FILL: the resting order on the other side; else 0
        ("lots_ahead", "i8"),         # ACCEPTED, REPLACED: resting before it at its price and side; FILL in an auction: level_lots for the buyer; else 0
        ("level_lots", "i8"),         # FILL: displayed lots left at the price after it, in an auction at the seller's own; INDICATIVE, AUCTION: surplus; else 0
        ("open_lots", "i4"),          # of the order after this row
        ("resting_open_lots", "i4"),  # FILL: of the resting order after this row; else 0
        ("resting_owner", "i4"),
        ("flags", "u2"),
        ("kind", "u1"),
        ("tif", "u1"),
        ("reason", "u4"),             # so wide that no byte of a row means nothing: tapes are compared by their bytes
        # Of an iceberg: ACCEPTED, REPLACED: what it shows at a time; REFRESHED: what it shows now; CANCELLED, REDUCED: how many of the lots were shown.
        ("display_lots", "i4"),
        ("trigger_ticks", "i8"),      # of a stop order; FILL in an auction: the buyer's own price, 0 if its order was not displayed
        ("expiry_ns", "i8"),          # ACCEPTED, REJECTED, TRIGGERED of an order with an expiry
        ("fee", "i8"),                # FILL: what the aggressor pays, in micro-ticks x lots; below zero it is paid
        ("resting_fee", "i8"),        # FILL: what the resting order's owner pays
        ("offset_ticks", "i8"),       # of a pegged order; FILL in an auction: the seller's own price, 0 if its order was not displayed
    ],
    align=True,
)

ANONYMOUS_ID_FIRST = 2**62


def anonymous_id(side, price_ticks):
    """Return the order id under which a recording's volume of unknown orders rests at a price."""
    return ANONYMOUS_ID_FIRST + 2 * price_ticks + (side == Side.SELL)


PEGS = {"near": Flag.PEG_NEAR, "mid": Flag.PEG_MID, "far": Flag.PEG_FAR}


def limit_fields(tif, post_only, slide, expiry_ns, display_lots, hidden, trigger_ticks, min_lots, peg=None, offset_ticks=0):
    """Return the fields of a REQUEST that say what kind of limit order it brings; peg: a key of PEGS or None."""
    flags = Flag.POST_ONLY * bool(post_only or slide) | Flag.SLIDE * bool(slide) | Flag.HIDDEN * bool(hidden)
    flags |= Flag.ICEBERG * (display_lots is not None) | Flag.STOP * (trigger_ticks is not None) | Flag.MINIMUM * (min_lots is not None)
    flags |= 0 if peg is None else PEGS[peg]
    tif = tif if expiry_ns is None else TimeInForce.GTT
    numbers = {"expiry_ns": expiry_ns, "display_lots": display_lots, "trigger_ticks": trigger_ticks, "min_lots": min_lots, "offset_ticks": offset_ticks}
    return {"tif": tif, "flags": flags} | {name: number or 0 for name, number in numbers.items()}


def market_fields(to_limit, trigger_ticks):
    """Return the fields of a REQUEST that say what kind of market order it brings."""
    return {"flags": Flag.TO_LIMIT * bool(to_limit) | Flag.STOP * (trigger_ticks is not None), "trigger_ticks": trigger_ticks or 0}
