"""Causes: why the mid moved. It moves only when a best quote vanishes or improves, and every time is classed, and charged to who did it.

For each side of each new touch: TRADED, the best level was eaten by an incoming order; PULLED, the last of its lots were cancelled; IMPROVED, an order came
to rest inside the spread; REOPENED, a side that was empty is there again, or the book has stopped being crossed; AUCTION, a call auction ended, which is
nobody's doing (owner 0). A mid move is the sum of the moves of its two sides, in half-ticks, so the
classes add up to the whole way of the mid. Source: the classing of price changes by their event in Eisler, Bouchaud and Kockelkoren (2012).
"""
from enum import IntEnum

import numpy as np

from lob.analytics.labels import label_column
from lob.analytics.quotes import quotes
from lob.jit import jit, pool_reader
from lob.messages import REPORT, Flag, ReportKind
from lob.tape.replay import TOUCH


class Cause(IntEnum):
    """What moved a best quote."""

    TRADED = 0
    PULLED = 1
    IMPROVED = 2
    REOPENED = 3
    AUCTION = 4


MOVE = np.dtype(
    [
        ("time_ns", "i8"),
        ("sequence", "i8"),     # of the last row of the event
        ("from_ticks", "i8"),   # the best price of the side at the last touch with both sides
        ("to_ticks", "i8"),
        ("half_ticks", "i8"),   # what the mid moved by it: to - from
        ("owner", "i4"),        # of the aggressor, of the order cancelled, of the order that improved
        ("side", "i1"),         # of the quote that moved
        ("cause", "u1"),
    ],
    align=True,
)
report_at, touch_at, move_at = pool_reader(REPORT), pool_reader(TOUCH), pool_reader(MOVE)
FILL, CANCELLED, REDUCED = int(ReportKind.FILL), int(ReportKind.CANCELLED), int(ReportKind.REDUCED)
LAST, HIDDEN = int(Flag.LAST), int(Flag.HIDDEN)
TRADED, PULLED, IMPROVED, REOPENED, BY_AUCTION = (int(cause) for cause in Cause)
AUCTION = int(ReportKind.AUCTION)


def mid_moves(tape, book=0):
    """Return every move of a best quote between touches with both sides there: MOVE[n], by time; derived once.

    An event that moves both sides gives two. The sum of half_ticks is the last mid less the first.
    """
    return tape.derived(_mid_moves, book)


def _mid_moves(tape, book):
    rows, touches = tape.rows, quotes(tape, book)
    row_of = _row_index(rows, touches["sequence"])
    moves = np.zeros(2 * len(touches) + 1, MOVE)
    is_passive = tape.execution == "passive"
    count = _find_moves(touches.ctypes.data, len(touches), rows.ctypes.data, row_of, is_passive, moves.ctypes.data)
    return moves[:count]


def _row_index(rows, sequence):
    """Return where the rows of these numbers are: int64[n]."""
    if len(rows) and rows["sequence"][0] == 0 and rows["sequence"][-1] == len(rows) - 1:
        return sequence.astype(np.int64)
    return np.searchsorted(rows["sequence"], sequence)


@jit
def _find_moves(touches, touch_count, rows, row_of, is_passive, moves):
    """Write a MOVE for every side that changed since the last touch with both sides; return how many."""
    count, last = 0, -1
    for i in range(touch_count):
        touch = touch_at(touches, i)
        if touch.best_bid_ticks == 0 or touch.best_bid_ticks >= touch.best_ask_ticks:
            continue
        if last >= 0:
            before = touch_at(touches, last)
            for side in (1, -1):
                count += _write_move(moves, count, touch, before, side, rows, row_of[i], is_passive, last < i - 1)
        last = i
    return count


