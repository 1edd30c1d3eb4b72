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
from lob.analytics.drifts import Moments, drift_means
from lob.analytics.fills import maker_fills
from lob.analytics.labels import label_column
from lob.analytics.notes import where_known
from lob.analytics.quotes import Mids
from lob.analytics.spans import checked_horizons_ns
from lob.errors import TapeError
from lob.tape.accounts import worths_of

MARKOUTS = ("effective", "realised", "impact")
HORIZONS_NS = (100_000_000, 500_000_000, 1_000_000_000, 2_000_000_000, 5_000_000_000, 10_000_000_000)


def fill_markouts(tape, horizons_ns=HORIZONS_NS, book=0):
    """Return the markout of every fill of every agent's resting orders, one row a fill and horizon, as a polars frame.

    Columns: horizon_ns, time_ns, sequence, owner, agent, kind, role (of the maker), counterparty, counterparty_kind, order_id, side (the maker's),
    price_ticks, lots, level_lots (left at the price behind it), those of `cuts.fill_class`, effective_half_ticks, realised_half_ticks, impact_half_ticks.
    Realised and impact are null where the tape ends before the horizon; all three where no mid was known before the fill.
    """
    import polars

    fills = maker_fills(tape, book)
    effective, is_known, later = _earned(tape, fills, horizons_ns, book)
    common = _fill_columns(tape, fills, book).with_columns(effective_half_ticks=where_known(effective, is_known))
    frames = [common.with_columns(_later_columns(horizon_ns, realised, effective - realised, is_seen)) for horizon_ns, realised, is_seen in later]
    empty = common.clear().with_columns(_later_columns(0, effective[:0], effective[:0], is_known[:0]))
    return polars.concat([empty, *frames]).select("horizon_ns", polars.exclude("horizon_ns"))


def fill_markouts_everywhere(tape, horizons_ns=HORIZONS_NS):
    """Return `fill_markouts` of all books of a tape, each against the mid of its own.

    Where a tick on a lot is not worth the same everywhere the three markouts are floats, in half-ticks of the first book.
    """
    import polars

    frames = [fill_markouts(tape, horizons_ns, book) for book in tape.books]
    if len(frames) == 1:
        return frames[0]
    if worths := worths_of(tape):
        columns = [f"{name}_half_ticks" for name in MARKOUTS]
        frames = [frame.with_columns(polars.col(columns) * worth) for frame, worth in zip(frames, worths, strict=True)]
    enums = [name for name, kind in frames[0].schema.items() if kind == polars.Enum]
    words = {name: list(dict.fromkeys(word for frame in frames for word in frame[name].dtype.categories)) for name in enums}
    return polars.concat([frame.with_columns(polars.col(name).cast(polars.Enum(words[name])) for name in enums) for frame in frames])


def _earned(tape, fills, horizons_ns, book):
    """Return (effective half-spread of every fill, whether it is known, and an iterator of (horizon, realised spread, whether it is known)).

    All in half-ticks: int64[n], bool[n].
    """
    horizons_ns, mids, side = checked_horizons_ns(horizons_ns), Mids.of(tape, book), -fills["side"].astype(np.int64)
    paid, time_ns = side * (2 * fills["price_ticks"]), np.ascontiguousarray(fills["time_ns"])
    before, is_known = mids.before_rows(fills["sequence"])

    def later():
        for horizon_ns in horizons_ns:
            later_ns = time_ns + horizon_ns
            realised, _ = mids.at_times(later_ns)
            # In place, as large arrays are: memory that is new costs more than what is done with it.
            realised *= side
            realised -= paid
            yield horizon_ns, realised, is_known & (later_ns <= tape.end_ns)

    return side * before - paid, is_known, later()


def _later_columns(horizon_ns, realised, impact, is_known):
    import polars

    columns = {"realised_half_ticks": realised, "impact_half_ticks": impact}
    return [polars.lit(horizon_ns, polars.Int64).alias("horizon_ns"), *(where_known(values, is_known).alias(name) for name, values in columns.items())]


def _fill_columns(tape, fills, book, names=None):
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

    by, fills = [by] if isinstance(by, str) else list(by), maker_fills(tape, book)
    columns, horizons_ns, mids = _fill_columns(tape, fills, book, [*by, "lots"]), checked_horizons_ns(horizons_ns), Mids.of(tape, book)
    codes, moments, tables = group_codes(columns, by), _moments(fills, mids), []
    for horizon_ns in horizons_ns:
        means = drift_means(moments, *codes, mids, horizon_ns, tape.end_ns)
        means = means.rename({"drift": "realised", "drift_error": "realised_error", "earned": "effective", "rest": "impact"})
        means = means.with_columns(polars.lit(horizon_ns, polars.Int64).alias("horizon_ns"))
        tables.append(polars.concat([columns[means["first"]].select(by), means], how="horizontal"))
    return _table(polars.concat(tables), by)


def _moments(fills, mids):
    """Return the Moments of makers' fills: a maker's drift is counted from the price of its fill, and what it earned at once is the effective half-spread."""
    price, side = 2 * fills["price_ticks"], -fills["side"]
    before, is_known = mids.before_rows(fills["sequence"])
    return Moments(
        np.ascontiguousarray(fills["time_ns"]), price, side, fills["lots"].astype(float), is_known, earned=side * (before - price),
        filled_ns=np.zeros(0, np.int64),
    )


def markouts(fills, by=("agent",)):
    """Return mean markouts by the given columns of `fill_markouts` and by horizon, in ticks per lot, each fill weighted by its lots.

    Columns: those of `by`, horizon_ns, horizon_s, fills, left_out (of unknown markout: the tape ends before the horizon), lots, effective, realised,
    impact, standard_error (of realised), blocks (of time with a fill in them).

    Standard errors are block-robust, see `blocks`; null with fewer than two blocks.
    """
    import polars as pl

    by = [by] if isinstance(by, str) else list(by)
    in_ticks = [(pl.col(f"{name}_half_ticks") / 2).alias(name) for name in MARKOUTS]
    groups = [*by, "horizon_ns"]
    return _table(block_means(fills.select(*groups, "time_ns", *in_ticks, weight="lots"), groups, MARKOUTS, "horizon_ns"), by)


def _table(means, by):
    """Return the table of `markouts` from means by group and horizon_ns."""
    import polars as pl

    return (
        means.rename({"count": "fills", "missing": "left_out", "realised_error": "standard_error"}).with_columns(lots=pl.col("weight").cast(pl.Int64))
        .select(*by, "horizon_ns", (pl.col("horizon_ns") / 1e9).alias("horizon_s"), "fills", "left_out", "lots", *MARKOUTS, "standard_error", "blocks")
        .sort(*by, "horizon_ns")
    )
