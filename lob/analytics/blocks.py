"""Blocks: standard errors of means whose observations share their future.

Observations close in time see the same moves of the mid. So each block of time, at least as long as the horizon, is one observation, correlated with the
next since what comes late in the one looks into the other. With w the weight, y the value, m its weighted mean and u_g = sum of w (y - m) in block g of G,

    standard_error^2 = G / (G - 1) * max(sum u_g^2, sum u_g^2 + 2 sum u_g u_{g+1}) / (sum w)^2

Sums are made in the order of time, so that the same tape gives the same digits. Sources: Cameron and Miller (2015), the cluster-robust variance and its
small-sample factor; Hansen and Hodrick (1980), the covariance of neighbours whose forecast horizons overlap.
"""
import numpy as np

from lob.jit import jit

BLOCK_MIN_NS = 1_000_000_000


def block_means(frame, by, values, horizon_ns=0, codes=None):
    """Return weighted means by group with their standard errors, in order of the groups, as a polars frame.

    frame: with time_ns, weight and the columns named; rows in which a value is null are left out of all. by: names of columns. values: names of columns.
    horizon_ns: how far an observation looks ahead, a number or the name of a column; a block is that long, at least a second. codes: `group_codes` of the
    frame, where they are known already.
    Columns: by, count, missing (left out), weight, blocks, and for each value its mean and {value}_error; null with no weight, with fewer than two blocks.
    """
    import polars as pl

    by = list(by)
    codes, group_count = group_codes(frame, by) if codes is None else codes
    y = np.stack([frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in values]) if frame.height else np.zeros((len(values), 0))
    weight, time_ns = frame["weight"].cast(pl.Float64).to_numpy(), frame["time_ns"].to_numpy()
    horizon = frame[horizon_ns].to_numpy() if isinstance(horizon_ns, str) else np.full(1, horizon_ns, np.int64)
    block = time_ns // np.maximum(horizon, BLOCK_MIN_NS)
    order = np.argsort(block, kind="stable") if _goes_back(codes, block, group_count) else np.zeros(0, np.int64)
    first, counts, sums = _totals(codes, y, weight, group_count)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums[1:] / sums[0]
        blocks, own, shared = _squares(codes, y, weight, block, order, means)
        errors = np.sqrt(blocks / (blocks - 1) * np.maximum(own, own + 2 * shared)) / sums[0]
    found = np.flatnonzero(first >= 0)
    table = frame[first[found]].select(by) if by else pl.DataFrame()
    columns = {"count": counts[0, found], "missing": counts[1, found], "weight": sums[0, found], "blocks": blocks[found]}
    for k, name in enumerate(values):
        columns |= {name: _or_null(means[k, found]), f"{name}_error": _or_null(errors[k, found])}
    return table.with_columns(**{name: pl.Series(column) for name, column in columns.items()}) if by else pl.DataFrame(columns)


def _or_null(values):
    import polars

    return polars.Series([float(value) if np.isfinite(value) else None for value in values], dtype=polars.Float64)


def group_codes(frame, by):
    """Return (number of the group of each row, how many numbers there are), in the order of the columns' values; nulls come first."""
    import polars as pl

    codes, count = np.zeros(frame.height, np.int64), 1
    for name in by:
        column = frame[name]
        if column.dtype == pl.Enum:
            number, size = column.to_physical().cast(pl.Int64), len(column.dtype.categories)
        elif column.dtype == pl.Boolean:
            number, size = column.cast(pl.Int64), 2
        else:
            number = column.rank("dense").cast(pl.Int64) - 1
            size = (number.max() or 0) + 1
        codes, count = codes * (size + 1) + (number.fill_null(-1).to_numpy() + 1), count * (size + 1)
    return codes, count


@jit
def _goes_back(codes, block, group_count):
    """Return whether time goes back within a group."""
    last = np.full(group_count, -(2**62))
    for i in range(len(codes)):
        if block[i] < last[codes[i]]:
            return True
        last[codes[i]] = block[i]
    return False


@jit
def _totals(codes, y, weight, group_count):
    """Return (first row of each group, -1 without; counts[2]: known and missing; sums[1 + values]: of weight and of weight x value)."""
    first, counts, sums = np.full(group_count, -1), np.zeros((2, group_count), np.int64), np.zeros((1 + len(y), group_count))
    for i in range(len(codes)):
        group = codes[i]
        if first[group] < 0:
            first[group] = i
        if _is_missing(y, i):
            counts[1, group] += 1
            continue
        counts[0, group] += 1
        sums[0, group] += weight[i]
        for k in range(len(y)):
            sums[1 + k, group] += weight[i] * y[k, i]
    return first, counts, sums


@jit
def _is_missing(y, i):
    missing = False
    for k in range(len(y)):
        missing |= np.isnan(y[k, i])
    return missing


@jit
def _squares(codes, y, weight, block, order, means):
    """Return (blocks, sum u_g^2, sum u_g u_{g+1}) by group; order: the rows in order of time, empty where they are."""
    values, group_count = len(y), means.shape[1]
    current, blocks = np.full(group_count, -(2**62)), np.zeros(group_count, np.int64)
    here, before = np.zeros((values, group_count)), np.zeros((values, group_count))
    own, shared = np.zeros((values, group_count)), np.zeros((values, group_count))
    for n in range(len(codes)):
        i = order[n] if len(order) else n
        if _is_missing(y, i):
            continue
        group = codes[i]
        if block[i] != current[group]:
            _close_block(group, block[i] == current[group] + 1, here, before, own, shared)
            current[group] = block[i]
            blocks[group] += 1
        for k in range(values):
            here[k, group] += weight[i] * (y[k, i] - means[k, group])
    for group in range(group_count):
        _close_block(group, False, here, before, own, shared)
    return blocks, own, shared


@jit
def _close_block(group, is_next, here, before, own, shared):
    """Add a finished block's squares; `before` becomes its sum if the next block follows at once."""
    for k in range(len(here)):
        u = here[k, group]
        own[k, group] += u * u
        shared[k, group] += u * before[k, group]
        before[k, group] = u if is_next else 0.0
        here[k, group] = 0.0
