"""Flow: what the order flow remembers, and what it does to itself, of one tape.

Owns the tables that put order flow imbalance, Hawkes processes, signs and metaorders side by side, and holds alpha = gamma + 1 against the tape.
"""
from dataclasses import dataclass

import numpy as np

from lob.analytics.hawkes import fit_hawkes
from lob.analytics.metaorders import impact_curve, length_tail, traders
from lob.analytics.notes import known, shortage
from lob.analytics.ofi import order_flow_imbalance
from lob.analytics.signs import CLOCKS, sign_autocorrelation, sign_memory, splitters
from lob.analytics.trades import trades

EVENTS_MIN, EVENTS_MAX, CERTAIN_P = 200, 50_000, 1e-4
MODELS = {"trades": ("trade",), "buys and sells": ("buy", "sell")}


@dataclass(frozen=True)
class Flow:
    """The flow, as polars frames: imbalance (`order_flow_imbalance`), hawkes and kernels (`bursts`), autocorrelation (all clocks), memory (`long_memory`),
    traders (`metaorders.traders`), impact (`metaorders.impact_curve`).
    """

    imbalance: object
    hawkes: object
    kernels: object
    autocorrelation: object
    memory: object
    traders: object
    impact: object


def flow(tape, book=0):
    """Return the Flow of one book of a tape."""
    import polars as pl

    correlations = pl.concat([sign_autocorrelation(tape, clock, book=book) for clock in CLOCKS])
    return Flow(
        order_flow_imbalance(tape, book=book), *bursts(tape, book), correlations, long_memory(tape, book), traders(tape, book), impact_curve(tape, book=book),
    )


def bursts(tape, book=0):
    """Return Hawkes fits to the trades of a tape, all of them as one kind, and buys and sells as two: two polars frames.

    The first: model, trades, used (the first 50,000 at most; of trades of one kind at the very same time, one), seconds, branching_ratio, branching_error,
    log_likelihood, gain_p (of the likelihood ratio to Poisson processes), residual_distance and residual_p (Kolmogorov-Smirnov, of the kind that fits worse),
    note. The second, one row a kernel: model, to, source, baseline_hz, baseline_error (of `to`), branching, branching_error, decay_hz, decay_error. The fit is
    null, with a note, and has no kernels, without 200 trades of each kind, and where Poisson processes are as good (p > 0.0001): the ratio has no meaning then.
    """
    import polars as pl

    traded = trades(tape, book)
    fits, kernels = [], []
    for model, kinds in MODELS.items():
        times_s, end_s = _times(traded[:EVENTS_MAX], len(kinds))
        used = sum(len(times) for times in times_s)
        note = shortage(min(len(times) for times in times_s), EVENTS_MIN, "trades of a kind")
        line = {"model": model, "trades": len(traded), "used": used, "seconds": end_s, "note": note}
        if note is None:
            fit = fit_hawkes(times_s, end_s)
            line["gain_p"] = fit.gain_p
            doubt = f"no bursts that are certain: p = {fit.gain_p:.2g} against a Poisson process, {CERTAIN_P:g} is asked for"
            note = line["note"] = None if fit.gain_p < CERTAIN_P else doubt
        if note is None:
            distance, p = max(fit.residual_test(kind) for kind in range(len(kinds)))
            line |= {
                "branching_ratio": fit.branching_ratio, "branching_error": known(fit.branching_ratio_error), "log_likelihood": fit.log_likelihood,
                "residual_distance": distance, "residual_p": p,
            }
            kernels += _kernels(model, kinds, fit)
        fits.append(line)
    return pl.DataFrame(fits, schema=_fits_schema()), pl.DataFrame(kernels, schema=_kernels_schema())


def _times(traded, kind_count):
    """Return (times of each kind in seconds from the first trade on, the time of the last)."""
    if len(traded) == 0:
        return [np.zeros(0)] * kind_count, 0.0
    masks = [np.ones(len(traded), bool)] if kind_count == 1 else [traded["side"] > 0, traded["side"] < 0]
    # The first trade is where the clock begins, so it is no event itself.
    since_ns = traded["time_ns"] - traded["time_ns"][0]
    return [np.unique(since_ns[mask])[int(mask[0]):] / 1e9 for mask in masks], float(since_ns[-1]) / 1e9


def _kernels(model, kinds, fit):
    for i, to in enumerate(kinds):
        for j, source in enumerate(kinds):
            yield {
                "model": model, "to": to, "source": source, "baseline_hz": fit.baseline_hz[i], "baseline_error": known(fit.baseline_error[i]),
                "branching": fit.branching[i, j], "branching_error": known(fit.branching_error[i, j]), "decay_hz": fit.decay_hz[i],
                "decay_error": known(fit.decay_error[i]),
            }


def long_memory(tape, book=0):
    """Return the memory of signs in every clock, beside the tail of metaorder lengths: a polars frame, one row a clock.

    Columns: clock, count, gamma, gamma_error (whittle), c0, gamma_loglog, gamma_loglog_error, alpha, alpha_error (of the lengths), difference and
    difference_error (of alpha - gamma - 1 from none), splitters_barometer (a barometer, not a census), splitters (counted by the test of `traders`), note (of
    signs and of metaorders). The theory is of the event clock; in the others the difference is only for comparison.
    """
    import polars as pl

    tail, lines = length_tail(tape, book), []
    for clock in CLOCKS:
        found = sign_memory(tape, clock, book)
        difference = error = None
        if found["gamma"] is not None and tail["alpha"] is not None:
            difference, error = tail["alpha"] - found["gamma"] - 1, float(np.hypot(tail["alpha_error"], found["gamma_error"]))
        lines.append({
            "clock": clock, **found, "alpha": tail["alpha"], "alpha_error": tail["alpha_error"], "difference": difference, "difference_error": error,
            "splitters_barometer": splitters(found["gamma"], found["c0"]), "splitters": tail["splitters"],
            "note": "; ".join(dict.fromkeys(filter(None, (found["note"], tail["note"])))) or None,
        })
    floats = ("gamma", "gamma_error", "c0", "gamma_loglog", "gamma_loglog_error", "alpha", "alpha_error", "difference", "difference_error")
    floats = dict.fromkeys((*floats, "splitters_barometer"), pl.Float64)
    return pl.DataFrame(lines, schema={"clock": pl.String, "count": pl.Int64} | floats | {"splitters": pl.Int64, "note": pl.String})


def _fits_schema():
    import polars as pl

    floats = ("seconds", "branching_ratio", "branching_error", "log_likelihood", "gain_p", "residual_distance", "residual_p")
    return {"model": pl.String, "trades": pl.Int64, "used": pl.Int64} | dict.fromkeys(floats, pl.Float64) | {"note": pl.String}


def _kernels_schema():
    import polars as pl

    floats = ("baseline_hz", "baseline_error", "branching", "branching_error", "decay_hz", "decay_error")
    return dict.fromkeys(("model", "to", "source"), pl.String) | dict.fromkeys(floats, pl.Float64)
