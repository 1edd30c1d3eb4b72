"""Memory: the arrays behind a book. Owns their size; they grow between requests, never inside one."""
import numpy as np

from lob.exchange.book import BOOK, NAMES_AHEAD, ORDER, book_at, map_add, order_of, tag_of
from lob.exchange.ladder import LadderMemory
from lob.exchange.rules.state import RulesMemory
from lob.jit import jit


@jit
def _rehash(book_address, slots):
    book = book_at(book_address, 0)
    for slot in range(1, slots):
        order = order_of(book, slot)
        if order.lots:
            map_add(book, tag_of(order.owner, order.id), slot)


class BookMemory:
    """The memory behind one BOOK record: allocates, and grows between requests."""

    def __init__(self, number=0, replace_keeps_place=True, order_capacity=1024, stamped=False):
        self.book = np.zeros(1, BOOK)
        self.book["number"], self.book["replace_keeps_place"], self.book["free_order"] = number, replace_keeps_place, 1
        self.ladders = [LadderMemory(self.book["ladders"][0, i:i + 1]) for i in range(2)]
        self.ahead = np.zeros(NAMES_AHEAD, np.int64)
        self.book["ahead"] = self.ahead.ctypes.data
        self.orders, self.stamps = np.zeros(0, ORDER), (np.zeros(0, np.int64) if stamped else None)
        self.rules = None
        self.set_order_capacity(order_capacity)

    @property
    def address(self):
        return self.book.ctypes.data

    def set_order_capacity(self, capacity):
        """Make room for `capacity` - 1 orders, keeping those that rest."""
        kept, self.orders = self.orders, np.zeros(capacity, ORDER)
        self.orders[:len(kept)] = kept
        bits = max(int(capacity - 1).bit_length() + 2, 3)
        self.map = np.zeros(1 << bits, np.int64)
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

    def set_mode(self, owner, mode):
        """Have an owner's SelfTrade mode, 0 for none."""
        self.arm()
        modes = {**self.rules.owner_modes(), owner: mode}
        before = len(self.rules.owner_modes())
        self.rules.set_modes({other: kept for other, kept in modes.items() if kept})
        self.book["armed"] += len(self.rules.owner_modes()) - before

    def grow(self, ahead=1):
        """Make room wherever there is too little for `ahead` more orders."""
        needed = int(self.book["order_count"][0]) + ahead + 1
        if needed > len(self.orders):
            self.set_order_capacity(max(2 * len(self.orders), needed))
        if self.book["wants_rules"][0]:
            self.arm()
        stop_count = 0
        if self.rules is not None:
            self.rules.grow(self.orders)
            stop_count = int(self.rules.record["stop_count"][0])
        for ladder in self.ladders:
            # Each stop that is triggered may come to rest in a page of its own.
            while ladder.ladder["free_pages"][0] <= stop_count:
                ladder.add_pages()
