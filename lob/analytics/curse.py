"""Curse: what the mid does after an order that was filled, against what it does after one that was not.

For an order of side s that joined or improved the touch at t, and a window W: its drift is s (M(t + W) - M(t)), the gain of whoever held a lot of it all
the while. Orders with a fill within W and orders without are averaged apart: the winner's curse is the difference. A fill is a conditional event.
Source: Handa and Schwartz (1996), limit orders that are picked off or not filled; Hollifield, Miller and Sandas (2004).
"""
import numpy as np

from lob.analytics.blocks import group_codes
from lob.analytics.drifts import Moments, drift_means
from lob.analytics.labels import label_column
from lob.analytics.markouts import HORIZONS_NS
from lob.analytics.quotes import Mids
from lob.analytics.records import kept
from lob.analytics.spans import checked_horizons_ns
from lob.analytics.stays import touch_stays
from lob.messages import NOBODY


def winners_curse(tape, by=("agent",), horizons_ns=HORIZONS_NS, book=0):
    """Return the mean drift after agents' orders at the touch, filled and unfilled, by the given labels and window, in ticks, as a polars frame.

    by: of agent, kind, role. Columns: by, horizon_ns, horizon_s, filled and unfilled (orders), filled_share, drift_filled and drift_unfilled with their
    block-robust errors, curse (drift_unfilled - drift_filled). Null without such orders. Orders that ended unfilled count as unfilled.
    """
    import polars as pl

    by, horizons_ns = [by] if isinstance(by, str) else list(by), checked_horizons_ns(horizons_ns)
    mids, orders = Mids.of(tape, book), touch_stays(tape, book)
    orders = kept({name: orders[name] for name in ("time_ns", "first_fill_ns", "side", "owner")}, orders["owner"] > NOBODY)
    owners, number = np.unique(orders["owner"], return_inverse=True)
    labels = pl.DataFrame({"owner": owners} | {key: label_column(tape, owners, key) for key in by})
    groups, group_count = group_codes(labels, by)
    before, is_known = mids.at_times(orders["time_ns"])
    moments = Moments(orders["time_ns"], before, orders["side"], np.ones(len(before)), is_known, np.zeros(0, np.int64), orders["first_fill_ns"])
    means = [_drifts(moments, groups[number], group_count, mids, horizon_ns, tape.end_ns) for horizon_ns in horizons_ns]
    both = _side_by_side(pl.concat(means))
    return pl.concat([labels[number[both["first"]]].select(by), both.drop("first")], how="horizontal").sort(*by, "horizon_ns")


def _drifts(moments, groups, group_count, mids, horizon_ns, end_ns):
    """Return the mean drift by group over one window, see `drift_means`, the unfilled orders (is_filled 0) and the filled ones apart."""
    import polars as pl

    means = drift_means(moments, groups, group_count, mids, horizon_ns, end_ns)
    parts = {"group": pl.col("group") // 2, "is_filled": pl.col("group") % 2, "horizon_ns": pl.lit(horizon_ns, pl.Int64)}
    return means.filter(pl.col("count") > 0).with_columns(**parts)


def _side_by_side(means):
    """Return one row a group and window, with `first`, an order of the group, from the rows of filled and of unfilled orders."""
    import polars as pl

    keys = ["group", "horizon_ns"]
    parts = [
        means.filter(pl.col("is_filled") == is_filled)
        .select(*keys, "first", pl.col("count").alias(name), pl.col("drift").alias(f"drift_{name}"), pl.col("drift_error").alias(f"drift_{name}_error"))
        for is_filled, name in ((1, "filled"), (0, "unfilled"))
    ]
    both = parts[0].join(parts[1], on=keys, how="full", coalesce=True).with_columns(pl.col("filled", "unfilled").fill_null(0).cast(pl.Int64))
    return both.select(
        pl.coalesce("first", "first_right").alias("first"), "horizon_ns", (pl.col("horizon_ns") / 1e9).alias("horizon_s"), "filled", "unfilled",
        (pl.col("filled") / (pl.col("filled") + pl.col("unfilled"))).alias("filled_share"),
        "drift_filled", "drift_filled_error", "drift_unfilled", "drift_unfilled_error", (pl.col("drift_unfilled") - pl.col("drift_filled")).alias("curse"),
    )
