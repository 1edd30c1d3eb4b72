"""Phases: what a book does with orders at a time of the day, and how it moves from one phase to the next.

Owns the phase: which requests it takes, the end of a batch and of the breaker's phase, what an auction would do while orders collect. A phase moves when the
venue says so (Action.PHASE), when the breaker trips, or when its own time is over; time is what requests say.
Source: Xetra T7 market model, trading phases and volatility interruption; Budish, Cramton and Shim (2015), the frequent batch auction.
"""
from lob.exchange.book import ladder_of, order_of
from lob.exchange.ladder import next_key
from lob.exchange.reports import begin, close
from lob.exchange.rules.auction import auction_price, can_trade, uncross
from lob.exchange.rules.bands import look_from_here
from lob.exchange.rules.queues import EXPIRED, GTC, GTT, line_up_at_market, name_of, take_off
from lob.exchange.rules.state import AT_MARKET, DAY, NEVER, STOP, hidden_ladder, rules_of, stop_ladder
from lob.exchange.rules.trading import head_in
from lob.jit import jit
from lob.messages import Action, Flag, Phase, RejectReason, ReportKind

ACCEPTED, PHASE, INDICATIVE = int(ReportKind.ACCEPTED), int(ReportKind.PHASE), int(ReportKind.INDICATIVE)
CONTINUOUS, HALT, CLOSED, BATCH = (int(phase) for phase in (Phase.CONTINUOUS, Phase.HALT, Phase.CLOSED, Phase.BATCH))
WRONG_PHASE, PRICE_OUTSIDE_BAND = int(RejectReason.WRONG_PHASE), int(RejectReason.PRICE_OUTSIDE_BAND)
LIMIT, CANCEL, MASS_CANCEL = int(Action.LIMIT), int(Action.CANCEL), int(Action.MASS_CANCEL)
NOT_COLLECTED = int(Flag.POST_ONLY | Flag.MINIMUM | Flag.TO_LIMIT | Flag.PEG_NEAR | Flag.PEG_MID | Flag.PEG_FAR)


@jit
def collects(phase):
    """Return whether orders come in and rest without trading."""
    return phase != CONTINUOUS and phase != HALT and phase != CLOSED


@jit
def begins_with_an_auction(phase):
    """Return whether what has collected before a phase trades on the way into it: batches start from a clean book, as continuous trading does."""
    return phase == BATCH or not collects(phase)


@jit
def can_be_crossed(phase):
    """Return whether bids may rest at or above asks: while orders collect, and where the breaker has stopped one on its way."""
    return phase != CONTINUOUS and phase != CLOSED


@jit
def takes(phase, request):
    """Return whether a request that brings, changes or ends an order is taken in a phase."""
    action, flags = request.action, request.flags
    if phase == CONTINUOUS or action == CANCEL or action == MASS_CANCEL:
        return True
    if not collects(phase):
        return False
    # A stop waits in any case: what it becomes matters when it is triggered.
    if action == LIMIT and not flags & STOP and request.tif != GTC and request.tif < GTT:
        return False
    return not flags & NOT_COLLECTED


@jit
def collect_market(book, request, reports):
    """Let a market order wait for the auction."""
    side = request.side
    row = begin(reports, request, ACCEPTED)
    row.price_ticks, row.open_lots = 0, request.lots
    row.lots_ahead = line_up_at_market(book, name_of(book, request, AT_MARKET), side, request.lots)
    close(reports)


@jit
def about_book(book, request, reports, kind):
    """Begin a row that is about the book and no order of it."""
    row = begin(reports, request, kind)
    row.order_id, row.owner, row.side, row.lots, row.book = 0, 0, 0, 0, book.number
    return row


@jit
def say_phase(book, request, reports, reason):
    """Write the phase that the book is in, and why if nobody asked for it."""
    row = about_book(book, request, reports, PHASE)
    row.price_ticks, row.reason = rules_of(book).phase, reason


