"""Latency: being right and too late.

Owns the cancels that lost their race: a cancel or a replace was on its way, sent at u and arriving at v, and its order traded at t with u < t <= v. It knew
better, and v - t later it would have been away. And the quotes that were stale when hit: the mid moved against the quote so shortly before the fill that
its owner, who hears late and is heard late, could not have answered. What they cost is minus the realised spread of those fills (see `markouts`). Source:
Budish, Cramton and Shim (2015), sniping of stale quotes; Aquilina, Budish and O'Neill (2022), measured from messages that failed.
"""
from dataclasses import dataclass

import numpy as np

from lob.analytics.blocks import block_means
from lob.analytics.fills import fills as every_fill
from lob.analytics.fills import maker_fills
from lob.analytics.labels import label_column
from lob.analytics.quotes import Mids
from lob.analytics.spans import checked_span_ns
from lob.jit import jit, pool_reader
from lob.messages import REPORT, Action, CancelReason, Flag, RejectReason, ReportKind

HORIZON_NS, REACTION_NS = 1_000_000_000, 1_000_000
LATEST_BITS = 14  # of the table of fills: what was filled while a request travelled is little, and orders that share a place are told apart
LOSS = np.dtype([("request", "i8"), ("fill", "i8")])  # indices of rows
SEARCH = np.dtype(
    [
        ("fills", "i8"), ("fill_count", "i8"), ("latest", "i8"),  # PAST_FILL[], LATEST[]
        ("losses", "i8"), ("loss_count", "i8"),
        ("owners", "i8"), ("request_count", "i8"),                # address of OWNER[]: whose every withdrawal was
    ],
    align=True,
)
OWNER = np.dtype([("owner", "i4")])
LATEST = np.dtype([("time_ns", "i8"), ("fill", "i8")])  # the last fill of an order with its place: when, and its number, -1 for none
PAST_FILL = np.dtype([("time_ns", "i8"), ("row", "i8"), ("before", "i4"), ("is_lost", "i4")])  # before: the number that was the latest before it
search_at, report_at, loss_at, fill_at, owner_at, latest_at = (pool_reader(dtype) for dtype in (SEARCH, REPORT, LOSS, PAST_FILL, OWNER, LATEST))
FILL, REJECTED, CANCELLED, REDUCED = (int(ReportKind[name]) for name in ("FILL", "REJECTED", "CANCELLED", "REDUCED"))
CANCEL, REPLACE, IN_AUCTION = int(Action.CANCEL), int(Action.REPLACE), int(Flag.AUCTION)
UNKNOWN_ORDER, ASKED, REPLACED = int(RejectReason.UNKNOWN_ORDER), int(CancelReason.ASKED), int(CancelReason.REPLACED)


@dataclass(frozen=True)
class LatencyLosses:
    """What latency cost, as polars frames: cancels (`lost_cancels`), quotes (`stale_quotes`)."""

    cancels: object
    quotes: object


def latency_losses(tape, by=("agent",), horizon_ns=HORIZON_NS, book=0):
    """Return the LatencyLosses of one book of a tape, by agent, kind or role."""
    horizon_ns = checked_span_ns("horizon_ns", horizon_ns, 0)
    return LatencyLosses(lost_cancels(tape, by, horizon_ns, book), stale_quotes(tape, by, horizon_ns, book=book))


def losses(tape, book=0):
    """Return (cancel or replace that came too late, the fill it came too late for) as row indices: LOSS[n]; derived once.

    A fill is lost once, to the first such request to arrive.
    """
    return tape.derived(_withdrawals, book)[1]


def _withdrawals(tape, book):
    """Return (the owner of every answer to an agent's cancel or replace that travelled, int32[m]; the losses, LOSS[n])."""
    rows, count = tape.rows, len(every_fill(tape, book)) + 1
    fills, found, owners = np.empty(count, PAST_FILL), np.empty(count, LOSS), np.empty(len(rows) + 1, np.int32)
    latest, record = np.full(1 << LATEST_BITS, np.array((-(2**63), -1), LATEST)), np.zeros(1, SEARCH)
    for name, array in {"fills": fills, "losses": found, "owners": owners, "latest": latest}.items():
        record[name] = array.ctypes.data
    _search(record.ctypes.data, rows.ctypes.data, len(rows), book)
    return owners[: record["request_count"][0]].copy(), found[: record["loss_count"][0]].copy()


