"""The kernel: the loop that makes time pass.

Owns what an event does. `advance` runs in native code until a time is reached or something outside is needed (a `Stop`): the tape's buffer is full, an array is
too short, or a Python agent's hook must be called. Every event does all its own work before it calls an agent, so after any stop the loop simply goes on.
It allocates nothing, reads no wall clock, and orders equal times by the sequence in which they were planned; a recorded row comes before what agents do at
its time.
"""
from enum import IntEnum

from lob.exchange import gate, matcher
from lob.exchange.book import book_at
from lob.exchange.history import apply_agent, apply_recorded, expect_rows, history_at
from lob.exchange.reports import report_at, request_at
from lob.exchange.rules.ruled import rows_most
from lob.jit import address_of, call_at, jit
from lob.messages import LOTS_MAX, Action, CancelReason, Flag, ReportKind
from lob.parts import outer
from lob.simulation import calendar
from lob.simulation.calendar import first_of
from lob.simulation.clock import CLOCK, is_overtaken, plan_clock
from lob.simulation.depth import depth_is_short, publish_depth
from lob.simulation.fundamental import advance_fundamental, fundamental_at
from lob.simulation.gateway import pass_gateway
from lob.simulation.inbox import catch_up, post, read_arrived
from lob.simulation.outbox import is_timer_due
from lob.simulation.own_orders import note_trade
from lob.simulation.view import hear_touch, hear_trade, publish_touch, publish_trade, ring_is_short
from lob.simulation.world import (
    LOOKS_BACK_MAX,
    NEVER_NS,
    ON_ACCEPTED,
    ON_DONE,
    ON_FILL,
    ON_QUOTE,
    ON_REJECTED,
    ON_START,
    ON_TIMER,
    ON_TRADE,
    SENDS_MAX,
    TOUCHES,
    TRADES,
    Event,
    agent_of,
    book_of,
    calendar_of,
    give,
    has_hook,
    hook_of,
    notice_of,
    notices_of,
    own_orders_of,
    reports_of,
    request_of,
    requests_of,
    ring_of,
    take,
    venue_of,
    word_at,
    world_at,
)

START, TIMER, REQUEST, REPORT, FUNDAMENTAL, QUOTE, TRADE, GATEWAY = (int(e) for e in Event)
ACCEPTED, FILL, CANCELLED, REDUCED, REPLACED, REJECTED, PRINT, STATUS = (int(k) for k in list(ReportKind)[:8])
MODE, IN_AUCTION = int(ReportKind.MODE), int(Flag.AUCTION)
FOR_REPLACE, MARKET, DROP_LEVEL = int(CancelReason.REPLACED), int(Action.MARKET), int(Action.DROP_LEVEL)


class Stop(IntEnum):
    """Why `advance` came back."""

    TIME = 0      # the time is reached
    PYTHON = 1    # current_owner's current_hook must be called with current_notice
    TAPE = 2      # the buffer of reports is full
    BOOK = 3      # a book is full
    WORLD = 4     # the pools of requests, notices or events are full
    RINGS = 5     # a ring of market data is too short for the longest delay
    STUCK = 6     # time stands still: agents without latency answer each other for ever


TIME, PYTHON, TAPE, BOOK, WORLD, RINGS, STUCK = (int(s) for s in Stop)
STUCK_AFTER_EVENTS = 1_000_000


@outer
def advance(world_address, until_ns):
    """Let events happen up to until_ns; return why it stopped."""
    world = world_at(world_address, 0)
    events = calendar_of(world)
    while True:
        feed_ns = request_at(world.feed, world.feed_next).time_ns if world.feed_next < world.feed_count else NEVER_NS
        event_ns = first_of(events).time_ns if events.count else NEVER_NS
        if min(feed_ns, event_ns) > until_ns:
            world.now_ns = until_ns
            return TIME
        if _is_short(world, events):
            return WORLD
        if event_ns > world.now_ns:
            world.same_time_events = 0
        elif world.same_time_events > STUCK_AFTER_EVENTS + 100 * world.agent_count:
            return STUCK
        stop = _recorded_row(world, feed_ns) if feed_ns <= event_ns else _planned_event(world, events)
        if stop:
            return stop


