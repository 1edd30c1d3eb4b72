"""Quiet: the requests of which no rule has anything to say, though some are in force.

Owns the question. A book with a rule armed sees many of them: a plain limit order that comes to rest, a cancel of a plain order. Nothing is due before them,
they trade nothing, and nothing follows. The matcher answers them as on a plain book.
Cost: what a look at the book takes, a third of what asking every rule does.
"""
from lob.exchange.book import find, ladder_of, order_of
from lob.exchange.ladder import key_of
from lob.exchange.matcher import CANCEL, LIMIT, POST_ONLY, meets
from lob.exchange.rules.bands import is_outside_band
from lob.exchange.rules.fees import costs_too_much
from lob.exchange.rules.phases import CONTINUOUS
from lob.exchange.rules.state import NEVER, expiries_of, fees_of, hidden_ladder
from lob.jit import jit
from lob.messages import PRICE_MAX_TICKS
from lob.schedule import entry_at


@jit
def is_quiet(book, rules, request):
    """Return whether the matcher's answer to a request, if it is plain, is that of the rules."""
    if rules.phase != CONTINUOUS or rules.phase_end_ns != NEVER or rules.peg_count:
        return False
    expiries = expiries_of(rules)
    if expiries.count and entry_at(expiries.entries, 0).time_ns <= request.time_ns:
        return False
    if request.tif or request.flags > POST_ONLY:
        return False
    if request.action == CANCEL:
        return _is_about_plain_order(book, request)
    return request.action == LIMIT and _rests(book, rules, request)


@jit
def _is_about_plain_order(book, request):
    slot = find(book, request.owner, request.order_id)
    return slot == 0 or order_of(book, slot).kind == 0


@jit
def _rests(book, rules, request):
    """Return whether a limit order with a price that can be read comes to rest at once, at a price that band and fees allow."""
    side, price_ticks, fees = request.side, request.price_ticks, fees_of(rules)
    if price_ticks < 1 or price_ticks > PRICE_MAX_TICKS or fees.tier_count > 1:
        return False
    key = key_of(side, price_ticks)
    if meets(ladder_of(book, -side), key) or meets(hidden_ladder(rules, -side), key):
        return False
    return not is_outside_band(book, price_ticks) and not costs_too_much(fees, price_ticks, request.lots)
