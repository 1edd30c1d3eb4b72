"""Calibration: how good a forecast of probabilities was.

Owns the scores of a forecast p of an outcome y (0 or 1): Brier score mean (p - y)^2, log loss, and the reliability curve, the frequency realised where a
probability was forecast. Brier = reliability - resolution + uncertainty, within the classes of the curve. Sources: Brier (1950); Murphy (1973), the
partition; Good (1952), the logarithmic score.
"""
import numpy as np

from lob.analytics.blocks import block_means
from lob.analytics.notes import known, shortage

CLASSES = 10
CERTAIN = 1e-6  # log loss counts a forecast of 0 or 1 as this far from it
SCORED_MIN = 100


def reliability(forecast, outcome, time_ns, block_ns=10_000_000_000):
    """Return the reliability curve of a forecast: a polars frame, one row a class of a tenth, those without a forecast left out.

    forecast: float64[n] in 0..1; outcome: bool[n]; time_ns: int64[n]. Columns: from_p, to_p, count, forecast (mean), realised (frequency), realised_error
    (block-robust over blocks of time of block_ns).
    """
    import polars as pl

    classes = np.minimum((np.asarray(forecast) * CLASSES).astype(np.int64), CLASSES - 1)
    frame = pl.DataFrame({"class": classes, "time_ns": time_ns, "forecast": forecast, "realised": np.asarray(outcome, float), "weight": np.ones(len(classes))})
    means = block_means(frame, ["class"], ["forecast", "realised"], block_ns)
    edges = [(pl.col("class") / CLASSES).alias("from_p"), ((pl.col("class") + 1) / CLASSES).alias("to_p")]
    return means.select(*edges, pl.col("count").cast(pl.Int64), "forecast", "realised", "realised_error")


def scores(forecast, outcome, time_ns, block_ns=10_000_000_000):
    """Return the scores of a forecast as {column: number}: count, frequency, brier, brier_error, log_loss, log_loss_error, reliability, resolution,
    uncertainty, skill (1 - brier / uncertainty), no_view (share of forecasts of exactly one half), note.
    """
    import polars as pl

    names = ("count", "frequency", "brier", "brier_error", "log_loss", "log_loss_error", "reliability", "resolution", "uncertainty", "skill", "no_view", "note")
    count, y, p = len(outcome), np.asarray(outcome, float), np.asarray(forecast, float)
    note = shortage(count, SCORED_MIN, "forecasts with an outcome")
    if note is not None:
        return dict.fromkeys(names) | {"count": count, "note": note}
    bounded = np.clip(p, CERTAIN, 1 - CERTAIN)
    loss = -(y * np.log(bounded) + (1 - y) * np.log(1 - bounded))
    frame = pl.DataFrame({"time_ns": time_ns, "weight": np.ones(count), "brier": (p - y) ** 2, "log_loss": loss})
    means = block_means(frame, [], ["brier", "log_loss"], block_ns).row(0, named=True)
    curve, frequency = reliability(p, outcome, time_ns, block_ns), y.mean()
    weights = curve["count"].to_numpy() / count
    uncertainty = frequency * (1 - frequency)
    numbers = {
        "frequency": frequency, **{name: means[name] for name in ("brier", "brier_error", "log_loss", "log_loss_error")},
        "reliability": (weights * (curve["forecast"] - curve["realised"]).to_numpy() ** 2).sum(),
        "resolution": (weights * (curve["realised"].to_numpy() - frequency) ** 2).sum(), "uncertainty": uncertainty,
        "skill": 1 - means["brier"] / uncertainty if uncertainty > 0 else None, "no_view": (p == 0.5).mean(),
    }
    return {"count": count} | {name: known(value) for name, value in numbers.items()} | {"note": None}