@jit(inline=True)
def _is_short(world, events):
    """Return whether one event, with a hook at its most talkative, might find a pool or the calendar full."""
    requests, notices, own_orders = requests_of(world), notices_of(world), own_orders_of(world)
    return (
        requests.taken + SENDS_MAX + 2 >= requests.capacity
        or notices.taken + SENDS_MAX >= notices.capacity
        or own_orders.taken + notices.taken + 2 >= own_orders.capacity
        # A request can plan a report, a touch and a trade for every agent.
        or events.count + 3 * SENDS_MAX + 3 * world.agent_count >= events.capacity
    )


@jit
def _planned_event(world, events):
    entry = first_of(events)
    kind, who, sequence = entry.kind, entry.who, entry.sequence
    world.now_ns = entry.time_ns
    if kind == REQUEST:
        short = _request_arrives(world, who)
        if short:
            return short
        calendar.remove_first(events)
        return TIME
    calendar.remove_first(events)
    if kind == GATEWAY:
        pass_gateway(world, who)
        return TIME
    if kind == FUNDAMENTAL:
        calendar.add(events, advance_fundamental(fundamental_at(world.fundamental, 0)), FUNDAMENTAL, 0)
        return TIME
    agent = agent_of(world, who)
    if kind == TIMER and not is_timer_due(world, agent, sequence):
        return TIME  # the timer was set anew
    world.same_time_events += kind == TIMER
    catch_up(world, agent)
    return _wake(world, agent, kind)


@jit
def _wake(world, agent, kind):
    """Call the hook of a planned event."""
    if kind == TIMER:
        return _call(world, agent, ON_TIMER, 0)
    if kind == REPORT:
        notice = read_arrived(world, agent)
        return _call(world, agent, notice.hook, address_of(notice))
    if kind == QUOTE:
        hear_touch(world, agent)
        return _call(world, agent, ON_QUOTE, 0)
    if kind == TRADE:
        trade = hear_trade(world, agent)
        if agent.reads_queue:
            note_trade(world, agent, trade)
        return _call(world, agent, ON_TRADE, trade)
    return _call(world, agent, ON_START, 0)


@jit
def _call(world, agent, hook, notice):
    """Call a hook, or stop for Python to call it."""
    world.call_count += 1
    world.hook_requests, world.hook_timers = 0, 0
    world.current_agent, world.current_hook, world.current_notice = agent.number, hook, notice
    address = hook_of(agent, hook)
    if address:
        call_at(address, agent.state, address_of(agent), notice)
        return TIME
    return PYTHON if (agent.python_hooks >> hook) & 1 else TIME


# The exchange.

@jit
def _request_arrives(world, slot):
    """Hand a request to its venue and send the reports on their way; return a Stop, with nothing done, if there is too little room."""
    request = request_of(world, slot)
    venue, reports = venue_of(world, request.book), reports_of(world)
    if request.action == CLOCK and is_overtaken(venue, request):
        give(requests_of(world), slot)
        plan_clock(world, venue)
        return TIME
    short = _answers_are_short(world, venue, _answers_most(venue, request))
    if short:
        return short
    first = reports.count
    count = apply_agent(history_at(venue.history, 0), request, reports) if venue.history else gate.apply(book_of(venue), request, reports)
    if count < 0:
        return TAPE if count == matcher.ROWS_SHORT else BOOK
    world.request_count += request.owner != 0
    # What agents do at one time may have no end; what they are told of it, and timers and clocks that were set anew, are finite.
    world.same_time_events += 1
    give(requests_of(world), slot)
    _route(world, venue, reports, first)
    if book_of(venue).armed and venue.history == 0:
        plan_clock(world, venue)
    return TIME


@jit
def _recorded_row(world, time_ns):
    """Let the next row of the recorded day happen."""
    request = request_at(world.feed, world.feed_next)
    venue, reports = venue_of(world, request.book), reports_of(world)
    world.now_ns = time_ns
    short = _answers_are_short(world, venue, _answers_most(venue, request))
    if short:
        return short
    first = reports.count
    count = apply_recorded(history_at(venue.history, 0), request, reports) if venue.history else gate.apply(book_of(venue), request, reports)
    if count < 0:
        return TAPE if count == matcher.ROWS_SHORT else BOOK
    world.feed_next += 1
    expect_rows(book_of(venue), world.feed, world.feed_next, world.feed_count)
    _route(world, venue, reports, first)
    return TIME


