"""The gate: which path a request takes.

A plain request (LIMIT with a time in force up to FOK and no flag but POST_ONLY, MARKET, CANCEL, REPLACE) on a book where no rule is armed goes to the matcher,
and pays one branch for all the rules that it does not use. Everything else goes to the rules, which know plain requests too. Owns nothing else.
"""
from lob.exchange import matcher
from lob.exchange.book import tag_of
from lob.exchange.rules import ruled
from lob.jit import jit


@jit
def apply(book, request, reports):
    """Do what a request asks; return how many rows were written, or a Shortage. A total function, as both paths are."""
    return answer(book, request, reports, tag_of(request.owner, request.order_id))


@jit(inline=True)
def answer(book, request, reports, tag):
    """Apply a request whose order's tag is known."""
    # One number for all four questions, so that the plain path has one branch: bit 3 of the action begins with MASS_CANCEL.
    if (book.armed << 2 | request.tif | request.flags | (request.action & 8)) > 2:
        return ruled.apply(book, request, reports)
    return matcher.answer(book, request, reports, tag)
