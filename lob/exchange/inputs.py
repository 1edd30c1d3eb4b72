"""Inputs: what a person asks of a book that is no request, and so can be answered with a LobError. Shared by both books; knows neither."""
import operator

from lob.errors import LobError
from lob.messages import PEGS


def checked_side(side):
    """Return a side as 1 or -1; raises LobError for anything else."""
    if not hasattr(side, "__index__") or operator.index(side) not in (1, -1):
        raise LobError(f"side must be 1 (buy) or -1 (sell), was {side!r}")
    return int(side)


def checked_count(name, count):
    """Return a count as an int; raises LobError if it is below 0 or no whole number."""
    if not hasattr(count, "__index__") or operator.index(count) < 0:
        raise LobError(f"{name} must be a whole number from 0 on, was {count!r}")
    return int(count)


def checked_peg(peg):
    """Return what a pegged order follows; raises LobError for a word that is none of PEGS."""
    if peg is not None and peg not in PEGS:
        raise LobError(f"peg must be one of {', '.join(PEGS)}, was {peg!r}")
    return peg
