"""Execution: a recorded day as a world of agents meets it, by one of the execution rules.

Owns the names of the rules, and for `reactive` the step from what a recording says happened to what must have been asked: orders arrive and are cancelled as
they were that day, and whoever traded arrives as an order to take at once what it took, at its price. Whom it meets is up to the book as it is then.
"""
from dataclasses import dataclass

import numpy as np

from lob.errors import ScenarioError
from lob.exchange.order_history import OrderHistory
from lob.feeds.feed import Feed, joined
from lob.messages import ANONYMOUS_ID_FIRST, PRICE_MAX_TICKS, REQUEST, Action, Flag, Phase, ReportKind, TimeInForce

RULES = ("passive", "displace", "reactive")
ROWS_AT_ONCE = 2**16
TAKER_ID_FIRST = 2**61   # recorded orders have smaller ids than whoever came to take
CLIP_ID_FIRST = 3 * 2**60
ENTRY_SHIFT = 34         # of the number of an anonymous order's entry, above its price
STATUS_TRADES = 2
LAST = int(Flag.LAST)


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
    An order that self-match prevention takes away is told of with what came in, and leaves before it.
    """
    # An OrderHistory says what became of each row: which order an unknown name stood for, what a dropped level held.
    history, names, taker_id = OrderHistory(), _Names(), TAKER_ID_FIRST
    for rows in _whole_events(blocks):
        asked = _asked(history.send_many(_cancels_first(rows)), names)
        takes = np.flatnonzero(asked["tif"] == TimeInForce.IOC)
        asked["order_id"][takes] = taker_id + np.arange(len(takes))
        taker_id += len(takes)
        yield asked


def _whole_events(blocks):
    """Yield the rows of blocks again, some ROWS_AT_ONCE at a time, no event in two parts unless it is longer than that."""
    left = np.zeros(0, REQUEST)
    for rows in blocks:
        for begin in range(0, len(rows), ROWS_AT_ONCE):
            rows_now = joined([left, rows[begin:begin + ROWS_AT_ONCE]])
            ends = np.flatnonzero(_is_end(rows_now))
            count = ends[-1] + 1 if len(ends) else len(rows_now) * (len(rows_now) > ROWS_AT_ONCE)
            if count:
                yield rows_now[:count]
            left = rows_now[count:]
    if len(left):
        yield left


def _is_end(rows):
    """Return whether an event ends with each row, bool[n]: the row says so, or the next one is of a later time."""
    is_end = (rows["flags"] & LAST).astype(bool)
    is_end[:-1] |= np.diff(rows["time_ns"]) > 0
    return is_end


def _cancels_first(rows):
    """Return rows with the cancels of each event first, but those of orders that another row of the event names before.

    Such an order stood in the way of what came in, and the venue took it away: the recording tells of it behind the trades.
    """
    event = np.cumsum(np.append(False, _is_end(rows)[:-1]))
    by_order = np.lexsort((rows["order_id"], event))
    is_named_first = np.empty(len(rows), bool)
    is_named_first[by_order] = np.append(True, (np.diff(event[by_order]) > 0) | (np.diff(rows["order_id"][by_order]) != 0))
    comes_first = (rows["action"] == Action.CANCEL) & is_named_first
    return rows[np.lexsort((~comes_first, event))]


def _asked(told, names):
    """Return the requests behind REPORT[n] of a recorded day; names: the _Names of what has come in, which learns."""
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
    names.give(asked, told)
    can_be = (asked["price_ticks"] >= 1) & (asked["price_ticks"] <= PRICE_MAX_TICKS)
    kept = (kind == ReportKind.ACCEPTED) | (takes & can_be) | (asked["action"] == Action.CANCEL) | is_status
    # Where trading begins, what has been collected trades at one price first.
    asked = np.repeat(asked, np.where(begins, 2, kept))
    asked["price_ticks"][np.flatnonzero((asked["action"] == Action.PHASE) & (asked["price_ticks"] == Phase.CONTINUOUS))[::2]] = Phase.OPENING_AUCTION
    return asked


class _Names:
    """The names under which recorded orders come in again: what is left of the last entry may still rest in the live book.

    Anonymous volume comes in again and again under the id of its price; an iceberg that was filled whole, under its own id at the same time: its next clip.
    """

    def __init__(self):
        self.entries = {}                       # {anonymous id: how often it has come in}
        self.clips, self.clip_count = {}, 0     # {order id: the name of its newest clip}
        self.filled, self.filled_ns = set(), 0  # the orders that were filled whole at the newest time at which any was

    def give(self, asked, told):
        """Put the names of what comes in, and of what is cancelled, into requests."""
        self._number_entries(asked)
        self._number_clips(asked, told)

    def _number_entries(self, asked):
        for i in np.flatnonzero((asked["order_id"] >= ANONYMOUS_ID_FIRST) & (asked["tif"] == TimeInForce.GTC)).tolist():
            name = int(asked["order_id"][i])
            if asked["action"][i] == Action.LIMIT:
                self.entries[name] = self.entries.get(name, -1) + 1
            asked["order_id"][i] = name + (self.entries.get(name, 0) << ENTRY_SHIFT)

    def _number_clips(self, asked, told):
        is_filled = (told["kind"] == ReportKind.FILL) & (told["resting_open_lots"] == 0)
        is_limit, is_cancel = told["kind"] == ReportKind.ACCEPTED, asked["action"] == Action.CANCEL
        may_return = np.fromiter({*self.clips, *self.filled, *told["resting_id"][is_filled].tolist()}, np.int64)
        returns = (is_limit | is_cancel) & np.isin(told["order_id"], may_return) & (told["order_id"] < ANONYMOUS_ID_FIRST)
        for i in np.flatnonzero(is_filled | returns).tolist():
            order_id, time_ns = int(told["order_id"][i]), int(told["time_ns"][i])
            if is_filled[i]:
                self.filled = self.filled if time_ns == self.filled_ns else set()
                self.filled.add(int(told["resting_id"][i]))
                self.filled_ns = time_ns
                continue
            if is_limit[i] and (order_id in self.clips or (time_ns == self.filled_ns and order_id in self.filled)):
                self.clips[order_id] = CLIP_ID_FIRST + self.clip_count
                self.clip_count += 1
            asked["order_id"][i] = self.clips.get(order_id, order_id)
