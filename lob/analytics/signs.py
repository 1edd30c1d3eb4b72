"""Signs: the memory of who was the aggressor.

Owns the series of trade signs in three clocks (event: one sign an incoming order; fill: one a fill; block: the sign of the net lots of each block of time),
their autocorrelation, and two estimators of the exponent gamma of C(tau) ~ c0 tau^-gamma:

    whittle  the local Whittle estimator of the memory d, gamma = 1 - 2 d, from the lowest n^0.55 frequencies; error 1 / sqrt(their number). The one that
             is called gamma. Where few traders split orders without a finite variance of length, its true error is up to half as large again.
    loglog   least squares of log C on log tau over classes of lags evenly spaced in log tau; the error by leaving out one tenth of the tape at a time.
             The customary one; too low where the lags are not large beside the number of traders.

Sources: Lillo and Farmer (2004); Bouchaud, Gefen, Potters and Wyart (2004); Robinson (1995), Gaussian semiparametric estimation of long range dependence;
Kuensch (1989), the jackknife for dependent data.
"""
import numpy as np

from lob.analytics.notes import shortage
from lob.analytics.trades import trades

CLOCKS = ("event", "fill", "block")
LAG_MIN, LAG_MAX, LAG_SHARE, PARTS, SIGNS_MIN = 4, 1_000, 100, 10, 5_000
BANDWIDTH = 0.55
PIECES = 64  # transformed at a time
BLOCK_NS = 1_000_000_000


def signs(tape, clock="event", block_ns=BLOCK_NS, book=0):
    """Return the series of signs in a clock: int8[n]; blocks without a net trade have no sign, and are left out."""
    traded = trades(tape, book)
    if clock == "event":
        return traded["side"].copy()
    if clock == "fill":
        return np.repeat(traded["side"], traded["fills"])
    block = traded["time_ns"] // block_ns
    first = np.flatnonzero(np.diff(block, prepend=block[0] - 1)) if len(block) else np.zeros(0, int)
    net = np.sign(np.add.reduceat(traded["side"] * traded["lots"], first)) if len(block) else np.zeros(0)
    return net[net != 0].astype(np.int8)


