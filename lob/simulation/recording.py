"""Recording: the rows of a recorded day in the world's memory, a block at a time.

Owns which rows the world sees and until when it may go on with them: a day from a file need not fit in memory. Knows no file format and no book.
"""
import numpy as np

from lob.errors import FeedError
from lob.feeds.feed import joined
from lob.messages import REQUEST

NEVER_NS = 2**62


class Recording:
    """The rows of a RecordedDay, or of None, behind a WORLD record.

    known_until_ns: up to then the world has all rows that there are; `read_on` moves it.
    """

    def __init__(self, world, day):
        self.world, self.known_until_ns = world, NEVER_NS
        self._blocks, self._done, self._last_ns = iter(() if day is None else day.blocks()), 0, -2**63
        self._hold(np.zeros(0, REQUEST))
        if day is not None:
            self.read_on()

    @property
    def row_count(self):
        """How many rows have happened."""
        return self._done + int(self.world["feed_next"][0])

    def read_on(self):
        """Bring the next block of rows before the world, behind those that have not happened yet."""
        happened = int(self.world["feed_next"][0])
        left, new = self.rows[happened:], next((rows for rows in self._blocks if len(rows)), None)
        if new is None:
            self.known_until_ns = NEVER_NS
            return
        _check(new, self._done + len(self.rows), self._last_ns)
        self._done += happened
        self._hold(joined([left, new]) if len(left) else np.ascontiguousarray(new, REQUEST))
        self._last_ns = int(new["time_ns"][-1])
        # The next block may begin at the time with which this one ends.
        self.known_until_ns = self._last_ns - 1

    def _hold(self, rows):
        self.rows = rows
        self.world["feed"], self.world["feed_count"], self.world["feed_next"] = rows.ctypes.data, len(rows), 0


def _check(rows, first, last_ns):
    """Raise FeedError unless native code can take the rows as they are: the recorded flow has no owner, one book, and times that never go back."""
    rules = (
        ("owner", "must be 0, the recorded flow", rows["owner"] != 0),
        ("book", "must be 0, the only book", rows["book"] != 0),
        ("time_ns", "must not go back", rows["time_ns"] < np.concatenate([[last_ns], rows["time_ns"][:-1]])),
    )
    for field, rule, broken in rules:
        if broken.any():
            row = int(np.argmax(broken))
            raise FeedError(f"feed.rows[{first + row}].{field} {rule}, was {rows[field][row]}")
