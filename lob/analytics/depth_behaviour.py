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

    changes = walk(tape, book).changes
    eaten = select(changes, changes["kind"] == Change.TRADED)
    frames = []
    for side in Side:
        mine = select(eaten, eaten["side"] == side)
        first = np.flatnonzero(np.diff(mine["time_ns"], prepend=-1))
        times = mine["time_ns"][first]
        lots = np.add.reduceat(mine["lots"].astype(np.int64), first) if len(first) else np.zeros(0, np.int64)
        for horizon_ns in horizons_ns:
            keep = times + horizon_ns <= tape.end_ns
            added = flow_between(tape, side, "added", times[keep], times[keep] + horizon_ns, book)
            usual = _added_rate(tape, side, book) * horizon_ns
            values = {"refilled": added / lots[keep], "usual": usual / lots[keep]}
            frames.append(pl.DataFrame({"horizon_ns": np.full(keep.sum(), horizon_ns), "time_ns": times[keep], "weight": lots[keep]} | values))
    means = block_means(pl.concat(frames), ["horizon_ns"], ["refilled", "usual"], "horizon_ns")
    table = pl.DataFrame({"horizon_ns": list(horizons_ns)}).join(means, on="horizon_ns", how="left")
    return table.select(
        "horizon_ns", (pl.col("horizon_ns") / 1e9).alias("horizon_s"), pl.col("count").fill_null(0).cast(pl.Int64).alias("times"),
        pl.col("weight").fill_null(0).cast(pl.Int64).alias("eaten_lots"), "refilled", "refilled_error", "usual",
        (pl.col("refilled") - pl.col("usual")).alias("excess"),
    )


def _added_rate(tape, side, book):
    """Return the lots added at a side's touch, per nanosecond of the tape."""
    first_ns = int(tape.rows["time_ns"][0]) if len(tape) else 0
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
    frame = pl.DataFrame({
        by: stay_class(tape, stays, by, book), "is_filled": is_filled, "has_left": has_left, "is_behind": stays["gap_ticks"] > 0,
        "is_unseen": has_left & (stays["was_at_touch"] == 0) & (stays["gap_ticks"] > 0), "life_ns": stays["end_ns"] - stays["time_ns"],
    })
    life_s = pl.col("life_ns").filter(pl.col("has_left")) / 1e9
    quantiles = [life_s.quantile(q / 100, "linear").alias(f"life_{q}_s") for q in (10, 50, 90)]
    table = frame.group_by(by, maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("orders"), pl.col("is_filled").mean().alias("filled_share"), pl.col("has_left").mean().alias("cancelled_share"),
        (pl.col("is_unseen").sum() / pl.col("is_behind").sum()).alias("unseen_share"), *quantiles,
    )
    return without_nan(table.sort(by))
