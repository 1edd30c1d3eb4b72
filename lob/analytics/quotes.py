"""Quotes: the touch and the mid through time, as every analysis reads them.

Owns the touches of a tape, rebuilt once and kept with it, and the mid at any time. A mid is an integer in half-ticks, since it is half of
best_bid + best_ask; the mid at a time is that of the last touch, up to and including this time, with both sides there. While orders collect for an auction
bids may rest at or above asks: such a touch has no mid.
"""
from dataclasses import dataclass

import numpy as np

from lob.analytics.records import select, value_at
from lob.jit import jit, pool_reader
from lob.messages import REPORT, ReportKind
from lob.tape.columns import check_order
from lob.tape.replay import TOUCH, touches

report_at, touch_at = pool_reader(REPORT), pool_reader(TOUCH)
ACCEPTED, FILL, REPLACED, TRIGGERED, REFRESHED = (int(ReportKind[name]) for name in ("ACCEPTED", "FILL", "REPLACED", "TRIGGERED", "REFRESHED"))


def quotes(tape, book=0):
    """Return the touches of one book of a tape: TOUCH[m], derived once.

    Raises TapeError if the tape is not sorted, or takes lots that its book does not have.
    """
    return tape.derived(_quotes, book)


def _quotes(tape, book):
    fill_count(tape, book)
    return touches(tape.rows, tape.execution, book)


@dataclass(frozen=True)
class Extent:
    """How much of one book is on a tape: its FILL rows, the rows that may bring an order to rest, and the range of their prices (0, 0 without)."""

    fills: int
    entries: int
    low_ticks: int
    high_ticks: int


def extent(tape, book=0):
    """Return the Extent of one book; derived once. Raises TapeError if the tape is not sorted."""
    return tape.derived(_extent, book)


def fill_count(tape, book=0):
    """Return how many FILL rows a book has on a tape. Raises TapeError if the tape is not sorted."""
    return extent(tape, book).fills


def _extent(tape, book):
    fills, entries, low_ticks, high_ticks = _scan(tape.rows.ctypes.data, len(tape), book)
    if fills < 0:
        check_order(tape.rows, repr(tape))
    return Extent(fills, entries, low_ticks if entries else 0, high_ticks if entries else 0)


@jit
def may_rest(row):
    """Return whether a row may bring an order to rest at its price."""
    kind = row.kind
    return row.price_ticks > 0 and (kind == ACCEPTED or kind == REPLACED or kind == TRIGGERED or kind == REFRESHED)


@jit
def _scan(rows, row_count, book):
    """Return what an Extent holds, -1 fills if the rows are not sorted."""
    fills, entries, time_ns, sequence, low_ticks, high_ticks = 0, 0, -(2**63), -(2**63), 2**62, 0
    for i in range(row_count):
        row = report_at(rows, i)
        if i > 0 and (row.time_ns < time_ns or row.sequence <= sequence):
            return -1, 0, 0, 0
        time_ns, sequence = row.time_ns, row.sequence
        if row.book != book:
            continue
        fills += row.kind == FILL
        if may_rest(row):
            entries += 1
            low_ticks, high_ticks = min(low_ticks, row.price_ticks), max(high_ticks, row.price_ticks)
    return fills, entries, low_ticks, high_ticks


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
