"""Markouts: what a maker's fill was worth a little later.

For a maker's fill of side s (+1: it bought) at price P, with the mid M0 just before the event that filled it and M(t) at horizon t after it:

    effective half-spread  s (M0 - P)       what it seemed to earn
    price impact           s (M0 - M(t))    what the market took back
    realised spread        s (M(t) - P)     what is left: effective - impact, exactly

Everything is an integer in half-ticks, since a mid is half of best_bid + best_ask; tables of means are in ticks per lot. The mid at a time is
that of the last touch, up to and including this time, with both sides there. Sources: Glosten (1987), the components of the spread; Huang and
Stoll (1996), effective and realised spread.
"""
import numpy as np

from lob.analytics.labels import label_column
from lob.analytics.quotes import Mids
from lob.messages import NOBODY, ReportKind

HORIZONS_NS = (100_000_000, 500_000_000, 1_000_000_000, 2_000_000_000, 5_000_000_000, 10_000_000_000)
BLOCK_MIN_NS = 1_000_000_000


def maker_fills(tape, book=0):
    """Return the rows in which an agent's resting order was filled: REPORT[n]."""
    rows = tape.rows
    return rows[(rows["kind"] == ReportKind.FILL) & (rows["resting_owner"] > NOBODY) & (rows["book"] == book)]


def fill_markouts(tape, horizons_ns=HORIZONS_NS, book=0):
    """Return the markout of every fill of every agent's resting orders, one row a fill and horizon, as a polars frame.

    Columns: horizon_ns, time_ns, sequence, owner, agent, kind, role (of the maker), counterparty, counterparty_kind, order_id, side (the maker's),
    price_ticks, lots, level_lots (left at the price behind it), effective_half_ticks, realised_half_ticks, impact_half_ticks.
    Realised and impact are null where the tape ends before the horizon; all three where no mid was known before the fill.
    """
    import polars

    fills, mids = maker_fills(tape, book), Mids.of(tape, book)
    before, is_known = mids.before_rows(fills["sequence"])
    side = -fills["side"].astype(np.int64)
    effective = side * (before - 2 * fills["price_ticks"])
    common = _fill_columns(tape, fills).with_columns(effective_half_ticks=_nullable(effective, is_known))
    frames = [common.clear().with_columns(_later_columns(0, effective[:0], effective[:0], is_known[:0]))]
    for horizon_ns in horizons_ns:
        later_ns = fills["time_ns"] + horizon_ns
        later, _ = mids.at_times(later_ns)
        realised = side * (later - 2 * fills["price_ticks"])
        frames.append(common.with_columns(_later_columns(horizon_ns, realised, effective - realised, is_known & (later_ns <= tape.end_ns))))
    return polars.concat(frames).select("horizon_ns", polars.exclude("horizon_ns"))


def _later_columns(horizon_ns, realised, impact, is_known):
    import polars

    columns = {"realised_half_ticks": realised, "impact_half_ticks": impact}
    return [polars.lit(horizon_ns, polars.Int64).alias("horizon_ns"), *(_nullable(values, is_known).alias(name) for name, values in columns.items())]


def _nullable(values, is_known):
    """Return a polars column of the values, null where they are not known."""
    import polars

    column = polars.Series(values)
    return column if is_known.all() else polars.select(polars.when(polars.Series(is_known)).then(column)).to_series()


def _fill_columns(tape, fills):
    import polars

    renamed = {"time_ns": "time_ns", "sequence": "sequence", "resting_owner": "owner", "owner": "counterparty", "resting_id": "order_id"}
    plain = {new: np.ascontiguousarray(fills[old]) for old, new in renamed.items()}
    words = {key: label_column(tape, fills["resting_owner"], key) for key in ("agent", "kind", "role")}
    words["counterparty_kind"] = label_column(tape, fills["owner"], "kind")
    rest = {name: np.ascontiguousarray(fills[name]) for name in ("price_ticks", "lots", "level_lots")}
    return polars.DataFrame(plain | words | {"side": -fills["side"]} | rest)


def markouts(fills, by=("agent",)):
    """Return mean markouts by the given columns of `fill_markouts` and by horizon, in ticks per lot, each fill weighted by its lots.

    Columns: those of `by`, horizon_ns, horizon_s, fills, left_out (of unknown markout: the tape ends before the horizon), lots, effective, realised,
    impact, standard_error (of realised), blocks (of time with a fill in them).

    Fills close in time share their future, so each block of time of max(horizon, 1 s) is one observation, correlated with the next since a fill
    late in the one looks into the other. With w the lots, y the realised spread, m its weighted mean and u_g = sum of w (y - m) in block g of G,

        standard_error^2 = G / (G - 1) * max(sum u_g^2, sum u_g^2 + 2 sum u_g u_{g+1}) / (sum w)^2

    Null with fewer than two blocks. Sources: Cameron and Miller (2015), the cluster-robust variance and its small-sample factor; Hansen and Hodrick
    (1980), the covariance of neighbours whose forecast horizons overlap.
    """
    import polars as pl

    by = [by] if isinstance(by, str) else list(by)
    groups = [*by, "horizon_ns"]
    weight, is_known = pl.col("lots").cast(pl.Float64), pl.col("realised_half_ticks").is_not_null()
    sums = [(weight * pl.col(f"{name}_half_ticks")).sum().alias(name) for name in ("effective", "realised", "impact")]
    blocks = (
        fills.lazy().filter(is_known)
        .group_by(*groups, block=pl.col("time_ns") // pl.max_horizontal("horizon_ns", BLOCK_MIN_NS))
        .agg(pl.len().alias("fills"), pl.col("lots").sum(), *sums)
    )
    means = blocks.group_by(groups).agg(pl.col("fills", "lots", "effective", "realised", "impact").sum(), blocks=pl.len())
    left_out = fills.lazy().group_by(groups).agg(left_out=(~is_known).sum())
    in_ticks = [pl.col(name) / pl.col("lots") / 2 for name in ("effective", "realised", "impact")]
    return (
        left_out.join(means, on=groups, how="left")
        .join(_variances(blocks, groups), on=groups, how="left")
        .with_columns(pl.col("fills", "lots", "blocks").fill_null(0))
        .with_columns(*in_ticks, horizon_s=pl.col("horizon_ns") / 1e9, standard_error=_standard_error(pl))
        .select(*groups, "horizon_s", "fills", "left_out", "lots", "effective", "realised", "impact", "standard_error", "blocks")
        .sort(groups)
        .collect()
    )


def _variances(blocks, groups):
    """Return sum u_g^2 and sum u_g u_{g+1} by group, in half-ticks x lots, squared."""
    import polars as pl

    residual = pl.col("realised") - pl.col("realised").sum().over(groups) / pl.col("lots").sum().over(groups) * pl.col("lots")
    is_next = pl.col("block").shift(-1).over(groups) == pl.col("block") + 1
    shared = pl.when(is_next).then(pl.col("residual") * pl.col("residual").shift(-1).over(groups)).otherwise(0.0)
    return (
        blocks.sort(*groups, "block")
        .with_columns(residual=residual)
        .with_columns(shared=shared)
        .group_by(groups)
        .agg(own=(pl.col("residual") ** 2).sum(), shared=pl.col("shared").sum())
    )


def _standard_error(pl):
    count = pl.col("blocks").cast(pl.Float64)
    variance = count / (count - 1) * pl.max_horizontal("own", pl.col("own") + 2 * pl.col("shared"))
    return pl.when(pl.col("blocks") > 1).then(variance.sqrt() / pl.col("lots") / 2)
