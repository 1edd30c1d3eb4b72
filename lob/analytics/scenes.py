"""Scenes: the book around single events, step by step.

Owns the windows of events around chosen rows, and the depth as it stands after each event of them. What is worth a scene is the caller's to say; `worst_fills`
chooses the fills that lost most.
"""
from dataclasses import dataclass

import numpy as np

from lob.analytics.markouts import fill_markouts
from lob.analytics.spans import HORIZON_NS
from lob.messages import Flag, Side
from lob.tape.replay import ReplayedBook

BEFORE, AFTER, LEVELS, WORST = 12, 24, 8, 12


@dataclass(frozen=True)
class Step:
    """One event of a scene. rows: REPORT[n], those of the event; bids and asks: DEPTH[n], the best levels after it."""

    rows: np.ndarray
    bids: np.ndarray
    asks: np.ndarray


def worst_fills(tape, owner, count=WORST, horizon_ns=HORIZON_NS, book=0):
    """Return an owner's resting fills that lost most at the horizon, the worst first: a polars frame, as `fill_markouts`, and loss_ticks (ticks x lots).

    Fills that lost nothing, or whose horizon lies beyond the end of the tape, are left out.
    """
    import polars as pl

    fills = fill_markouts(tape, (horizon_ns,), book).filter(pl.col("owner") == owner)
    lost = fills.with_columns(loss_ticks=-pl.col("realised_half_ticks") * pl.col("lots") / 2).filter(pl.col("loss_ticks") > 0)
    return lost.sort("loss_ticks", "sequence", descending=[True, False]).head(count)


def scenes(tape, sequences, before=BEFORE, after=AFTER, levels=LEVELS, book=0):
    """Return for each row number the events around the one that holds it: [(steps, which of them is the event itself)], in the order given.

    steps: [Step], at most `before` events earlier and `after` later, those of the book only. Cost: one replay of the tape up to the last of them.
    """
    rows = tape.rows
    ends = np.flatnonzero(((rows["flags"] & Flag.LAST) != 0) & (rows["book"] == book))
    at = np.searchsorted(ends, np.searchsorted(rows["sequence"], np.asarray(sequences, np.int64)))
    spans = [(max(int(k) - before, 0), min(int(k) + after + 1, len(ends)), int(k)) for k in at if k < len(ends)]
    steps = _steps(tape, ends, sorted({k for first, end, _ in spans for k in range(first, end)}), levels, book)
    return [([steps[k] for k in range(first, end)], middle - first) for first, end, middle in spans]


def _steps(tape, ends, numbers, levels, book):
    """Return {number of an event: Step}; numbers: sorted."""
    replayed, done, found = ReplayedBook(tape.execution, book), 0, {}
    for k in numbers:
        end = int(ends[k]) + 1
        for _ in replayed.advance(tape.rows[done:end]):
            pass
        first = int(ends[k - 1]) + 1 if k else 0
        mine = tape.rows[first:end]
        found[k], done = Step(mine[mine["book"] == book].copy(), replayed.depth(Side.BUY, levels), replayed.depth(Side.SELL, levels)), end
    return found
