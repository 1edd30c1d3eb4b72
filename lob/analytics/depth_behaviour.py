"""Depth behaviour: depth is what people do with it, measured by what follows.

Owns the refill of a touch after it was eaten, the return of a level that was traded through, and the lives of orders by their distance from the touch: how
many were cancelled before the touch ever reached them, and how long they stayed. Sources: Biais, Hillion and Spatt (1995), order flow after trades; Large
(2007), resiliency; Hasbrouck and Saar (2009), fleeting orders.
"""
from dataclasses import dataclass

import numpy as np

from lob.analytics.blocks import block_means
from lob.analytics.causes import Cause, mid_moves
from lob.analytics.detection import detection
from lob.analytics.notes import without_nan
from lob.analytics.pressure import flow_between
from lob.analytics.quotes import quotes
from lob.analytics.records import select
from lob.analytics.stay import Change, End
from lob.analytics.stays import walk
from lob.analytics.survival import stay_class
from lob.jit import jit
from lob.messages import Side

HORIZONS_NS = (1_000_000, 10_000_000, 100_000_000, 500_000_000, 1_000_000_000, 5_000_000_000)
LIFE_QUANTILES = (10, 50, 90)


@dataclass(frozen=True)
class DepthBehaviour:
    """Depth as behaviour, as polars frames: refill (`refill`), returns (`level_returns`), lives (`order_lives`), detection (`detection.detection`)."""

    refill: object
    returns: object
    lives: object
    detection: object


def depth_behaviour(tape, book=0):
    """Return the DepthBehaviour of one book of a tape."""
    return DepthBehaviour(refill(tape, book=book), level_returns(tape, book=book), order_lives(tape, book=book), detection(tape, book))


def refill(tape, horizons_ns=HORIZONS_NS, book=0):
    """Return how much of what was eaten at the touch was added there again, by horizon: a polars frame.

    Columns: horizon_ns, horizon_s, times (at which a side was eaten), eaten_lots, refilled (lots added at that side's touch within the horizon, over lots
    eaten), refilled_error (block-robust), usual (the same if lots were added at their mean rate over the whole tape), excess = refilled - usual.
    Null without times.
    """
    import polars as pl

    times, lots, side = _eaten(tape, book)
    sides = [(of, np.flatnonzero(side == of), _added_rate(tape, of, book)) for of in Side]
    refilled, usual, lines = np.zeros(len(times)), np.zeros(len(times)), []
    for horizon_ns in horizons_ns:
        count = int(np.searchsorted(times, tape.end_ns - horizon_ns, "right"))
        for of, mine, rate in sides:
            mine = mine[: np.searchsorted(mine, count)]
            when = times[mine]
            refilled[mine] = flow_between(tape, of, "added", when, when + horizon_ns, book) / lots[mine]
            usual[mine] = rate * horizon_ns / lots[mine]
        known = {"time_ns": times[:count], "weight": lots[:count], "refilled": refilled[:count], "usual": usual[:count]}
        means = block_means(pl.DataFrame(known), [], ["refilled", "usual"], horizon_ns)
        found = means.row(0, named=True) if means.height else dict.fromkeys(("refilled", "refilled_error", "usual"))
        numbers = [found[name] for name in ("refilled", "refilled_error", "usual")]
        excess = None if numbers[0] is None else numbers[0] - numbers[2]
        lines.append((horizon_ns, horizon_ns / 1e9, count, int(lots[:count].sum()), *numbers, excess))
    floats = dict.fromkeys(("refilled", "refilled_error", "usual", "excess"), pl.Float64)
    counts = {"horizon_ns": pl.Int64, "horizon_s": pl.Float64, "times": pl.Int64, "eaten_lots": pl.Int64}
    return pl.DataFrame(lines, schema=counts | floats, orient="row")


def _eaten(tape, book):
    """Return the times at which a side was eaten, how many lots, and which side: int64[n] each, in the order of time."""
    changes = walk(tape, book).changes
    eaten = select(changes, changes["kind"] == Change.TRADED)
    parts = []
    for side in Side:
        mine = select(eaten, eaten["side"] == side)
        first = np.flatnonzero(np.diff(mine["time_ns"], prepend=-1))
        lots = np.add.reduceat(mine["lots"].astype(np.int64), first) if len(first) else np.zeros(0, np.int64)
        parts.append((mine["time_ns"][first], lots, np.full(len(first), int(side))))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return [column[order] for column in columns]


def _added_rate(tape, side, book):
    """Return the lots added at a side's touch, per nanosecond of the tape."""
    first_ns = tape.start_ns
    added = flow_between(tape, side, "added", np.array([first_ns - 1]), np.array([tape.end_ns]), book)[0]
    return added / max(tape.end_ns - first_ns, 1)


