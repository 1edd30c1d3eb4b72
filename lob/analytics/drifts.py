"""Drifts: how far the mid had moved a horizon after each of many moments, in means by group.

Owns the two passes over the moments that make a mean and its block-robust error, see `blocks`, with nothing kept for each moment: of long tapes new memory
costs more than what is done with it. A moment has a side s, a weight, and a price or mid that its drift is counted from: s (M(t + horizon) - from).
"""
from dataclasses import dataclass

import numpy as np

from lob.analytics.blocks import BLOCK_MIN_NS, close_block, errors_of, or_null
from lob.analytics.records import step
from lob.jit import jit


@dataclass(frozen=True)
class Moments:
    """What drifts are measured from, in order of time.

    time_ns, from_half_ticks, side: integers[n]. weight: float64[n]. is_known: bool[n], the moments that count. earned: int64[n], in half-ticks, whose mean is
    wanted too; empty where it is not. filled_ns: int64[n], -1 for never: doubles the groups, 2 g + (whether that was within the horizon); empty where not.
    """

    time_ns: np.ndarray
    from_half_ticks: np.ndarray
    side: np.ndarray
    weight: np.ndarray
    is_known: np.ndarray
    earned: np.ndarray
    filled_ns: np.ndarray


def drift_means(moments, groups, group_count, mids, horizon_ns, end_ns):
    """Return the mean drift by group, in ticks, as a polars frame.

    groups, group_count: see `group_codes`. mids: Mids. Moments whose horizon lies beyond end_ns are missing.
    Columns: group, first (its first moment), count, missing, weight, blocks, drift, drift_error, earned, rest (earned - drift).
    """
    import polars as pl

    found = drift_sums(moments, groups, group_count, mids, horizon_ns, end_ns)
    first, counts, total, sums, (blocks, own, shared) = found
    there = np.flatnonzero(first >= 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = {name: values / 2 / total for name, values in (("drift", sums[0]), ("earned", sums[1]), ("rest", sums[1] - sums[0]))}
        columns = {"group": there, "first": first[there], "count": counts[0, there], "missing": counts[1, there], "weight": total[there]}
        columns |= {"blocks": blocks[there], "drift_error": or_null(errors_of(blocks, own, shared, total)[there])}
    return pl.DataFrame(columns | {name: or_null(values[there]) for name, values in means.items()})


def drift_sums(moments, groups, group_count, mids, horizon_ns, end_ns):
    """Return what `drift_means` is made of: first, counts[2] (known, missing), weight, sums[2] (of drift and of earned, in half-ticks), and of the blocks."""
    count = group_count * (2 if len(moments.filled_ns) else 1)
    first, counts, total, sums = np.full(count, -1), np.zeros((2, count), np.int64), np.zeros(count), np.zeros((2, count))
    arrays = [getattr(moments, name) for name in ("time_ns", "from_half_ticks", "side", "weight", "is_known", "filled_ns")]
    arrays += [groups, mids.time_ns, mids.half_ticks]
    _add(*arrays, moments.earned, horizon_ns, end_ns, first, counts, total, sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums[0] / 2 / total
    return first, counts, total, sums, _squares(*arrays, horizon_ns, end_ns, max(horizon_ns, BLOCK_MIN_NS), means)


@jit(inline=True)
def _group(groups, filled_ns, i, later_ns):
    if len(filled_ns) == 0:
        return groups[i]
    return 2 * groups[i] + (0 <= filled_ns[i] <= later_ns)


@jit
def _add(time_ns, start, side, weight, is_known, filled_ns, groups, mid_ns, half_ticks, earned, horizon_ns, end_ns, first, counts, total, sums):
    at = -1
    for i in range(len(time_ns)):
        later_ns = time_ns[i] + horizon_ns
        group = _group(groups, filled_ns, i, later_ns)
        if first[group] < 0:
            first[group] = i
        if not is_known[i] or later_ns > end_ns:
            counts[1, group] += 1
            continue
        at = step(mid_ns, at, later_ns)
        counts[0, group] += 1
        total[group] += weight[i]
        sums[0, group] += weight[i] * (side[i] * (half_ticks[at] - start[i]))
        if len(earned):
            sums[1, group] += weight[i] * earned[i]


@jit
def _squares(time_ns, start, side, weight, is_known, filled_ns, groups, mid_ns, half_ticks, horizon_ns, end_ns, width_ns, means):
    """Return (blocks, sum u_g^2, sum u_g u_{g+1}) by group, see `blocks`."""
    count, at = len(means), -1
    current, blocks = np.full(count, -(2**62)), np.zeros(count, np.int64)
    here, before, own, shared = np.zeros(count), np.zeros(count), np.zeros(count), np.zeros(count)
    for i in range(len(time_ns)):
        later_ns = time_ns[i] + horizon_ns
        if not is_known[i] or later_ns > end_ns:
            continue
        at = step(mid_ns, at, later_ns)
        group, block = _group(groups, filled_ns, i, later_ns), time_ns[i] // width_ns
        if block != current[group]:
            close_block(group, block == current[group] + 1, here, before, own, shared)
            current[group] = block
            blocks[group] += 1
        here[group] += weight[i] * (side[i] * (half_ticks[at] - start[i]) / 2 - means[group])
    for group in range(count):
        close_block(group, False, here, before, own, shared)
    return blocks, own, shared
