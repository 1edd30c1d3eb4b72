"""The world: the records that a running simulation is made of, and how they are reached.

Owns the layout. Holds no rule: what an agent may see is `view` and `market`, what happens is `kernel`. All of it lies in numpy arrays that a
`Simulation` keeps alive and reaches each other by address; growing one replaces an address between two events.
"""
from enum import IntEnum

import numpy as np

from lob.exchange.book import book_at
from lob.exchange.ladder import word_at
from lob.exchange.reports import reports_at, request_at
from lob.jit import DEBUG, jit, pool_reader
from lob.simulation.calendar import calendar_at
from lob.simulation.streams import stream_at

HOOKS = ("on_start", "on_timer", "on_quote", "on_trade", "on_accepted", "on_fill", "on_done", "on_rejected")
ON_START, ON_TIMER, ON_QUOTE, ON_TRADE, ON_ACCEPTED, ON_FILL, ON_DONE, ON_REJECTED = range(len(HOOKS))

# An agent can send so many requests in one call of a hook; room for them is made beforehand, since a hook cannot stop half-way.
SENDS_MAX = 1000
# So many touches and trades back an agent can look, whatever its delay.
LOOKS_BACK_MAX = 64
NEVER_NS = np.iinfo(np.int64).max
LONG_AGO_NS = -(2**62)


class Event(IntEnum):
    """The kinds of what is planned. QUOTE + number is a ring's entry on its way to a listener."""

    START = 0
    TIMER = 1
    REQUEST = 2       # who: slot of the request
    REPORT = 3        # the first report in who's inbox
    FUNDAMENTAL = 4
    QUOTE = 5
    TRADE = 6
    GATEWAY = 7       # who: slot of a request that has come to the gateway of its venue


def _int64s(*names):
    return np.dtype([(name, "i8") for name in names], align=True)


# The touch of a book from time_ns on, and one trade. Each venue keeps a ring of both, long enough for the longest delay.
TOUCH = _int64s("time_ns", "best_bid_ticks", "best_ask_ticks", "best_bid_lots", "best_ask_lots")
TRADE = _int64s("time_ns", "price_ticks", "lots", "side", "kind")

# A report on its way to an agent, as that agent will read it.
NOTICE = _int64s(
    "next", "time_ns", "id", "price_ticks", "lots", "open_lots", "lots_ahead", "side", "reason", "is_maker", "kind", "hook", "due_ns", "action", "flags",
    "fee_microticks",
)
# What an agent knows of an order of its own.
OWN_ORDER = _int64s("behind", "before", "id", "side", "price_ticks", "open_lots", "lots_ahead", "since_ns", "flags")

# An agent at one of its venues: what it sees there, has there and has under way. Record n is agent n at its first venue; those of further venues stand behind
# all of these. Its state and hooks are the same at all of them, and its timer is that of the first.
AGENT = _int64s(
    # What it may read, as of now_ns.
    "now_ns", "inventory_lots", "cash", "fees_microticks", "best_bid_ticks", "best_ask_ticks", "best_bid_lots", "best_ask_lots",
    "last_trade_ticks", "last_trade_lots", "last_trade_side", "opening_ticks", "owner",
    # What it is: addresses of the world, of its own state and of its hooks (0: none); bits of the hooks that Python serves.
    "world", "book", "state", "hooks", "python_hooks", "hears_reports", "order_count", "sees_fundamental",
    # Its two links, and when the last message on each arrives: messages on one link do not overtake each other.
    "feed_min_ns", "feed_max_ns", "order_min_ns", "order_max_ns", "order_last_ns", "report_last_ns",
    # Of a link whose delays are drawn from a distribution: the address of its LAW, and what is added to each draw.
    "feed_law", "feed_shift_ns", "order_law", "order_shift_ns",
    # Its timer: when it is due and in which turn, and the event that looks after it, planned for then or before (0: none). The reports on their way, in order.
    "timer_ns", "timer_sequence", "timer_event", "timer_event_ns", "inbox_head", "inbox_tail",
    # How far it has read its venue's touches and trades: address of CURSOR[2]; and the replica from which it reads depth, 0 if it reads none.
    "cursors", "replica",
    # Its open orders, the oldest first, and whether it asks for them and for their places in the queues.
    "own_head", "own_tail", "open_order_count", "reads_orders", "reads_queue",
    # Which record this is, which of its venues, of how many; of several the addresses of its records in their order, and their numbers by book (0: none there);
    # the call in which it has last caught up here.
    "number", "venue", "venue_count", "elsewhere", "by_book", "caught_up",
)
# A ring of market data: entry i lies at entries + (i & mask) x entry_bytes and begins with its time. Its listeners hear of every entry.
TOUCHES, TRADES, DEPTHS = 0, 1, 2
RING = _int64s("entries", "mask", "entry_bytes", "count", "listeners", "listener_count", "number")
# An agent's place in a ring: the next entry it will read; if it listens, the delay drawn for that entry, its arrival, and whether that is planned.
CURSOR = _int64s("next", "delay_ns", "last_ns", "is_planned", "is_listener")
# hides_agents: whether a trade with an agent is known to that agent alone, as inside a recorded day that nothing changes.
# clock_ns: when the venue next looks at the clock, 0 if that is not planned. gateway_ns: how long its gateway takes for a request, and until when it is busy.
VENUE = _int64s(
    "book", "history", "hides_agents", "opening_ticks", "rings", "replicas", "replica_count", "clock_ns", "gateway_ns", "busy_until_ns",
)
REPLICA = _int64s("ladders", "delay_ns", "next")
# A pool of things on their way. `taken` are in use; a free one's first word names the next free one.
POOL = _int64s("items", "item_bytes", "capacity", "used", "free", "taken")
WORLD = _int64s(
    "now_ns", "calendar", "reports", "venues", "venue_count", "agents", "agent_count", "streams", "links", "delay_max_ns",
    "requests", "notices", "own_orders", "nothing",
    "feed", "feed_next", "feed_count", "feed_unknown", "fundamental",
    "request_count", "call_count", "read_count", "current_agent", "current_hook", "current_notice", "hook_requests", "hook_timers", "same_time_events",
)

