"""Depth: the book below the touch, as it has reached an agent.

Owns the replicas: for each class of feed delays whose agents read depth, the lots of every price as they stood that delay ago, fed from a ring of level
changes. A replica holds nothing newer than its delay, so it cannot leak; agents with the same delay share one. With jitter an agent reads depth at the longest
delay of its feed. More than CLASSES_MAX different delays are rounded up to a grid, by at most a fifth.
"""
import math

import numpy as np

from lob.exchange.book import price_lots
from lob.exchange.ladder import LADDER, LadderMemory, key_of, ladder_at, level_of, lots_at, occupy, open_level, page_of, vacate
from lob.exchange.queries import nth_key
from lob.exchange.reports import report_at
from lob.jit import jit, pool_reader
from lob.messages import PRICE_MAX_TICKS, Flag, ReportKind
from lob.simulation.view import entry_of
from lob.simulation.world import DEPTHS, REPLICA, book_of, ring_of

CLASSES_MAX = 32
CHANGE = np.dtype([("time_ns", "i8"), ("side", "i8"), ("price_ticks", "i8"), ("lots", "i8")], align=True)
change_at, replica_at = pool_reader(CHANGE), pool_reader(REPLICA)

REPLACED, FILL, REFRESHED, TRIGGERED = (int(ReportKind[name]) for name in ("REPLACED", "FILL", "REFRESHED", "TRIGGERED"))
IN_AUCTION = int(Flag.AUCTION)


@jit
def publish_depth(venue, reports, first, time_ns):
    """Note the lots of every price that the rows from `first` on have touched in the displayed book."""
    for i in range(first, reports.count):
        row = report_at(reports.rows, i)
        is_displayed = venue.hides_agents == 0 or (row.owner == 0 and row.resting_owner == 0)
        if row.flags & IN_AUCTION:
            # Both orders come from the book, each from its own price.
            _note(venue, 1, row.trigger_ticks, time_ns)
            _note(venue, -1, row.offset_ticks, time_ns)
        elif is_displayed and (row.kind <= REPLACED or row.kind == REFRESHED or row.kind == TRIGGERED):
            _note(venue, -row.side if row.kind == FILL else row.side, row.price_ticks, time_ns)


@jit
def _note(venue, side, price_ticks, time_ns):
    """Note the lots of one price; price 0 is none."""
    if price_ticks <= 0:
        return
    ring = ring_of(venue, DEPTHS)
    change = change_at(entry_of(ring, ring.count), 0)
    change.time_ns, change.side, change.price_ticks, change.lots = time_ns, side, price_ticks, price_lots(book_of(venue), side, price_ticks)
    ring.count += 1


@jit
def advance_replica(venue, replica, now_ns):
    """Let the changes that are a delay old reach a replica."""
    ring = ring_of(venue, DEPTHS)
    while replica.next < ring.count:
        change = change_at(entry_of(ring, replica.next), 0)
        if change.time_ns > now_ns - replica.delay_ns:
            return
        _set_level(ladder_at(replica.ladders, change.side < 0), key_of(change.side, change.price_ticks), change.lots)
        replica.next += 1


@jit
def _set_level(ladder, key, lots):
    # Pages never run out: a replica has as many as the book, and needs no more than the book had when it stood so.
    if lots:
        open_level(ladder, key).lots = lots
        occupy(ladder, key)
        return
    page = page_of(ladder, key)
    if page and level_of(page, key).lots:
        level_of(page, key).lots = 0
        vacate(ladder, key)


@jit
def advance_replicas(venue, now_ns):
    """Bring every replica of a venue up to date; return the oldest change that one has still to read."""
    oldest = ring_of(venue, DEPTHS).count
    for i in range(venue.replica_count):
        replica = replica_at(venue.replicas, i)
        advance_replica(venue, replica, now_ns)
        oldest = min(oldest, replica.next)
    return oldest


@jit
def depth_is_short(venue, ahead, now_ns):
    """Return whether `ahead` more changes might overwrite one that a replica has still to read."""
    ring = ring_of(venue, DEPTHS)
    if venue.replica_count == 0 or ring.count + ahead - ring.mask - 1 <= 0:
        return False
    return advance_replicas(venue, now_ns) < ring.count + ahead - ring.mask - 1


@jit
def replica_key(replica, side, level):
    """Return the key of a side's level-th occupied price, 0 being the best; 0 if there are not so many."""
    return nth_key(ladder_at(replica.ladders, side < 0), level) if level >= 0 else 0


@jit
def replica_lots(replica, side, key):
    return lots_at(ladder_at(replica.ladders, side < 0), key) if 1 <= key <= PRICE_MAX_TICKS else 0


def delay_classes(delays_ns):
    """Return {delay: the delay of its replica}, never shorter."""
    distinct = sorted(set(delays_ns))
    if len(distinct) <= CLASSES_MAX:
        return {delay: delay for delay in distinct}
    return {delay: math.ceil(2 ** (math.ceil(math.log2(delay) * 4) / 4)) if delay else 0 for delay in distinct}


class ReplicaMemory:
    """The memory behind one REPLICA record."""

    def __init__(self, record, delay_ns, page_counts):
        self.sides = np.zeros(2, LADDER)
        self.ladders = [LadderMemory(self.sides[i:i + 1], count) for i, count in enumerate(page_counts)]
        record["ladders"], record["delay_ns"], record["next"] = self.sides.ctypes.data, delay_ns, 1

    def fit(self, page_counts):
        """Have as many pages as the book."""
        for ladder, count in zip(self.ladders, page_counts, strict=True):
            if count > ladder.page_count:
                ladder.add_pages(count - ladder.page_count)
