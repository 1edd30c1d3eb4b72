"""Execution: a recorded day as a world of agents meets it, by one of the execution rules.

Owns the names of the rules, and for `reactive` the step from what a recording says happened to what must have been asked: orders arrive and are cancelled as
they were that day, and whoever traded arrives as an order to take at once what it took, at its price. Whom it meets is up to the book as it is then.
"""
from dataclasses import dataclass

import numpy as np

from lob.errors import ScenarioError
from lob.exchange.order_history import OrderHistory
from lob.feeds.feed import Feed
from lob.messages import ANONYMOUS_ID_FIRST, PRICE_MAX_TICKS, REQUEST, Action, Phase, ReportKind, TimeInForce

RULES = ("passive", "displace", "reactive")
ROWS_AT_ONCE = 2**16
TAKER_ID_FIRST = 2**61   # recorded orders have smaller ids than whoever came to take
ENTRY_SHIFT = 34         # of the number of an anonymous order's entry, above its price
STATUS_TRADES = 2


@dataclass(frozen=True, eq=False)
class RecordedDay:
    """A Feed and the rule by which agents trade inside it.

    Raises ScenarioError for a rule that there is not.
    """

    feed: Feed
    execution: str

    def __post_init__(self):
        if self.execution not in RULES:
            raise ScenarioError(f"execution must be one of {', '.join(RULES)}, was {self.execution!r}")

    @property
    def is_history(self):
        """Whether the recording is a history beside which agents trade, and not a part of the market."""
        return self.execution != "reactive"

    @property
    def displaces(self):
        """Whether what agents trade is missing from the recorded book, or left over in it."""
        return self.execution == "displace"

    def blocks(self):
        """Yield what the exchange is sent, REQUEST[n] at a time."""
        return self.feed.blocks() if self.is_history else arrivals(self.feed.blocks())


def arrivals(blocks):
    """Yield the requests of owner 0 that make a live book do what the blocks of a recording, REQUEST[n], say happened.

    A trade off the displayed book, and one with an order that is not known, has passed over all better prices: it arrives as an order to take these. A level
    that leaves the window is cancelled. Before the recording says that trading begins orders collect, and the crossed ones trade at one price when it does.
    """
    # An OrderHistory says what became of each row: which order an unknown name stood for, what a dropped level held.
    history, entries, taker_id = OrderHistory(), {}, TAKER_ID_FIRST
    for rows in blocks:
        for begin in range(0, len(rows), ROWS_AT_ONCE):
            asked = _asked(history.send_many(rows[begin:begin + ROWS_AT_ONCE]), entries)
            takes = np.flatnonzero(asked["tif"] == TimeInForce.IOC)
            asked["order_id"][takes] = taker_id + np.arange(len(takes))
            taker_id += len(takes)
            yield asked


def _asked(told, entries):
    """Return the requests behind REPORT[n] of a recorded day; entries: {anonymous id: how often it has come in}, which grows."""
    asked = np.zeros(len(told), REQUEST)
    for name in ("time_ns", "sent_ns", "order_id", "side", "price_ticks", "lots"):
        asked[name] = told[name]
    kind, side = told["kind"], told["side"].astype(np.int64)
    has_side = np.abs(side) == 1
    passed = (kind == ReportKind.PRINT) & has_side
    unknown = (kind == ReportKind.REJECTED) & (told["action"] == Action.EXECUTE) & has_side
    takes = (kind == ReportKind.FILL) | passed | unknown
    asked["tif"][takes] = TimeInForce.IOC
    asked["side"][unknown] = -side[unknown]
    better = passed | unknown
    asked["price_ticks"][better] -= asked["side"][better]
    gone = kind == ReportKind.CANCELLED
    asked["action"][gone | (kind == ReportKind.REDUCED)] = Action.CANCEL
    asked["lots"][gone] = 0
    is_status = kind == ReportKind.STATUS
    begins = is_status & (told["price_ticks"] == STATUS_TRADES)
    asked["action"][is_status], asked["price_ticks"][is_status] = Action.PHASE, np.where(begins[is_status], Phase.CONTINUOUS, Phase.PRE_OPEN)
    _number_entries(asked, entries)
    can_be = (asked["price_ticks"] >= 1) & (asked["price_ticks"] <= PRICE_MAX_TICKS)
    kept = (kind == ReportKind.ACCEPTED) | (takes & can_be) | (asked["action"] == Action.CANCEL) | is_status
    # Where trading begins, what has been collected trades at one price first.
    asked = np.repeat(asked, np.where(begins, 2, kept))
    asked["price_ticks"][np.flatnonzero((asked["action"] == Action.PHASE) & (asked["price_ticks"] == Phase.CONTINUOUS))[::2]] = Phase.OPENING_AUCTION
    return asked


def _number_entries(asked, entries):
    """Give the anonymous volume of a price a new name each time it comes in: what is left of the last one may still rest."""
    for i in np.flatnonzero((asked["order_id"] >= ANONYMOUS_ID_FIRST) & (asked["tif"] == TimeInForce.GTC)).tolist():
        name = int(asked["order_id"][i])
        if asked["action"][i] == Action.LIMIT:
            entries[name] = entries.get(name, -1) + 1
        asked["order_id"][i] = name + (entries.get(name, 0) << ENTRY_SHIFT)
