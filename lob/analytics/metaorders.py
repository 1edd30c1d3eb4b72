"""Metaorders: large orders in small pieces, as the tape shows them since it knows the owners.

Owns the runs: the consecutive trades of one owner on one side are the children of one metaorder, or of several that followed each other on that side. Who
splits at all is decided by a test: of n trades of a trader without intent, changes of sign are n - 1 coin tosses; who has too few of them at one in a
hundred is a splitter. The joined metaorders of splitters are separated, taking the sides of following ones for independent, and the tail of their lengths
is fitted by the discrete power law P(L) ~ L^-(alpha + 1), from the length where its distance from the data is smallest. Sources: Lillo, Mike and Farmer
(2005); Sato and Kanazawa (2023), for runs and the test; Clauset, Shalizi and Newman (2009), for the fit.
"""
import numpy as np

from lob.analytics.labels import label_column
from lob.analytics.notes import shortage
from lob.analytics.quotes import Mids
from lob.analytics.records import select
from lob.analytics.trades import trades
from lob.jit import jit

RUNS_MIN, TRADES_MIN, SCORE_MAX = 100, 20, -2.326  # the score that a normal variable is below once in a hundred times
START_MAX, SEPARATED_MAX, BOOTSTRAPS = 100, 1_000, 50

METAORDER = np.dtype(
    [
        ("start_ns", "i8"), ("end_ns", "i8"),
        ("first", "i8"), ("last", "i8"),      # sequence of the first and of the last child
        ("lots", "i8"), ("children", "i8"),
        ("owner", "i4"), ("side", "i1"),
    ],
    align=True,
)


def metaorders(tape, book=0):
    """Return the runs of every owner: METAORDER[n], by owner and time; derived once. The recorded flow of a day is nobody's, and has none."""
    return tape.derived(_metaorders, book)


def _metaorders(tape, book):
    traded = trades(tape, book)
    traded = select(traded, traded["owner"] > 0)
    order = np.argsort(traded["owner"], kind="stable")
    return runs(*(traded[name][order] for name in ("owner", "side", "lots", "time_ns", "sequence")))


def runs(owner, side, lots, time_ns, sequence):
    """Return the runs of trades that are sorted by owner and time: METAORDER[n]. All arguments: arrays of the same length."""
    is_new = np.ones(len(owner), bool)
    is_new[1:] = (np.diff(owner) != 0) | (np.diff(side) != 0)
    first = np.flatnonzero(is_new)
    last = np.append(first[1:], len(owner)) - 1
    found = np.zeros(len(first), METAORDER)
    if len(first):
        found["start_ns"], found["end_ns"], found["first"], found["last"] = time_ns[first], time_ns[last], sequence[first], sequence[last]
        found["lots"], found["children"] = np.add.reduceat(lots, first), last - first + 1
        found["owner"], found["side"] = owner[first], side[first]
    return found


def traders(tape, book=0):
    """Return every owner that took: a polars frame of owner, agent, kind, role, trades, metaorders, mean_length, score, is_splitter.

    score: the number of sign changes, standardised; null, and is_splitter too, with fewer than 20 trades.
    """
    import polars as pl

    found = metaorders(tape, book)
    labels = {key: label_column(tape, found["owner"], key) for key in ("agent", "kind", "role")}
    frame = pl.DataFrame({"owner": found["owner"].copy()} | labels | {"children": found["children"].copy()})
    count, changes = pl.col("trades"), pl.col("metaorders") - 1
    score = pl.when(count >= TRADES_MIN).then((changes - (count - 1) / 2) / ((count - 1).sqrt() / 2))
    return (
        frame.group_by("owner", "agent", "kind", "role").agg(pl.col("children").sum().alias("trades"), pl.len().cast(pl.Int64).alias("metaorders"))
        .with_columns((count / pl.col("metaorders")).alias("mean_length"), score.alias("score"))
        .with_columns((pl.col("score") < SCORE_MAX).alias("is_splitter")).sort("owner")
    )


def length_tail(tape, book=0):
    """Return {"alpha", "alpha_error", "from_length", "in_tail", "runs", "splitters", "note"} of the metaorders of a tape's splitters.

    The error is that of 50 bootstraps of the runs, with a fixed seed and the start of the tail as found. Null, with a note, with fewer than 100 runs.
    """
    import polars as pl

    names = traders(tape, book).filter(pl.col("is_splitter"))["owner"].to_numpy()
    found = metaorders(tape, book)
    lengths = found["children"][np.isin(found["owner"], names)]
    counts = {"runs": len(lengths), "splitters": len(names)}
    note = shortage(len(lengths), RUNS_MIN, "metaorders of splitters")
    if note is not None:
        return dict.fromkeys(("alpha", "alpha_error", "from_length", "in_tail")) | counts | {"note": note}
    alpha, _, start, in_tail = fit_power_law(*separated(lengths))
    random = np.random.default_rng(len(lengths))
    again = [_fit_tail(*separated(random.choice(lengths, len(lengths))), start)[1] for _ in range(BOOTSTRAPS)]
    return {"alpha": alpha, "alpha_error": float(np.std(again, ddof=1)), "from_length": start, "in_tail": round(in_tail)} | counts | {"note": None}


