"""The market: all that an agent can see and do, the same for native and for plain Python agents.

Owns the agent's window. As native code it is a handle, an address whose only attributes and methods are those given here; as Python it is a `Market`
over the same memory and the same functions. It holds nothing that has not reached the agent yet.
"""
from operator import index

import numpy as np

from lob.exchange.ladder import key_of
from lob.jit import add_attribute, add_method, handle_type, jit
from lob.messages import Action, Flag, Side, TimeInForce
from lob.simulation import calendar, streams
from lob.simulation.depth import replica_at, replica_key, replica_lots
from lob.simulation.fundamental import fundamental_at, fundamental_ticks_at
from lob.simulation.latency import order_delay
from lob.simulation.world import (
    AGENT,
    NEVER_NS,
    NOTICE,
    SENDS_MAX,
    TRADE,
    Event,
    agent_at,
    calendar_of,
    notice_at,
    request_of,
    requests_of,
    stream_of,
    take,
    trade_at,
    world_at,
)

ORDER_IDS_PER_OWNER = 10**12
LIMIT, MARKET, CANCEL, REPLACE = (int(a) for a in list(Action)[:4])
BUY, SELL, POST_ONLY, GTC = int(Side.BUY), int(Side.SELL), int(Flag.POST_ONLY), int(TimeInForce.GTC)
REQUEST, TIMER = int(Event.REQUEST), int(Event.TIMER)

# What an agent may read of its record, of a report and of a trade.
MARKET_FIELDS = (
    "now_ns", "best_bid_ticks", "best_ask_ticks", "best_bid_lots", "best_ask_lots", "last_trade_ticks", "last_trade_lots", "last_trade_side",
    "opening_ticks", "inventory_lots", "cash",
)
NOTICE_FIELDS = ("time_ns", "id", "price_ticks", "lots", "open_lots", "lots_ahead", "side", "reason", "kind", "is_maker")
TRADE_FIELDS = TRADE.names

# No float enters the exchange, not even by being cut to an integer: whoever computes a price rounds it on purpose.
WHOLE = ("side", "price_ticks", "lots", "order_id", "tif")


# What an agent can do: functions of its record, compiled once.

@jit
def _send(agent, action, side, price_ticks, lots, tif, flags, order_id):
    """Put a request on the agent's link to the exchange."""
    world = world_at(agent.world, 0)
    events = calendar_of(world)
    requests = requests_of(world)
    world.hook_requests += 1
    if world.hook_requests > SENDS_MAX or requests.taken + 2 >= requests.capacity or events.count + 1 >= events.capacity:
        raise RuntimeError("an agent may send at most 1,000 requests in one call of a hook")
    slot = take(requests)
    request = request_of(world, slot)
    agent.order_last_ns = max(agent.order_last_ns, agent.now_ns + order_delay(world, agent))
    request.time_ns, request.sent_ns, request.order_id = agent.order_last_ns, agent.now_ns, order_id
    request.price_ticks, request.lots, request.owner, request.book = price_ticks, lots, agent.owner, agent.venue
    # A byte must not make a side of what was none.
    request.action, request.side, request.tif, request.flags = action, side if -1 <= side <= 1 else 0, tif if 0 <= tif <= 255 else 255, flags
    calendar.add(events, agent.order_last_ns, REQUEST, slot)


@jit
def enter(address, action, side, price_ticks, lots, post_only, tif):
    """Send a new order; return its id."""
    agent = agent_at(address, 0)
    agent.order_count += 1
    order_id = agent.owner * ORDER_IDS_PER_OWNER + agent.order_count
    _send(agent, action, side, price_ticks, lots, tif, POST_ONLY if post_only else 0, order_id)
    return order_id


@jit
def change(address, action, order_id, price_ticks, lots, post_only):
    """Send a cancel or a replace."""
    _send(agent_at(address, 0), action, 0, price_ticks, lots, 0, POST_ONLY if post_only else 0, order_id)


@jit
def set_timer(address, time_ns):
    """Plan the agent's next on_timer, in place of one that is planned. A float is cut to whole nanoseconds."""
    agent = agent_at(address, 0)
    # Asked so that a nan is refused too.
    if not agent.now_ns <= time_ns < NEVER_NS:
        raise ValueError("wake_at: the time is in the past" if time_ns < agent.now_ns else "wake_at: the time never comes")
    world = world_at(agent.world, 0)
    events = calendar_of(world)
    world.hook_timers += 1
    if world.hook_timers > SENDS_MAX or events.count + 1 >= events.capacity:
        raise RuntimeError("an agent may set its timer at most 1,000 times in one call of a hook")
    agent.timer_sequence = calendar.add(events, np.int64(time_ns), TIMER, agent.owner)


@jit
def fundamental_ticks(address, delay_ns):
    """Return the fundamental value as it stood delay_ns ago."""
    agent = agent_at(address, 0)
    world = world_at(agent.world, 0)
    if agent.sees_fundamental == 0:
        raise ValueError("fundamental_ticks: this agent's class does not declare sees_fundamental = True")
    if world.fundamental == 0:
        raise ValueError("fundamental_ticks: the simulation has no fundamental")
    if delay_ns < 0:
        raise ValueError("fundamental_ticks: the delay must be >= 0")
    return fundamental_ticks_at(fundamental_at(world.fundamental, 0), agent.now_ns - delay_ns)


