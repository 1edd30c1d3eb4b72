"""Pages: how many pages of a ladder the orders that may yet come to rest somewhere can need, so that so many are kept free.

A stop that is triggered rests at its limit at the worst; a pegged order at its limit, one tick from the other side, or at its offset from one of the three
prices that are followed. So what is counted is how many orders there are with a limit, or an offset, in each page: orders that share a page need it once.
Owns these counts. Knows no order.
"""
import numpy as np

from lob.exchange.ladder import PAGE_COUNT, key_of
from lob.exchange.lines import untouched
from lob.jit import jit, pool_reader

PLANNED = np.dtype([("counts", "i8"), ("pages", "i8")], align=True)  # address of COUNT[PAGE_COUNT]; how many of these are not 0
COUNT = np.dtype([("value", "i4")], align=True)
planned_at, count_at = pool_reader(PLANNED), pool_reader(COUNT)

# What is counted, of buyers at this place and of sellers at the next.
LIMITS_OF_STOPS, LIMITS_OF_PEGS, OFFSETS_OF_PEGS = 0, 2, 4
PLANNED_COUNT = 6
PRICES_FOLLOWED = 3  # near, middle, far


@jit
def planned_of(all_planned, what, side):
    """Return the PLANNED of a side; all_planned: the address of all of them."""
    return planned_at(all_planned, what + (np.int64(side) < 0))


@jit
def plan_limit(all_planned, what, side, price_ticks, change):
    """Count one order more (change 1) or less (-1) with a limit."""
    _plan(planned_of(all_planned, what, side), key_of(side, price_ticks), change)


@jit
def plan_offset(all_planned, side, offset_ticks, change):
    """Count one pegged order more (change 1) or less (-1) with an offset."""
    _plan(planned_of(all_planned, OFFSETS_OF_PEGS, side), np.int64(offset_ticks), change)


@jit
def _plan(planned, key, change):
    count = count_at(planned.counts, key >> 12)
    before = count.value
    count.value = before + change
    planned.pages += (count.value > 0) - (before > 0)


@jit
def pages_of_stops(all_planned, side):
    """Return how many pages the stops of a side can need at the most."""
    return planned_of(all_planned, LIMITS_OF_STOPS, side).pages


@jit
def pages_of_pegs(all_planned, side, peg_count):
    """Return how many pages the pegged orders of a side can need at the most; peg_count: of both sides."""
    # Offsets of one page from one price lie in two pages at the most; the last page is that of the tick before the other side.
    by_offset = 2 * PRICES_FOLLOWED * planned_of(all_planned, OFFSETS_OF_PEGS, side).pages
    return min(peg_count, by_offset + planned_of(all_planned, LIMITS_OF_PEGS, side).pages + 1)


def new_counts():
    """Return the memory of one PLANNED."""
    return untouched(PAGE_COUNT, COUNT)
