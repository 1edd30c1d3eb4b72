"""The book: who rests where, in what order.

Owns the order pool, the queue of every price level, the map from (owner, order id) to an order, and the two ladders. Knows no clock, no agent
and no matching rule. Everything is a numpy record reached by its address, so a Record passes through these small functions as one bare
pointer; no function here allocates. Memory grows between requests (lob.exchange.memory), never inside one.

An order takes 32 bytes, half a cache line: linked into its queue both ways, so adding at the back, taking the front and cancelling from the
middle are all O(1). The map is open addressing with linear probing at a load of at most three eighths; an entry is the order's slot and a tag, 31
bits of its name, in one word, so a probe hardly ever reads an order but the one it finds, and deletion shifts back without reading orders at
all. On its way in an entry takes the place of any that is nearer to its home (robin hood hashing; Celis, Larson and Munro, 1985).
Slot 0 is no order. Whoever knows the names that come next lets their entries and orders come into the cache in time (lob.exchange.stream).
"""
import numpy as np

from lob.exchange import ladder as ladders
from lob.exchange.ladder import LADDER, key_of, ladder_at, level_of, occupy, open_level, page_of, vacate
from lob.jit import DEBUG, address_of, jit, pool_reader

ORDER = np.dtype(
    [
        ("id", "i8"),
        ("next", "i4"),   # slot of the order behind; of a free slot: how far the next free one is beyond its neighbour, 0 in memory never used
        ("prev", "i4"),   # slot of the order in front
        ("lots", "i4"),   # open lots
        ("owner", "i4"),
        ("key", "u4"),    # the price as its ladder holds it
        ("side", "i1"),
        ("kind", "u1"),   # 0 of a plain order; else bits that say by which rules it rests (lob.exchange.rules)
    ],
    align=True,
)
BOOK = np.dtype(
    [
        ("orders", "i8"),           # address of ORDER[order_capacity]
        ("order_capacity", "i8"),
        ("order_count", "i8"),
        ("free_order", "i8"),       # first free slot, 1 in an empty book
        ("map", "i8"),              # address of the map's words
        ("map_mask", "i8"),         # the number of words less one
        ("map_shift", "i8"),        # takes an order's tag to its home
        ("armed", "i8"),            # how many orders rest by a rule of their own, and owners that may not trade with themselves: 0 in a plain book
        ("ladders", LADDER, 2),     # bids, asks
        ("ahead", "i8"),            # address of the tags of the names that come next (lob.exchange.stream)
        ("stamps", "i8"),           # address of one stamp per slot, or 0: when each order took its place (recorded days)
        ("stamp", "i8"),            # the last stamp given
        ("number", "i8"),
        ("replace_keeps_place", "i8"),
        ("last_trade_ticks", "i8"),
        ("rules", "i8"),            # address of the RULES record, 0 until one is needed
        ("wants_rules", "i8"),      # whether a request had to wait for it
    ],
    align=True,
)
# An order in its queue, or the level itself, which stands before the first and behind the last: ORDER and LEVEL both look like this.
NODE = np.dtype([("other", "i8"), ("next", "i4"), ("prev", "i4")], align=True)
LADDERS_OFFSET = BOOK.fields["ladders"][1]
order_at, book_at, map_at, node_at = pool_reader(ORDER), pool_reader(BOOK), pool_reader(ladders.WORD), pool_reader(NODE)

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Fibonacci hashing, Knuth, volume 3, 6.4
LOW_32, LOW_31 = 0xFFFFFFFF, 0x7FFFFFFF
NAMES_AHEAD = 128  # how many of the names that come next a book remembers, a power of two


@jit(inline=True)
def ladder_of(book, side):
    return ladder_at(address_of(book) + LADDERS_OFFSET, np.int64(side) < 0)


@jit(inline=True)
def order_of(book, slot):
    if DEBUG:
        assert 0 < slot < book.order_capacity
    return order_at(book.orders, slot)


@jit(inline=True)
def has_room(book, side):
    """Return whether one more order can rest on a side, whatever its price."""
    return ladder_of(book, side).free_pages > 0 and book.order_count + 1 < book.order_capacity


@jit(inline=True)
def level_key(order):
    """Return an order's key as a signed number: numba turns uint64 mixed with int64 into a float."""
    return np.int64(order.key)


# The map.

@jit(inline=True)
def tag_of(owner, order_id):
    """Return 31 bits of an order's name: 28 mixed ones that choose a block of eight entries, and the id's last three within it.

    So eight neighbouring ids, which live and die together, share one cache line.
    """
    # Unsigned: numba promises the compiler that a signed product does not overflow.
    mixed = np.uint64((order_id >> 3) ^ (np.int64(owner) << 40)) * GOLDEN
    return np.int64(mixed >> np.uint64(32)) & (LOW_31 - 7) | (order_id & 7)


@jit(inline=True)
def home(book, tag):
    """Return where in the map an entry with a tag would stand if no other were in its way."""
    return tag >> book.map_shift << 3 | (tag & 7)


@jit(inline=True)
def _displacement(book, word, i):
    """Return how far behind its home an entry stands at i."""
    return (i - home(book, word >> 32)) & book.map_mask


@jit(inline=True)
def place_of(book, tag, owner, order_id):
    """Return where the map has an order's entry, or the empty place that shows that it has none."""
    i = home(book, tag)
    word = map_at(book.map, i).value
    while word:
        if word >> 32 == tag:
            order = order_of(book, word & LOW_32)
            if order.id == order_id and order.owner == owner:
                return i
        i = (i + 1) & book.map_mask
        word = map_at(book.map, i).value
    return i


