"""Race: what was said about the next move of the mid, and what it did.

Owns the observations, one a step of the clock, and the rival forecasts of the same outcome, whether the next mid move is up:

    hazards     p_up of the pressure in the window before (`pressure`)
    imbalance   bid / (bid + ask) of the queues, as it stands
    queues      (2 / pi) arctan(bid / ask), two queues that do not look at each other (`first_passage`)
    microprice  the chain of `microprice`, fitted to the first half of the tape

All are scored on the same observations, those of the second half, so that none has seen its outcomes.
"""
from dataclasses import dataclass

import numpy as np

from lob.analytics.calibration import reliability, scores
from lob.analytics.causes import mid_causes
from lob.analytics.first_passage import p_up_diffusion
from lob.analytics.microprice import Microprice
from lob.analytics.pressure import WINDOW_NS, hazards, p_up
from lob.analytics.quotes import Mids, quotes
from lob.analytics.records import last_at
from lob.analytics.spans import checked_span_ns

STEP_NS = 100_000_000
STEPS_MAX = 200_000
FORECASTS = ("hazards", "imbalance", "queues", "microprice")


@dataclass(frozen=True)
class Race:
    """The race, as polars frames: observations (see `observations`), scores (one row a forecast, columns of `calibration.scores`), reliability (the curves,
    one row a forecast and class), causes (`mid_causes`), microprice (the states of the chain).
    """

    observations: object
    scores: object
    reliability: object
    causes: object
    microprice: object


def race(tape, window_ns=WINDOW_NS, step_ns=STEP_NS, book=0):
    """Return the Race of one book of a tape. window_ns: of the pressure; step_ns: between observations."""
    import polars as pl

    seen = observations(tape, window_ns, step_ns, book)
    scored = seen.filter(pl.col("is_scored"))
    outcome, time_ns = scored["is_up"].to_numpy(), scored["time_ns"].to_numpy()
    lines = [{"forecast": name} | scores(scored[name].to_numpy(), outcome, time_ns) for name in FORECASTS]
    curves = [_named(name, reliability(scored[name].to_numpy(), outcome, time_ns)) for name in FORECASTS]
    chain = Microprice.fit(tape, None, book)
    return Race(seen, pl.DataFrame(lines, schema=_scores_schema()), pl.concat(curves), mid_causes(tape, (), book), chain.to_polars())


def _named(name, curve):
    import polars as pl

    return curve.rename({"forecast": "predicted"}).select(pl.lit(name).alias("forecast"), pl.all())


def observations(tape, window_ns=WINDOW_NS, step_ns=STEP_NS, book=0):
    """Return what was forecast and what happened, a polars frame, one row a step in which both sides were there, a window was past and the mid moved later.

    Of a long tape every k-th step is taken, so that there are at most 200,000. Columns: time_ns, bid_lots, ask_lots, spread_ticks, hazard_bid, hazard_ask,
    hazards, imbalance, queues, microprice (forecasts of is_up), is_up, wait_ns (to the next move), move_half_ticks, is_scored (of the second half).
    """
    import polars as pl

    window_ns, step_ns = checked_span_ns("window_ns", window_ns), checked_span_ns("step_ns", step_ns)
    touches, mids = quotes(tape, book), Mids.of(tape, book)
    first_ns = max(int(touches["time_ns"][0]), tape.start_ns) + window_ns if len(touches) else 0
    steps = max((tape.end_ns - first_ns) // step_ns + 1, 0) if len(touches) else 0
    time_ns = first_ns + step_ns * np.arange(0, steps, max(-(-steps // STEPS_MAX), 1), dtype=np.int64)
    moved = np.flatnonzero(np.diff(mids.half_ticks)) + 1
    h_bid, h_ask, is_known = hazards(tape, time_ns, window_ns, book)
    following = np.searchsorted(mids.time_ns[moved], time_ns, "right")
    keep = is_known & (following < len(moved))
    time_ns, h_bid, h_ask, following = time_ns[keep], h_bid[keep], h_ask[keep], moved[following[keep]]
    touch = touches[last_at(touches["time_ns"], time_ns)]
    bid, ask, half_ns = touch["bid_lots"], touch["ask_lots"], (first_ns + tape.end_ns) // 2
    change = mids.half_ticks[following] - mids.half_ticks[following - 1]
    return pl.DataFrame({
        "time_ns": time_ns, "bid_lots": bid, "ask_lots": ask, "spread_ticks": touch["best_ask_ticks"] - touch["best_bid_ticks"],
        "hazard_bid": h_bid, "hazard_ask": h_ask, "hazards": p_up(h_bid, h_ask), "imbalance": bid / (bid + ask), "queues": p_up_diffusion(bid, ask),
        "microprice": Microprice.fit(tape, half_ns, book).of(touch)[1], "is_up": change > 0, "wait_ns": mids.time_ns[following] - time_ns,
        "move_half_ticks": change, "is_scored": time_ns > half_ns,
    })


def _scores_schema():
    import polars as pl

    names = ("frequency", "brier", "brier_error", "log_loss", "log_loss_error", "reliability", "resolution", "uncertainty", "skill", "no_view")
    return {"forecast": pl.String, "count": pl.Int64} | dict.fromkeys(names, pl.Float64) | {"note": pl.String}
