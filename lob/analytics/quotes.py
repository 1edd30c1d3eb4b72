"""Quotes: the touch and the mid through time, as every analysis reads them.

Owns the touches of a tape and samples of its depth, rebuilt once and kept with it, and the mid at any time. A mid is an integer in half-ticks, since it is
half of best_bid + best_ask; the mid at a time is that of the last touch, up to and including this time, with both sides there. While orders collect for an
auction bids may rest at or above asks: such a touch has no mid.
"""
from dataclasses import dataclass

import numpy as np

from lob.analytics.fills import extent
from lob.analytics.records import select, value_at
from lob.jit import jit, pool_reader
from lob.messages import Side
from lob.tape.replay import TOUCH, ReplayedBook

SAMPLES, LEVELS = 200, 20  # of the depth
touch_at = pool_reader(TOUCH)


def quotes(tape, book=0):
    """Return the touches of one book of a tape: TOUCH[m], derived once.

    Raises TapeError if the tape is not sorted, or takes lots that its book does not have.
    """
    return tape.derived(_replayed, book)[0]


def depths(tape, book=0):
    """Return the displayed depth of the bids and of the asks at evenly spaced moments, the last the end of the tape: [(DEPTH[n], DEPTH[m])]; derived once.

    Up to 20 levels a side. One replay gives this and the touches; none of it without rows.
    """
    return tape.derived(_replayed, book)[1]


def _replayed(tape, book):
    """Return what `quotes` and `depths` do."""
    extent(tape, book)
    replayed, found = ReplayedBook(tape.execution, book), []
    moments = np.linspace(tape.start_ns, tape.end_ns, SAMPLES + 1)[1:].astype(np.int64) if len(tape) else np.zeros(0, np.int64)
    ends = [len(tape.rows_until(moment)) for moment in moments.tolist()]
    touches = replayed.touches(tape.rows, ends, lambda: found.append(tuple(replayed.depth(side, LEVELS) for side in Side)))
    return touches, found


def is_two_sided(touches):
    """Return whether each touch has both sides, the bid below the ask: bool[m]."""
    return (touches["best_bid_ticks"] > 0) & (touches["best_bid_ticks"] < touches["best_ask_ticks"])


@jit(inline=True)
def is_two_sided_at(touch):
    """Return whether one touch has both sides, the bid below the ask."""
    return 0 < touch.best_bid_ticks < touch.best_ask_ticks


def two_sided(tape, book=0):
    """Return the touches with both sides there, the bid below the ask: TOUCH[m]; derived once."""
    return tape.derived(_two_sided, book)


def _two_sided(tape, book):
    every = quotes(tape, book)
    return select(every, is_two_sided(every))


@jit
def _read_mids(touches, touch_count, time_ns, sequence, half_ticks):
    count = 0
    for i in range(touch_count):
        touch = touch_at(touches, i)
        if is_two_sided_at(touch):
            time_ns[count], sequence[count], half_ticks[count] = touch.time_ns, touch.sequence, touch.best_bid_ticks + touch.best_ask_ticks
            count += 1
    return count


@dataclass(frozen=True)
class Mids:
    """The mid after every event that changed the touch, in half-ticks; only touches of `two_sided` count."""

    time_ns: np.ndarray
    sequence: np.ndarray
    half_ticks: np.ndarray

    @classmethod
    def of(cls, tape, book=0):
        """Return the mids of one book of a tape; derived once."""
        return tape.derived(cls._of, book)

    @classmethod
    def _of(cls, tape, book):
        touches = quotes(tape, book)
        columns = [np.empty(len(touches), np.int64) for _ in range(3)]
        count = _read_mids(touches.ctypes.data, len(touches), *columns)
        return cls(*(column[:count] for column in columns))

    def before_rows(self, sequence):
        """Return (mid, is_known) just before the event that holds each row: int64[n], bool[n]."""
        # A change of the touch bears the number of its event's last row, so an earlier number is an earlier event.
        return value_at(self.sequence, self.half_ticks, sequence - 1)

    def at_times(self, time_ns):
        """Return (mid, is_known) at each time, what happens at this very time included: int64[n], bool[n]."""
        return value_at(self.time_ns, self.half_ticks, time_ns)

    @property
    def last(self):
        """The last mid of the tape, None if it has none."""
        return int(self.half_ticks[-1]) if len(self.half_ticks) else None
