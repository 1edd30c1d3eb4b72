"""The gate: which path a request takes.

A plain request (LIMIT with a time in force up to FOK and no flag but POST_ONLY, MARKET, CANCEL, REPLACE) on a book where no rule is armed goes to the
matcher, and pays one branch for all the rules that it does not use. Everything else goes to the rules, which know plain requests too. They are called by
address, so that a program that never needs them does not wait until they are compiled. Owns nothing else.
"""
from lob.exchange import matcher
from lob.exchange.book import tag_of
from lob.exchange.rules.state import rules_of
from lob.jit import address_of, call_at, jit


@jit
def apply(book, request, reports):
    """Do what a request asks; return how many rows were written, or a Shortage. A total function, as both paths are."""
    return answer(book, request, reports, tag_of(request.owner, request.order_id))


@jit(inline=True)
def answer(book, request, reports, tag):
    """Apply a request whose order's tag is known."""
    # One number for all four questions, so that the plain path has one branch: bit 3 of the action begins with MASS_CANCEL.
    if (book.armed << 2 | request.tif | request.flags | (request.action & 8)) > 2:
        return _ruled(book, request, reports)
    return matcher.answer(book, request, reports, tag)


@jit
def _ruled(book, request, reports):
    if book.rules == 0 or rules_of(book).address == 0:
        book.wants_rules = 1
        return matcher.ORDERS_SHORT
    call_at(rules_of(book).address, address_of(book), address_of(request), address_of(reports))
    return rules_of(book).answer
