"""The inventory of Avellaneda and Stoikov's maker returns to zero; that of a maker who does not lean wanders.

The scenario `calm` with one of the two, both without a limit, so that the limit is not what turns it. "kept" is the regression of the inventory ten seconds
later on the inventory now: 1 for one that wanders (the estimate is a little less in a short sample: Dickey and Fuller 1979), less for one that returns.
Source of the claim: Avellaneda and Stoikov (2008), equation (3.17).
"""
import numpy as np
from experiments.tape_figures import fills_of, owners_of, run_with, without

from agents import AvellanedaStoikovMaker, SymmetricMaker
from lob import Latency

X, Y = "maker", {"kept": "inventory in ten seconds, by regression on the inventory now", "deviation in lots": "standard deviation of the inventory, lots"}
MINUTES = 10.0
STEP_NS = 10_000_000_000
MAKERS = {"symmetric": SymmetricMaker, "avellaneda": AvellanedaStoikovMaker}
LATENCY = Latency(feed_ns=200_000, order_ns=200_000)


def measure(seed, minutes):
    """Return the points of one seed."""
    points = []
    for name, cls in MAKERS.items():
        maker = cls(name="maker", inventory_max_lots=1_000_000, latency=LATENCY)
        tape = run_with("calm", seed, minutes, [*without("calm", *MAKERS.values()), maker]).tape
        held_lots = inventory(tape, *owners_of(tape, "name", "maker"))
        points.append({"line": "kept", "at": name, "x": name, "y": float(held_lots[:-1] @ held_lots[1:] / (held_lots[:-1] @ held_lots[:-1]))})
        points.append({"line": "deviation in lots", "at": name, "x": name, "y": float(held_lots.std())})
    return points


def inventory(tape, owner):
    """Return what an owner held every ten seconds, from its fills as the one that rested: float64[n]."""
    fills = fills_of(tape)
    own = fills[fills["resting_owner"] == owner]
    held_lots = np.concatenate([[0], np.cumsum(-own["side"].astype(np.int64) * own["lots"])])
    return held_lots[np.searchsorted(own["time_ns"], np.arange(STEP_NS, tape.end_ns, STEP_NS), side="right")].astype(np.float64)


def effects(y):
    """Return {words: (figure, what it must be beside 0)}. y: {(line, at): figure}."""
    return {
        "what the leaning maker loses of its inventory in ten seconds": (1.0 - y["kept", "avellaneda"], ">"),
        "what it loses more than the other": (y["kept", "symmetric"] - y["kept", "avellaneda"], ">"),
        "deviation of the other's inventory less its own": (y["deviation in lots", "symmetric"] - y["deviation in lots", "avellaneda"], ">"),
    }
