"""A maker that reads the race earns more than one that does not where some know the value, and no less where nobody does.

The scenarios `toxic` and `calm`, once as they are and once with RaceAwareMaker in the place of SymmetricMaker, both half a tick from the mid. Both join
the touch where the spread is a tick. Twin runs: the same seed, the same others.
In `calm` it finds no reading at which fills cost, and is then the other maker, request for request; at first, before it has seen enough, it can err.
"""
from experiments.tape_figures import run_with, without

from agents import RaceAwareMaker, SymmetricMaker
from lob import Latency, profit_and_loss

X, Y = "scenario", "the maker's profit, ticks a minute"
MINUTES = 10.0
MAKERS = {"symmetric": SymmetricMaker, "race-aware": RaceAwareMaker}


def measure(seed, minutes):
    """Return the points of one seed."""
    points = []
    for scenario in ("calm", "toxic"):
        for line, cls in MAKERS.items():
            maker = cls(name="maker", half_spread_ticks=0.5, latency=Latency(feed_ns=200_000, order_ns=200_000))
            accounts = profit_and_loss(run_with(scenario, seed, minutes, [*without(scenario, SymmetricMaker), maker]).tape)
            pnl_ticks = accounts.filter(accounts["agent"] == "maker")["pnl_ticks"].sum()
            points.append({"line": line, "at": scenario, "x": scenario, "y": pnl_ticks / minutes})
    return points


def effects(y):
    """Return {words: (figure, what it must be beside 0)}. y: {(line, at): figure}."""
    gain = {scenario: y["race-aware", scenario] - y["symmetric", scenario] for scenario in ("toxic", "calm")}
    return {
        "profit of the race-aware less that of the symmetric maker in toxic": (gain["toxic"], ">"),
        "profit of the race-aware less that of the symmetric maker in calm": (gain["calm"], ">="),
    }