@jit
def _replica_of(address):
    agent = agent_at(address, 0)
    if agent.replica == 0:
        raise ValueError("depth: this agent's class must declare reads_depth = True")
    return replica_at(agent.replica, 0)


@jit
def depth_ticks(address, side, level):
    """Return the price of a side's level-th occupied price, 0 being the best; 0 where there is none."""
    key = replica_key(_replica_of(address), side, level)
    return key_of(side, key) if key else 0


@jit
def depth_lots(address, side, level):
    """Return the lots of a side's level-th occupied price."""
    replica = _replica_of(address)
    return replica_lots(replica, side, replica_key(replica, side, level))


@jit
def lots_at(address, side, price_ticks):
    """Return the lots of a side at a price."""
    return replica_lots(_replica_of(address), side, key_of(side, price_ticks))


@jit(inline=True)
def _own_stream(address):
    agent = agent_at(address, 0)
    return stream_of(world_at(agent.world, 0), agent.owner)


@jit
def uniform(address):
    return streams.uniform(_own_stream(address))


@jit
def normal(address):
    return streams.normal(_own_stream(address))


@jit
def exponential(address, mean):
    return streams.exponential(_own_stream(address), mean)


@jit
def integers(address, low, high):
    if high <= low:
        raise ValueError("integers: high must be above low")
    if np.float64(high) - np.float64(low) > 2.0**53:
        raise ValueError("integers: at most 2^53 numbers can be drawn from")
    return streams.integer(_own_stream(address), low, high)


@jit(inline=True)
def mid_ticks(address):
    agent = agent_at(address, 0)
    if agent.best_bid_ticks == 0 or agent.best_ask_ticks == 0:
        return np.nan
    return (agent.best_bid_ticks + agent.best_ask_ticks) * 0.5


# The native face.

market_type, market_from, address_from = handle_type("Market")
notice_type, notice_from, notice_address = handle_type("Notice")
trade_type, trade_from, trade_address = handle_type("Trade")


def _publish_fields(handle, to_address, record_at, fields):
    for name in fields:
        add_attribute(handle, name, _field_reader(to_address, record_at, name))


def _field_reader(to_address, record_at, name):
    # A field's name must be a constant in native code, so each reader is written out.
    scope = {"to_address": to_address, "record_at": record_at}
    exec(f"def read(handle):\n    return record_at(to_address(handle), 0).{name}", scope)
    return scope["read"]


_publish_fields(market_type, address_from, agent_at, MARKET_FIELDS)
_publish_fields(notice_type, notice_address, notice_at, NOTICE_FIELDS)
_publish_fields(trade_type, trade_address, trade_at, TRADE_FIELDS)
add_attribute(market_type, "mid_ticks", lambda market: mid_ticks(address_from(market)))

_METHODS = {
    "limit": lambda market, side, price_ticks, lots, post_only=False, tif=GTC: enter(address_from(market), LIMIT, side, price_ticks, lots, post_only, tif),
    "buy": lambda market, price_ticks, lots, post_only=False, tif=GTC: enter(address_from(market), LIMIT, BUY, price_ticks, lots, post_only, tif),
    "sell": lambda market, price_ticks, lots, post_only=False, tif=GTC: enter(address_from(market), LIMIT, SELL, price_ticks, lots, post_only, tif),
    "market_order": lambda market, side, lots: enter(address_from(market), MARKET, side, 0, lots, False, GTC),
    "cancel": lambda market, order_id, lots=0: change(address_from(market), CANCEL, order_id, 0, lots, False),
    "replace": lambda market, order_id, price_ticks, lots, post_only=False: change(address_from(market), REPLACE, order_id, price_ticks, lots, post_only),
    "wake_at": lambda market, time_ns: set_timer(address_from(market), time_ns),
    "wake_after": lambda market, delay_ns: set_timer(address_from(market), market.now_ns + delay_ns),
    "fundamental_ticks": lambda market, delay_ns=0: fundamental_ticks(address_from(market), delay_ns),
    "depth_ticks": lambda market, side, level=0: depth_ticks(address_from(market), side, level),
    "depth_lots": lambda market, side, level=0: depth_lots(address_from(market), side, level),
    "lots_at": lambda market, side, price_ticks: lots_at(address_from(market), side, price_ticks),
    "uniform": lambda market: uniform(address_from(market)),
    "normal": lambda market: normal(address_from(market)),
    "exponential": lambda market, mean=1.0: exponential(address_from(market), mean),
    "integers": lambda market, low, high: integers(address_from(market), low, high),
}
for _name, _method in _METHODS.items():
    add_method(market_type, _name, _method, WHOLE)


# The Python face.

def _whole(name, value):
    """Return a number as an integer; TypeError if it is none, OverflowError if 64 bits do not hold it."""
    try:
        number = index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, was {value!r}") from None
    if not -(2**63) <= number < 2**63:
        raise OverflowError(f"{name} must fit 64 bits, was {value!r}")
    return number


