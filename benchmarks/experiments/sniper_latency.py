"""A maker's loss to the sniper grows with its latency, and vanishes where the maker is the faster.

Makers around a public value that jumps, and a sniper whose order takes 100 to 500 microseconds, uniformly; everybody hears of a jump at the same time. Nobody
else trades, so that every fill is a lost race; the slowest maker loses all of them. A maker that needs L should lose the share (L - 100) / 400 of its races, no
less than 0 and no more than 1. Source of the claim: Budish, Cramton and Shim (2015), section VI.
"""
import numpy as np
from experiments.tape_figures import fills_of

from agents import NewsMaker, Sniper
from lob import Fundamental, Latency, Simulation

X, Y = "the maker's order latency, microseconds (the sniper's: 100 to 500)", "lots lost, as a share of those of a maker that loses every race"
MINUTES = 10.0
LATENCIES_US = (50, 95, 200, 300, 400, 505, 1_000)
SNIPER_US = (100, 500)
JUMPS = Fundamental(volatility_ticks=0.0, jump_rate_hz=1.0, jump_ticks=6.0)


def measure(seed, minutes):
    """Return the points of one seed."""
    feed_ns = 50_000
    makers = [NewsMaker(name=f"{us} us", inventory_max_lots=10**9, latency=Latency(feed_ns=feed_ns, order_ns=1_000 * us)) for us in LATENCIES_US]
    fastest_ns, slowest_ns = (1_000 * us for us in SNIPER_US)
    sniper = Sniper(lots_max=10_000, latency=Latency(feed_ns=feed_ns, order_ns=fastest_ns, order_jitter_ns=slowest_ns - fastest_ns))
    fills = fills_of(Simulation([*makers, sniper], seed=seed, fundamental=JUMPS).run(minutes=minutes).tape)
    lost = {us: int(fills["lots"][fills["resting_owner"] == i].sum()) for i, us in enumerate(LATENCIES_US, start=1)}
    return [{"line": "makers", "at": us, "x": us, "y": lost[us] / lost[LATENCIES_US[-1]]} for us in LATENCIES_US]


def expected(latency_us):
    """Return the share of its races that a maker loses."""
    return float(np.clip((latency_us - SNIPER_US[0]) / (SNIPER_US[1] - SNIPER_US[0]), 0.0, 1.0))


def effects(y):
    """Return {words: (figure, what it must be beside 0)}: each step between makers whom the sniper can meet, and the law. y: {(line, at): figure}."""
    met = [us for us in LATENCIES_US if SNIPER_US[0] < us < SNIPER_US[1]]
    pairs = zip(met, met[1:], strict=False)
    steps = {f"loss at {slower} us less that at {faster} us": (y["makers", slower] - y["makers", faster], ">") for faster, slower in pairs}
    return steps | {f"loss at {us} us less the law": (y["makers", us] - expected(us), "=") for us in LATENCIES_US}
