"""The book: who rests where, in what order.

Owns the order pool, the queue of every price level, the map from (owner, order id) to an order, and the two ladders. Knows no clock, no agent
and no matching rule. Everything is a numpy record reached by its address, so a Record passes through these small functions as one bare
pointer; no function here allocates. Memory grows between requests (`BookMemory`), never inside one.

An order takes 32 bytes, half a cache line: linked into its queue both ways, so adding at the back, taking the front and cancelling from the
middle are all O(1). The map is open addressing with linear probing at a load of at most one half; an entry is the order's slot and 32 bits
of its hash in one word, so a probe reads no order but the one it finds, and deletion shifts back without reading orders at all.
Slot 0 is no order.
"""
import numpy as np

from lob.exchange import ladder as ladders
from lob.exchange.ladder import LADDER, LadderMemory, key_of, ladder_at, level_of, occupy, open_level, page_of, vacate
from lob.jit import DEBUG, jit, pool_reader

ORDER = np.dtype(
    [
        ("id", "i8"),
        ("next", "i4"),   # slot of the order behind; of the next free slot when unused
        ("prev", "i4"),   # slot of the order in front
        ("lots", "i4"),   # open lots
        ("owner", "i4"),
        ("key", "u4"),    # the price as its ladder holds it
        ("side", "i1"),
    ],
    align=True,
)
BOOK = np.dtype(
    [
        ("orders", "i8"),           # address of ORDER[order_capacity]
        ("order_capacity", "i8"),
        ("order_count", "i8"),
        ("orders_used", "i8"),      # slots ever used
        ("free_order", "i8"),       # first slot given back
        ("map", "i8"),              # address of the map's words
        ("map_bits", "i8"),
        ("ladders", "i8"),          # address of LADDER[2]: bids, asks
        ("stamps", "i8"),           # address of one stamp per slot, or 0: when each order took its place (recorded days)
        ("stamp", "i8"),            # the last stamp given
        ("number", "i8"),
        ("replace_keeps_place", "i8"),
    ],
    align=True,
)
order_at, book_at, map_at = pool_reader(ORDER), pool_reader(BOOK), pool_reader(ladders.WORD)

GOLDEN = -7046029254386353131  # 2^64 / golden ratio as a signed number: Fibonacci hashing, Knuth, volume 3, 6.4
LOW_32 = 0xFFFFFFFF


@jit(inline=True)
def ladder_of(book, side):
    return ladder_at(book.ladders, side < 0)


@jit(inline=True)
def order_of(book, slot):
    if DEBUG:
        assert 0 < slot <= book.orders_used < book.order_capacity
    return order_at(book.orders, slot)


@jit(inline=True)
def has_room(book, side):
    """Return whether one more order can rest on a side, whatever its price."""
    return ladder_of(book, side).free_pages > 0 and (book.free_order > 0 or book.orders_used + 1 < book.order_capacity)


@jit(inline=True)
def level_key(order):
    """Return an order's key as a signed number: numba turns uint64 mixed with int64 into a float."""
    return np.int64(order.key)


# The map.

@jit(inline=True)
def tag_of(owner, order_id):
    """Return 32 bits of an order's name: 29 mixed ones that choose a block of eight entries, and the id's last three within it.

    So eight neighbouring ids, which live and die together, share one cache line.
    """
    mixed = ((order_id >> 3) ^ (np.int64(owner) << 40)) * GOLDEN
    return (mixed >> 32) & (LOW_32 - 7) | (order_id & 7)


@jit(inline=True)
def _home(book, tag):
    return tag >> 3 >> (32 - book.map_bits) << 3 | (tag & 7)


@jit(inline=True)
def find(book, owner, order_id):
    """Return the slot of an order, 0 if it does not rest."""
    tag = tag_of(owner, order_id)
    mask = (1 << book.map_bits) - 1
    i = _home(book, tag)
    word = map_at(book.map, i).value
    while word:
        if (word >> 32) & LOW_32 == tag:
            slot = word & LOW_32
            order = order_of(book, slot)
            if order.id == order_id and order.owner == owner:
                return slot
        i = (i + 1) & mask
        word = map_at(book.map, i).value
    return 0


@jit(inline=True)
def _map_add(book, tag, slot):
    mask = (1 << book.map_bits) - 1
    i = _home(book, tag)
    while map_at(book.map, i).value:
        i = (i + 1) & mask
    map_at(book.map, i).value = tag << 32 | slot


@jit(inline=True)
def _map_remove(book, tag, slot):
    """Take an entry out and shift those after it back, so that no probe meets a hole (Knuth, volume 3, 6.4, algorithm R)."""
    mask = (1 << book.map_bits) - 1
    hole = _home(book, tag)
    while map_at(book.map, hole).value & LOW_32 != slot:
        hole = (hole + 1) & mask
    i = (hole + 1) & mask
    word = map_at(book.map, i).value
    while word:
        home = _home(book, (word >> 32) & LOW_32)
        if (i - home) & mask >= (i - hole) & mask:
            map_at(book.map, hole).value = word
            hole = i
        i = (i + 1) & mask
        word = map_at(book.map, i).value
    map_at(book.map, hole).value = 0


# The queues.

@jit(inline=True)
def rest(book, owner, order_id, side, price_ticks, lots):
    """Add an order at the back of its price and return its slot."""
    slot = book.free_order
    if slot:
        order = order_of(book, slot)
        book.free_order = order.next
    else:
        book.orders_used += 1
        slot = book.orders_used
        order = order_of(book, slot)
    order.id, order.owner, order.side = order_id, owner, side
    _map_add(book, tag_of(owner, order_id), slot)
    book.order_count += 1
    ladder_of(book, side).order_count += 1
    join(book, slot, price_ticks, lots)
    return slot


