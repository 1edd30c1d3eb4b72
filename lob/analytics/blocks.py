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


def block_means(frame, by, values, horizon_ns=0):
    """Return weighted means by group with their standard errors, in order of the groups, as a polars frame.

    frame: with time_ns, weight and the columns named; rows in which a value is null are left out of all. by: names of columns. values: names of columns.
    horizon_ns: how far an observation looks ahead, a number or the name of a column; a block is that long, at least a second.
    Columns: by, count, missing (left out), weight, blocks, and for each value its mean and {value}_error; null with no weight, with fewer than two blocks.
    """
    import polars as pl

    by, y = list(by), np.empty((len(values), frame.height))
    for k, name in enumerate(values):
        y[k] = frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
    horizon = frame[horizon_ns].to_numpy() if isinstance(horizon_ns, str) else horizon_ns
    weight, is_known = frame["weight"].cast(pl.Float64).to_numpy(), ~np.isnan(y).any(0)
    means = group_means(*group_codes(frame, by), frame["time_ns"].to_numpy(), weight, dict(zip(values, y, strict=True)), is_known, horizon)
    rest = means.drop("group", "first")
    return pl.concat([frame[means["first"]].select(by), rest], how="horizontal") if by else rest


def group_means(codes, group_count, time_ns, weight, values, is_known, horizon_ns, with_error=None):
    """Return what `block_means` does of plain arrays, one element an observation, as a polars frame.

    codes, group_count: see `group_codes`. time_ns: int64[n]. weight: float64[n]. values: {name: float64[n]}. is_known: bool[n], the observations that count.
    horizon_ns: a number, or int64[n]. with_error: the values whose errors are wanted, all of them by default.
    Columns: group (its code), first (its first observation), count, missing, weight, blocks, and for each value its mean and, if wanted, {value}_error.
    """
    import polars as pl

    with_error = list(values) if with_error is None else with_error
    width_ns = np.maximum(np.atleast_1d(horizon_ns), BLOCK_MIN_NS)
    order = np.argsort(time_ns, kind="stable") if _goes_back(codes, time_ns, group_count) else np.zeros(0, np.int64)
    first, counts, total = _counted(codes, weight, is_known, group_count)
    found = np.flatnonzero(first >= 0)
    columns = {"group": found, "first": first[found], "count": counts[0, found], "missing": counts[1, found], "weight": total[found]}
    with np.errstate(invalid="ignore", divide="ignore"):
        for name, value in values.items():
            means = _summed(codes, value, weight, is_known, group_count) / total
            columns[name] = or_null(means[found])
            if name in with_error:
                blocks, own, shared = _squares(codes, value, weight, is_known, time_ns, width_ns, order, means)
                columns |= {"blocks": blocks[found], f"{name}_error": or_null(errors_of(blocks, own, shared, total)[found])}
    return pl.DataFrame(columns)


def errors_of(blocks, own, shared, total):
    """Return standard errors by group from what its blocks add up to: how many, sum u_g^2, sum u_g u_{g+1}, and the weight of all."""
    return np.sqrt(blocks / (blocks - 1) * np.maximum(own, own + 2 * shared)) / total


def or_null(values):
    """Return a polars column of numbers, null where they are nan or infinite."""
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
def _goes_back(codes, time_ns, group_count):
    """Return whether time goes back within a group."""
    last = np.full(group_count, -(2**62))
    for i in range(len(codes)):
        if time_ns[i] < last[codes[i]]:
            return True
        last[codes[i]] = time_ns[i]
    return False


@jit
def _counted(codes, weight, is_known, group_count):
    """Return (first observation of each group, -1 without; counts[2]: known and missing; the weight of the known)."""
    first, counts, total = np.full(group_count, -1), np.zeros((2, group_count), np.int64), np.zeros(group_count)
    for i in range(len(codes)):
        group = codes[i]
        if first[group] < 0:
            first[group] = i
        if is_known[i]:
            counts[0, group] += 1
            total[group] += weight[i]
        else:
            counts[1, group] += 1
    return first, counts, total


@jit
def _summed(codes, value, weight, is_known, group_count):
    """Return the sum of weight x value by group."""
    found = np.zeros(group_count)
    for i in range(len(codes)):
        if is_known[i]:
            found[codes[i]] += weight[i] * value[i]
    return found


@jit
def _squares(codes, value, weight, is_known, time_ns, width_ns, order, means):
    """Return (blocks, sum u_g^2, sum u_g u_{g+1}) by group; order: the observations in order of time, empty where they are."""
    group_count = len(means)
    current, blocks = np.full(group_count, -(2**62)), np.zeros(group_count, np.int64)
    here, before, own, shared = np.zeros(group_count), np.zeros(group_count), np.zeros(group_count), np.zeros(group_count)
    for n in range(len(codes)):
        i = order[n] if len(order) else n
        if not is_known[i]:
            continue
        group, block = codes[i], time_ns[i] // width_ns[i if len(width_ns) > 1 else 0]
        if block != current[group]:
            close_block(group, block == current[group] + 1, here, before, own, shared)
            current[group] = block
            blocks[group] += 1
        here[group] += weight[i] * (value[i] - means[group])
    for group in range(group_count):
        close_block(group, False, here, before, own, shared)
    return blocks, own, shared


@jit
def close_block(group, is_next, here, before, own, shared):
    """Add a finished block's squares; `before` becomes its sum if the next block follows at once."""
    u = here[group]
    own[group] += u * u
    shared[group] += u * before[group]
    before[group] = u if is_next else 0.0
    here[group] = 0.0
