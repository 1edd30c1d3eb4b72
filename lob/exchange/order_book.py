"""OrderBook: the engine's Python face. One book, its memory, and the rows of its answers; knows no clock and no agent."""
import operator
import struct

import numpy as np

from lob.errors import LobError
from lob.exchange import snapshot
from lob.exchange.audit import check_book, find_at
from lob.exchange.book import best_price, book_at, price_lots
from lob.exchange.inputs import checked_count, checked_mode, checked_number, checked_peg, checked_side, checked_venue, checked_whole
from lob.exchange.memory import BookMemory
from lob.exchange.queries import (
    DEPTH,
    QUEUED,
    fill_depth,
    fill_queue,
    level_at,
    level_count_of,
    lots_between_of,
    order_count_of,
    queue_ahead_of,
)
from lob.exchange.reports import ReportBuffer, request_at
from lob.exchange.rules.ruled import rows_most
from lob.exchange.stream import apply_many
from lob.jit import jit
from lob.messages import NOBODY, PRICE_MAX_TICKS, REQUEST, Action, Flag, Phase, Side, TimeInForce, limit_fields, market_fields

LIMIT, MARKET, CANCEL, REPLACE, MASS_CANCEL, PHASE, CLOCK, MODE = (
    int(a) for a in (Action.LIMIT, Action.MARKET, Action.CANCEL, Action.REPLACE, Action.MASS_CANCEL, Action.PHASE, Action.CLOCK, Action.MODE)
)
POST_ONLY = int(Flag.POST_ONLY)


@jit
def rows_most_of(book_address, request):
    """Return how many rows a request can write at the most."""
    book, lots = book_at(book_address, 0), request_at(request, 0).lots
    return rows_most(book, request_at(request, 0)) if book.rules else min(max(lots, 0), book.order_count) + 4


@jit
def best_price_of(book_address, side):
    return best_price(book_at(book_address, 0), side)


@jit
def price_lots_of(book_address, side, price_ticks):
    return price_lots(book_at(book_address, 0), side, price_ticks)


CHARACTERS = {"i1": "b", "u1": "B", "u2": "H", "i4": "i", "i8": "q"}  # of struct, by numpy's kind and size


def record_struct(dtype):
    """Return a record dtype as a Struct: to pack numbers through it takes half the time of an assignment in numpy, and rounds none."""
    parts, end = ["="], 0
    for name in dtype.names:
        kind, offset = dtype.fields[name]
        parts.append(f"{offset - end}x{CHARACTERS[kind.str[1:]]}")
        end = offset + kind.itemsize
    return struct.Struct("".join([*parts, f"{dtype.itemsize - end}x"]))


PACKED = record_struct(REQUEST)
# The fields after those that every request has: zero but for orders with terms of their own.
TERMS = REQUEST.names[REQUEST.names.index("flags") + 1:]
NO_TERMS = (0,) * len(TERMS)


def refuse_numbers(values):
    """Raise the LobError for numbers that are not those of a REQUEST: one that is not whole, or that does not fit its field."""
    for name, value in zip(REQUEST.names, values, strict=True):
        if not hasattr(value, "__index__"):
            raise LobError(f"{name} must be a whole number, was {value!r}")
    whole = [operator.index(value) for value in values]
    raise LobError(f"a number of the request does not fit its field: {dict(zip(REQUEST.names, whole, strict=True))}")


def slot_in(memory, order_id, owner):
    """Return the slot of an order in a BookMemory, 0 if it is not there; raises LobError for what can be no name of an order."""
    order_id, owner = checked_whole("order_id", order_id), checked_whole("owner", owner)
    return find_at(memory.address, owner, order_id) if 1 <= order_id < 2**63 and 0 <= owner < 2**31 else 0