class _Window:
    """Read-only words of a record at an address."""

    __slots__ = ("_words",)

    def __init__(self, words):
        self._words = words


def _word_property(record, name):
    i = record.fields[name][1] // 8
    return property(lambda window: window._words[i])


class Notice(_Window):
    """A report that has reached an agent: of an order (on_accepted, on_done) or of a fill (on_fill).

    id: the agent's own order. time_ns: when it happened at the exchange. lots: traded, accepted or taken off. open_lots: left of the order.
    lots_ahead: in front of it when it was accepted. reason: RejectReason or CancelReason. is_maker: whether its order rested. kind: ReportKind.
    """

    __slots__ = ()


class Trade(_Window):
    """A public trade: time_ns, price_ticks, lots, side (of the aggressor)."""

    __slots__ = ()


class Market(_Window):
    """What an agent can see and do.

    Read: now_ns; the touch and the last trade as the agent's feed shows them (best_bid_ticks, best_ask_ticks, best_bid_lots, best_ask_lots, last_trade_ticks,
    last_trade_lots, last_trade_side; 0 where there is none), mid_ticks (nan without both sides), opening_ticks; inventory_lots and cash
    (ticks x lots), as far as its reports have arrived. Order prices are ticks, order sizes lots, times nanoseconds.
    """

    __slots__ = ("_address",)

    def __init__(self, record):
        super().__init__(memoryview(record.view(np.int64)))
        self._address = record.ctypes.data

    @property
    def mid_ticks(self):
        """The mid of the touch as the feed shows it, nan where a side is empty."""
        bid, ask = self.best_bid_ticks, self.best_ask_ticks
        return (bid + ask) * 0.5 if bid and ask else np.nan

    def _enter(self, action, side, price_ticks, lots, post_only, tif):
        return enter(self._address, action, _whole("side", side), _whole("price_ticks", price_ticks), _whole("lots", lots), bool(post_only), _whole("tif", tif))

    def limit(self, side, price_ticks, lots, post_only=False, tif=GTC):
        """Send a limit order; return its id at once. What becomes of it arrives by reports."""
        return self._enter(LIMIT, side, price_ticks, lots, post_only, tif)

    def buy(self, price_ticks, lots, post_only=False, tif=GTC):
        """Send a limit order to buy; return its id."""
        return self._enter(LIMIT, BUY, price_ticks, lots, post_only, tif)

    def sell(self, price_ticks, lots, post_only=False, tif=GTC):
        """Send a limit order to sell; return its id."""
        return self._enter(LIMIT, SELL, price_ticks, lots, post_only, tif)

    def market_order(self, side, lots):
        """Send a market order; return its id."""
        return self._enter(MARKET, side, 0, lots, False, GTC)

    def cancel(self, order_id, lots=0):
        """Send a cancel of an order, or of at most so many of its lots."""
        change(self._address, CANCEL, _whole("order_id", order_id), 0, _whole("lots", lots), False)

    def replace(self, order_id, price_ticks, lots, post_only=False):
        """Send a replace: a new price and new open lots."""
        change(self._address, REPLACE, _whole("order_id", order_id), _whole("price_ticks", price_ticks), _whole("lots", lots), bool(post_only))

    def wake_at(self, time_ns):
        """Set the agent's one timer: on_timer comes at time_ns, and not at a time set before."""
        set_timer(self._address, int(time_ns))

    def wake_after(self, delay_ns):
        """Set the agent's one timer to delay_ns from now."""
        set_timer(self._address, int(self.now_ns + delay_ns))

    def fundamental_ticks(self, delay_ns=0):
        """Return the fundamental value as it stood delay_ns ago; only for a class with sees_fundamental = True."""
        return fundamental_ticks(self._address, delay_ns)

    def depth_ticks(self, side, level=0):
        """Return the price of a side's level-th occupied price as the feed shows it, 0 being the best; 0 where there is none."""
        return depth_ticks(self._address, _whole("side", side), level)

    def depth_lots(self, side, level=0):
        """Return the lots at a side's level-th occupied price as the feed shows them."""
        return depth_lots(self._address, _whole("side", side), level)

    def lots_at(self, side, price_ticks):
        """Return the lots of a side at a price as the feed shows them."""
        return lots_at(self._address, _whole("side", side), price_ticks)

    def uniform(self):
        """Draw a float in [0, 1)."""
        return uniform(self._address)

    def normal(self):
        """Draw a standard normal number."""
        return normal(self._address)

    def exponential(self, mean=1.0):
        """Draw an exponential number with a mean."""
        return exponential(self._address, mean)

    def integers(self, low, high):
        """Draw an integer in [low, high)."""
        return integers(self._address, _whole("low", low), _whole("high", high))


for _window, _record, _fields in ((Market, AGENT, MARKET_FIELDS), (Notice, NOTICE, NOTICE_FIELDS), (Trade, TRADE, TRADE_FIELDS)):
    for _name in _fields:
        setattr(_window, _name, _word_property(_record, _name))