agent_at, venue_at, world_at = pool_reader(AGENT), pool_reader(VENUE), pool_reader(WORLD)
ring_at, cursor_at = pool_reader(RING), pool_reader(CURSOR)
pool_at, touch_at, trade_at, notice_at = pool_reader(POOL), pool_reader(TOUCH), pool_reader(TRADE), pool_reader(NOTICE)
own_order_at = pool_reader(OWN_ORDER)


@jit(inline=True)
def agent_of(world, number):
    return agent_at(world.agents, number)


@jit(inline=True)
def venue_of(world, number):
    return venue_at(world.venues, number)


@jit(inline=True)
def ring_of(venue, number):
    return ring_at(venue.rings, number)


@jit(inline=True)
def cursor_of(agent, number):
    return cursor_at(agent.cursors, number)


@jit(inline=True)
def calendar_of(world):
    return calendar_at(world.calendar, 0)


@jit(inline=True)
def reports_of(world):
    return reports_at(world.reports, 0)


@jit(inline=True)
def book_of(venue):
    return book_at(venue.book, 0)


@jit(inline=True)
def stream_of(world, owner):
    """Return an agent's own random stream."""
    return stream_at(world.streams, owner)


@jit(inline=True)
def link_of(world, number):
    """Return the random stream of an agent's links to a venue, apart from its own so that a draw of one never moves the other."""
    return stream_at(world.links, number)


@jit(inline=True)
def requests_of(world):
    return pool_at(world.requests, 0)


@jit(inline=True)
def notices_of(world):
    return pool_at(world.notices, 0)


@jit(inline=True)
def own_orders_of(world):
    return pool_at(world.own_orders, 0)


@jit(inline=True)
def own_order_of(world, slot):
    return own_order_at(address_in(own_orders_of(world), slot), 0)


@jit(inline=True)
def address_in(pool, slot):
    """Return the address of a pool's item."""
    return pool.items + slot * pool.item_bytes


@jit(inline=True)
def take(pool):
    """Return the slot of an unused item; the caller has seen to it that there is one. Slot 0 is none."""
    pool.taken += 1
    slot = pool.free
    if slot:
        pool.free = word_at(address_in(pool, slot), 0).value
        return slot
    pool.used += 1
    if DEBUG:
        assert pool.used < pool.capacity
    return pool.used


@jit(inline=True)
def give(pool, slot):
    """Give an item back; all but its first word stays readable until the slot is taken again."""
    pool.taken -= 1
    word_at(address_in(pool, slot), 0).value = pool.free
    pool.free = slot


@jit(inline=True)
def request_of(world, slot):
    return request_at(address_in(requests_of(world), slot), 0)


@jit(inline=True)
def notice_of(world, slot):
    return notice_at(address_in(notices_of(world), slot), 0)


@jit(inline=True)
def hook_of(agent, hook):
    """Return the address of an agent's compiled hook, 0 if it has none."""
    return word_at(agent.hooks, hook).value


@jit(inline=True)
def has_hook(agent, hook):
    """Return whether an agent hears of something, as native code or as Python."""
    return hook_of(agent, hook) != 0 or (agent.python_hooks >> hook) & 1 == 1
