"""The signs of trades remember each other as lag^-gamma, with gamma = alpha - 1, where metaorders have lengths with a tail of alpha.

Metaorder traders in front of standing quotes, for tails of 1.3, 1.5 and 1.7, and the signs of the market orders on the tape. Gamma is the slope, in logarithms,
of the autocorrelation at lags from 10 to 1,000, by least squares. alpha - 1 is the slope at large lags of an endless tape: Lillo, Mike and Farmer (2005),
equation (20). Six hundred thousand trades at these lags are neither, and the nearer alpha is to 1 the longer it takes, so their model is drawn a second time
without any market, of the same length from the same beginning: the two must agree.
"""
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
    points = []
    for alpha in ALPHAS:
        sides = signs(alpha, seed, minutes)
        points.append({"line": "signs", "at": alpha, "x": alpha, "y": gamma(sides)})
        points.append({"line": "model", "at": alpha, "x": alpha, "y": gamma(drawn_signs(alpha, len(sides), seed))})
    return points


def signs(alpha, seed, minutes):
    """Return the side of every market order: int8[n]."""
    rows = Simulation([DeepQuotes(), MetaorderTrader(count=TRADERS, rate_hz=CHILDREN_HZ, alpha=alpha, latency=FAR)], seed=seed).run(minutes=minutes).tape.rows
    return rows["side"][(rows["kind"] == ReportKind.ACCEPTED) & (rows["action"] == Action.MARKET)]


def gamma(sides):
    """Return the exponent of the decay of an autocorrelation, whose mean is known to be 0: half of the metaorders buy."""
    sides = sides.astype(np.float32)  # sums of ones: exact to 16 million
    return slope(np.array([sides[:-lag] @ sides[lag:] / (len(sides) - lag) for lag in LAGS]))


def slope(correlation):
    """Return minus the slope of a correlation at LAGS in logarithms; where it is lost in noise it is left out."""
    is_above = correlation > 0.0
    return -np.polyfit(np.log(LAGS[is_above]), np.log(correlation[is_above]), 1)[0]


def drawn_signs(alpha, count, seed):
    """Return the signs of the model itself: traders who take turns at random, each at one metaorder after the other."""
    draw = np.random.default_rng(seed)
    turns = draw.integers(0, TRADERS, count)
    sides = np.empty(count, np.int8)
    for trader in range(TRADERS):
        own = np.flatnonzero(turns == trader)
        lengths = np.minimum(draw.random(len(own)) ** (-1.0 / alpha), count).astype(np.int64)
        lengths = lengths[: np.searchsorted(np.cumsum(lengths), len(own)) + 1]
        sides[own] = np.repeat(draw.choice([-1, 1], len(lengths)), lengths)[: len(own)]
    return sides


def effects(y):
    """Return {words: (figure, what it must be beside 0)}. y: {(line, at): figure}."""
    least, most = ALPHAS[0], ALPHAS[-1]
    rise = {f"gamma at alpha {most} less that at {least}": (y["signs", most] - y["signs", least], ">")}
    return rise | {f"gamma less that of the model at alpha {alpha}": (y["signs", alpha] - y["model", alpha], "=") for alpha in ALPHAS}
