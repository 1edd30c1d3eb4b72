"""Open orders: what a recording's messages say of orders that they name by id alone, and the touch of the book that these orders make.

Owns the table of orders, the lots at each price, and for each side a heap of prices whose top is the best. Knows no file format. Tables use linear probing
and are at most half full; an empty entry has the id 0. A price stays on its heap until it comes to the top without lots.
Worst case: the best price empties and the heap is deep, log2(prices) steps; a table that is full is made twice as large between two calls.
"""
import numpy as np

from lob.jit import jit, pool_reader

# key: the order's id, or 2 x price + 1 for an ask. executed_lots: traded in this event, where a later message of it says so again. epoch: which stay of its
# price in a window of levels an order belongs to (window.py).
ENTRY = np.dtype([(name, "i8") for name in ("key", "price_ticks", "lots", "side", "executed_lots", "epoch")], align=True)
TABLE = np.dtype([(name, "i8") for name in ("entries", "mask", "shift", "count")], align=True)
KEY = np.dtype([("urgency", "i8")], align=True)
HEAP = np.dtype([("keys", "i8"), ("count", "i8"), ("capacity", "i8")], align=True)
OPEN_ORDERS = np.dtype([("orders", TABLE), ("levels", TABLE), ("heaps", HEAP, (2,))], align=True)

open_orders_at, table_at, entry_at, heap_at, key_at = (pool_reader(dtype) for dtype in (OPEN_ORDERS, TABLE, ENTRY, HEAP, KEY))
_HASH = np.uint64(0x9E3779B97F4A7C15)


@jit(inline=True)
def _home(table, key):
    return np.int64((np.uint64(key) * _HASH) >> np.uint64(table.shift))


@jit
def find(table, key):
    """Return the place of a key's entry in a table, or of the empty one where it would be."""
    i = _home(table, key)
    while True:
        found = entry_at(table.entries, i).key
        if found == key or found == 0:
            return i
        i = (i + 1) & table.mask


@jit
def put(table, key):
    """Return the entry of a key, a new one cleared but for its key if there was none."""
    entry = entry_at(table.entries, find(table, key))
    if entry.key == 0:
        entry.key = key
        entry.price_ticks = entry.lots = entry.side = entry.executed_lots = entry.epoch = 0
        table.count += 1
    return entry


@jit(inline=True)
def _copy(into, entry):
    into.price_ticks, into.lots, into.side = entry.price_ticks, entry.lots, entry.side
    into.executed_lots, into.epoch = entry.executed_lots, entry.epoch


@jit
def drop(table, key):
    """Take a key's entry out of a table, where it is, and close the gap."""
    gap = find(table, key)
    if entry_at(table.entries, gap).key == 0:
        return
    table.count -= 1
    i = gap
    while True:
        i = (i + 1) & table.mask
        moved = entry_at(table.entries, i)
        if moved.key == 0:
            break
        # It may move into the gap unless its home lies between the two.
        if ((i - _home(table, moved.key)) & table.mask) >= ((i - gap) & table.mask):
            into = entry_at(table.entries, gap)
            into.key = moved.key
            _copy(into, moved)
            gap = i
    entry_at(table.entries, gap).key = 0


@jit
def add_lots(book, side, price_ticks, lots):
    """Add lots, which may be negative, to a price; a price that has some for the first time goes on its side's heap."""
    level = put(book.levels, 2 * price_ticks + (side < 0))
    level.lots += lots
    if level.side == 0:
        level.side, level.price_ticks = side, price_ticks
        _push(book.heaps[int(side < 0)], side * price_ticks)


@jit
def best_ticks(book, side):
    """Return the best price of a side that has lots, 0 if none."""
    heap = book.heaps[int(side < 0)]
    while heap.count:
        price_ticks = side * key_at(heap.keys, 0).urgency
        key = 2 * price_ticks + (side < 0)
        if entry_at(book.levels.entries, find(book.levels, key)).lots > 0:
            return price_ticks
        drop(book.levels, key)
        _pop(heap)
    return 0


@jit
def is_crossed(book):
    """Return whether the best bid is at or above the best ask."""
    bid_ticks, ask_ticks = best_ticks(book, 1), best_ticks(book, -1)
    return bid_ticks > 0 and ask_ticks > 0 and bid_ticks >= ask_ticks


@jit
def _push(heap, urgency):
    i = heap.count
    heap.count += 1
    while i:
        above = key_at(heap.keys, (i - 1) // 2)
        if above.urgency >= urgency:
            break
        key_at(heap.keys, i).urgency = above.urgency
        i = (i - 1) // 2
    key_at(heap.keys, i).urgency = urgency


@jit
def _pop(heap):
    heap.count -= 1
    urgency, i = key_at(heap.keys, heap.count).urgency, 0
    while 2 * i + 1 < heap.count:
        child = 2 * i + 1
        if child + 1 < heap.count and key_at(heap.keys, child + 1).urgency > key_at(heap.keys, child).urgency:
            child += 1
        if key_at(heap.keys, child).urgency <= urgency:
            break
        key_at(heap.keys, i).urgency = key_at(heap.keys, child).urgency
        i = child
    key_at(heap.keys, i).urgency = urgency


@jit
def is_full(book):
    """Return whether one more order or price might not find room."""
    orders, levels = book.orders, book.levels
    return 2 * (orders.count + 1) > orders.mask or 2 * (levels.count + 1) > levels.mask


@jit
def clear(book):
    """Forget all orders and prices."""
    for table in (book.orders, book.levels):
        for i in range(table.mask + 1):
            entry_at(table.entries, i).key = 0
        table.count = 0
    for i in range(2):
        book.heaps[i].count = 0


@jit
def _move(from_address, count, table):
    for i in range(count):
        entry = entry_at(from_address, i)
        if entry.key:
            _copy(put(table, entry.key), entry)


@jit
def _move_orders(from_address, count, address):
    _move(from_address, count, open_orders_at(address, 0).orders)


@jit
def _move_levels(from_address, count, address):
    _move(from_address, count, open_orders_at(address, 0).levels)


class OpenOrders:
    """The memory behind one OPEN_ORDERS record."""

    def __init__(self, capacity=1024):
        self.record = np.zeros(1, OPEN_ORDERS)
        self.address = self.record.ctypes.data
        self._entries = {"orders": np.zeros(0, ENTRY), "levels": np.zeros(0, ENTRY)}
        self._keys = [np.zeros(0, KEY), np.zeros(0, KEY)]
        for name in self._entries:
            self._resize(name, capacity)

    def grow(self, share=2):
        """Make every table of which a share-th is full twice as large, keeping what is in it."""
        for name, entries in self._entries.items():
            if share * (self.record[name]["count"][0] + 1) > len(entries) - 1:
                self._resize(name, 2 * len(entries))

    def _resize(self, name, capacity):
        kept, table = self._entries[name], self.record[name]
        self._entries[name] = entries = np.zeros(capacity, ENTRY)
        table["entries"], table["mask"], table["shift"], table["count"] = entries.ctypes.data, capacity - 1, 65 - capacity.bit_length(), 0
        move = _move_orders if name == "orders" else _move_levels
        move(kept.ctypes.data, len(kept), self.address)
        if name == "levels":  # a price is on a heap once while it is in the table, so the heaps need no more room
            for i, keys in enumerate(self._keys):
                self._keys[i] = np.zeros(capacity, KEY)
                self._keys[i][:len(keys)] = keys
                self.record["heaps"][0, i]["keys"], self.record["heaps"][0, i]["capacity"] = self._keys[i].ctypes.data, capacity
