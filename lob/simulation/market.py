"""The market: all that an agent can see and do, the same for native and for plain Python agents.

Owns the agent's window. As native code it is a handle, an address whose only attributes and methods are those given here; as Python it is a `Market`
over the same memory and the same functions (`window`). It holds nothing that has not reached the agent yet.
"""
import numpy as np

from lob.exchange.ladder import key_of
from lob.jit import jit
from lob.messages import Action, Flag, Side, TimeInForce
from lob.parts import add_attribute, add_fields, add_method, handle_type
from lob.simulation import streams
from lob.simulation.arguments import is_given, number_or_zero, peg_flag
from lob.simulation.depth import replica_at, replica_key, replica_lots
from lob.simulation.fundamental import fundamental_at, fundamental_ticks_at
from lob.simulation.inbox import at_venue
from lob.simulation.outbox import at_order, cancel_all_door, change_door, enter_door, enter_ruled_door, limit_flags, set_timer_door
from lob.simulation.own_orders import open_order_count, order_fact, order_id_at, order_lots_ahead
from lob.simulation.view import entry_of
from lob.simulation.world import (
    AGENT,
    LOOKS_BACK_MAX,
    NOTICE,
    TOUCH,
    TOUCHES,
    TRADE,
    TRADES,
    agent_at,
    cursor_of,
    ring_of,
    stream_of,
    venue_of,
    world_at,
)

LIMIT, MARKET, CANCEL, REPLACE = (int(a) for a in list(Action)[:4])
BUY, SELL, GTC, GTT = int(Side.BUY), int(Side.SELL), int(TimeInForce.GTC), int(TimeInForce.GTT)
STOP, TO_LIMIT = int(Flag.STOP), int(Flag.TO_LIMIT)

# What an agent may read of its record, of a report, of a trade and of a touch.
MARKET_FIELDS = (
    "now_ns", "best_bid_ticks", "best_ask_ticks", "best_bid_lots", "best_ask_lots", "last_trade_ticks", "last_trade_lots", "last_trade_side",
    "opening_ticks", "inventory_lots", "cash", "fees_microticks", "venue", "venue_count",
)
NOTICE_FIELDS = ("time_ns", "id", "price_ticks", "lots", "open_lots", "lots_ahead", "side", "reason", "kind", "is_maker", "action", "fee_microticks")
TRADE_FIELDS = TRADE.names
TOUCH_FIELDS = TOUCH.names

# Who names one of these asks for depth, for its own orders, for its places in queues: what must be kept for that is kept for those agents alone.
DEPTH_METHODS = ("depth_ticks", "depth_lots", "lots_at")
ORDER_METHODS = ("open_order_count", "open_order_id", "open_order_side", "open_order_ticks", "open_order_lots")
QUEUE_METHODS = ("order_lots_ahead",)

# No float enters the exchange, not even by being cut to an integer: whoever computes a price rounds it on purpose.
WHOLE = ("side", "price_ticks", "lots", "order_id", "tif", "expiry_ns", "display_lots", "trigger_ticks", "min_lots", "offset_ticks", "low_ticks", "high_ticks",
         "level", "i", "venue")
TIMES = ("time_ns", "delay_ns")
RARE = ("slide", "expiry_ns", "display_lots", "hidden", "trigger_ticks", "min_lots", "peg", "offset_ticks", "to_limit")


# What an agent can see and draw: functions of its record, compiled once. What it sends is the outbox's.

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


@jit
def power_law(address, alpha, minimum):
    """Return a number x with P(X > x) = (minimum / x)^alpha, by inversion (Pareto's distribution)."""
    if alpha <= 0.0 or minimum <= 0.0:
        raise ValueError("power_law: alpha and minimum must be above 0")
    return minimum * (1.0 - streams.uniform(_own_stream(address))) ** (-1.0 / alpha)


@jit
def entry_back(address, number, i):
    """Return the address of the i-th last entry of a ring that an agent has seen, 0 being the newest; of zeros where there is none."""
    agent = agent_at(address, 0)
    if not 0 <= i < LOOKS_BACK_MAX:
        raise ValueError("trade, touch: one can look from 0 to 63 back")
    at = cursor_of(agent, number).next - 1 - i
    world = world_at(agent.world, 0)
    return entry_of(ring_of(venue_of(world, agent.book), number), at) if at > 0 else world.nothing


@jit
def seen_count(address, number):
    return cursor_of(agent_at(address, 0), number).next - 1


@jit(inline=True)
def mark_to_mid(address):
    """Return cash and inventory at the mid, in ticks x lots, before fees; nan with an inventory and no mid."""
    agent = agent_at(address, 0)
    return agent.cash + agent.inventory_lots * mid_ticks(address) if agent.inventory_lots else np.float64(agent.cash)


@jit(inline=True)
def mid_ticks(address):
    agent = agent_at(address, 0)
    if agent.best_bid_ticks == 0 or agent.best_ask_ticks == 0:
        return np.nan
    return (agent.best_bid_ticks + agent.best_ask_ticks) * 0.5


# The native face.

market_type, market_from, address_from = handle_type("Market")
notice_type, notice_from, _ = handle_type("Notice")
trade_type, trade_from, _ = handle_type("Trade")
touch_type, touch_from, _ = handle_type("Touch")


