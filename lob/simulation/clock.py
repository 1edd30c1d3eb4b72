"""The venue's clock: what a venue does because of the time, and nobody asks for.

Owns the venue's own requests in a simulation: the schedule of its phases, planned when the simulation begins, and the end of a batch, of the breaker's phase
or of an order with an expiry, planned as soon as there is one to come. An empty batch plans nothing.
"""
from lob.errors import LobError, ScenarioError
from lob.exchange.rules.auction import can_trade
from lob.exchange.rules.expiry import next_expiry_ns
from lob.exchange.rules.phases import BATCH
from lob.exchange.rules.state import NEVER, rules_of
from lob.exchange.venue import phase_named
from lob.integers import whole
from lob.jit import jit
from lob.messages import NOBODY, Action, Phase
from lob.simulation import calendar
from lob.simulation.world import Event, book_of, calendar_of, request_of, requests_of, take, venue_of, world_at

REQUEST, CLOCK, PHASE = int(Event.REQUEST), int(Action.CLOCK), int(Action.PHASE)
SCHEDULE_MAX, TIME_MAX_NS = 1_000, 2**62


@jit
def _due_ns(book):
    """Return when the next thing happens in a book by itself: a phase ends, not one of a batch without a trade, or an order expires; NEVER if nothing does."""
    rules = rules_of(book)
    end_ns = NEVER if rules.phase == BATCH and not can_trade(book) else rules.phase_end_ns
    return min(end_ns, next_expiry_ns(book))


@jit
def plan_clock(world, venue):
    """Plan that a venue looks at the clock when the next thing is due, if it does not look before then anyway; there is room for one request."""
    book = book_of(venue)
    due_ns = _due_ns(book)
    if due_ns == NEVER or 0 < venue.clock_ns <= due_ns or due_ns < world.now_ns:
        return
    # The look that is planned for later is told to the earlier one, so that none is planned twice however often quotes with an expiry are renewed.
    _plan(world, book.number, CLOCK, 0, due_ns).expiry_ns = venue.clock_ns
    venue.clock_ns = due_ns


@jit
def is_overtaken(venue, request):
    """Take note that a look at the clock has come; return whether it is for nothing: what was to happen has happened before, or will not."""
    if request.time_ns == venue.clock_ns:
        venue.clock_ns, request.expiry_ns = request.expiry_ns, 0
    return request.owner == NOBODY and request.action == CLOCK and _due_ns(book_of(venue)) > request.time_ns


@jit
def _plan(world, number, action, price_ticks, time_ns):
    """Plan a request of the venue's own and return it."""
    slot = take(requests_of(world))
    request = request_of(world, slot)
    request.time_ns, request.sent_ns, request.order_id, request.price_ticks, request.lots = time_ns, time_ns, 0, price_ticks, 0
    request.owner, request.book, request.action, request.side, request.tif, request.flags = NOBODY, number, action, 0, 0, 0
    request.display_lots, request.min_lots, request.offset_ticks, request.trigger_ticks, request.expiry_ns = 0, 0, 0, 0, 0
    calendar.add(calendar_of(world), time_ns, REQUEST, slot)
    return request


@jit
def plan_phase(world_address, number, phase, time_ns):
    """Plan that a venue moves to a phase; there is room for one request."""
    _plan(world_at(world_address, 0), book_of(venue_of(world_at(world_address, 0), number)).number, PHASE, phase, time_ns)


def checked_schedule(schedule, venue, where="venue"):
    """Return a schedule as a tuple of (time_ns, Phase), from pairs in which a phase may go by its name. Raises ScenarioError if it is none."""
    if not isinstance(schedule, (list, tuple)):
        raise ScenarioError(f"{where}.schedule must be a list of times and phases, was {schedule!r}")
    entries = []
    for i, entry in enumerate(schedule):
        place = f"{where}.schedule[{i}]"
        try:
            time_ns, phase = entry
        except (TypeError, ValueError):
            raise ScenarioError(f"{place} must be a time and a phase, was {entry!r}") from None
        earliest_ns = entries[-1][0] if entries else 0
        begins_ns = whole(time_ns, earliest_ns, TIME_MAX_NS)
        if begins_ns is None:
            raise ScenarioError(f"{place} must not be before {earliest_ns:,} ns, was {time_ns!r}")
        try:
            phase = phase_named(phase, place)
        except LobError as error:
            raise ScenarioError(str(error)) from None
        if phase == Phase.BATCH and venue.batch_interval_ns == 0:
            raise ScenarioError(f"{place}: batches need a batch_interval_ns, and the venue has none")
        entries.append((begins_ns, phase))
    if len(entries) > SCHEDULE_MAX:
        raise ScenarioError(f"{where}.schedule must have at most {SCHEDULE_MAX:,} phases, has {len(entries):,}")
    return tuple(entries)