@jit
def _write_move(moves, count, touch, before, side, rows, row_index, is_passive, is_gap):
    """Write the move of one side, if it moved; return how many were written."""
    from_ticks = before.best_bid_ticks if side > 0 else before.best_ask_ticks
    to_ticks = touch.best_bid_ticks if side > 0 else touch.best_ask_ticks
    if from_ticks == to_ticks:
        return 0
    move = move_at(moves, count)
    move.time_ns, move.sequence, move.side = touch.time_ns, touch.sequence, side
    move.from_ticks, move.to_ticks, move.half_ticks = from_ticks, to_ticks, to_ticks - from_ticks
    if _holds_auction(rows, row_index):
        move.cause, move.owner = BY_AUCTION, 0
    elif side * (to_ticks - from_ticks) > 0:
        move.cause = REOPENED if is_gap else IMPROVED
        move.owner = _owner_at(rows, row_index, side, to_ticks, is_passive)
    else:
        _charge(move, rows, row_index, side, from_ticks, is_passive, is_gap)
    return 1


@jit
def _holds_auction(rows, i):
    """Return whether the event whose last row is row i ended an auction."""
    while report_at(rows, i).kind != AUCTION:
        i -= 1
        if i < 0 or report_at(rows, i).flags & LAST:
            return False
    return True


@jit
def _owner_at(rows, i, side, price_ticks, is_passive):
    """Return the owner of the event's last row that brought an order of this side and price, or its last row's."""
    last = report_at(rows, i)
    owner = last.owner
    while True:
        row = report_at(rows, i)
        is_agents = is_passive and (row.owner > 0 or row.resting_owner > 0)
        if row.kind != FILL and row.side == side and row.price_ticks == price_ticks and not is_agents:
            return row.owner
        i -= 1
        if i < 0 or report_at(rows, i).flags & LAST:
            return owner


@jit
def _charge(move, rows, i, side, price_ticks, is_passive, is_gap):
    """Find the row of the event that took the last lots of a level: a fill or a cancel, and whose."""
    move.cause, move.owner = (REOPENED if is_gap else PULLED), report_at(rows, i).owner
    while True:
        row = report_at(rows, i)
        is_agents = is_passive and (row.owner > 0 or row.resting_owner > 0)
        if row.kind == FILL and row.side == -side and row.price_ticks == price_ticks and not row.flags & HIDDEN and not is_agents:
            move.cause, move.owner = TRADED, row.owner
            return
        if (row.kind == CANCELLED or row.kind == REDUCED) and row.side == side and row.price_ticks == price_ticks and not is_agents:
            move.cause, move.owner = PULLED, row.owner
            return
        i -= 1
        if i < 0 or report_at(rows, i).flags & LAST:
            return


def mid_causes(tape, by=(), book=0):
    """Return how often and how far each cause moved the mid: a polars frame, by the given labels of who did it (agent, kind, role), cause and side.

    Columns: by, cause, side (of the quote that moved: 1 bid, -1 ask), moves, share (of all moves), up_half_ticks and down_half_ticks (what they moved the mid).
    """
    import polars as pl

    by = [by] if isinstance(by, str) else list(by)
    moves = mid_moves(tape, book)
    words = [cause.name.lower() for cause in Cause]
    cause = pl.select(pl.Series(moves["cause"].astype(np.uint32)).cat.to(pl.Enum(words))).to_series()
    labels = {key: label_column(tape, moves["owner"], key) for key in by}
    frame = pl.DataFrame(labels | {"cause": cause, "side": moves["side"].copy(), "half_ticks": moves["half_ticks"].copy()})
    distance = pl.col("half_ticks")
    return (
        frame.group_by(*by, "cause", "side")
        .agg(pl.len().cast(pl.Int64).alias("moves"), distance.filter(distance > 0).sum().alias("up_half_ticks"),
             distance.filter(distance < 0).sum().alias("down_half_ticks"))
        .with_columns(share=pl.col("moves") / max(len(moves), 1))
        .select(*by, "cause", "side", "moves", "share", "up_half_ticks", "down_half_ticks")
        .sort(*by, "cause", "side", descending=[*([False] * len(by)), False, True])
    )
