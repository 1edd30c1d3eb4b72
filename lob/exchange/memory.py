"""Memory: the arrays behind a book, or behind the two of a recorded day. Owns their size; they grow between requests, never inside one."""
import numpy as np

from lob.errors import LobError
from lob.exchange.book import BOOK, NAMES_AHEAD, ORDER, book_at, map_add, order_of, tag_of
from lob.exchange.history import HISTORY
from lob.exchange.ladder import LadderMemory
from lob.exchange.lines import zeroed
from lob.exchange.rules import ruled
from lob.exchange.rules.state import RulesMemory
from lob.exchange.venue import Venue
from lob.jit import jit
from lob.messages import NOBODY, Phase


@jit
def _rehash(book_address, slots):
    book = book_at(book_address, 0)
    for slot in range(1, slots):
        order = order_of(book, slot)
        if order.lots:
            map_add(book, tag_of(order.owner, order.id), slot)


def map_bits(capacity):
    """Return how many bits number the entries of the map for `capacity` orders: the fewest with which it is never more than three eighths full."""
    return max((8 * int(capacity) - 1) // 3, 7).bit_length()


class BookMemory:
    """The memory behind one BOOK record: allocates, and grows between requests."""

    def __init__(self, number=0, replace_keeps_place=True, order_capacity=1024, stamped=False):
        self.book = zeroed(1, BOOK)
        self.book["number"], self.book["replace_keeps_place"], self.book["free_order"] = number, replace_keeps_place, 1
        self.ladders = [LadderMemory(self.book["ladders"][0, i:i + 1]) for i in range(2)]
        self.ahead = zeroed(NAMES_AHEAD, np.int64)
        self.book["ahead"] = self.ahead.ctypes.data
        self.orders, self.stamps = zeroed(0, ORDER), (np.zeros(0, np.int64) if stamped else None)
        self.rules, self.venue = None, Venue()
        self.set_order_capacity(order_capacity)

    @property
    def address(self):
        return self.book.ctypes.data

    def set_order_capacity(self, capacity):
        """Make room for `capacity` - 1 orders, keeping those that rest."""
        kept, self.orders = self.orders, zeroed(capacity, ORDER)
        self.orders[:len(kept)] = kept
        bits = map_bits(capacity)
        self.map = zeroed(1 << bits, np.int64)
        self.book["orders"], self.book["order_capacity"] = self.orders.ctypes.data, capacity
        self.book["map"], self.book["map_mask"], self.book["map_shift"] = self.map.ctypes.data, len(self.map) - 1, 34 - bits
        if self.stamps is not None:
            stamps = np.zeros(capacity, np.int64)
            stamps[:len(self.stamps)] = self.stamps
            self.stamps = stamps
            self.book["stamps"] = stamps.ctypes.data
        if self.rules is not None:
            self.rules.set_order_capacity(capacity)
        _rehash(self.address, len(kept))

    def arm(self):
        """Make room for the orders and owners that have rules of their own."""
        if self.rules is None:
            self.rules = RulesMemory(len(self.orders))
            self.book["rules"] = self.rules.address

    def open(self, venue):
        """Set the book up as a Venue says, before the first request."""
        self.venue = venue
        if venue != Venue():
            self.arm()
            self.rules.set_venue(venue)
            self.book["armed"] += 1 + (venue.phase != Phase.CONTINUOUS)
            self.set_modes(venue.self_trade)

    def set_phase(self, phase):
        """Be in a phase, as a snapshot says."""
        self.arm()
        self.book["armed"] += int(phase != Phase.CONTINUOUS) - int(self.rules.record["phase"][0] != Phase.CONTINUOUS)
        self.rules.record["phase"] = phase

    def set_modes(self, changed):
        """Have these owners' SelfTrade modes, {owner: mode}, 0 for none; all others keep theirs."""
        self.arm()
        before = self.rules.owner_modes()
        modes = {owner: mode for owner, mode in (before | changed).items() if mode}
        self.rules.set_modes(modes)
        self.book["armed"] += len(modes) - len(before)

    def grow(self, ahead=1):
        """Make room wherever there is too little for `ahead` more orders."""
        needed = int(self.book["order_count"][0]) + ahead + 1
        if needed > len(self.orders):
            self.set_order_capacity(max(2 * len(self.orders), needed))
        if self.book["wants_rules"][0]:
            self.arm()
            self.rules.record["address"] = ruled.entry()
        if self.rules is not None:
            self.rules.grow(self.orders)
        for ladder, side in zip(self.ladders, (1, -1), strict=True):
            ladder.keep_free(1 if self.rules is None else self.rules.pages_needed(side)[0] + 1)


class HistoryMemory:
    """The memory of a recorded venue: the books of recorded and agents' orders, what agents traded of each recorded order, and which of these are gone."""

    def __init__(self, number=0, replace_keeps_place=True, order_capacity=65_536, displaces=False):
        self.recorded = BookMemory(number, order_capacity=order_capacity, stamped=True)
        self.agents = BookMemory(number, replace_keeps_place, stamped=True)
        self.departed = BookMemory(number, stamped=True)
        self.record = np.zeros(1, HISTORY)
        for name in ("recorded", "agents", "departed"):
            self.record[name] = getattr(self, name).address
        self.record["displaces"] = displaces
        self.taken = np.zeros(0, np.int64)
        self._fit()

    @property
    def address(self):
        return self.record.ctypes.data

    def _fit(self):
        taken = np.zeros(len(self.recorded.orders), np.int64)
        taken[:len(self.taken)] = self.taken
        self.taken = taken
        self.record["taken"] = taken.ctypes.data

    def grow(self):
        """Make room for at least one more order on either book, and for the departure of all that are there."""
        self.recorded.grow()
        self.agents.grow()
        if self.record["displaces"][0]:
            self.departed.grow(int(self.recorded.book["order_count"][0]) + int(self.agents.book["order_count"][0]) + 2)
        self._fit()

    def open(self, venue):
        """Set the day up as a Venue says, before the first request; raises LobError if it says more than fees and self-trade prevention."""
        if venue != Venue(fees=venue.fees, self_trade=venue.self_trade):
            raise LobError(f"a recorded day can have no setting of a venue but its fees and self_trade, was {venue}")
        self.agents.open(venue)
        if venue.fees:
            self.agents.rules.fees.note(NOBODY)
