"""Feed: one recorded day, ready to be sent to an exchange.

Owns what every recording has in common. Knows no file format and no clock.
"""
from dataclasses import dataclass
from decimal import Decimal

import numpy as np


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
