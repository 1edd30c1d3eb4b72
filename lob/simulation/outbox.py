"""The outbox: what an agent sends. Requests on its link to a venue, and its one timer.

Owns how a request of an agent is made, when it arrives, and which of the agent's venues an order is at: its id says so. Compiled once, for native and
plain agents alike.
"""
import numpy as np

from lob.jit import jit, types
from lob.messages import Action, Flag
from lob.parts import Doors
from lob.simulation import calendar
from lob.simulation.inbox import at_venue, record_at
from lob.simulation.latency import order_delay
from lob.simulation.world import NEVER_NS, SENDS_MAX, Event, agent_at, agent_of, calendar_of, request_of, requests_of, take, venue_of, world_at

# An order's id is its owner's number, which of the owner's venues it is at, and how many of its orders came before it there.
ORDER_IDS_PER_OWNER, ORDER_IDS_PER_VENUE = 10**12, 10**9
VENUES_MAX = ORDER_IDS_PER_OWNER // ORDER_IDS_PER_VENUE
MASS_CANCEL, POST_ONLY, SLIDE, HIDDEN = int(Action.MASS_CANCEL), int(Flag.POST_ONLY), int(Flag.SLIDE), int(Flag.HIDDEN)
ICEBERG, STOP, MINIMUM = int(Flag.ICEBERG), int(Flag.STOP), int(Flag.MINIMUM)
REQUEST, TIMER, GATEWAY = int(Event.REQUEST), int(Event.TIMER), int(Event.GATEWAY)


@jit
def _send(agent, action, side, price_ticks, lots, tif, flags, order_id):
    """Put a request on the agent's link to the exchange and return it; fields that only some kinds of orders have are zero."""
    world = world_at(agent.world, 0)
    events = calendar_of(world)
    requests = requests_of(world)
    world.hook_requests += 1
    if world.hook_requests > SENDS_MAX or requests.taken + 2 >= requests.capacity or events.count + 1 >= events.capacity:
        raise RuntimeError("an agent may send at most 1,000 requests in one call of a hook")
    slot = take(requests)
    request = request_of(world, slot)
    agent.order_last_ns = max(agent.order_last_ns, world.now_ns + order_delay(world, agent))
    request.time_ns, request.sent_ns, request.order_id = agent.order_last_ns, world.now_ns, order_id
    request.price_ticks, request.lots, request.owner, request.book = price_ticks, lots, agent.owner, agent.book
    # A byte must not make a side of what was none.
    request.action, request.side, request.tif, request.flags = action, side if -1 <= side <= 1 else 0, tif if 0 <= tif <= 255 else 255, flags
    request.display_lots, request.min_lots, request.offset_ticks, request.trigger_ticks, request.expiry_ns = 0, 0, 0, 0, 0
    calendar.add(events, agent.order_last_ns, GATEWAY if venue_of(world, agent.book).gateway_ns else REQUEST, slot)
    return request


@jit(inline=True)
def _next_order_id(agent):
    agent.order_count += 1
    return agent.owner * ORDER_IDS_PER_OWNER + agent.order_count


@jit
def venue_of_order(address, order_id):
    """Return at which of its venues an agent has an order; where it is now if the id is none of its own."""
    agent = agent_at(address, 0)
    if agent.venue_count == 1 or order_id // ORDER_IDS_PER_OWNER != agent.owner:
        return agent.venue
    venue = order_id % ORDER_IDS_PER_OWNER // ORDER_IDS_PER_VENUE
    return venue if venue < agent.venue_count else agent.venue


@jit
def at_order(address, order_id):
    """Return the address of an agent's record at the venue of one of its orders, caught up with."""
    return at_venue(address, venue_of_order(address, order_id))


@jit
def enter(address, action, side, price_ticks, lots, post_only, tif):
    """Send a new order; return its id."""
    agent = agent_at(address, 0)
    order_id = _next_order_id(agent)
    _send(agent, action, side, price_ticks, lots, tif, POST_ONLY if post_only else 0, order_id)
    return order_id


