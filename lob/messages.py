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
    """What a request asks for. EXECUTE and those after it are facts of a recorded day, refused in a living market."""

    LIMIT = 0
    MARKET = 1
    CANCEL = 2      # lots = 0 takes the whole order off, lots > 0 at most so many of its lots
    REPLACE = 3     # a new price and new open lots for an order that rests
    EXECUTE = 4     # recorded: `lots` of this resting order traded
    DROP_LEVEL = 5  # recorded: the price has left the window that the recording shows
    PRINT = 6       # recorded: a trade that touched no displayed order (hidden, auction)
    STATUS = 7      # recorded: trading halted (price_ticks 0), quoting resumes (1), trading resumes (2)


class TimeInForce(IntEnum):
    """How long the unfilled rest of a limit order lives."""

    GTC = 0
    IOC = 1
    FOK = 2


class Flag(IntFlag):
    """Bits of `flags`. POST_ONLY belongs to a request and its reports; LAST closes the rows of one event, as in Databento's records."""

    POST_ONLY = 1
    LAST = 128


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


class RejectReason(IntEnum):
    """Why a request was refused; checked in this order."""

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


class CancelReason(IntEnum):
    """Why an order left the book without a fill."""

    ASKED = 64
    UNFILLED = 65       # the rest of an IOC or a market order
    FILL_OR_KILL = 66   # not enough lots to fill it whole
    REPLACED = 67       # the same event's REPLACED row puts it back
    LEFT_WINDOW = 68    # the recording no longer shows this price


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
        ("flags", "u1"),
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
        ("lots_ahead", "i8"),         # ACCEPTED, REPLACED: resting before it at its price and side; else 0
        ("level_lots", "i8"),         # FILL: left at the price after it; else 0
        ("open_lots", "i4"),          # of the order after this row
        ("resting_open_lots", "i4"),  # FILL: of the resting order after this row; else 0
        ("resting_owner", "i4"),
        ("kind", "u1"),
        ("tif", "u1"),
        ("reason", "u1"),
        ("flags", "u1"),
    ],
    align=True,
)

ANONYMOUS_ID_FIRST = 2**62


def anonymous_id(side, price_ticks):
    """Return the order id under which a recording's volume of unknown orders rests at a price."""
    return ANONYMOUS_ID_FIRST + 2 * price_ticks + (side == Side.SELL)
