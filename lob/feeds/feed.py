"""Feed: one recorded day, ready to be sent to an exchange.

Owns what every recording has in common, the one form that all formats are turned into. Knows no file format and no clock.

A row is a REQUEST of owner 0: LIMIT and CANCEL as anybody sends them; EXECUTE, lots of a resting order that traded; PRINT, a trade that took no
displayed order (side 0: an auction's, else its aggressor's); DROP_LEVEL, a price that the recording forgets; STATUS, a change of the phase: halted (0),
orders collect and agents have no business in what may be a crossed book (1), continuous (2). A recording without any STATUS is continuous.
Flag.LAST closes the rows of one event, what one message to the exchange brought about: inside it the book may be half changed. The executions of an
event are one aggressor's, whose rest, if any, is its LIMIT on the other side. A modification that loses its place is a CANCEL and a LIMIT of the same id.
"""
import hashlib
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from lob.errors import FeedError
from lob.messages import REQUEST, Flag

LAST = int(Flag.LAST)
SECOND_NS = 10**9
DAY_NS = 86_400 * SECOND_NS
UNITS_PER_DOLLAR = 10_000  # in which ITCH and LOBSTER write prices


class Feed:
    """A recorded day as requests of owner 0, sorted by time.

    name: the symbol. source: the file it was read from. rows: REQUEST[n], or a function that returns an iterator of such arrays, so that the day need not
    fit in memory. event_ends: int64[events], rows[:event_ends[k]] is the recording up to and including its k-th event after the seed; by default from
    Flag.LAST. seed_count: so many rows build the book as it stood at the start and carry the time of that state, which may be before start_ns: what lies
    between is the recording's own way to start_ns, sent before any agent acts. tick_size: in currency; lot_size: in units of the asset. start_ns,
    end_ns: between them agents act; times are nanoseconds after midnight of the recorded day. summary: what was read, counted; plain numbers and
    strings, complete when all rows have been given out.
    """

    def __init__(self, name, source, rows, event_ends, seed_count, tick_size, lot_size, start_ns, end_ns, summary):
        self.name, self.source, self.seed_count = name, source, seed_count
        self.tick_size, self.lot_size, self.start_ns, self.end_ns, self.summary = tick_size, lot_size, start_ns, end_ns, summary
        self._rows, self._event_ends = rows, event_ends

    @property
    def is_streamed(self):
        """Whether the rows come from a file as they are needed."""
        return callable(self._rows)

    @cached_property
    def sha256(self):
        """The SHA-256 of the file it was read from, as hexadecimal text; None where the source is no file that is still there, as inside a zip."""
        path = Path(self.source)
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def blocks(self):
        """Yield the rows in order, REQUEST[n] at a time; each call begins anew."""
        if self.is_streamed:
            yield from self._rows()
        else:
            yield self._rows

    @cached_property
    def rows(self):
        """All rows, REQUEST[n]; a feed that is streamed reads them into memory."""
        return joined(self.blocks()) if self.is_streamed else self._rows

    @cached_property
    def event_ends(self):
        """int64[events]: see above."""
        return np.flatnonzero(self.rows["flags"] & LAST) + 1 if self._event_ends is None else self._event_ends

    def between(self, from_ns, to_ns):
        """Return the Feed whose agents act from from_ns to to_ns, None for the recording's own ends; rows after to_ns are left out.

        Raises FeedError if the two leave nothing of the recording.
        """
        if from_ns is None and to_ns is None:
            return self
        start_ns = self.start_ns if from_ns is None else max(int(from_ns), self.start_ns)
        end_ns = self.end_ns if to_ns is None else min(int(to_ns), self.end_ns)
        if start_ns > end_ns:
            span = f"from {self.start_ns:,} to {self.end_ns:,} ns after midnight"
            raise FeedError(f"{self.source}: from and to must leave some of the recording, which is {span}, were {from_ns} and {to_ns}")
        feed = Feed(self.name, self.source, None, None, self.seed_count, self.tick_size, self.lot_size, start_ns, end_ns, self.summary)
        if self.is_streamed:
            feed._rows = partial(_blocks_until, self, end_ns)
        else:
            feed._rows = next(_blocks_until(self, end_ns))
            feed._event_ends = self.event_ends[:np.searchsorted(self.event_ends, len(feed._rows), "right")]
        return feed


def _blocks_until(feed, end_ns):
    """Yield the rows of a feed with times up to and including end_ns."""
    for rows in feed.blocks():
        count = int(np.searchsorted(rows["time_ns"], end_ns, "right"))
        yield rows[:count]
        if count < len(rows):
            return


def joined(blocks):
    """Return blocks of rows as one array. As bytes: numpy copies a record field by field, which takes ten times as long and leaves its gaps to chance."""
    return np.concatenate([np.zeros(0, np.uint8), *(np.ascontiguousarray(rows).view(np.uint8) for rows in blocks)]).view(REQUEST)