@jit
def _batch_end_ns(rules, time_ns):
    """Return the first multiple of the interval after a time, or NEVER."""
    if rules.batch_interval_ns == 0:
        return NEVER
    return _later(time_ns, rules.batch_interval_ns - time_ns % rules.batch_interval_ns)


@jit
def _later(time_ns, wait_ns):
    """Return the time some nanoseconds later, NEVER if there is no such number. The wait is not below zero."""
    return NEVER if time_ns > NEVER - wait_ns else time_ns + wait_ns


@jit
def _enter(book, phase, end_ns):
    rules = rules_of(book)
    book.armed += (phase != CONTINUOUS) - (rules.phase != CONTINUOUS)
    rules.phase, rules.phase_end_ns = phase, end_ns
    rules.indicated_ticks, rules.indicated_lots, rules.indicated_surplus = 0, 0, 0
    look_from_here(book)


@jit
def move(book, request, reports):
    """Move to the phase that the venue asks for: an auction first if orders have collected, and at the close what is good for the day goes."""
    rules, phase = rules_of(book), request.price_ticks
    if phase != rules.phase:
        if can_be_crossed(rules.phase) and begins_with_an_auction(phase):
            uncross(book, request, reports, 0)
        _enter(book, phase, _batch_end_ns(rules, request.time_ns) if phase == BATCH else NEVER)
    say_phase(book, request, reports, 0)
    if phase == CLOSED:
        _end_day(book, request, reports)
    close(reports)


@jit
def _end_day(book, request, reports):
    """Take off what is good for the day, in the order of a snapshot."""
    rules = rules_of(book)
    for place in range(3):
        for side in (1, -1):
            ladder = ladder_of(book, side) if place == 0 else (hidden_ladder(rules, side) if place == 1 else stop_ladder(rules, side))
            key = ladder.best_key
            while key:
                slot = head_in(ladder, key)
                while slot:
                    order = order_of(book, slot)
                    due, slot = slot if order.kind & DAY else 0, order.next
                    if due:
                        take_off(book, request, reports, due, EXPIRED)
                key = next_key(ladder, key)


@jit
def end_phase(book, request, reports):
    """Do what was due at a phase's end: the auction of a batch, or the breaker's way back to continuous trading. Empty batches cost nothing."""
    rules = rules_of(book)
    if rules.phase == BATCH:
        rules.phase_end_ns = _batch_end_ns(rules, request.time_ns)
        if can_trade(book):
            uncross(book, request, reports, EXPIRED)
            close(reports)
        return
    uncross(book, request, reports, EXPIRED)
    _enter(book, CONTINUOUS, NEVER)
    say_phase(book, request, reports, EXPIRED)
    close(reports)


@jit
def trip(book, request, reports):
    """Move to the breaker's phase if the event before would have traded too far from the reference price."""
    rules = rules_of(book)
    if rules.tripped:
        rules.tripped = 0
        _enter(book, rules.breaker_phase, _later(request.time_ns, rules.breaker_ns) if rules.breaker_ns else NEVER)
        say_phase(book, request, reports, PRICE_OUTSIDE_BAND)
        close(reports)


@jit
def indicate(book, request, reports):
    """Write at what price how many lots would trade, if that is not what the last such row of this phase says. A batch is sealed: nothing is said of it."""
    rules = rules_of(book)
    if not collects(rules.phase) or rules.phase == BATCH:
        return
    price_ticks, lots, surplus_lots = auction_price(book)
    if price_ticks == rules.indicated_ticks and lots == rules.indicated_lots and surplus_lots == rules.indicated_surplus:
        return
    rules.indicated_ticks, rules.indicated_lots, rules.indicated_surplus = price_ticks, lots, surplus_lots
    row = about_book(book, request, reports, INDICATIVE)
    row.price_ticks, row.lots, row.level_lots = price_ticks, lots, surplus_lots
    close(reports)
