"""Ruled: one request where rules are in force, from what has expired before it to the last stop that it triggers.

Owns the order of these steps and how much room the worst of them needs. A total function, as the matcher is: it changes nothing if there is too little room.
"""
from functools import cache

from lob.exchange import matcher
from lob.exchange.book import book_at, ladder_of
from lob.exchange.matcher import ORDERS_SHORT, ROWS_SHORT, reject
from lob.exchange.reports import close, reports_at, request_at
from lob.exchange.rules.bands import look_from_here
from lob.exchange.rules.checks import CLOCK, MASS_CANCEL, MODE, PHASE, crosses, malformed, refused
from lob.exchange.rules.expiry import expire
from lob.exchange.rules.fees import has_owner_room, note_owner
from lob.exchange.rules.mass import mass_cancel
from lob.exchange.rules.orders import ACCEPTED, cancel, enter_limit, enter_market, replace, slid
from lob.exchange.rules.pages import pages_of_pegs, pages_of_stops
from lob.exchange.rules.pegs import PEGS, enter_peg, follow
from lob.exchange.rules.phases import CONTINUOUS, about_book, collect_market, end_phase, indicate, move, say_phase, trip
from lob.exchange.rules.quiet import is_quiet
from lob.exchange.rules.state import (
    NEVER,
    SLICES_MAX,
    STOP,
    all_planned,
    allocation_of,
    expiries_of,
    fees_of,
    hidden_ladder,
    market_ladder,
    rules_of,
    set_mode,
    stop_ladder,
    triggered_of,
)
from lob.exchange.rules.stops import enter_stop, trigger
from lob.jit import HOOK, entry_point, jit
from lob.messages import LOTS_MAX, Action, ReportKind

LIMIT, MARKET, CANCEL = int(Action.LIMIT), int(Action.MARKET), int(Action.CANCEL)
MODE_ROW = int(ReportKind.MODE)


@cache
def entry():
    """Return the address at which the gate finds the rules. They are compiled when the first book needs them: most never do."""
    return entry_point(_compiled())


@cache
def _compiled():
    return jit(_answer, HOOK)


def _answer(book_address, request, reports):
    book = book_at(book_address, 0)
    rules_of(book).answer = apply(book, request_at(request, 0), reports_at(reports, 0))


@jit
def apply(book, request, reports):
    """Do what a request asks; return how many rows were written, or a Shortage."""
    before, rules = reports.count, rules_of(book)
    if is_quiet(book, rules, request):
        return matcher.apply(book, request, reports)
    if reports.capacity - reports.count < rows_most(book, request):
        return ROWS_SHORT
    if not has_ruled_room(book, rules):
        return ORDERS_SHORT
    _pass_time(book, rules, request, reports)
    look_from_here(book)
    reason = malformed(book, request)
    if reason == 0:
        reason = refused(book, request)
    if reason:
        _refuse(request, reports, reason)
    else:
        _act(book, request, reports)
    trip(book, request, reports)
    trigger(book, request, reports)
    if follow(book, request, reports):
        trip(book, request, reports)
        trigger(book, request, reports)
    indicate(book, request, reports)
    return reports.count - before


@jit
def _pass_time(book, rules, request, reports):
    """Do what was due before a request: orders expire and a phase ends, the one that was due first first."""
    end_ns = rules.phase_end_ns
    if end_ns <= request.time_ns and end_ns != NEVER:
        expire(book, request, reports, end_ns)
        end_phase(book, request, reports)
        trigger(book, request, reports)
    expire(book, request, reports, request.time_ns)


@jit
def _refuse(request, reports, reason):
    reject(request, reports, reason)
    close(reports)


@jit
def _act(book, request, reports):
    action = request.action
    if action <= MARKET:
        note_owner(fees_of(rules_of(book)), request.owner)
    if action == MASS_CANCEL:
        mass_cancel(book, request, reports)
    elif action == PHASE:
        move(book, request, reports)
    elif action == CLOCK:
        say_phase(book, request, reports, 0)
        close(reports)
    elif action == MODE:
        _change_mode(book, request, reports)
    elif action == CANCEL:
        cancel(book, request, reports)
    elif action > CANCEL:
        replace(book, request, reports)
    elif request.flags & STOP:
        enter_stop(book, request, reports)
    elif action == MARKET and rules_of(book).phase != CONTINUOUS:
        collect_market(book, request, reports)
    elif action == LIMIT and request.flags & PEGS:
        enter_peg(book, request, reports)
    elif action == MARKET:
        enter_market(book, request, reports, ACCEPTED)
    elif crosses(book, request, request.side):
        enter_limit(book, slid(book, request), reports, ACCEPTED)
    else:
        enter_limit(book, request, reports, ACCEPTED)


@jit
def _change_mode(book, request, reports):
    """Let an owner have another SelfTrade mode."""
    rules = rules_of(book)
    before = rules.mode_count
    row = about_book(book, request, reports, MODE_ROW)
    row.owner = request.owner
    close(reports)
    set_mode(rules, request.owner, request.price_ticks)
    book.armed += rules.mode_count - before


@jit
def rows_most(book, request):
    """Return how many rows a request can write at the most in a book with rules.

    Each meeting of two orders takes a lot of both at least, and ends one of them or a slice of an iceberg; it writes two rows at most. An order that comes in,
    by itself or triggered, writes three more; then there are those that expire, those of a mass cancel, and pegged orders that move. Where lots are shared out
    an order that comes in can, once, also meet all orders at a price and end none of them, with a row for each. At most two auctions are held, the end of a
    phase and the venue's own: each meeting in them ends an order or the auction, and every market order may be left over. Phases take a few rows more.
    """
    rules = rules_of(book)
    lots = max(0, min(request.lots, LOTS_MAX))
    meetings = min(lots + rules.stop_lots + rules.peg_lots, 2 * book.order_count + rules.refills + SLICES_MAX + 2)
    shared = 0
    if allocation_of(rules).is_shared:
        shared = min(lots, book.order_count + 1) + min(rules.stop_lots, rules.stop_count * (book.order_count + 1))
    taken_off = book.order_count if request.action >= MASS_CANCEL else rules.timed_count
    # Over both auctions together: what trades or goes in the first is no more there in the second.
    in_auctions = 2 * book.order_count if rules.phase != CONTINUOUS else 0
    return taken_off + 2 * meetings + shared + 4 * rules.stop_count + rules.peg_count + in_auctions + 17


@jit
def has_ruled_room(book, rules):
    """Return whether one more order can rest, with it every stop that might be triggered, and every pegged order elsewhere than now."""
    pages = min(stop_ladder(rules, 1).free_pages, stop_ladder(rules, -1).free_pages, market_ladder(rules, 1).free_pages, market_ladder(rules, -1).free_pages)
    for side in (1, -1):
        stops, pegs = pages_of_stops(all_planned(rules), side), pages_of_pegs(all_planned(rules), side, rules.peg_count)
        pages = min(pages, ladder_of(book, side).free_pages - stops, hidden_ladder(rules, side).free_pages - pegs)
    entries = min(expiries_of(rules).capacity - expiries_of(rules).count, triggered_of(rules).capacity)
    return pages > 0 and entries > rules.stop_count + 2 and has_owner_room(fees_of(rules)) and rules.mode_count < rules.mode_capacity \
        and book.order_count + 1 < book.order_capacity
