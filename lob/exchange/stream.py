"""The stream: requests applied one after another, and what those that come next will touch sent for in time.

Owns how far to look ahead. Knows what a request will touch, and nothing of what it does.

A request's order is found through its entry in the map, and its neighbours in the queue through the order: three reads, each of which must have come before the
next can be asked for. In a large book each is a journey to the machine's memory, a hundred times as long as the request's own work. So each request passes four
stations, STRIDE requests apart: its entry is sent for, then its order and the entry behind, then the neighbours, then it is applied; so the journeys of many
overlap, with each other and with the work. What market orders will fill is known too: those who are first in line. They too are gone past one at a time, so
that each has come before it is asked who is behind it (`expect_fill`). A book that is nearly in the cache has no need of all that: only entries and orders are
sent for, a batch at a time.

All of it is a hint: an order that moves or goes meanwhile costs time, never an answer.
"""
from lob.exchange import gate
from lob.exchange.book import NAMES_AHEAD, book_at, first_in_line, home, map_at, order_at, slot_at, tag_of
from lob.exchange.reports import reports_at, request_at
from lob.jit import DEBUG, address_of, jit, prefetch

AHEAD = 64  # how many requests are looked at in one go: their lines, and those of what they touch, fit into the nearest cache
STRIDE = 16
STATIONS = 3  # before the last; AHEAD + STATIONS * STRIDE is at most NAMES_AHEAD
ORDERS_IN_CACHE = 2**15
FILL_STRIDE = 4  # a power of two: in AHEAD requests one goes past so many of those who are first in line, more than are filled meanwhile
EVERY_REQUEST = -1  # as `mask`: requests lie one after another and not in a ring


@jit
def apply_many(book_address, requests, first, count, reports_address):
    """Apply requests [first, count); return the number of the one that met a Shortage, which is not done, or count."""
    book, reports = book_at(book_address, 0), reports_at(reports_address, 0)
    known = first
    while first < count:
        end = min(first + AHEAD, count)
        for i in range(known, min(horizon(book, first), count)):
            expect(book, i, request_at(requests, i))
            known += 1
        first = apply_known(book, requests, EVERY_REQUEST, first, end, reports)
        if first < end:
            break
    return first


@jit(inline=True)
def is_beyond_cache(book):
    return book.order_count > ORDERS_IN_CACHE


@jit(inline=True)
def horizon(book, first):
    """Return the number of the request up to which all should be expected before those from `first` on are applied."""
    return first + AHEAD + (STATIONS * STRIDE if is_beyond_cache(book) else 0)


@jit(inline=True)
def apply_known(book, requests, mask, first, end, reports):
    """Apply expected requests [first, end), at most AHEAD; return the number of the one that met a Shortage, or end.

    requests: address of REQUEST; request i is at place i & mask, so that they may lie in a ring of NAMES_AHEAD.
    """
    is_far, bid, ask = is_beyond_cache(book), first_in_line(book, 1), first_in_line(book, -1)
    if not is_far:
        for i in range(first, end):
            expect_order(book, i)
    for i in range(first, end):
        if is_far:
            expect_order(book, i + 2 * STRIDE)
            expect_behind(book, expected_tag(book, i + 2 * STRIDE))
            expect_neighbours(book, i + STRIDE)
            if i & (FILL_STRIDE - 1) == 0:
                bid, ask = expect_fill(book, bid), expect_fill(book, ask)
        if gate.answer(book, request_at(requests, i & mask), reports, expected_tag(book, i)) < 0:
            return i
    return end


@jit(inline=True)
def expect(book, i, request):
    """Note the tag of the name in request i, which will be applied soon, and send for its entry in the map."""
    tag = tag_of(request.owner, request.order_id)
    map_at(book.ahead, i & (NAMES_AHEAD - 1)).value = tag
    prefetch(address_of(map_at(book.map, home(book, tag))))


@jit(inline=True)
def expected_tag(book, i):
    return map_at(book.ahead, i & (NAMES_AHEAD - 1)).value


@jit(inline=True)
def _expected_order(book, i):
    """Return the order at the home of the i-th name, nearly always its own; slot 0 where there is none."""
    return order_at(book.orders, slot_at(book, home(book, expected_tag(book, i))))


@jit(inline=True)
def expect_order(book, i):
    """Send for the order of the i-th name: the second station, once its entry has come."""
    prefetch(address_of(_expected_order(book, i)))


@jit(inline=True)
def expect_behind(book, tag):
    """Send for the entry behind that of a name, which is read when the name goes: for each eighth name it begins a line of its own."""
    prefetch(address_of(map_at(book.map, home(book, tag) + 1)))


@jit(inline=True)
def expect_neighbours(book, i):
    """Send for the orders before and behind that one in its queue: the third station."""
    order = _expected_order(book, i)
    prefetch(address_of(order_at(book.orders, order.prev)))
    prefetch(address_of(order_at(book.orders, order.next)))


@jit(inline=True)
def expect_fill(book, slot):
    """Send for an order's entry in the map and for the one behind it in its queue, whose slot is returned; 0 if the order has gone since its slot was read."""
    if DEBUG:
        assert 0 <= slot < book.order_capacity
    order = order_at(book.orders, slot)
    tag = tag_of(order.owner, order.id)
    prefetch(address_of(map_at(book.map, home(book, tag))))
    expect_behind(book, tag)
    # The slot of an order that went says where the next free one is, which is no place in the pool.
    behind = order.next if order.lots else 0
    prefetch(address_of(order_at(book.orders, behind)))
    return behind