@jit(inline=True)
def _answers_are_short(world, venue, most):
    """Return a Stop if the notices, trades and changes of depth of so many rows might find no room: a fill can send four reports and change two levels."""
    if notices_of(world).taken + 4 * most + 8 >= notices_of(world).capacity:
        return WORLD
    if ring_is_short(world, ring_of(venue, TOUCHES), 1 + LOOKS_BACK_MAX) or ring_is_short(world, ring_of(venue, TRADES), most + 1 + LOOKS_BACK_MAX):
        return RINGS
    if depth_is_short(venue, 2 * most + 5, world.now_ns):
        return RINGS
    return TIME


@jit(inline=True)
def _answers_most(venue, request):
    """Return how many rows can matter to somebody, at the most, of those that answer a request: where rules are in force, its lots do not bound them."""
    recorded_count = book_of(venue).order_count
    if venue.history == 0:
        return rows_most(book_of(venue), request) if book_of(venue).rules else max(0, min(request.lots, recorded_count))
    agents = book_at(history_at(venue.history, 0).agents, 0)
    # A dropped level takes every order that stands there, and orders of one's own give way to one's own, whatever the request says of lots.
    unbounded = request.action == DROP_LEVEL or agents.rules != 0
    return max(0, min(LOTS_MAX if unbounded else request.lots, recorded_count + agents.order_count))


@jit
def _route(world, venue, reports, first):
    """Send new rows to the agents they name, and what is public to the rings."""
    for i in range(first, reports.count):
        row = report_at(reports.rows, i)
        if row.kind == FILL:
            if venue.hides_agents == 0 or (row.owner == 0 and row.resting_owner == 0):
                publish_trade(world, venue, row)
            if row.resting_owner:
                _notify_fill(world, row, row.resting_owner, row.resting_id, -row.side, row.resting_open_lots, 1)
        elif row.kind == PRINT:
            publish_trade(world, venue, row)
        if row.owner:
            _notify_sender(world, row)
        elif row.kind == REJECTED:
            world.feed_unknown += 1
    publish_touch(world, venue, world.now_ns)
    if venue.replica_count:
        publish_depth(venue, reports, first, world.now_ns)


@jit
def _notify_sender(world, row):
    kind = row.kind
    if kind == FILL:
        _notify_fill(world, row, row.owner, row.order_id, row.side, row.open_lots, 0)
    elif kind == CANCELLED:
        if row.reason != FOR_REPLACE:
            _notify(world, row, row.owner, row.order_id, row.side, 0, 0, ON_DONE)
    elif kind == REJECTED:
        # A refused cancel or replace leaves its order as it was, so nothing is done: it has a hook of its own, as it has a message of its own at a venue.
        _notify(world, row, row.owner, row.order_id, row.side, 0, 0, ON_DONE if row.action <= MARKET else ON_REJECTED)
    elif kind != MODE:
        _notify(world, row, row.owner, row.order_id, row.side, row.open_lots, 0, ON_ACCEPTED)


@jit
def _notify_fill(world, row, owner, order_id, side, open_lots, is_resting):
    _notify(world, row, owner, order_id, side, open_lots, is_resting, ON_FILL)
    if open_lots == 0:
        _notify(world, row, owner, order_id, side, 0, is_resting, ON_DONE)


@jit
def _notify(world, row, owner, order_id, side, open_lots, is_resting, hook):
    """Tell an agent of one of its orders, if it has a use for that.

    is_resting: whether it is about the order that a FILL row names as the resting one, which in an auction makes nobody a maker.
    """
    agent = agent_of(world, owner)
    if agent.book != row.book:
        agent = agent_of(world, word_at(agent.by_book, row.book).value)
    if hook != ON_FILL and not agent.reads_orders and not has_hook(agent, hook):
        return
    slot = take(notices_of(world))
    notice = notice_of(world, slot)
    notice.time_ns, notice.id, notice.price_ticks, notice.lots, notice.open_lots = row.time_ns, order_id, row.price_ticks, row.lots, open_lots
    is_maker = is_resting and not row.flags & IN_AUCTION
    notice.side, notice.reason, notice.is_maker, notice.kind, notice.hook = side, row.reason, is_maker, row.kind, hook
    notice.lots_ahead, notice.action, notice.flags, notice.next = row.lots_ahead, row.action, row.flags, 0
    notice.fee_microticks = 0 if hook != ON_FILL else row.resting_fee if is_resting else row.fee
    post(world, agent, slot)
