"""Allocation: how an incoming order that takes less than what is displayed at a price is shared out among the orders there.

Owns the arithmetic of one such step, in whole lots; who trades is the business of trading. The four steps are told in docs/rules.md. Products stay below
10^18: an order and what comes in have 10^9 lots at the most.
"""
import numpy as np

from lob.jit import jit, pool_reader

ALLOCATION = np.dtype([(name, "i8") for name in ("is_shared", "top_percent", "top_lots_max", "fifo_percent", "minimum_lots")])
allocation_at = pool_reader(ALLOCATION)


@jit(inline=True)
def top_lots(allocation, lots, first_lots):
    """Return what the order in front of the line gets before all others, of `lots` that come in."""
    top = lots * allocation.top_percent // 100
    return min(top, first_lots, allocation.top_lots_max) if allocation.top_lots_max else min(top, first_lots)


@jit(inline=True)
def fifo_lots(allocation, lots):
    """Return how many of the lots left go in time order: rounded up, so that a split of one lot goes to who was first."""
    return (lots * allocation.fifo_percent + 99) // 100


@jit(inline=True)
def pro_rata_lots(allocation, lots, order_lots, level_lots):
    """Return an order's share of `lots` by its part of the level: rounded down, and none below the minimum."""
    share = lots * order_lots // level_lots
    return share if share >= allocation.minimum_lots else 0


def set_allocation(record, allocation):
    """Write an Allocation into an ALLOCATION record. With all in time order, which the first in line leads anyway, nothing is shared."""
    for name in ALLOCATION.names[1:]:
        record[name] = getattr(allocation, name)
    record["is_shared"] = allocation.fifo_percent < 100