@jit
def _search(address, rows, row_count, book):
    search = search_at(address, 0)
    for i in range(row_count):
        row = report_at(rows, i)
        if row.book != book:
            continue
        if row.kind == FILL and row.resting_owner > 0 and not row.flags & IN_AUCTION:
            _note_fill(search, row, i)
        elif row.owner > 0 and row.sent_ns < row.time_ns and _is_withdrawal(row):
            owner_at(search.owners, search.request_count).owner = row.owner
            search.request_count += 1
            _note_losses(search, rows, row, i)


@jit
def _is_withdrawal(row):
    """Return whether a row answers a cancel or a replace of an order that rests, or did not rest any more."""
    if row.action != CANCEL and row.action != REPLACE:
        return False
    if row.kind == REJECTED:
        return row.reason == UNKNOWN_ORDER
    return row.kind == REDUCED or (row.kind == CANCELLED and (row.reason == ASKED or row.reason == REPLACED))


@jit(inline=True)
def _latest(search, owner, order_id):
    """Return the LATEST of the orders that share a place with this one."""
    # Wrapped on purpose, so in unsigned numbers: 2^64 over the golden ratio spreads neighbours.
    mixed = (np.uint64(order_id) ^ (np.uint64(owner) << np.uint64(40))) * np.uint64(0x9E3779B97F4A7C15)
    return latest_at(search.latest, np.int64(mixed >> np.uint64(64 - LATEST_BITS)))


@jit
def _note_fill(search, row, row_index):
    latest, fill = _latest(search, row.resting_owner, row.resting_id), fill_at(search.fills, search.fill_count)
    fill.time_ns, fill.row, fill.before, fill.is_lost = row.time_ns, row_index, latest.fill, 0
    latest.time_ns, latest.fill = row.time_ns, search.fill_count
    search.fill_count += 1


@jit
def _note_losses(search, rows, row, row_index):
    latest = _latest(search, row.owner, row.order_id)
    if latest.time_ns <= row.sent_ns:
        return
    number = latest.fill
    while number >= 0:
        fill = fill_at(search.fills, number)
        if fill.time_ns <= row.sent_ns:
            return
        filled = report_at(rows, fill.row)
        if not fill.is_lost and filled.resting_id == row.order_id and filled.resting_owner == row.owner:
            loss = loss_at(search.losses, search.loss_count)
            loss.request, loss.fill, fill.is_lost = row_index, fill.row, 1
            search.loss_count += 1
        number = fill.before


def lost_cancels(tape, by=("agent",), horizon_ns=HORIZON_NS, book=0):
    """Return the cancels and replaces that lost their race, by agent, kind or role: a polars frame.

    Columns: by, requests (cancels and replaces of own orders that arrived), lost (of them, those before which something traded on the way), lost_share,
    lost_lots, late_ns (median, from the first lost fill to the arrival), cost (ticks per lost lot at the horizon, positive: lost money) and cost_error
    (block-robust), cost_ticks (all of it, ticks x lots). Costs leave out fills whose horizon lies beyond the tape; null without losses.
    """
    import polars as pl

    by = [by] if isinstance(by, str) else list(by)
    rows, (answered, found) = tape.rows, tape.derived(_withdrawals, book)
    owners = np.unique(answered)
    totals = _labelled(tape, answered, by, owners).group_by(by).agg(pl.len().cast(pl.Int64).alias("requests"))
    fills, requests = rows[found["fill"]], rows[found["request"]]
    known = _costs(tape, fills, horizon_ns, book)
    columns = {"request": found["request"].copy(), "late_ns": requests["time_ns"] - fills["time_ns"], "lots": fills["lots"].copy(), "cost": known}
    columns["time_ns"] = fills["time_ns"].copy()
    frame = _labelled(tape, fills["resting_owner"], by, owners).with_columns(**{name: pl.Series(values) for name, values in columns.items()})
    first = frame.group_by(*by, "request").agg(pl.col("late_ns").max(), pl.col("lots").sum())
    lost = first.group_by(by).agg(pl.len().cast(pl.Int64).alias("lost"), pl.col("lots").sum().alias("lost_lots"), pl.col("late_ns").median())
    costs = block_means(frame.with_columns(weight="lots"), by, ["cost"], horizon_ns)
    joined = totals.join(lost, on=by, how="left").join(costs, on=by, how="left").with_columns(pl.col("lost", "lost_lots").fill_null(0))
    return joined.select(
        *by, "requests", "lost", (pl.col("lost") / pl.col("requests")).alias("lost_share"), "lost_lots", "late_ns", "cost", "cost_error",
        (pl.col("cost") * pl.col("weight")).alias("cost_ticks"),
    ).sort(by)


