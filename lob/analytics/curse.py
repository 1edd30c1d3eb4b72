"""Curse: what the mid does after an order that was filled, against what it does after one that was not.

For an order of side s that joined or improved the touch at t, and a window W: its drift is s (M(t + W) - M(t)), the gain of whoever held a lot of it all
the while. Orders with a fill within W and orders without are averaged apart: the winner's curse is the difference. A fill is a conditional event.
Source: Handa and Schwartz (1996), limit orders that are picked off or not filled; Hollifield, Miller and Sandas (2004).
"""
import numpy as np

from lob.analytics.blocks import block_means
from lob.analytics.labels import label_column
from lob.analytics.markouts import HORIZONS_NS
from lob.analytics.quotes import Mids
from lob.analytics.records import select
from lob.analytics.spans import checked_horizons_ns
from lob.analytics.stays import touch_stays
from lob.messages import NOBODY


def winners_curse(tape, by=("agent",), horizons_ns=HORIZONS_NS, book=0):
    """Return the mean drift after agents' orders at the touch, filled and unfilled, by the given labels and window, in ticks, as a polars frame.

    by: of agent, kind, role. Columns: by, horizon_ns, horizon_s, filled and unfilled (orders), filled_share, drift_filled and drift_unfilled with their
    block-robust errors, curse (drift_unfilled - drift_filled). Null without such orders. Orders that ended unfilled count as unfilled.
    """
    import polars as pl

    by = [by] if isinstance(by, str) else list(by)
    frames = [_sums_of(frame, by, horizon_ns) for horizon_ns, frame in _drifts(tape, by, horizons_ns, book)]
    return pl.concat(frames).sort(*by, "horizon_ns")


def _drifts(tape, by, horizons_ns, book):
    """Yield (horizon, a frame of the orders at the touch: by, time_ns, is_filled, drift in ticks)."""
    import polars as pl

    horizons_ns, stays, mids = checked_horizons_ns(horizons_ns), touch_stays(tape, book), Mids.of(tape, book)
    stays = select(stays, stays["owner"] > NOBODY)
    time_ns, side = np.ascontiguousarray(stays["time_ns"]), stays["side"].astype(np.int64)
    labels = {key: label_column(tape, stays["owner"], key) for key in by}
    before, is_known = mids.at_times(time_ns)
    for horizon_ns in horizons_ns:
        end_ns = time_ns + horizon_ns
        after, _ = mids.at_times(end_ns)
        is_filled = (stays["first_fill_ns"] >= 0) & (stays["first_fill_ns"] <= end_ns)
        frame = pl.DataFrame(labels | {"time_ns": time_ns, "weight": np.ones(len(stays)), "is_filled": is_filled, "drift": side * (after - before) / 2})
        yield horizon_ns, frame.filter(pl.Series(is_known & (end_ns <= tape.end_ns)))


def _sums_of(frame, by, horizon_ns):
    import polars as pl

    means = block_means(frame, [*by, "is_filled"], ["drift"], horizon_ns)
    parts = [
        means.filter(pl.col("is_filled") == is_filled).select(*by, pl.col("count").alias(name), pl.col("drift").alias(f"drift_{name}"),
                                                              pl.col("drift_error").alias(f"drift_{name}_error"))
        for is_filled, name in ((True, "filled"), (False, "unfilled"))
    ]
    both = frame.select(by).unique().join(parts[0], on=by, how="left").join(parts[1], on=by, how="left")
    counts = both.with_columns(pl.col("filled", "unfilled").fill_null(0).cast(pl.Int64))
    return counts.select(
        *by, pl.lit(horizon_ns, pl.Int64).alias("horizon_ns"), pl.lit(horizon_ns / 1e9).alias("horizon_s"), "filled", "unfilled",
        (pl.col("filled") / (pl.col("filled") + pl.col("unfilled"))).alias("filled_share"),
        "drift_filled", "drift_filled_error", "drift_unfilled", "drift_unfilled_error", (pl.col("drift_unfilled") - pl.col("drift_filled")).alias("curse"),
    )
