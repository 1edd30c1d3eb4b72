"""Mass cancel: all of an owner's orders at once, of one side or both, within a range of prices.

Owns the order in which they go: bids from the best price down, then asks from the best price up, at each price in the order of trading, market orders that
collect before all limits; then waiting stops by entry. Cost: a walk over the levels and orders of the book.
"""
from lob.exchange.book import ladder_of, order_of
from lob.exchange.ladder import next_key
from lob.exchange.matcher import UNKNOWN_ORDER, reject
from lob.exchange.reports import close
from lob.exchange.rules.queues import MARKET_KEY, price_where, take_off
from lob.exchange.rules.state import extra_of, hidden_ladder, market_ladder, rules_of, stop_ladder, triggered_of
from lob.exchange.rules.trading import head_in
from lob.jit import jit
from lob.messages import CancelReason
from lob.schedule import add, entry_at, remove_first

MASS = int(CancelReason.MASS)


@jit
def mass_cancel(book, request, reports):
    """Take off every order that the request speaks of; refused if there is none."""
    before, rules = reports.count, rules_of(book)
    for side in (1, -1):
        if request.side != -side:
            displayed, hidden = ladder_of(book, side), hidden_ladder(rules, side)
            _take_off_queue(book, request, reports, head_in(market_ladder(rules, side), MARKET_KEY))
            key = max(displayed.best_key, hidden.best_key)
            while key:
                _take_off_queue(book, request, reports, head_in(displayed, key))
                _take_off_queue(book, request, reports, head_in(hidden, key))
                key = max(next_key(displayed, key), next_key(hidden, key))
    _take_off_stops(book, rules, request, reports)
    if reports.count == before:
        reject(request, reports, UNKNOWN_ORDER)
    close(reports)


@jit
def _is_meant(book, request, slot):
    price_ticks = price_where(book, slot)
    if price_ticks == 0:
        price_ticks = extra_of(book, slot).trigger_ticks
    in_range = request.trigger_ticks == 0 or (request.price_ticks <= price_ticks and price_ticks <= request.trigger_ticks)
    return order_of(book, slot).owner == request.owner and in_range


@jit
def _take_off_queue(book, request, reports, slot):
    while slot:
        behind = order_of(book, slot).next
        if _is_meant(book, request, slot):
            take_off(book, request, reports, slot, MASS)
        slot = behind


@jit
def _take_off_stops(book, rules, request, reports):
    # The line of the triggered is empty now: it sorts them.
    meant = triggered_of(rules)
    for side in (1, -1):
        ladder = stop_ladder(rules, side)
        key = ladder.best_key if request.side != -side else 0
        while key:
            slot = head_in(ladder, key)
            while slot:
                if _is_meant(book, request, slot):
                    meant.sequence = extra_of(book, slot).entry
                    add(meant, 0, 0, slot)
                slot = order_of(book, slot).next
            key = next_key(ladder, key)
    while meant.count:
        slot = entry_at(meant.entries, 0).who
        remove_first(meant)
        take_off(book, request, reports, slot, MASS)
