"""Live orders: which stay belongs to an order, while it rests.

Owns a hash map from (owner, order id) to the number of a stay: linear probing in slots of two words, and a removal that closes the gap behind it, so it
stays as small as the book is (Knuth, The Art of Computer Programming, volume 3, section 6.4, algorithm R).
"""
import numpy as np

from lob.jit import jit, pool_reader

LIVE = np.dtype([("slots", "i8"), ("capacity", "i8"), ("shift", "i8"), ("count", "i8")], align=True)
SLOT = np.dtype([("order_id", "i8"), ("owner", "i4"), ("stay", "i4")], align=True)  # stay: its number + 1, 0 for an empty slot
live_at, slot_at = pool_reader(LIVE), pool_reader(SLOT)
BITS_AT_FIRST = 12


class LiveOrders:
    """The memory behind one LIVE record; it grows between rows."""

    def __init__(self, record, bits=BITS_AT_FIRST):
        self.record, self.slots = record, np.zeros(0, SLOT)
        self._set_bits(bits)

    def grow(self):
        """Make room if half of the slots are taken."""
        if 2 * self.record["count"][0] >= self.record["capacity"][0]:
            kept = self.slots
            self._set_bits(int(self.record["capacity"][0]).bit_length())
            _add_all(self.record.ctypes.data, kept.ctypes.data, len(kept))

    def _set_bits(self, bits):
        self.slots = np.zeros(1 << bits, SLOT)
        self.record["slots"], self.record["capacity"], self.record["shift"], self.record["count"] = self.slots.ctypes.data, 1 << bits, 64 - bits, 0


@jit(inline=True)
def _home(live, owner, order_id):
    # Wrapped on purpose, so in unsigned numbers: 2^64 over the golden ratio spreads neighbours.
    mixed = (np.uint64(order_id) ^ (np.uint64(owner) << np.uint64(40))) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64(mixed >> np.uint64(live.shift))


@jit
def find_live(live, owner, order_id):
    """Return the slot of an order, -1 if it does not rest."""
    i = _home(live, owner, order_id)
    slot = slot_at(live.slots, i)
    while slot.stay:
        if slot.order_id == order_id and slot.owner == owner:
            return i
        i = (i + 1) & (live.capacity - 1)
        slot = slot_at(live.slots, i)
    return -1


@jit(inline=True)
def stay_of(live, i):
    """Return the number of the stay in slot i."""
    return slot_at(live.slots, i).stay - 1


@jit
def add_live(live, owner, order_id, stay):
    """Note that an order rests, in a stay."""
    i = _home(live, owner, order_id)
    while slot_at(live.slots, i).stay:
        i = (i + 1) & (live.capacity - 1)
    slot = slot_at(live.slots, i)
    slot.order_id, slot.owner, slot.stay = order_id, owner, stay + 1
    live.count += 1


@jit
def remove_live(live, i):
    """Take slot i out and close the gap: who was pushed behind it by probing moves up."""
    mask, gap = live.capacity - 1, i
    i = (i + 1) & mask
    slot = slot_at(live.slots, i)
    while slot.stay:
        home = _home(live, slot.owner, slot.order_id)
        if (i - home) & mask >= (i - gap) & mask:
            empty = slot_at(live.slots, gap)
            empty.order_id, empty.owner, empty.stay = slot.order_id, slot.owner, slot.stay
            gap = i
        i = (i + 1) & mask
        slot = slot_at(live.slots, i)
    slot_at(live.slots, gap).stay = 0
    live.count -= 1


@jit
def _add_all(live_address, slots, count):
    live = live_at(live_address, 0)
    for i in range(count):
        slot = slot_at(slots, i)
        if slot.stay:
            add_live(live, slot.owner, slot.order_id, slot.stay - 1)
