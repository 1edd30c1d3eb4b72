"""The signs of trades remember each other as lag^-gamma, with gamma = alpha - 1, where metaorders have lengths with a tail of alpha.

Metaorder traders in front of standing quotes, for tails of 1.3, 1.5 and 1.7, and the signs of the market orders on the tape. Gamma is the slope, in logarithms,
of the autocorrelation at lags from 10 to 1,000, by least squares. alpha - 1 is the slope at large lags: Lillo, Mike and Farmer (2005), equation (20). What it is
at these lags follows from the same model: two signs agree for certain if they are of one metaorder, and else by chance. With N traders at one rate, K of whose
orders at a lag of n are by the same trader if the last one is, C(n) = E S(K) / N, K = 1 + Binomial(n - 1, 1 / N), S(k) = sum of P(L >= j) over j > k, by E L.
"""
import math

import numpy as np

from agents import MetaorderTrader
from lob import Action, Agent, Latency, ReportKind, Simulation

X, Y = "alpha, the tail of the metaorders' lengths", "gamma, as fitted to the signs"
MINUTES = 10.0
ALPHAS = (1.3, 1.5, 1.7)
TRADERS, CHILDREN_HZ = 10, 100.0
LAGS = np.unique(np.geomspace(10, 1_000, 25).astype(int))
FAR = Latency(feed_ns=1_000_000, order_ns=1_000_000)


class DeepQuotes(Agent):
    """Rests more on both sides than anybody takes."""

    def on_start(self, market):
        market.buy(market.opening_ticks - 1, 1_000_000_000)
        market.sell(market.opening_ticks + 1, 1_000_000_000)


def measure(seed, minutes):
    """Return the points of one seed."""
    return [{"line": "signs", "at": alpha, "x": alpha, "y": gamma(signs(alpha, seed, minutes))} for alpha in ALPHAS]


def signs(alpha, seed, minutes):
    """Return the side of every market order: int8[n]."""
    rows = Simulation([DeepQuotes(), MetaorderTrader(count=TRADERS, rate_hz=CHILDREN_HZ, alpha=alpha, latency=FAR)], seed=seed).run(minutes=minutes).tape.rows
    return rows["side"][(rows["kind"] == ReportKind.ACCEPTED) & (rows["action"] == Action.MARKET)]


def gamma(sides):
    """Return the exponent of the decay of an autocorrelation, whose mean is known to be 0: half of the metaorders buy."""
    sides = sides.astype(np.float64)
    power = np.abs(np.fft.rfft(sides, 2 * len(sides))) ** 2
    return slope(np.fft.irfft(power)[LAGS] / (len(sides) - LAGS))


def slope(correlation):
    """Return minus the slope of a correlation at LAGS in logarithms; where it is lost in noise it is left out."""
    is_above = correlation > 0.0
    return -np.polyfit(np.log(LAGS[is_above]), np.log(correlation[is_above]), 1)[0]


def expected_gamma(alpha):
    """Return the slope that the model has at LAGS."""
    return slope(np.array([_correlation(int(lag), alpha) for lag in LAGS]))


def _correlation(lag, alpha):
    k = np.arange(lag)
    logs = [math.lgamma(lag) - math.lgamma(i + 1) - math.lgamma(lag - i) - i * math.log(TRADERS) + (lag - 1 - i) * math.log1p(-1 / TRADERS) for i in k]
    left = (k + 2.0) ** (1.0 - alpha) / (alpha - 1.0) + 0.5 * (k + 2.0) ** -alpha + alpha / 12.0 * (k + 2.0) ** (-alpha - 1.0)
    return float(np.exp(logs) @ left) / TRADERS


def effects(y):
    """Return {words: (figure, what it must be beside 0)}. y: {(line, at): figure}."""
    rises = {f"gamma at alpha {more} less that at {less}": (y["signs", more] - y["signs", less], ">") for less, more in zip(ALPHAS, ALPHAS[1:], strict=False)}
    return rises | {f"gamma less that of the model at alpha {alpha}": (y["signs", alpha] - expected_gamma(alpha), "=") for alpha in ALPHAS}
