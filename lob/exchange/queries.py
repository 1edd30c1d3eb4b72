"""Queries: what can be asked of a book beyond its touch, from compiled code.

Owns how levels and queues are read; changes nothing. A side's ladder is `book.ladder_of`, a price in it `ladder.key_of`. Cost: `level_key` takes a step for
each 64 neighbouring prices, `lots_between` one for each level in the range, `order_count` one for each two orders in the queue. `queue_ahead` walks from the
order to whichever end of its queue is nearer: what is behind it and what is in front of it make up the level. The walks from both ends go on at once, so
that the processor waits for two orders at a time (docs/data-structure.md says what else was tried).
"""
import numpy as np

from lob.exchange.book import book_at, ladder_of, level_key, order_of
from lob.exchange.ladder import WORDS_OFFSET, key_of, level_of, lots_at, next_key, page_of, word_at
from lob.exchange.rules.queues import ladder_where
from lob.jit import bit_count, jit, pool_reader

DEPTH = np.dtype([("price_ticks", "i8"), ("lots", "i8"), ("orders", "i8")])
QUEUED = np.dtype([("order_id", "i8"), ("owner", "i4"), ("lots", "i4")], align=True)
depth_at, queued_at = pool_reader(DEPTH), pool_reader(QUEUED)


# Levels.

@jit(inline=True)
def _below_in_word(ladder, key):
    """Return how many levels lie in the bitmap word of an occupied key, below it."""
    word = word_at(page_of(ladder, key) + WORDS_OFFSET, (key & 4095) >> 6).value
    return bit_count(word & ~(-1 << (key & 63)))


@jit
def nth_key(ladder, n):
    """Return the key of a side's n-th occupied level, 0 being the best; 0 if there are not so many."""
    key = ladder.best_key
    while key and n > 0:
        others = _below_in_word(ladder, key)
        if others < n:
            key, n = next_key(ladder, key >> 6 << 6), n - others - 1
        else:
            key, n = next_key(ladder, key), n - 1
    return key


@jit
def level_count(ladder, most):
    """Return how many levels of a side are occupied, counted no further than `most`."""
    key, count = ladder.best_key, 0
    while key and count < most:
        count += _below_in_word(ladder, key) + 1
        key = next_key(ladder, key >> 6 << 6)
    return min(count, most)


@jit
def lots_between(ladder, low_key, high_key):
    """Return the lots at keys from low to high, both included; 1 <= low_key, high_key <= PRICE_MAX_TICKS."""
    key, lots = next_key(ladder, high_key + 1), 0
    while key >= low_key and key > 0:
        lots += lots_at(ladder, key)
        key = next_key(ladder, key)
    return lots


# Queues.

@jit
def order_count(book, ladder, key):
    """Return how many orders rest at a key of a ladder of the book."""
    page = page_of(ladder, key)
    if page == 0:
        return 0
    level, count = level_of(page, key), 0
    first, last = np.int64(level.head), np.int64(level.tail)
    while first != last:
        following = np.int64(order_of(book, first).next)
        count += 2
        if following == last:
            return count
        first, last = following, np.int64(order_of(book, last).prev)
    return count + (first > 0)


@jit
def queue_ahead(book, slot):
    """Return the lots in front of an order, displayed or hidden, in its own queue."""
    order = order_of(book, slot)
    ahead, rest = 0, np.int64(order.lots)
    before, behind = np.int64(order.prev), np.int64(order.next)
    while before and behind:
        one, other = order_of(book, before), order_of(book, behind)
        ahead += one.lots
        rest += other.lots
        before, behind = np.int64(one.prev), np.int64(other.next)
    return ahead if before == 0 else lots_at(ladder_where(book, order), level_key(order)) - rest


# For Python: what is found is written to memory at an address.

@jit
def level_count_of(book_address, side, most):
    return level_count(ladder_of(book_at(book_address, 0), side), most)


@jit
def level_at(book_address, side, n):
    """Return the price and lots of a side's n-th level, 0 and 0 if there are not so many."""
    ladder = ladder_of(book_at(book_address, 0), side)
    key = nth_key(ladder, n)
    return (key_of(side, key), lots_at(ladder, key)) if key else (0, 0)


@jit
def fill_depth(book_address, side, levels, count):
    """Fill DEPTH[count] at the address `levels` with a side's best levels; there are so many."""
    book = book_at(book_address, 0)
    ladder = ladder_of(book, side)
    key = ladder.best_key
    for i in range(count):
        level = depth_at(levels, i)
        level.price_ticks, level.lots, level.orders = key_of(side, key), lots_at(ladder, key), order_count(book, ladder, key)
        key = next_key(ladder, key)


@jit
def lots_between_of(book_address, side, low_ticks, high_ticks):
    one, other = key_of(side, low_ticks), key_of(side, high_ticks)
    return lots_between(ladder_of(book_at(book_address, 0), side), min(one, other), max(one, other))


@jit
def order_count_of(book_address, side, price_ticks):
    book = book_at(book_address, 0)
    return order_count(book, ladder_of(book, side), key_of(side, price_ticks))


@jit
def fill_queue(book_address, side, price_ticks, queue, count):
    """Fill QUEUED[count] at the address `queue` with the first orders at a price; there are so many."""
    book, ladder, key = book_at(book_address, 0), ladder_of(book_at(book_address, 0), side), key_of(side, price_ticks)
    slot = np.int64(level_of(page_of(ladder, key), key).head) if count else 0
    for i in range(count):
        order, queued = order_of(book, slot), queued_at(queue, i)
        queued.order_id, queued.owner, queued.lots = order.id, order.owner, order.lots
        slot = np.int64(order.next)


@jit
def queue_ahead_of(book_address, slot):
    return queue_ahead(book_at(book_address, 0), slot)
