"""The inbox: the reports on their way to an agent, and how it catches up with all that has reached it.

Owns the queue of notices of an agent at each of its venues, and what a fill does to its account there. An agent of several venues wakes at one of them; what
has reached it at another it looks at when it asks for that one, once in a call of a hook.
"""
from lob.jit import address_of, jit
from lob.simulation import calendar
from lob.simulation.depth import advance_replica, replica_at
from lob.simulation.latency import feed_delay
from lob.simulation.own_orders import note_report
from lob.simulation.view import look
from lob.simulation.world import ON_FILL, Event, agent_at, calendar_of, give, notice_of, notices_of, venue_of, word_at, world_at

REPORT = int(Event.REPORT)


@jit(inline=True)
def post(world, agent, slot):
    """Put a notice into an agent's inbox. If a hook of the agent hears reports, its arrival is planned; if not, it is read when the agent next acts."""
    notice = notice_of(world, slot)
    agent.report_last_ns = max(agent.report_last_ns, notice.time_ns + feed_delay(world, agent))
    notice.due_ns = agent.report_last_ns
    if agent.inbox_tail:
        notice_of(world, agent.inbox_tail).next = slot
    else:
        agent.inbox_head = slot
        if agent.hears_reports:
            calendar.add(calendar_of(world), notice.due_ns, REPORT, agent.number)
    agent.inbox_tail = slot


@jit
def _read_first(world, agent):
    """Take the first report out of an inbox, book it, and return its slot, which is free for the next report."""
    slot = agent.inbox_head
    notice = notice_of(world, slot)
    agent.inbox_head = notice.next
    if notice.next == 0:
        agent.inbox_tail = 0
    if notice.hook == ON_FILL:
        agent.inventory_lots += notice.side * notice.lots
        agent.cash -= notice.side * notice.lots * notice.price_ticks
        agent.fees_microticks += notice.fee_microticks
    if agent.reads_orders:
        note_report(world, agent, notice)
    give(notices_of(world), slot)
    return slot


@jit
def read_arrived(world, agent):
    """Take the report that has just arrived out of an inbox, plan the arrival of the next one, and return the notice."""
    slot = _read_first(world, agent)
    if agent.inbox_head:
        calendar.add(calendar_of(world), notice_of(world, agent.inbox_head).due_ns, REPORT, agent.number)
    return notice_of(world, slot)


@jit
def _read_due(world, agent):
    """Book the reports that have reached an agent which hears of none."""
    if agent.hears_reports:
        return
    while agent.inbox_head and notice_of(world, agent.inbox_head).due_ns <= world.now_ns:
        world.read_count += 1
        _read_first(world, agent)


@jit(inline=True)
def catch_up(world, agent):
    """Bring before an agent all that has reached it at a venue by now."""
    agent.now_ns = world.now_ns
    _read_due(world, agent)
    look(world, agent)
    if agent.replica:
        advance_replica(venue_of(world, agent.book), replica_at(agent.replica, 0), world.now_ns)


@jit(inline=True)
def record_at(address, venue):
    """Return the address of an agent's record at one of its venues."""
    agent = agent_at(address, 0)
    return address if venue == agent.venue else word_at(agent.elsewhere, venue).value


@jit
def at_venue(address, venue):
    """Return the address of an agent's record at one of its venues, caught up with."""
    agent = agent_at(address, 0)
    if not 0 <= venue < agent.venue_count:
        raise ValueError("at: the agent has no venue of that number; its venues are those of its setting `venues`, the first being 0")
    world, other = world_at(agent.world, 0), agent_at(record_at(address, venue), 0)
    # The one that it woke at is caught up with, and must not be looked at again with another delay.
    if other.number != world.current_agent and other.caught_up != world.call_count:
        other.caught_up = world.call_count
        catch_up(world, other)
    return address_of(other)
