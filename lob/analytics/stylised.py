"""Stylised facts: what is known of real markets, measured on a tape, beside what was published.

Owns the table, and the profiles behind it: the spread and the depth in time, depth by distance, volume by time, the variance of returns by their step. A
published range says where the literature lies for liquid markets, not where a tape must lie. Sources are in the table.
"""
from dataclasses import dataclass

import numpy as np

from lob.analytics.metaorders import impact_curve
from lob.analytics.notes import known, shortage
from lob.analytics.ofi import order_flow_imbalance, regression
from lob.analytics.quotes import LEVELS as DISTANCES
from lob.analytics.quotes import Mids, depths, is_two_sided_at, quotes, touch_at
from lob.analytics.signs import autocorrelation, sign_memory
from lob.analytics.trades import trades
from lob.jit import jit

SECOND_NS = 1_000_000_000
STEPS_S = (0.1, 1.0, 10.0, 60.0, 300.0)
RETURNS_MIN, TAIL_SHARE, SPREADS, METAORDERS_MIN = 100, 0.05, 20, 30

# fact: unit, published from, published to, source.
FACTS = {
    "spread": ("ticks, mean in time", None, None, "a description, no fact"),
    "touch depth": ("lots, mean in time", None, None, "a description, no fact"),
    "return autocorrelation, 10 s": ("lag 1", -0.1, 0.1, "Cont (2001), fact 1: none beyond very small time scales"),
    "tail index of 1 s returns": ("Hill, largest 5 %", 2.0, 5.0, "Cont (2001), fact 2: above two, below five; Gopikrishnan et al. (1999)"),
    "excess kurtosis, 1 s": ("of returns", 1.0, None, "Cont (2001), fact 4: the shorter the step, the larger"),
    "excess kurtosis, 60 s": ("of returns", 0.0, None, "Cont (2001), fact 4"),
    "volatility clustering, 1 s": ("autocorrelation of absolute returns, lag 10", 0.01, 0.5, "Cont (2001), facts 6 and 8"),
    "variance ratio, 1 s to 60 s": ("variance per second", 1.0, 3.0, "Andersen, Bollerslev, Diebold and Labys (2000), signature plot"),
    "memory of trade signs": ("gamma", 0.2, 0.8, "Lillo and Farmer (2004); Bouchaud et al. (2004)"),
    "imbalance and price, 10 s": ("R squared", 0.35, 0.85, "Cont, Kukanov and Stoikov (2014), mean 0.65"),
    "impact of metaorders": ("exponent of lots", 0.4, 0.7, "Almgren et al. (2005), 0.6; Toth et al. (2011), one half"),
}


@dataclass(frozen=True)
class StylisedFacts:
    """The facts, as polars frames: facts (`stylised_facts`), signature, depth, volume, spreads (the profiles)."""

    facts: object
    signature: object
    depth: object
    volume: object
    spreads: object


def stylised(tape, book=0):
    """Return the StylisedFacts of one book of a tape."""
    profiles = (volatility_signature(tape, book=book), depth_profile(tape, book=book), volume_profile(tape, book=book), spread_profile(tape, book))
    return StylisedFacts(stylised_facts(tape, book), *profiles)


def stylised_facts(tape, book=0):
    """Return the table of facts, a polars frame: fact, value, error, unit, published_from, published_to, is_within, source, note.

    Null, with a note, is what the tape is too short for; is_within is null too where nothing is published.
    """
    import polars as pl

    lines = []
    for name, (value, error, note) in _measured(tape, book).items():
        unit, low, high, source = FACTS[name]
        value = known(value)
        is_within = None if value is None or (low is None and high is None) else (low is None or value >= low) and (high is None or value <= high)
        note = note or (None if value is not None else "not enough data: it does not vary")
        lines.append((name, value, known(error), unit, low, high, is_within, source, note))
    schema = {"fact": pl.String, "value": pl.Float64, "error": pl.Float64, "unit": pl.String, "published_from": pl.Float64, "published_to": pl.Float64}
    schema |= {"is_within": pl.Boolean, "source": pl.String, "note": pl.String}
    return pl.DataFrame(lines, schema=schema, orient="row")