@jit(inline=True)
def join(book, slot, price_ticks, lots):
    """Put an order that is in no queue at the back of a price, with so many open lots."""
    order = order_of(book, slot)
    ladder, key = ladder_of(book, order.side), key_of(order.side, price_ticks)
    level = open_level(ladder, key)
    order.key, order.lots, order.next, order.prev = key, lots, 0, level.tail
    if level.tail:
        order_of(book, level.tail).next = slot
    else:
        level.head = slot
        occupy(ladder, key)
    level.tail = slot
    level.lots += lots
    if book.stamps:
        book.stamp += 1
        map_at(book.stamps, slot).value = book.stamp


@jit(inline=True)
def leave(book, slot):
    """Take an order with all its open lots out of its queue; it keeps its slot and its name."""
    order = order_of(book, slot)
    ladder, key = ladder_of(book, order.side), level_key(order)
    level = level_of(page_of(ladder, key), key)
    level.lots -= order.lots
    if order.prev:
        order_of(book, order.prev).next = order.next
    else:
        level.head = order.next
    if order.next:
        order_of(book, order.next).prev = order.prev
    else:
        level.tail = order.prev
    if level.head == 0:
        vacate(ladder, key)


@jit(inline=True)
def remove(book, slot):
    """Take an order off the book."""
    leave(book, slot)
    order = order_of(book, slot)
    _map_remove(book, tag_of(order.owner, order.id), slot)
    book.order_count -= 1
    ladder_of(book, order.side).order_count -= 1
    order.lots, order.next = 0, book.free_order
    book.free_order = slot


@jit(inline=True)
def reduce(book, slot, lots):
    """Take `lots` off an order, which keeps its place; it goes when none are left. Return what is left at its price."""
    order = order_of(book, slot)
    key = level_key(order)
    level = level_of(page_of(ladder_of(book, order.side), key), key)
    if lots == order.lots:
        left = level.lots - lots
        remove(book, slot)
        return left
    order.lots -= lots
    level.lots -= lots
    return level.lots


# What can be asked.

@jit(inline=True)
def best_price(book, side):
    """Return a side's best price in ticks, 0 if nothing rests there."""
    key = ladder_of(book, side).best_key
    return key_of(side, key) if key else 0


@jit(inline=True)
def touch_lots(book, side):
    """Return the lots at a side's best price."""
    ladder = ladder_of(book, side)
    return ladders.lots_at(ladder, ladder.best_key) if ladder.best_key else 0


@jit(inline=True)
def price_lots(book, side, price_ticks):
    """Return the lots of one side at a price."""
    return ladders.lots_at(ladder_of(book, side), key_of(side, price_ticks))


@jit(inline=True)
def head_of(book, side, price_ticks):
    """Return the slot of the first order in line at a price, 0 if there is none."""
    ladder, key = ladder_of(book, side), key_of(side, price_ticks)
    page = page_of(ladder, key)
    return level_of(page, key).head if page else 0


@jit
def queue_ahead(book, slot):
    """Return the lots in front of an order at its price; walks the orders ahead."""
    lots = 0
    order = order_of(book, slot)
    while order.prev:
        order = order_of(book, order.prev)
        lots += order.lots
    return lots


# Memory.

@jit
def _rehash(book_address):
    book = book_at(book_address, 0)
    for slot in range(1, book.orders_used + 1):
        order = order_of(book, slot)
        if order.lots:
            _map_add(book, tag_of(order.owner, order.id), slot)


class BookMemory:
    """The memory behind one BOOK record: allocates, and grows between requests. A zero-filled BOOK with memory is a valid empty book."""

    def __init__(self, number=0, replace_keeps_place=True, order_capacity=1024, stamped=False):
        self.book = np.zeros(1, BOOK)
        self.sides = np.zeros(2, LADDER)
        self.book["ladders"] = self.sides.ctypes.data
        self.book["number"], self.book["replace_keeps_place"] = number, replace_keeps_place
        self.ladders = [LadderMemory(self.sides[i:i + 1]) for i in range(2)]
        self.orders, self.stamps = np.zeros(0, ORDER), (np.zeros(0, np.int64) if stamped else None)
        self.set_order_capacity(order_capacity)

    @property
    def address(self):
        return self.book.ctypes.data

    def set_order_capacity(self, capacity):
        """Make room for at least `capacity` - 1 orders, keeping those that rest."""
        orders = np.zeros(capacity, ORDER)
        orders[:len(self.orders)] = self.orders
        self.orders = orders
        bits = max(int(capacity - 1).bit_length() + 1, 4)
        self.map = np.zeros(1 << bits, np.int64)
        self.book["orders"], self.book["order_capacity"] = orders.ctypes.data, capacity
        self.book["map"], self.book["map_bits"] = self.map.ctypes.data, bits
        if self.stamps is not None:
            stamps = np.zeros(capacity, np.int64)
            stamps[:len(self.stamps)] = self.stamps
            self.stamps = stamps
            self.book["stamps"] = stamps.ctypes.data
        _rehash(self.address)

    def grow(self, ahead=1):
        """Make room wherever there is too little for `ahead` more orders."""
        needed = int(self.book["orders_used"][0]) + ahead + 1
        if needed > len(self.orders):
            self.set_order_capacity(max(2 * len(self.orders), needed))
        for ladder in self.ladders:
            if ladder.ladder["free_pages"][0] == 0:
                ladder.add_pages()