def level_returns(tape, horizons_ns=HORIZONS_NS, book=0):
    """Return how often a best price that was traded through was the best of its side again, or bettered, within each horizon: a polars frame.

    Columns: side, horizon_ns, horizon_s, depletions (with a horizon of tape after them), returned (share, null without any), returned_error (binomial).
    """
    import polars as pl

    touches, moves = quotes(tape, book), mid_moves(tape, book)
    moves = moves[moves["cause"] == Cause.TRADED]
    lines = []
    for side in (Side.BUY, Side.SELL):
        mine = moves[moves["side"] == side]
        best = np.ascontiguousarray(touches["best_bid_ticks" if side > 0 else "best_ask_ticks"])
        urgency = np.where(best > 0, side * best, -(2**40))
        at = np.searchsorted(touches["sequence"].copy(), mine["sequence"])
        wait_ns = _return_times(urgency, touches["time_ns"].copy(), at, side * mine["from_ticks"])
        for horizon_ns in horizons_ns:
            seen = wait_ns[mine["time_ns"] + horizon_ns <= tape.end_ns]
            share = (seen <= horizon_ns).mean() if len(seen) else None
            error = np.sqrt(share * (1 - share) / len(seen)) if len(seen) else None
            lines.append((int(side), horizon_ns, horizon_ns / 1e9, len(seen), share, error))
    names = {"side": pl.Int8, "horizon_ns": pl.Int64, "horizon_s": pl.Float64, "depletions": pl.Int64, "returned": pl.Float64, "returned_error": pl.Float64}
    return pl.DataFrame(lines, schema=names, orient="row")


@jit
def _return_times(urgency, time_ns, at, lost):
    """Return for each depletion, at touch at[i] of urgency lost[i], how long until the side is as good again; 2^62 if it never is.

    Depletions wait on a stack: a later one has lost a less urgent price, so it returns first.
    """
    wait_ns = np.full(len(at), 2**62)
    stack, height, following = np.empty(len(at), np.int64), 0, 0
    for i in range(len(urgency)):
        while height > 0 and lost[stack[height - 1]] <= urgency[i]:
            height -= 1
            wait_ns[stack[height]] = time_ns[i] - time_ns[at[stack[height]]]
        while following < len(at) and at[following] == i:
            stack[height] = following
            height += 1
            following += 1
    return wait_ns


def order_lives(tape, by="gap", book=0):
    """Return how orders lived and ended, by class (see `stay_class`; the default is the distance from the touch at entry): a polars frame.

    Columns: by, orders, filled_share (with a fill), cancelled_share (cancelled or moved without one), unseen_share (of those that entered behind the touch:
    cancelled or moved without ever having been at it), life_10_s, life_50_s, life_90_s (quantiles of the life of those cancelled or moved without a fill).
    """
    import polars as pl

    stays = walk(tape, book).stays
    is_filled = stays["first_fill_ns"] >= 0
    has_left = np.isin(stays["end"], [End.CANCELLED, End.MOVED]) & ~is_filled
    classes = stay_class(tape, stays, by, book)
    is_behind = stays["gap_ticks"] > 0
    is_unseen = has_left & is_behind & (stays["was_at_touch"] == 0)
    frame = pl.DataFrame({by: classes, "is_filled": is_filled, "has_left": has_left, "is_behind": is_behind, "is_unseen": is_unseen})
    table = frame.group_by(by, maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("orders"), pl.col("is_filled").mean().alias("filled_share"), pl.col("has_left").mean().alias("cancelled_share"),
        (pl.col("is_unseen").sum() / pl.col("is_behind").sum()).alias("unseen_share"),
    ).sort(by)
    return without_nan(table.with_columns(_life_quantiles(classes, table[by], has_left, stays["end_ns"] - stays["time_ns"])))


def _life_quantiles(classes, words, has_left, life_ns):
    """Return the quantiles of the lives of those that have left, by class and in seconds, as polars columns; null where nobody has."""
    import polars as pl

    codes, lives_ns = _numbers(classes)[has_left], life_ns[has_left]
    found = np.full((len(words), len(LIFE_QUANTILES)), np.nan)
    for k, code in enumerate(_numbers(words)):
        lives = lives_ns[codes == code]
        if len(lives):
            found[k] = np.quantile(lives, [q / 100 for q in LIFE_QUANTILES]) / 1e9
    return [pl.Series(f"life_{q}_s", column) for q, column in zip(LIFE_QUANTILES, found.T, strict=True)]


def _numbers(classes):
    """Return the classes as numbers, -1 for null: int64[n]."""
    import polars as pl

    return classes.to_physical().cast(pl.Int64).fill_null(-1).to_numpy()