class OrderBook:
    """A limit order book with price-time priority.

    Each request answers with REPORT[n], the rows of its event; a refusal is a row with a RejectReason, never an exception. Prices are integer ticks
    in 1..2**31, lots integers in 1..10**9, order ids positive int64; an order is named by (owner, order_id).
    replace_keeps_place: whether a replace that only shrinks keeps its place in the queue. book: the number that requests must carry. venue: a Venue.
    """

    _apply_many = staticmethod(apply_many)

    def __init__(self, replace_keeps_place=True, book=0, venue=None):
        self.memory = BookMemory(checked_number(book), bool(replace_keeps_place))
        self.memory.open(checked_venue(venue))
        self._open(book, self.memory.address)

    def _open(self, number, venue_address):
        """Make what requests and their answers go through; the venue is what `_apply_many` applies them to."""
        self.reports = ReportBuffer()
        self.number = number
        self._request = np.zeros(1, REQUEST)
        self._request_bytes = memoryview(self._request.view(np.uint8))
        self._addresses = venue_address, self._request.ctypes.data, self.reports.address

    def limit(
        self, side, price_ticks, lots, order_id, owner=NOBODY, tif=TimeInForce.GTC, post_only=False, *, slide=False, expiry_ns=None, display_lots=None,
        hidden=False, trigger_ticks=None, min_lots=None, peg=None, offset_ticks=0, now_ns=0,
    ):
        """Enter a limit order. What each argument makes of it is in docs/rules.md.

        slide: post-only, and priced away from the touch rather than refused. expiry_ns: good till this time. display_lots: an iceberg that shows so many at a
        time. trigger_ticks: a stop that waits for a trade there. min_lots: so many at once, or nothing. peg: follows the "near" or the "far" touch or
        their "mid", not displayed, offset_ticks behind it and no further than price_ticks. now_ns: when the request reaches the book.
        """
        if slide or hidden or offset_ticks or not (expiry_ns is display_lots is trigger_ticks is min_lots is peg is None):
            kind = limit_fields(tif, post_only, slide, expiry_ns, display_lots, hidden, trigger_ticks, min_lots, checked_peg(peg), offset_ticks)
            return self._one(LIMIT, order_id, owner, side, price_ticks, lots, now_ns, **kind)
        return self._one(LIMIT, order_id, owner, side, price_ticks, lots, now_ns, tif, POST_ONLY if post_only else 0)

    def market(self, side, lots, order_id, owner=NOBODY, *, to_limit=False, trigger_ticks=None, now_ns=0):
        """Enter a market order; what finds no counterparty is cancelled, or with `to_limit` rests at the price of the touch. trigger_ticks: as in `limit`."""
        if to_limit or trigger_ticks is not None:
            return self._one(MARKET, order_id, owner, side, 0, lots, now_ns, **market_fields(to_limit, trigger_ticks))
        return self._one(MARKET, order_id, owner, side, 0, lots, now_ns)

    def cancel(self, order_id, owner=NOBODY, lots=0, *, now_ns=0):
        """Take an order off the book, or with `lots` at most so many of its lots, keeping its place."""
        return self._one(CANCEL, order_id, owner, 0, 0, lots, now_ns)

    def replace(self, order_id, price_ticks, lots, owner=NOBODY, post_only=False, *, now_ns=0):
        """Give a resting order a new price and new open lots; only a shrink at its price keeps its place."""
        return self._one(REPLACE, order_id, owner, 0, price_ticks, lots, now_ns, flags=POST_ONLY if post_only else 0)

    def mass_cancel(self, owner, side=0, low_ticks=0, high_ticks=0, *, now_ns=0):
        """Take off all of an owner's orders, waiting stops too: of one side or both (0), with prices from low_ticks to high_ticks (0 and 0: at any)."""
        return self._one(MASS_CANCEL, 0, owner, side, low_ticks, 0, now_ns, trigger_ticks=high_ticks)

    def set_phase(self, phase, *, now_ns=0):
        """Move the book to a Phase, as its venue may at any time; an auction that ends trades."""
        return self._one(PHASE, 0, NOBODY, 0, phase, 0, now_ns)

    def clock(self, now_ns):
        """Let time pass: orders expire, a batch or the breaker's phase ends."""
        return self._one(CLOCK, 0, NOBODY, 0, 0, 0, now_ns)

    @property
    def phase(self):
        """The Phase that the book is in."""
        return Phase(int(self.memory.rules.record["phase"][0])) if self.memory.rules else Phase.CONTINUOUS

    def prevent_self_trades(self, owner, mode, *, now_ns=0):
        """Let a SelfTrade mode decide what happens from now on when an order meets one of the same owner."""
        return self._one(MODE, 0, owner, 0, checked_mode(mode), 0, now_ns)

    def _one(self, action, order_id, owner, side, price_ticks, lots, now_ns, tif=0, flags=0, **terms):
        values = now_ns, now_ns, order_id, price_ticks, lots, owner, self.number, action, side, tif, flags
        values += tuple(terms.get(name, 0) for name in TERMS) if terms else NO_TERMS
        try:
            PACKED.pack_into(self._request_bytes, 0, *values)
        except struct.error:
            refuse_numbers(values)
        venue, request, reports = self._addresses
        while self._apply_many(venue, request, 0, 1, reports) == 0:
            self.make_room(self._request[0], self.reports)
        return self.reports.take()

    def send(self, request):
        """Apply one REQUEST record; return its rows, REPORT[n]. Raises LobError as send_many does."""
        return self.send_many(np.atleast_1d(np.asarray(request)))

    def send_many(self, requests):
        """Apply REQUEST[n] in order; return all rows, REPORT[m]. Arrays that fill are grown on the way.

        Raises LobError for an array of another dtype or shape: numpy would make other numbers of it.
        """
        requests = np.asarray(requests)
        if requests.dtype != REQUEST or requests.ndim != 1:
            raise LobError(f"requests must be REQUEST[n], was {requests.dtype} of shape {requests.shape}")
        requests = np.ascontiguousarray(requests)
        if len(requests) > len(self.reports.rows) // 2:
            self.reports.grow(len(requests) * 2)
        done, (venue, _, reports) = 0, self._addresses
        while done < len(requests):
            done = self._apply_many(venue, requests.ctypes.data, done, len(requests), reports)
            if done < len(requests):
                self.make_room(requests[done], self.reports)
        return self.reports.take()

    def make_room(self, request, reports):
        """Make room for what `request` can do at the worst, in the book and in a ReportBuffer."""
        self.memory.grow()
        rows = rows_most_of(self.memory.address, np.array(request, REQUEST).reshape(1).ctypes.data)
        if len(reports.rows) - reports.count < rows:
            reports.grow(2 * len(reports.rows) + rows)

    def _best(self, side):
        return best_price_of(self.memory.address, int(side)) or None

    @property
    def best_bid_ticks(self):
        """The highest bid, None if there is none."""
        return self._best(Side.BUY)

    @property
    def best_ask_ticks(self):
        """The lowest ask, None if there is none."""
        return self._best(Side.SELL)

    @property
    def order_count(self):
        """How many orders rest or wait, displayed or not."""
        return int(self.memory.book["order_count"][0])

    def lots_at(self, side, price_ticks):
        """Return the lots of one side at a price."""
        side, price_ticks = checked_side(side), checked_whole("price_ticks", price_ticks)
        return price_lots_of(self.memory.address, side, price_ticks) if 1 <= price_ticks <= PRICE_MAX_TICKS else 0

    def lots_between(self, side, low_ticks, high_ticks):
        """Return the lots of one side at prices from low to high, both included; none if high is below low."""
        side, low_ticks, high_ticks = checked_side(side), checked_whole("low_ticks", low_ticks), checked_whole("high_ticks", high_ticks)
        low_ticks, high_ticks = max(low_ticks, 1), min(high_ticks, PRICE_MAX_TICKS)
        return lots_between_of(self.memory.address, side, low_ticks, high_ticks) if low_ticks <= high_ticks else 0

    def order_count_at(self, side, price_ticks):
        """Return how many orders of one side are displayed at a price."""
        side, price_ticks = checked_side(side), checked_whole("price_ticks", price_ticks)
        return order_count_of(self.memory.address, side, price_ticks) if 1 <= price_ticks <= PRICE_MAX_TICKS else 0

    def level(self, side, n):
        """Return (price_ticks, lots) of a side's n-th occupied price, 0 being the best; None if there are not so many."""
        price_ticks, lots = level_at(self.memory.address, checked_side(side), min(checked_count("n", n), PRICE_MAX_TICKS))
        return (price_ticks, lots) if price_ticks else None

    def depth(self, side, levels=10):
        """Return the best levels of a side, best first: DEPTH[n], n <= levels."""
        side, most = checked_side(side), min(checked_count("levels", levels), PRICE_MAX_TICKS)
        depth = np.zeros(level_count_of(self.memory.address, side, most), DEPTH)
        fill_depth(self.memory.address, side, depth.ctypes.data, len(depth))
        return depth

    def queue_ahead(self, order_id, owner=NOBODY):
        """Return the lots in front of an order in its queue, None if it does not rest."""
        slot = slot_in(self.memory, order_id, owner)
        rests = slot and not self.memory.orders["kind"][slot] & Flag.STOP
        return queue_ahead_of(self.memory.address, slot) if rests else None

    def orders_at(self, side, price_ticks):
        """Return the orders of one side at a price, first in line first: QUEUED[n]."""
        queue = np.zeros(self.order_count_at(side, price_ticks), QUEUED)
        if len(queue):
            fill_queue(self.memory.address, int(side), int(price_ticks), queue.ctypes.data, len(queue))
        return queue

    def save(self, path):
        """Write the book to a file that `OrderBook.load` reads; see lob.exchange.snapshot for the format."""
        return snapshot.save(self.memory, self.reports.sequence, path)

    @staticmethod
    def load(path):
        """Return the book of a file; it goes on as the saved one would have."""
        return _with(*snapshot.load(path))

    def __reduce__(self):
        # The memory is reached by address, so a copy is a new book with the same orders: for copy, deepcopy and pickle alike.
        return _copied, snapshot.state_of(self.memory, self.reports.sequence)

    def check(self):
        """Assert every invariant by full scan."""
        check_book(self.memory)


def _with(memory, sequence):
    """Return the OrderBook whose memory is there; sequence: of its next row."""
    book = OrderBook.__new__(OrderBook)
    book.memory = memory
    book._open(int(memory.book["number"][0]), memory.address)
    book.reports.record["sequence"] = sequence
    return book


def _copied(*state):
    return _with(*snapshot.restored(*state))