@jit
def enter_ruled(address, action, side, price_ticks, lots, tif, flags, expiry_ns, display_lots, trigger_ticks, min_lots, offset_ticks):
    """Send a new order of a kind of its own; return its id."""
    agent = agent_at(address, 0)
    order_id = _next_order_id(agent)
    request = _send(agent, action, side, price_ticks, lots, tif, flags, order_id)
    request.expiry_ns, request.trigger_ticks = expiry_ns, trigger_ticks
    # Four bytes must not make a number that fits of one that does not.
    request.display_lots = display_lots if 0 <= display_lots < 2**31 else -1
    request.min_lots = min_lots if 0 <= min_lots < 2**31 else -1
    request.offset_ticks = max(-(2**31), min(offset_ticks, 2**31 - 1))
    return order_id


@jit
def limit_flags(post_only, slide, hidden, is_iceberg, is_stop, has_minimum):
    """Return the flags of a limit order, as `messages.limit_fields` does."""
    flags = POST_ONLY if post_only or slide else 0
    flags |= (SLIDE if slide else 0) | (HIDDEN if hidden else 0) | (ICEBERG if is_iceberg else 0)
    return flags | (STOP if is_stop else 0) | (MINIMUM if has_minimum else 0)


@jit
def change(address, action, order_id, price_ticks, lots, post_only):
    """Send a cancel or a replace, to the venue of the order."""
    _send(agent_at(record_at(address, venue_of_order(address, order_id)), 0), action, 0, price_ticks, lots, 0, POST_ONLY if post_only else 0, order_id)


@jit
def cancel_all(address, side, low_ticks, high_ticks):
    """Send a mass cancel."""
    request = _send(agent_at(address, 0), MASS_CANCEL, side, low_ticks, 0, 0, 0, 0)
    # One that is no side must be refused, and not be read as both.
    request.side = side if -1 <= side <= 1 else 2
    request.trigger_ticks = high_ticks


@jit
def set_timer(address, time_ns):
    """Plan the agent's next on_timer, in place of one that is planned. A float is cut to whole nanoseconds."""
    agent = agent_at(address, 0)
    world = world_at(agent.world, 0)
    # Asked so that a nan is refused too.
    if not world.now_ns <= time_ns < NEVER_NS:
        raise ValueError("wake_at: the time is in the past" if time_ns < world.now_ns else "wake_at: the time never comes")
    events = calendar_of(world)
    world.hook_timers += 1
    if world.hook_timers > SENDS_MAX or events.count + 1 >= events.capacity:
        raise RuntimeError("an agent may set its timer at most 1,000 times in one call of a hook")
    timer = agent_of(world, agent.owner)
    timer.timer_ns, timer.timer_sequence = np.int64(time_ns), calendar.next_sequence(events)
    # A timer that is put off waits for the event that is planned already: one set anew all the time would fill the calendar.
    if timer.timer_event == 0 or timer.timer_ns < timer.timer_event_ns:
        plan_timer(world, timer)


@jit
def plan_timer(world, agent):
    """Plan the event of an agent's timer."""
    agent.timer_event, agent.timer_event_ns = agent.timer_sequence, agent.timer_ns
    calendar.add_numbered(calendar_of(world), agent.timer_ns, agent.timer_sequence, TIMER, agent.owner)


@jit
def is_timer_due(world, agent, sequence):
    """Return whether an event is that of an agent's timer; if it is only the one that looks after it, plan the timer's own."""
    if sequence != agent.timer_event:
        return False
    agent.timer_event = 0
    if sequence != agent.timer_sequence:
        plan_timer(world, agent)
        return False
    return True


# What native agents call these by, each of which is larger than most agents.
doors = Doors("outbox")
_number, _flag, _time = types.int64, types.boolean, types.float64
enter_door = doors.add(enter, _number(*[_number] * 5, _flag, _number))
enter_ruled_door = doors.add(enter_ruled, _number(*[_number] * 12))
change_door = doors.add(change, types.void(*[_number] * 5, _flag))
cancel_all_door = doors.add(cancel_all, types.void(*[_number] * 4))
set_timer_door = doors.add(set_timer, types.void(_number, _number), types.void(_number, types.uint64), types.void(_number, _time))
