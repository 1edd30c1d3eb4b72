"""Feed: one recorded day, ready to be sent to an exchange.

Owns what every recording has in common. Knows no file format and no clock.
"""
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from lob.errors import FeedError


@dataclass(frozen=True, eq=False)
class Feed:
    """A recorded day as requests of owner 0, sorted by time.

    rows[:seed_count] build the book as it stood at the start and carry the time of that state, which may be before start_ns: what lies
    between is the recording's own way to start_ns, sent before any agent acts. rows[:event_ends[k]] is the recording up to and including
    its k-th message after the seed. Times are nanoseconds after midnight of the recorded day.
    """

    name: str                # the symbol
    source: str              # the file it was read from
    rows: np.ndarray         # REQUEST[n]
    event_ends: np.ndarray   # int64[messages]
    seed_count: int
    tick_size: Decimal       # in currency
    lot_size: Decimal        # in units of the asset
    start_ns: int
    end_ns: int
    summary: dict            # what was read, counted; plain ints and strings


def cut(feed, from_ns, to_ns):
    """Return a Feed whose agents act from from_ns to to_ns, None for the recording's own; rows after to_ns are left out.

    Raises FeedError if the two leave nothing of the recording.
    """
    start_ns = feed.start_ns if from_ns is None else max(int(from_ns), feed.start_ns)
    end_ns = feed.end_ns if to_ns is None else min(int(to_ns), feed.end_ns)
    if start_ns > end_ns:
        span = f"from {feed.start_ns:,} to {feed.end_ns:,} ns after midnight"
        raise FeedError(f"{feed.source}: from and to must leave some of the recording, which is {span}, were {from_ns} and {to_ns}")
    count = int(np.searchsorted(feed.rows["time_ns"], end_ns, "right"))
    ends = feed.event_ends[:np.searchsorted(feed.event_ends, count, "right")]
    return replace(feed, rows=feed.rows[:count], event_ends=ends, start_ns=start_ns, end_ns=end_ns)
