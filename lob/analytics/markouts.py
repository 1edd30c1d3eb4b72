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

from lob.analytics.blocks import block_means, group_codes
from lob.analytics.cuts import CUTS, fill_class
from lob.analytics.fills import maker_fills
from lob.analytics.labels import label_column
from lob.analytics.notes import where_known
from lob.analytics.quotes import Mids
from lob.analytics.spans import checked_horizons_ns
from lob.errors import TapeError

HORIZONS_NS = (100_000_000, 500_000_000, 1_000_000_000, 2_000_000_000, 5_000_000_000, 10_000_000_000)


def fill_markouts(tape, horizons_ns=HORIZONS_NS, book=0):
    """Return the markout of every fill of every agent's resting orders, one row a fill and horizon, as a polars frame.

    Columns: horizon_ns, time_ns, sequence, owner, agent, kind, role (of the maker), counterparty, counterparty_kind, order_id, side (the maker's),
    price_ticks, lots, level_lots (left at the price behind it), those of `cuts.fill_class`, effective_half_ticks, realised_half_ticks, impact_half_ticks.
    Realised and impact are null where the tape ends before the horizon; all three where no mid was known before the fill.
    """
    import polars

    return polars.concat(_frames(tape, horizons_ns, book)).select("horizon_ns", polars.exclude("horizon_ns"))


def _frames(tape, horizons_ns, book, names=None):
    """Yield the fills with their markouts, horizon by horizon, an empty frame first; names: the columns to keep, beside the markouts."""
    horizons_ns, fills, mids = checked_horizons_ns(horizons_ns), maker_fills(tape, book), Mids.of(tape, book)
    before, is_known = mids.before_rows(fills["sequence"])
    side, double, time_ns = -fills["side"].astype(np.int64), 2 * fills["price_ticks"], np.ascontiguousarray(fills["time_ns"])
    effective = side * (before - double)
    common = _fill_columns(tape, fills, book, names).with_columns(effective_half_ticks=where_known(effective, is_known))
    yield common.clear().with_columns(_later_columns(0, effective[:0], effective[:0], is_known[:0]))
    for horizon_ns in horizons_ns:
        later_ns = time_ns + horizon_ns
        later, _ = mids.at_times(later_ns)
        realised = side * (later - double)
        yield common.with_columns(_later_columns(horizon_ns, realised, effective - realised, is_known & (later_ns <= tape.end_ns)))


def _later_columns(horizon_ns, realised, impact, is_known):
    import polars

    columns = {"realised_half_ticks": realised, "impact_half_ticks": impact}
    return [polars.lit(horizon_ns, polars.Int64).alias("horizon_ns"), *(where_known(values, is_known).alias(name) for name, values in columns.items())]


def _fill_columns(tape, fills, book, names):
    """Return what is known of each fill: all of it, or the columns named."""
    import polars

    makers, takers = fills["resting_owner"], fills["owner"]
    renamed = {"time_ns": "time_ns", "sequence": "sequence", "owner": "resting_owner", "counterparty": "owner", "order_id": "resting_id"}
    makes = {new: lambda old=old: np.ascontiguousarray(fills[old]) for new, old in renamed.items()}
    makes |= {key: lambda key=key: label_column(tape, makers, key) for key in ("agent", "kind", "role")}
    makes |= {"counterparty_kind": lambda: label_column(tape, takers, "kind"), "side": lambda: -fills["side"]}
    makes |= {name: lambda name=name: np.ascontiguousarray(fills[name]) for name in ("price_ticks", "lots", "level_lots")}
    makes |= {name: lambda name=name: fill_class(tape, fills, name, book) for name in CUTS}
    unknown = [name for name in names or () if name not in makes]
    if unknown:
        raise TapeError(f"by must be columns of the fills ({', '.join(makes)}), was {unknown[0]!r}")
    return polars.DataFrame({name: makes[name]() for name in names or makes})


def markout_table(tape, by=("agent",), horizons_ns=HORIZONS_NS, book=0):
    """Return `markouts` of a whole tape, a horizon at a time, so that the fills of a long tape need not all be in memory at each of them."""
    import polars

    by = [by] if isinstance(by, str) else list(by)
    tables, codes = [], None
    for frame in _frames(tape, horizons_ns, book, [*by, "time_ns", "lots"]):
        # The first frame is empty; the groups of all others are the same.
        codes = group_codes(frame, by) if codes is None or len(codes[0]) != frame.height else codes
        tables.append(_means(frame, by, by, frame["horizon_ns"][0] if frame.height else 0, codes))
    return polars.concat(tables).sort(*by, "horizon_ns")


def markouts(fills, by=("agent",)):
    """Return mean markouts by the given columns of `fill_markouts` and by horizon, in ticks per lot, each fill weighted by its lots.

    Columns: those of `by`, horizon_ns, horizon_s, fills, left_out (of unknown markout: the tape ends before the horizon), lots, effective, realised,
    impact, standard_error (of realised), blocks (of time with a fill in them).

    Standard errors are block-robust, see `blocks`; null with fewer than two blocks.
    """
    by = [by] if isinstance(by, str) else list(by)
    return _means(fills, by, [*by, "horizon_ns"], "horizon_ns").sort(*by, "horizon_ns")


def _means(fills, by, groups, horizon_ns, codes=None):
    """Return the table of `markouts` in order of the groups; horizon_ns: a column among them, or the one horizon of all fills."""
    import polars as pl

    names = ["effective", "realised", "impact"]
    in_ticks = [(pl.col(f"{name}_half_ticks") / 2).alias(name) for name in names]
    means = block_means(fills.select(*groups, "time_ns", *in_ticks, weight="lots"), groups, names, horizon_ns, codes)
    horizon = pl.col(horizon_ns) if isinstance(horizon_ns, str) else pl.lit(horizon_ns, pl.Int64).alias("horizon_ns")
    return (
        means.rename({"count": "fills", "missing": "left_out", "realised_error": "standard_error"})
        .with_columns(horizon, lots=pl.col("weight").cast(pl.Int64))
        .select(*by, "horizon_ns", (pl.col("horizon_ns") / 1e9).alias("horizon_s"), "fills", "left_out", "lots", *names, "standard_error", "blocks")
    )
