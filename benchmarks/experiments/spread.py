"""The spread widens with the volatility of the value and with the share of the informed.

The market of `toxic`. Once the value moves ever more, with the three informed traders; once they look ever more often, at one volatility. No maker is told of
either: Avellaneda and Stoikov's measures the volatility of the mid, and the informed eat the queues. Source of the claim: Glosten and Milgrom (1985) for the
informed, Avellaneda and Stoikov (2008), equation (3.18), for the volatility.
"""
from experiments.tape_figures import mean_spread_ticks, run_with, varied, without

from agents import InformedTrader
from lob import Fundamental

X = {"volatility": "volatility of the value, ticks per square root of a second", "informed": "looks of each informed trader, per second"}
Y = "mean spread, ticks"
MINUTES = 5.0
VOLATILITIES = (0.0, 2.0, 4.0, 8.0)
LOOKS_HZ = (0.0, 1.0, 4.0, 16.0)


def measure(seed, minutes):
    """Return the points of one seed."""
    points = []
    for ticks in VOLATILITIES:
        spread_ticks = mean_spread_ticks(run_with("toxic", seed, minutes, fundamental=Fundamental(volatility_ticks=ticks)).tape)
        points.append({"line": "volatility", "at": ticks, "x": ticks, "y": spread_ticks})
    for looks_hz in LOOKS_HZ:
        agents = varied("toxic", InformedTrader, rate_hz=looks_hz) if looks_hz else without("toxic", InformedTrader)
        points.append({"line": "informed", "at": looks_hz, "x": looks_hz, "y": mean_spread_ticks(run_with("toxic", seed, minutes, agents).tape)})
    return points


def effects(y):
    """Return {words: (figure, what it must be beside 0)}: each step up. y: {(line, at): figure}."""
    steps = {"volatility": VOLATILITIES, "informed": LOOKS_HZ}
    return {
        f"spread with {line} of {more:g} less that of {less:g}": (y[line, more] - y[line, less], ">")
        for line, values in steps.items() for less, more in zip(values, values[1:], strict=False)
    }
