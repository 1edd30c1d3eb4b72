"""Inputs: what a person asks of a book that is no request, and so can be answered with a LobError. Shared by both books; knows neither."""
import operator

from lob.errors import LobError
from lob.exchange.venue import Venue
from lob.messages import PEGS, SelfTrade


def checked_side(side):
    """Return a side as 1 or -1; raises LobError for anything else."""
    if not hasattr(side, "__index__") or operator.index(side) not in (1, -1):
        raise LobError(f"side must be 1 (buy) or -1 (sell), was {side!r}")
    return int(side)


def checked_whole(name, number):
    """Return a number as an int; raises LobError if it is no whole number."""
    try:
        return operator.index(number)
    except TypeError:
        raise LobError(f"{name} must be a whole number, was {number!r}") from None


def checked_count(name, count):
    """Return a count as an int; raises LobError if it is below 0 or no whole number."""
    if not hasattr(count, "__index__") or operator.index(count) < 0:
        raise LobError(f"{name} must be a whole number from 0 on, was {count!r}")
    return int(count)


def checked_number(book):
    """Return the number of a book as an int; raises LobError for one that no request can carry."""
    if not 0 <= checked_whole("book", book) < 2**16:
        raise LobError(f"book must be from 0 to {2**16 - 1}, was {book!r}")
    return int(book)


def checked_venue(venue):
    """Return a Venue, the default for None; raises LobError for anything else."""
    if not isinstance(venue, Venue | None):
        raise LobError(f"venue must be a Venue, was {venue!r}")
    return venue or Venue()


def checked_mode(mode):
    """Return a SelfTrade mode as an int; raises LobError for what is none."""
    if not hasattr(mode, "__index__") or operator.index(mode) not in list(SelfTrade):
        raise LobError(f"mode must be one of {', '.join(f'SelfTrade.{known.name}' for known in SelfTrade)}, was {mode!r}")
    return int(mode)


def checked_peg(peg):
    """Return what a pegged order follows; raises LobError for a word that is none of PEGS."""
    if peg is not None and peg not in list(PEGS):
        raise LobError(f"peg must be one of {', '.join(PEGS)}, was {peg!r}")
    return peg
