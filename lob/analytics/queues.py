"""Queues: what a place in the line is worth.

Owns the tables that follow orders from entry to end: how the lots ahead of them went, by trades or by cancels, how often they were filled, and the value of
the place: what the lots entered there earned, the unfilled ones nothing, per lot. Source: Moallemi and Yuan (2016), a model for queue position valuation,
for the question; the value here is measured, not modelled.
"""
from dataclasses import dataclass

import numpy as np

from lob.analytics.blocks import block_means
from lob.analytics.fills import fill_at, fills
from lob.analytics.notes import without_nan
from lob.analytics.quotes import Mids
from lob.analytics.records import kept, step
from lob.analytics.spans import HORIZON_NS, checked_span_ns
from lob.analytics.stays import touch_stays, walk
from lob.analytics.survival import stay_class, time_to_fill
from lob.jit import jit
from lob.messages import Flag


@dataclass(frozen=True)
class Queues:
    """The queues, as polars frames: by_place and by_imbalance (`time_to_fill` of orders at the touch), progress (`queue_progress`), value (`queue_value`)."""

    by_place: object
    by_imbalance: object
    progress: object
    value: object


def queues(tape, horizon_ns=HORIZON_NS, book=0):
    """Return the Queues of one book of a tape. horizon_ns: of the markout that values a fill."""
    horizon_ns = checked_span_ns("horizon_ns", horizon_ns, 0)
    return Queues(
        time_to_fill(tape, "place", book=book), time_to_fill(tape, "imbalance", book=book), queue_progress(tape, book=book),
        queue_value(tape, "place", horizon_ns, book),
    )


def queue_progress(tape, by="place", book=0):
    """Return how the lots ahead of orders at the touch went until their first fill, or their end: a polars frame by class, see `stay_class`.

    Columns: by, orders, lots, lots_ahead (mean), traded_share, cancelled_share and left_share of all lots ahead, filled_share (orders with a fill), fill_s
    (median time to it). Shares are null where nothing was ahead.
    """
    import polars as pl

    stays = touch_stays(tape, book)
    first_fill_ns = stays["first_fill_ns"]
    is_filled = first_fill_ns >= 0
    frame = pl.DataFrame({
        by: stay_class(tape, stays, by, book), "lots": stays["lots"], "ahead": stays["lots_ahead"], "traded": stays["traded_ahead"],
        "cancelled": stays["cancelled_ahead"], "is_filled": is_filled, "wait_ns": np.where(is_filled, first_fill_ns - stays["time_ns"], 0),
    })
    ahead, lots = pl.col("ahead").sum(), pl.col("lots").cast(pl.Int64).sum()
    shares = [(pl.col(name).sum() / ahead).alias(f"{name}_share") for name in ("traded", "cancelled")]
    left = ((ahead - pl.col("traded").sum() - pl.col("cancelled").sum()) / ahead).alias("left_share")
    fill_s = (pl.col("wait_ns").filter(pl.col("is_filled")).median() / 1e9).alias("fill_s")
    table = frame.group_by(by, maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("orders"), lots, pl.col("ahead").mean().alias("lots_ahead"), *shares, left,
        pl.col("is_filled").mean().alias("filled_share"), fill_s,
    )
    return without_nan(table.sort(by))


def queue_value(tape, by="place", horizon_ns=HORIZON_NS, book=0):
    """Return what a lot entered at the touch earned, by class (see `stay_class`), before fees: a polars frame.

    An order's value is the sum of its fills' realised spread at the horizon, over its lots; unfilled lots earn nothing. Columns: by, orders, lots, filled_share
    (of lots), realised (mean per filled lot, in ticks), value (mean per lot entered) and value_error (block-robust). Orders whose horizon may lie beyond the
    end of the tape are left out, and those that an auction filled.
    """
    import polars as pl

    found, mids = walk(tape, book), Mids.of(tape, book)
    traded = fills(tape, book)
    sums = np.zeros(len(found.stays))
    _add_earned(traded.ctypes.data, found.fill_stays, mids.time_ns, mids.half_ticks, horizon_ns, sums)
    # What ends before a horizon of the tape's end has only fills whose markout is known.
    every = touch_stays(tape, book)
    stays = kept(every, (every["end_ns"] + horizon_ns <= tape.end_ns) & (every["flags"] & Flag.AUCTION == 0))
    lots, earned = stays["lots"].astype(float), sums[stays["number"]]
    at_least_one = np.maximum(lots, 1)
    frame = pl.DataFrame({
        by: stay_class(tape, stays, by, book), "time_ns": stays["time_ns"], "weight": lots, "value": earned / at_least_one,
        "filled_share": stays["filled_lots"] / at_least_one,
    })
    means = block_means(frame, [by], ["value", "filled_share"], horizon_ns)
    realised = pl.when(pl.col("filled_share") > 0).then(pl.col("value") / pl.col("filled_share")).alias("realised")
    counts = [pl.col(name).cast(pl.Int64).alias(new) for name, new in (("count", "orders"), ("weight", "lots"))]
    return means.select(by, *counts, "filled_share", realised, "value", "value_error")


@jit
def _add_earned(fills, fill_stays, mid_ns, half_ticks, horizon_ns, sums):
    """Add what each fill earned at the mid a horizon later, in ticks x lots, to the stay of its resting order."""
    at = -1
    for i in range(len(fill_stays)):
        fill = fill_at(fills, i)
        at = step(mid_ns, at, fill.time_ns + horizon_ns)
        if fill_stays[i] >= 0 and at >= 0:
            sums[fill_stays[i]] -= fill.side * (half_ticks[at] - 2 * fill.price_ticks) * fill.lots / 2
