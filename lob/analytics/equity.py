"""Equity: what owners held and had made, through time.

Owns the sums behind the curves: cash + inventory x mid - fees at evenly spaced moments, the fees those on the FILL rows. A fill counts from its own time on.
"""
import numpy as np

from lob.analytics.labels import label_column, labels_of
from lob.analytics.quotes import Mids
from lob.analytics.records import select
from lob.instrument import MICROTICKS
from lob.messages import ReportKind

MOMENTS = 600


def equity(tape, owners=None, by="agent", moments=MOMENTS, book=0):
    """Return inventory and profit through time, one row a moment and value of `by`: a polars frame, in order of `by` and time.

    owners: whom to count, by default all agents. by: agent, kind or role. moments: how many, evenly spaced from the start of the tape to its end.
    Columns: by, time_ns, inventory_lots, pnl_ticks (ticks x lots, a float, after fees; null before the first mid). Without rows the frame is empty.
    """
    import polars as pl

    owners = np.array(sorted(tape.agents if owners is None else owners), np.int64)
    names = list(dict.fromkeys(labels_of(tape, owner)[by] for owner in owners.tolist()))
    if len(tape) == 0 or len(owners) == 0:
        return pl.DataFrame(schema={by: pl.String, "time_ns": pl.Int64, "inventory_lots": pl.Int64, "pnl_ticks": pl.Float64})
    edges = np.linspace(tape.start_ns, tape.end_ns, moments).astype(np.int64)
    lots, cash = _running(tape, owners, names, by, edges, book)
    mid, is_known = Mids.of(tape, book).at_times(edges)
    pnl = np.where(is_known, cash + lots * mid / 2, np.nan)
    frame = pl.DataFrame({
        by: np.repeat(names, moments), "time_ns": np.tile(edges, len(names)), "inventory_lots": lots.astype(np.int64).ravel(), "pnl_ticks": pnl.ravel(),
    })
    return frame.with_columns(pl.col("pnl_ticks").fill_nan(None))


def _running(tape, owners, names, by, edges, book):
    """Return (inventory, cash less fees) of every name at every edge: float64[names, edges], both exact below 2^53."""
    rows = tape.rows
    fills = select(rows, (rows["kind"] == ReportKind.FILL) & (rows["book"] == book))
    moment = np.searchsorted(edges, fills["time_ns"])
    sums = np.zeros((2, len(names) * len(edges)))
    for owner, fee, sign in (("owner", "fee", 1), ("resting_owner", "resting_fee", -1)):
        is_mine = np.isin(fills[owner], owners)
        mine = select(fills, is_mine)
        labels = label_column(tape, mine[owner], by)
        line = np.array([names.index(word) for word in labels.dtype.categories], np.int64)[labels.to_physical().to_numpy()] if len(mine) else np.zeros(0, int)
        at = line * len(edges) + moment[is_mine]
        lots = sign * mine["side"].astype(np.int64) * mine["lots"]
        for total, values in zip(sums, (lots, -lots * mine["price_ticks"] - mine[fee] / MICROTICKS), strict=True):
            total += np.bincount(at, values, len(total))
    return np.cumsum(sums.reshape(2, len(names), len(edges)), axis=2)