def _measured(tape, book):
    """Return {fact: (value, error, note)}."""
    found = dict.fromkeys(("spread", "touch depth"), (None, None, "not enough data: no touch with both sides"))
    _, lived_ns, means = tape.derived(_lived, book)
    if lived_ns.sum() > 0:
        found["spread"], found["touch depth"] = ((mean, None, None) for mean in means)
    seconds, tens, minutes = (returns_ticks(tape, step_s, book) for step_s in (1.0, 10.0, 60.0))
    found |= {
        "return autocorrelation, 10 s": _guarded(tens, lambda r: (autocorrelation(r, 1)[0], 1 / np.sqrt(len(r)))),
        "tail index of 1 s returns": _guarded(seconds, hill), "excess kurtosis, 1 s": _guarded(seconds, kurtosis),
        "excess kurtosis, 60 s": _guarded(minutes, kurtosis),
        "volatility clustering, 1 s": _guarded(seconds, lambda r: (autocorrelation(np.abs(r), 10)[9], 1 / np.sqrt(len(r)))),
        "variance ratio, 1 s to 60 s": _guarded(minutes, lambda r: _variance_ratio(seconds, r)),
    }
    remembered = sign_memory(tape, book=book)
    found["memory of trade signs"] = (remembered["gamma"], remembered["gamma_error"], remembered["note"])
    line = order_flow_imbalance(tape, [10 * SECOND_NS], book).row(0, named=True)
    found["imbalance and price, 10 s"] = (line["r_squared"], None, line["note"])
    return found | {"impact of metaorders": impact_exponent(impact_curve(tape, book=book))}


def _guarded(values, measure):
    note = shortage(len(values), RETURNS_MIN, "returns")
    return (None, None, note) if note is not None else (*measure(values), None)


def returns_ticks(tape, step_s, book=0):
    """Return the moves of the mid over whole steps, from the first mid on: float64[n], in ticks."""
    mids, step_ns = Mids.of(tape, book), round(step_s * SECOND_NS)
    if len(mids.time_ns) == 0:
        return np.zeros(0)
    mid, _ = mids.at_times(np.arange(max(mids.time_ns[0], tape.start_ns), tape.end_ns + 1, step_ns))
    return np.diff(mid) / 2


def hill(values):
    """Return (Hill's estimate of the tail index from the largest 5 % of absolute values, its error). Source: Hill (1975)."""
    largest = np.sort(np.abs(values))[::-1][: max(int(TAIL_SHARE * len(values)), 2)]
    if largest[-1] <= 0:
        return np.nan, np.nan
    mean = np.log(largest[:-1] / largest[-1]).mean()
    return (1 / mean, 1 / mean / np.sqrt(len(largest) - 1)) if mean > 0 else (np.nan, np.nan)


def kurtosis(values):
    """Return (excess kurtosis, its error by leaving out one twentieth of the values at a time)."""
    def excess(x):
        x = x - x.mean()
        variance = (x * x).mean()
        return (x**4).mean() / variance**2 - 3 if variance > 0 else np.nan

    parts = np.array_split(np.arange(len(values)), 20)
    others = np.array([excess(np.delete(values, part)) for part in parts])
    return excess(values), np.sqrt(19 / 20 * ((others - others.mean()) ** 2).sum())


def _variance_ratio(seconds, minutes):
    short, long = (seconds**2).mean(), (minutes**2).mean() / 60
    relative = np.hypot(*((values**2).std() / max((values**2).mean(), 1e-300) / np.sqrt(len(values)) for values in (seconds, minutes)))
    return (short / long, short / long * relative) if long > 0 else (np.nan, np.nan)


def impact_exponent(curve):
    """Return (exponent, error, note) of impact ~ lots^exponent, by least squares of the logarithms over classes of 30 metaorders or more with an impact above
    zero. The error is that of the line.
    """
    import polars as pl

    usable = curve.filter((pl.col("metaorders") >= METAORDERS_MIN) & (pl.col("impact_ticks") > 0))
    note = shortage(usable.height, 4, "classes of metaorders with an impact")
    if note is not None:
        return None, None, note
    slope, error, _, _ = regression(np.log(usable["lots"].to_numpy()), np.log(usable["impact_ticks"].to_numpy()))
    return slope, error, None


