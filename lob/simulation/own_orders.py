"""Own orders: what an agent knows of its orders, from its reports and its feed alone.

Owns the list of an agent's open orders, oldest first, kept for those that ask for it, and the rule of the place in the queue: the lots ahead at acceptance,
less what has since been shown to trade at that price, and never more than the lots that stand there without the agent's own. Trades come off the front of the
queue, so they count whole. Of a cancel no feed of prices says whether it stood in front or behind: the number is the most that can be ahead, as of the feed's
time. It is exact as long as nobody in front cancels. Cost: a walk over the agent's open orders for each report, trade or question.
"""
from lob.exchange.ladder import key_of
from lob.jit import jit
from lob.messages import Flag, ReportKind
from lob.simulation.depth import replica_at, replica_lots
from lob.simulation.view import entry_of
from lob.simulation.world import (
    ON_DONE,
    ON_FILL,
    TRADES,
    agent_at,
    cursor_of,
    give,
    own_order_of,
    own_orders_of,
    ring_of,
    take,
    trade_at,
    venue_of,
    world_at,
)

FILL, REDUCED, REFRESHED, REJECTED = int(ReportKind.FILL), int(ReportKind.REDUCED), int(ReportKind.REFRESHED), int(ReportKind.REJECTED)
STOP, HIDDEN, ICEBERG = int(Flag.STOP), int(Flag.HIDDEN), int(Flag.ICEBERG)
UNKNOWN = -1
ANY_NUMBER = 2**62  # nothing is known but what stands at the price


@jit
def _find(world, agent, order_id):
    slot = agent.own_head
    while slot and own_order_of(world, slot).id != order_id:
        slot = own_order_of(world, slot).behind
    return slot


@jit
def note_report(world, agent, notice):
    """Bring the list up to date with a report that has reached the agent."""
    if notice.kind == REJECTED:
        return
    slot = _find(world, agent, notice.id)
    # With jitter the news that an order is done comes after that of its last fill.
    if notice.hook == ON_DONE or (notice.hook == ON_FILL and notice.open_lots == 0):
        if slot:
            _remove(world, agent, slot)
    elif notice.hook == ON_FILL or notice.kind == REDUCED:
        if slot:
            own_order_of(world, slot).open_lots = notice.open_lots
    else:
        _place(world, agent, slot if slot else _append(world, agent), notice)


@jit
def _append(world, agent):
    slot = take(own_orders_of(world))
    own_order_of(world, slot).behind = 0
    own_order_of(world, slot).before = agent.own_tail
    if agent.own_tail:
        own_order_of(world, agent.own_tail).behind = slot
    else:
        agent.own_head = slot
    agent.own_tail = slot
    agent.open_order_count += 1
    return slot


@jit
def _remove(world, agent, slot):
    order = own_order_of(world, slot)
    if order.before:
        own_order_of(world, order.before).behind = order.behind
    else:
        agent.own_head = order.behind
    if order.behind:
        own_order_of(world, order.behind).before = order.before
    else:
        agent.own_tail = order.before
    agent.open_order_count -= 1
    give(own_orders_of(world), slot)


@jit
def _place(world, agent, slot, notice):
    """Note where an order stands that has been accepted, replaced, triggered or shown anew."""
    order = own_order_of(world, slot)
    order.id, order.side, order.price_ticks, order.open_lots, order.since_ns = notice.id, notice.side, notice.price_ticks, notice.open_lots, notice.time_ns
    order.flags = ICEBERG if notice.kind == REFRESHED else notice.flags
    order.lots_ahead = ANY_NUMBER if notice.kind == REFRESHED else notice.lots_ahead
    if notice.flags & (STOP | HIDDEN) or notice.price_ticks == 0:
        order.lots_ahead = UNKNOWN
    elif agent.reads_queue:
        # With jitter a trade can be known before the acceptance that it came after.
        ring, i = ring_of(venue_of(world, agent.book), TRADES), cursor_of(agent, TRADES).next - 1
        while i > 0 and trade_at(entry_of(ring, i), 0).time_ns > order.since_ns:
            _pass(order, trade_at(entry_of(ring, i), 0))
            i -= 1


@jit
def _pass(order, trade):
    """Take a trade off what is ahead of an order; a recorded print met no displayed order, and moves nobody up."""
    is_of_its_queue = trade.kind == FILL and trade.side == -order.side and trade.price_ticks == order.price_ticks
    if is_of_its_queue and trade.time_ns > order.since_ns and 0 < order.lots_ahead < ANY_NUMBER:
        order.lots_ahead = max(order.lots_ahead - trade.lots, 0)


@jit
def note_trade(world, agent, trade_address):
    """Let a trade that the agent has just heard of move its orders up."""
    slot = agent.own_head
    while slot:
        _pass(own_order_of(world, slot), trade_at(trade_address, 0))
        slot = own_order_of(world, slot).behind


# What an agent can ask.

@jit
def _asked(address):
    agent = agent_at(address, 0)
    if agent.reads_orders == 0:
        raise ValueError("orders: this agent's class must declare reads_orders = True")
    return agent


@jit
def open_order_count(address):
    return _asked(address).open_order_count


@jit
def order_id_at(address, i):
    """Return the id of the i-th open order, 0 being the oldest; 0 where there is none."""
    agent = _asked(address)
    world, slot = world_at(agent.world, 0), agent.own_head if i >= 0 else 0
    while slot and i > 0:
        slot, i = own_order_of(world, slot).behind, i - 1
    return own_order_of(world, slot).id if slot else 0


@jit
def order_fact(address, order_id, which):
    """Return the side (0), the price (1) or the open lots (2) of an open order; 0 if it is not known to be open."""
    agent = _asked(address)
    world = world_at(agent.world, 0)
    slot = _find(world, agent, order_id)
    if slot == 0:
        return 0
    order = own_order_of(world, slot)
    return order.side if which == 0 else order.price_ticks if which == 1 else order.open_lots


@jit
def order_lots_ahead(address, order_id):
    """Return the most lots that can be ahead of an open order; UNKNOWN where nothing is known."""
    agent = agent_at(address, 0)
    if agent.reads_queue == 0 or agent.replica == 0:
        raise ValueError("order_lots_ahead: this agent's class must declare reads_queue = True")
    world = world_at(agent.world, 0)
    slot = _find(world, agent, order_id)
    if slot == 0 or own_order_of(world, slot).lots_ahead == UNKNOWN:
        return UNKNOWN
    order, replica = own_order_of(world, slot), replica_at(agent.replica, 0)
    ahead = order.lots_ahead
    # The lots at the price tell something as soon as they are of a time when the order was among them.
    if agent.now_ns - replica.delay_ns >= order.since_ns:
        is_among_them = venue_of(world, agent.book).history == 0 and not order.flags & ICEBERG
        shown = replica_lots(replica, order.side, key_of(order.side, order.price_ticks)) - (order.open_lots if is_among_them else 0)
        ahead = min(ahead, max(shown, 0))
    return UNKNOWN if ahead == ANY_NUMBER else ahead
