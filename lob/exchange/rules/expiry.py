"""Expiry: orders that live until a time. Before a request is handled, those whose time has come go, each in an event of its own.

Owns no clock: time is what requests say. An order expires at the first request at or after its time, whatever becomes of that request.
"""
from lob.exchange.book import order_of
from lob.exchange.reports import close
from lob.exchange.rules.queues import EXPIRED, take_off
from lob.exchange.rules.state import NEVER, TIMED, expiries_of, extra_of, rules_of
from lob.jit import jit
from lob.schedule import entry_at, remove_first


@jit
def expire(book, request, reports, until_ns):
    """Take every order off whose time has come at a time, by expiry, then by entry."""
    expiries = expiries_of(rules_of(book))
    while expiries.count and entry_at(expiries.entries, 0).time_ns <= until_ns:
        entry = entry_at(expiries.entries, 0)
        slot, is_due = entry.who, _is_of_an_order(book, entry)
        remove_first(expiries)
        if is_due:
            take_off(book, request, reports, slot, EXPIRED)
            close(reports)


@jit
def next_expiry_ns(book):
    """Return when the next order expires, NEVER if none does; entries of orders that have gone leave the top of the schedule."""
    expiries = expiries_of(rules_of(book))
    while expiries.count and not _is_of_an_order(book, entry_at(expiries.entries, 0)):
        remove_first(expiries)
    return entry_at(expiries.entries, 0).time_ns if expiries.count else NEVER


@jit(inline=True)
def _is_of_an_order(book, entry):
    return order_of(book, entry.who).kind & TIMED and extra_of(book, entry.who).entry == entry.sequence