def separated(run_lengths):
    """Return (lengths, how many metaorders of each) of the metaorders that were joined into runs: int64[m], float64[m], the second not whole nor always >= 0.

    Half of the metaorders are followed by one of the same side, which joins its run: with the laws p of metaorders and r of runs, r = (p + p * r) / 2 (a
    convolution), so p_n = 2 r_n - sum of r_k p_(n-k) over k < n, and there are twice as many metaorders as runs. A run longer than 1,000 counts as one.
    """
    lengths, counts = np.unique(run_lengths, return_counts=True)
    is_short = lengths <= SEPARATED_MAX
    law = np.zeros(int(lengths[is_short].max(initial=0)) + 1)
    law[lengths[is_short]] = counts[is_short] / counts.sum()
    weights = 2 * counts.sum() * _deconvolved(law)[1:]
    return np.concatenate([np.arange(1, len(law)), lengths[~is_short]]), np.concatenate([weights, counts[~is_short]])


@jit
def _deconvolved(law):
    found = np.zeros(len(law))
    for n in range(1, len(law)):
        found[n] = 2 * law[n]
        for k in range(1, n):
            found[n] -= law[k] * found[n - k]
    return found


def fit_power_law(lengths, weights=None, start=None):
    """Return (alpha, its error, the length from which the law holds, how many lengths are in that tail) for P(L) ~ L^-(alpha + 1), L whole numbers >= 1.

    weights: how often each length came, by default once. start: the first length of the tail, by default the one with the smallest Kolmogorov-Smirnov
    distance, among those with 50 lengths or more above them. The error is that of maximum likelihood with the start given.
    """
    if weights is None:
        lengths, weights = np.unique(lengths, return_counts=True)
    total = weights.sum()
    candidates = [start] if start is not None else [at for at in range(1, START_MAX + 1) if weights[lengths >= at].sum() >= min(50, total)]
    _, alpha, error, at = min((*_fit_tail(lengths, weights, at), at) for at in candidates)
    return alpha, error, int(at), float(weights[lengths >= at].sum())


def _fit_tail(lengths, weights, start):
    """Return (Kolmogorov-Smirnov distance, alpha, its error) of the discrete power law from `start` on."""
    from scipy.optimize import minimize_scalar
    from scipy.special import zeta

    lengths, weights = lengths[lengths >= start], weights[lengths >= start]
    n = weights.sum()
    logs = (weights * np.log(lengths)).sum() / n

    def loss(exponent):
        return exponent * logs + np.log(zeta(exponent, start))

    exponent = minimize_scalar(loss, bounds=(1.01, 12), method="bounded", options={"xatol": 1e-8}).x
    step = 1e-3
    curvature = (loss(exponent + step) - 2 * loss(exponent) + loss(exponent - step)) / step**2
    law = 1 - zeta(exponent, lengths + 1.0) / zeta(exponent, start)
    distance = np.abs(np.cumsum(weights) / n - law).max()
    return float(distance), float(exponent - 1), float(1 / np.sqrt(n * max(curvature, 1e-12)))


def _mids_around(tape, book):
    """Return (mid just before the first child, whether it is known, mid just after the last) of every metaorder: int64[n], bool[n], int64[n]."""
    found, mids = metaorders(tape, book), Mids.of(tape, book)
    # Looked up in the order of time, which metaorders are not in: a walk instead of a search for each.
    starts, ends = np.argsort(found["first"]), np.argsort(found["end_ns"])
    before, is_known, after = np.empty(len(found), np.int64), np.empty(len(found), bool), np.empty(len(found), np.int64)
    before[starts], is_known[starts] = mids.before_rows(found["first"][starts])
    after[ends], _ = mids.at_times(found["end_ns"][ends])
    return before, is_known, after


def impact_curve(tape, classes=12, book=0):
    """Return the mean impact of metaorders by size: a polars frame of lots (geometric mean of a class), metaorders, impact_ticks, impact_error.

    Impact: side x (mid just after the last child - mid just before the first). Classes are even in log size; errors take metaorders for independent.
    """
    import polars as pl

    found = metaorders(tape, book)
    before, is_known, after = tape.derived(_mids_around, book)
    logs = np.log(np.maximum(found["lots"], 1))
    number = np.floor(logs * classes / max(logs.max(), 1e-9)).astype(int).clip(0, classes - 1) if len(logs) else np.zeros(0, int)
    frame = pl.DataFrame({"class": number, "logs": logs, "impact": found["side"] * (after - before) / 2}).filter(pl.Series(is_known))
    return frame.group_by("class", maintain_order=True).agg(
        pl.col("logs").mean().exp().alias("lots"), pl.len().cast(pl.Int64).alias("metaorders"), pl.col("impact").mean().alias("impact_ticks"),
        (pl.col("impact").std() / pl.len().sqrt()).alias("impact_error"),
    ).sort("class").drop("class")