@jit(inline=True)
def slot_at(book, place):
    """Return the slot of the entry at a place of the map, 0 if it is empty."""
    return map_at(book.map, place).value & LOW_32


@jit(inline=True)
def find(book, owner, order_id):
    """Return the slot of an order, 0 if it does not rest."""
    return slot_at(book, place_of(book, tag_of(owner, order_id), owner, order_id))


@jit(inline=True)
def map_add(book, tag, slot):
    """Put an entry in; on its way it takes the place of any that is nearer to its home, which goes on in its stead."""
    word = tag << 32 | slot
    i = home(book, tag)
    place = map_at(book.map, i)
    while place.value:
        if _displacement(book, place.value, i) < _displacement(book, word, i):
            word, place.value = place.value, word
        i = (i + 1) & book.map_mask
        place = map_at(book.map, i)
    place.value = word


@jit(inline=True)
def _map_remove(book, i):
    """Take an entry out and move those behind it one step nearer, up to the first that is at home."""
    behind = (i + 1) & book.map_mask
    word = map_at(book.map, behind).value
    # The smaller, and not `and`: whether there is a word at all is a coin toss, that one is away from home is rare.
    while min(word, _displacement(book, word, behind)) > 0:
        map_at(book.map, i).value = word
        i, behind = behind, (behind + 1) & book.map_mask
        word = map_at(book.map, behind).value
    map_at(book.map, i).value = 0


# The queues.

@jit(inline=True)
def enter(book, tag, owner, order_id, side):
    """Give a new order a slot, which is in no queue yet, and return it."""
    slot = book.free_order
    order = order_of(book, slot)
    book.free_order = slot + 1 + order.next
    book.order_count += 1
    map_add(book, tag, slot)
    order.id, order.owner, order.side = order_id, owner, side
    return slot


@jit(inline=True)
def rest(book, owner, order_id, side, price_ticks, lots):
    """Add an order at the back of its price and return its slot."""
    slot = enter(book, tag_of(owner, order_id), owner, order_id, side)
    join(book, slot, price_ticks, lots)
    return slot


@jit(inline=True)
def _node(book, level, slot):
    """Return the NODE of an order, or of its level for slot 0: an address is chosen, since a branch would often be mispredicted."""
    address = address_of(order_at(book.orders, slot))
    return node_at(address if slot else address_of(level), 0)


@jit(inline=True)
def join(book, slot, price_ticks, lots):
    """Put an order that is in no queue at the back of a price, with so many open lots; return the lots ahead of it."""
    side = order_of(book, slot).side
    return line_up(book, ladder_of(book, side), key_of(side, price_ticks), slot, lots)


@jit(inline=True)
def line_up(book, ladder, key, slot, lots):
    """Put an order that is in no queue at the back of a level; return the lots ahead of it."""
    order = order_of(book, slot)
    level = open_level(ladder, key)
    last, lots_ahead = level.tail, level.lots
    order.key, order.lots, order.next, order.prev = key, lots, 0, last
    _node(book, level, last).next = slot
    level.tail, level.lots = slot, lots_ahead + lots
    if last == 0:
        occupy(ladder, key)
    if book.stamps:
        book.stamp += 1
        map_at(book.stamps, slot).value = book.stamp
    return lots_ahead


@jit(inline=True)
def leave(book, slot):
    """Take an order with all its open lots out of its queue and return what is left at its price; it keeps its slot and its name."""
    return leave_ladder(book, ladder_of(book, order_of(book, slot).side), slot)


@jit(inline=True)
def leave_ladder(book, ladder, slot):
    """Take an order out of its queue in a ladder; return what is left at its price."""
    order = order_of(book, slot)
    key = level_key(order)
    level = level_of(page_of(ladder, key), key)
    front, behind, left = order.prev, order.next, level.lots - order.lots
    _node(book, level, front).next = behind
    _node(book, level, behind).prev = front
    level.lots = left
    if left == 0:
        vacate(ladder, key)
    return left


@jit(inline=True)
def remove(book, slot):
    """Take an order off the book; return what is left at its price."""
    return remove_at(book, map_place(book, slot), slot)


@jit(inline=True)
def map_place(book, slot):
    """Return where the map has the entry of an order that is there."""
    order = order_of(book, slot)
    i = home(book, tag_of(order.owner, order.id))
    while slot_at(book, i) != slot:
        i = (i + 1) & book.map_mask
    return i


@jit(inline=True)
def remove_at(book, place, slot):
    """Take an order off the book whose entry is at a place of the map; return what is left at its price."""
    left = leave(book, slot)
    release(book, place, slot)
    return left


@jit(inline=True)
def release(book, place, slot):
    """Take the name off an order that is in no queue, and give its slot back."""
    _map_remove(book, place)
    order = order_of(book, slot)
    order.lots, order.next = 0, book.free_order - slot - 1
    book.free_order = slot
    book.order_count -= 1


@jit(inline=True)
def reduce(book, slot, lots):
    """Take `lots` off an order, which keeps its place; it goes when none are left. Return what is left at its price."""
    order = order_of(book, slot)
    if lots == order.lots:
        return remove(book, slot)
    key = level_key(order)
    level = level_of(page_of(ladder_of(book, order.side), key), key)
    order.lots -= lots
    level.lots -= lots
    return level.lots


# What can be asked.

@jit(inline=True)
def first_in_line(book, side):
    """Return the slot of the first order at a side's best price, 0 if nothing rests there."""
    ladder = ladder_of(book, side)
    page = page_of(ladder, ladder.best_key)
    return level_of(page, ladder.best_key).head if page else 0


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