def volatility_signature(tape, steps_s=STEPS_S, book=0):
    """Return the variance of mid moves by step: a polars frame of step_s, returns, variance_per_s (ticks squared), error, note."""
    import polars as pl

    lines = []
    for step_s in steps_s:
        squares = returns_ticks(tape, step_s, book) ** 2
        note = shortage(len(squares), 20, "returns")
        numbers = (None, None) if note else (squares.mean() / step_s, squares.std() / np.sqrt(len(squares)) / step_s)
        lines.append((step_s, len(squares), *numbers, note))
    schema = {"step_s": pl.Float64, "returns": pl.Int64, "variance_per_s": pl.Float64, "error": pl.Float64, "note": pl.String}
    return pl.DataFrame(lines, schema=schema, orient="row")


def _lived(tape, book):
    """Return (how many touches with both sides there had each spread, how long these lived; the means in time of the spread and of the lots of a side).

    int64[SPREADS + 1] twice, the last spread: or more; (float, float), nan if nothing lived.
    """
    touches, counts, lived_ns, sums = quotes(tape, book), np.zeros(SPREADS + 1, np.int64), np.zeros(SPREADS + 1, np.int64), np.zeros(2)
    _add_lived(touches.ctypes.data, len(touches), tape.start_ns, tape.end_ns, counts, lived_ns, sums)
    return counts, lived_ns, sums / lived_ns.sum() if lived_ns.any() else np.full(2, np.nan)


@jit
def _add_lived(touches, touch_count, start_ns, end_ns, counts, lived_ns, sums):
    for i in range(touch_count):
        touch = touch_at(touches, i)
        if is_two_sided_at(touch):
            until_ns = touch_at(touches, i + 1).time_ns if i + 1 < touch_count else end_ns
            lived, spread = max(until_ns, start_ns) - max(touch.time_ns, start_ns), touch.best_ask_ticks - touch.best_bid_ticks
            counts[min(spread, SPREADS)] += 1
            lived_ns[min(spread, SPREADS)] += lived
            sums[0] += spread * float(lived)
            sums[1] += (touch.bid_lots + touch.ask_lots) / 2 * lived


def spread_profile(tape, book=0):
    """Return how long each spread was there: a polars frame of spread_ticks, share of the time with both sides; spreads of 20 ticks or more are one."""
    import polars as pl

    counts, lived_ns, _ = tape.derived(_lived, book)
    spreads = np.flatnonzero(counts)
    return pl.DataFrame({"spread_ticks": spreads, "share": lived_ns[spreads] / max(int(lived_ns.sum()), 1)})


def depth_profile(tape, book=0):
    """Return the mean displayed lots by side and distance from the touch, over evenly spaced moments: a polars frame of side, distance_ticks (0 to 19), lots.

    Moments at which a side is empty do not count for it.
    """
    import polars as pl

    sums, counts = np.zeros((2, DISTANCES)), np.zeros(2)
    for both in depths(tape, book):
        for k, depth in enumerate(both):
            distance = np.abs(depth["price_ticks"] - depth["price_ticks"][:1])
            near = distance < DISTANCES
            counts[k] += len(depth) > 0
            sums[k] += np.bincount(distance[near], depth["lots"][near], DISTANCES)
    lines = [(int(side), distance, sums[k, distance] / counts[k]) for k, side in enumerate((1, -1)) if counts[k] for distance in range(DISTANCES)]
    return pl.DataFrame(lines, schema={"side": pl.Int8, "distance_ticks": pl.Int64, "lots": pl.Float64}, orient="row")


def volume_profile(tape, classes=20, book=0):
    """Return trades and lots by part of the tape's time: a polars frame of from_ns, to_ns, trades, lots, buy_share (of lots; null without trades)."""
    import polars as pl

    traded = trades(tape, book)
    traded = traded[np.searchsorted(traded["time_ns"], tape.start_ns):]
    edges = np.unique(np.linspace(tape.start_ns, tape.end_ns + 1, classes + 1).astype(np.int64)) if len(tape) else np.zeros(1, np.int64)
    part = np.searchsorted(edges, traded["time_ns"], "right") - 1
    count = len(edges) - 1
    lots = np.bincount(part, traded["lots"], count)[:count]
    bought = np.bincount(part, traded["lots"] * (traded["side"] > 0), count)[:count]
    columns = {"from_ns": edges[:-1], "to_ns": edges[1:], "trades": np.bincount(part, minlength=count)[:count], "lots": lots.astype(np.int64), "bought": bought}
    return pl.DataFrame(columns).select(pl.exclude("bought"), pl.when(pl.col("lots") > 0).then(pl.col("bought") / pl.col("lots")).alias("buy_share"))
