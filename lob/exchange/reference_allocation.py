"""Allocation of the reference: how lots that come in are shared out among the orders at a price. Knows no book."""


def is_shared(allocation):
    """Return whether anything is shared out: not where all goes in time order, which the first in line leads anyway."""
    return allocation.fifo_percent < 100


def shares(allocation, lots, queue):
    """Return how many of `lots` each order of a queue trades, which together have more; queue: the lots that each has, first in line first."""
    given = [0] * len(queue)

    def give(i, most):
        nonlocal lots
        most = min(most, lots, queue[i] - given[i])
        given[i] += most
        lots -= most
        return most

    # One: the first in line.
    top = lots * allocation.top_percent // 100
    give(0, min(top, allocation.top_lots_max or top))
    # Two: a part in time order, rounded up.
    timely = -(-lots * allocation.fifo_percent // 100)
    for i in range(len(queue)):
        timely -= give(i, timely)
    # Three: in proportion to what each has left, rounded down.
    has = [all_lots - taken for all_lots, taken in zip(queue, given, strict=True)]
    for i, share in enumerate([lots * part // sum(has) for part in has]):
        if share >= allocation.minimum_lots:
            give(i, share)
    # Four: what is left over, in time order.
    for i in range(len(queue)):
        give(i, lots)
    return given