add_fields(market_type, AGENT, MARKET_FIELDS)
add_fields(notice_type, NOTICE, NOTICE_FIELDS)
add_fields(trade_type, TRADE, TRADE_FIELDS)
add_fields(touch_type, TOUCH, TOUCH_FIELDS)
add_attribute(market_type, "mid_ticks", lambda market: mid_ticks(address_from(market)))
add_attribute(market_type, "mark_to_mid", lambda market: mark_to_mid(address_from(market)))
add_attribute(market_type, "open_order_count", lambda market: open_order_count(address_from(market)))
add_attribute(market_type, "trade_count", lambda market: seen_count(address_from(market), TRADES))
add_attribute(market_type, "touch_count", lambda market: seen_count(address_from(market), TOUCHES))


# Each method that sends an order is there twice: as it is when only plain arguments are given, and in general.

def _limit(market, side, price_ticks, lots, post_only=False, tif=GTC, slide=False, expiry_ns=None, display_lots=None, hidden=False, trigger_ticks=None,
           min_lots=None, peg=None, offset_ticks=0):
    flags = limit_flags(post_only, slide, hidden, is_given(display_lots), is_given(trigger_ticks), is_given(min_lots)) | peg_flag(peg)
    return enter_ruled_door(
        address_from(market), LIMIT, side, price_ticks, lots, GTT if is_given(expiry_ns) else tif, flags, number_or_zero(expiry_ns),
        number_or_zero(display_lots), number_or_zero(trigger_ticks), number_or_zero(min_lots), offset_ticks,
    )


def _plain_limit(market, side, price_ticks, lots, post_only=False, tif=GTC, slide=False, expiry_ns=None, display_lots=None, hidden=False, trigger_ticks=None,
                 min_lots=None, peg=None, offset_ticks=0):
    return enter_door(address_from(market), LIMIT, side, price_ticks, lots, bool(post_only), tif)


def _one_sided(side):
    """Return buy or sell, plain and in general."""
    def general(market, price_ticks, lots, post_only=False, tif=GTC, slide=False, expiry_ns=None, display_lots=None, hidden=False, trigger_ticks=None,
                min_lots=None, peg=None, offset_ticks=0):
        return market.limit(side, price_ticks, lots, post_only, tif, slide, expiry_ns, display_lots, hidden, trigger_ticks, min_lots, peg, offset_ticks)

    def plain(market, price_ticks, lots, post_only=False, tif=GTC, slide=False, expiry_ns=None, display_lots=None, hidden=False, trigger_ticks=None,
              min_lots=None, peg=None, offset_ticks=0):
        return enter_door(address_from(market), LIMIT, side, price_ticks, lots, bool(post_only), tif)

    return plain, general


def _market_order(market, side, lots, to_limit=False, trigger_ticks=None):
    flags = (TO_LIMIT if to_limit else 0) | (STOP if is_given(trigger_ticks) else 0)
    return enter_ruled_door(address_from(market), MARKET, side, 0, lots, GTC, flags, 0, 0, number_or_zero(trigger_ticks), 0, 0)


def _plain_market_order(market, side, lots, to_limit=False, trigger_ticks=None):
    return enter_door(address_from(market), MARKET, side, 0, lots, False, GTC)


for _name, (_plain, _general) in {
    "limit": (_plain_limit, _limit), "buy": _one_sided(BUY), "sell": _one_sided(SELL), "market_order": (_plain_market_order, _market_order),
}.items():
    add_method(market_type, _name, _plain, WHOLE, general=_general, rare=RARE)

_METHODS = {
    "at": lambda market, venue: market_from(at_venue(address_from(market), venue)),
    "cancel": lambda market, order_id, lots=0: change_door(address_from(market), CANCEL, order_id, 0, lots, False),
    "cancel_all": lambda market, side=0, low_ticks=0, high_ticks=0: cancel_all_door(address_from(market), side, low_ticks, high_ticks),
    "replace": lambda market, order_id, price_ticks, lots, post_only=False: change_door(
        address_from(market), REPLACE, order_id, price_ticks, lots, bool(post_only),
    ),
    "trade": lambda market, i=0: trade_from(entry_back(address_from(market), TRADES, i)),
    "touch": lambda market, i=0: touch_from(entry_back(address_from(market), TOUCHES, i)),
    "open_order_id": lambda market, i: order_id_at(address_from(market), i),
    "open_order_side": lambda market, order_id: order_fact(at_order(address_from(market), order_id), order_id, 0),
    "open_order_ticks": lambda market, order_id: order_fact(at_order(address_from(market), order_id), order_id, 1),
    "open_order_lots": lambda market, order_id: order_fact(at_order(address_from(market), order_id), order_id, 2),
    "order_lots_ahead": lambda market, order_id: order_lots_ahead(at_order(address_from(market), order_id), order_id),
    "wake_at": lambda market, time_ns: set_timer_door(address_from(market), time_ns),
    "wake_after": lambda market, delay_ns: set_timer_door(address_from(market), market.now_ns + delay_ns),
    "fundamental_ticks": lambda market, delay_ns=0: fundamental_ticks(address_from(market), delay_ns),
    "depth_ticks": lambda market, side, level=0: depth_ticks(address_from(market), side, level),
    "depth_lots": lambda market, side, level=0: depth_lots(address_from(market), side, level),
    "lots_at": lambda market, side, price_ticks: lots_at(address_from(market), side, price_ticks),
    "uniform": lambda market, low=0.0, high=1.0: low + (high - low) * uniform(address_from(market)),
    "normal": lambda market, mean=0.0, deviation=1.0: mean + deviation * normal(address_from(market)),
    "power_law": lambda market, alpha, minimum=1.0: power_law(address_from(market), alpha, minimum),
    "exponential": lambda market, mean=1.0: exponential(address_from(market), mean),
    "integers": lambda market, low, high: integers(address_from(market), low, high),
}
for _name, _method in _METHODS.items():
    add_method(market_type, _name, _method, WHOLE, TIMES)