def autocorrelation(series, lags):
    """Return the autocorrelation of a series at lags 1 to `lags`: float64[lags]; the mean is taken off, n is the divisor of every lag.

    Cost: Fourier transforms of pieces that fit the cache, each against itself and the `lags` that follow. Zero where the series does not vary.
    """
    x = np.asarray(series, float) - np.mean(series)
    size = max(1 << int(4 * lags).bit_length(), 1024)
    step = size - lags
    count = -(-len(x) // step)
    padded = np.concatenate([x, np.zeros(count * step + lags - len(x))])
    power = np.zeros(size // 2 + 1, complex)
    for first in range(0, count, PIECES):
        starts = range(first, min(first + PIECES, count))
        pieces = np.stack([padded[k * step:k * step + step] for k in starts])
        ahead = np.stack([padded[k * step:k * step + size] for k in starts])
        power += (np.conj(np.fft.rfft(pieces, size)) * np.fft.rfft(ahead)).sum(0)
    covariance = np.fft.irfft(power, size)[: lags + 1]
    return covariance[1:] / covariance[0] if covariance[0] > 0 else np.zeros(lags)


def sign_autocorrelation(tape, clock="event", lags=LAG_MAX, book=0):
    """Return the autocorrelation of signs by lag: a polars frame of clock, lag, autocorrelation, error (1 / sqrt(n), of a series without memory), count.

    Fewer lags on a short tape, a tenth of the signs at most.
    """
    import polars as pl

    series = signs(tape, clock, book=book)
    reach = min(lags, len(series) // 10)
    found = autocorrelation(series, reach) if reach else np.zeros(0)
    columns = {"lag": np.arange(1, reach + 1), "autocorrelation": found, "error": np.full(reach, 1 / np.sqrt(max(len(series), 1)))}
    return pl.DataFrame(columns).select(pl.lit(clock).alias("clock"), pl.all(), pl.lit(len(series), pl.Int64).alias("count"))


def sign_memory(tape, clock="event", book=0):
    """Return the `memory` of a tape's signs in a clock; derived once."""
    return tape.derived(_sign_memory, clock, book)


def _sign_memory(tape, clock, book):
    return memory(signs(tape, clock, book=book))


def memory(series):
    """Return {"count", "gamma", "gamma_error" (whittle), "c0", "gamma_loglog", "gamma_loglog_error", "note"} of a series of signs.

    c0: by least squares of C on tau^-gamma. Null, with a note, if there are fewer than 5,000 signs, or if the memory d is not two errors above none. The
    loglog estimate alone is null where C is not above zero over its classes of lags.
    """
    names = ("gamma", "gamma_error", "c0", "gamma_loglog", "gamma_loglog_error")
    note = shortage(len(series), SIGNS_MIN, "signs")
    if note is None:
        d, error = local_whittle(series)
        note = None if d >= 2 * error else f"no long memory: d = {d:.3f} is not two errors of {error:.3f} above none"
    if note is not None:
        return {"count": len(series)} | dict.fromkeys(names) | {"note": note}
    gamma, whole = 1 - 2 * d, autocorrelation(series, min(LAG_MAX, len(series) // LAG_SHARE))
    slope, slope_error = loglog(series, whole)
    return dict(zip(("count", *names, "note"), (len(series), gamma, 2 * error, _level(whole, gamma), slope, slope_error, None), strict=True))


def _level(correlation, gamma):
    """Return c0 of C = c0 tau^-gamma by least squares over lags 4 and up."""
    found = correlation[LAG_MIN - 1:]
    law = np.arange(LAG_MIN, LAG_MIN + len(found)) ** -gamma
    return float((found * law).sum() / (law * law).sum())


def loglog(series, whole):
    """Return (gamma, its error) of the least-squares line of log C on log tau, twice None where C is not above zero over the range of lags.

    whole: the autocorrelation of the series.
    """
    parts = [autocorrelation(part, len(whole)) for part in np.array_split(np.asarray(series, float), PARTS)]
    slope = _slope(whole)
    others = [_slope(whole + (whole - part) / (PARTS - 1)) for part in parts]
    if slope is None or None in others:
        return None, None
    return -slope, float(np.sqrt((PARTS - 1) / PARTS * ((np.array(others) - np.mean(others)) ** 2).sum()))


def _slope(correlation):
    """Return the slope of log C on log tau over ten classes of lags, None if one of them has no C above zero."""
    edges = np.unique(np.geomspace(LAG_MIN, len(correlation), 11).astype(int))
    lags = np.arange(1, len(correlation) + 1)
    middles = np.array([np.log(lags[a - 1:b]).mean() for a, b in zip(edges[:-1], edges[1:], strict=True)])
    means = np.array([correlation[a - 1:b].mean() for a, b in zip(edges[:-1], edges[1:], strict=True)])
    return None if (means <= 0).any() else float(np.polyfit(middles, np.log(means), 1)[0])


def local_whittle(series):
    """Return (memory d, its error): the d that minimises log mean(l^2d I) - 2 d mean(log l) over the lowest frequencies l, I the periodogram."""
    from scipy.fft import prev_fast_len
    from scipy.optimize import minimize_scalar

    # Of so many signs as have a fast transform: a prime number of them takes ten times as long, and a few at the end say nothing of low frequencies.
    x = np.asarray(series[: prev_fast_len(len(series), real=True)], float)
    x -= x.mean()
    count = int(len(x) ** BANDWIDTH)
    frequency = 2 * np.pi * np.arange(1, count + 1) / len(x)
    power = np.abs(np.fft.rfft(x)[1: count + 1]) ** 2
    if power.sum() == 0:
        return 0.0, float(0.5 / np.sqrt(count))
    logs = np.log(frequency)
    found = minimize_scalar(lambda d: np.log(np.mean(np.exp(2 * d * logs) * power)) - 2 * d * logs.mean(), bounds=(-0.5, 0.99), method="bounded")
    return float(found.x), float(0.5 / np.sqrt(count))


def splitters(gamma, c0):
    """Return how many traders who split their orders would make such a memory: ((gamma + 1) c0)^(1 / (gamma - 1)); None unless 0 < gamma < 1 and c0 > 0.

    A barometer, not a census: it takes all of them for equally active, with lengths of one power law, and nobody else trades. Source: Lillo, Mike and Farmer
    (2005), C(tau) ~ N^(gamma - 1) / (gamma + 1) tau^-gamma; Sato and Kanazawa (2023).
    """
    if gamma is None or c0 is None or not (0 < gamma < 1 and c0 > 0):
        return None
    return float(((gamma + 1) * c0) ** (1 / (gamma - 1)))