def _labelled(tape, owners, by, among=None):
    import polars as pl

    return pl.DataFrame({key: label_column(tape, owners, key, among) for key in by})


def _costs(tape, fills, horizon_ns, book):
    """Return minus the realised spread of makers' fills in ticks per lot, a polars Series, null beyond the end of the tape."""
    import polars as pl

    mids, later_ns = Mids.of(tape, book), fills["time_ns"] + horizon_ns
    later, is_known = mids.at_times(later_ns)
    cost = pl.Series(fills["side"] * (later - 2 * fills["price_ticks"]) / 2)
    return pl.select(pl.when(pl.Series(is_known & (later_ns <= tape.end_ns))).then(cost)).to_series()


def stale_quotes(tape, by=("agent",), horizon_ns=HORIZON_NS, reaction_ns=REACTION_NS, book=0):
    """Return the makers' fills in which the quote was stale, by agent, kind or role: a polars frame.

    A quote is stale when the mid moved against it within its owner's reaction time before the fill: feed and order latency as the provenance has them,
    `reaction_ns` where it does not say. Columns: by, fills, stale, stale_share, stale_lots, moved (mean move of the mid against a stale quote, in ticks), cost
    and cost_error of the stale ones, fresh_cost of the others (ticks per lot at the horizon, positive: lost money), cost_ticks (stale, ticks x lots).
    """
    import polars as pl

    by = [by] if isinstance(by, str) else list(by)
    fills, mids = maker_fills(tape, book), Mids.of(tape, book)
    before, is_known = mids.before_rows(fills["sequence"])
    earlier, was_known = mids.at_times(fills["time_ns"] - _reactions(tape, fills["resting_owner"], reaction_ns, book))
    # The aggressor's side is against the maker's: a mid that moved its way moved against the quote.
    moved = np.where(is_known & was_known, fills["side"] * (before - earlier), 0) / 2
    costs = _costs(tape, fills, horizon_ns, book)
    columns = {"time_ns": fills["time_ns"].copy(), "weight": fills["lots"].copy(), "moved": moved, "is_stale": moved > 0, "cost": costs}
    frame = _labelled(tape, fills["resting_owner"], by).with_columns(**{name: pl.Series(values) for name, values in columns.items()})
    stale = pl.col("is_stale")
    counts = frame.group_by(by, maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("fills"), stale.sum().cast(pl.Int64).alias("stale"), pl.col("weight").filter(stale).sum().alias("stale_lots"),
        pl.col("moved").filter(stale).mean(),
    )
    costs = [block_means(frame.filter(stale == is_stale), by, ["cost"], horizon_ns) for is_stale in (True, False)]
    joined = counts.join(costs[0], on=by, how="left").join(costs[1].select(*by, fresh_cost="cost"), on=by, how="left")
    return joined.select(
        *by, "fills", "stale", (pl.col("stale") / pl.col("fills")).alias("stale_share"), "stale_lots", "moved", "cost", "cost_error", "fresh_cost",
        (pl.col("cost") * pl.col("weight")).alias("cost_ticks"),
    ).sort(by)


def _reactions(tape, owners, reaction_ns, book):
    """Return the reaction time of each owner: int64[n]."""
    unique, index = np.unique(owners, return_inverse=True)
    latencies = [tape.latency_of(owner, book) for owner in unique.tolist()]
    return np.array([reaction_ns if known is None else known.get("feed_ns", 0) + known.get("order_ns", 0) for known in latencies] or [0], np.int64)[index]
