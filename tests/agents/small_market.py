"""A small market for the tests of single agents: a crowd to trade with, standing quotes, and who did what."""
import numpy as np

from agents import NoiseTrader
from lob import Agent, Flag, Latency, ReportKind, Simulation

FAR = Latency(feed_ns=1_000_000, order_ns=1_000_000, order_jitter_ns=500_000)
NEAR = Latency(feed_ns=200_000, order_ns=200_000)


def crowd(venue=0):
    return NoiseTrader(count=20, rate_hz=10.0, latency=FAR, venue=venue)


def run_of(*who, seconds=10, seed=3, **settings):
    return Simulation([*who], seed=seed, **settings).run(seconds=seconds)


def rows_of(run, kind):
    """Return the rows of the requests of all agents of a class."""
    owners = [owner for owner, agent in run.tape.agents.items() if agent["kind"] == kind]
    return run.tape.rows[np.isin(run.tape.rows["owner"], owners)]


def state_of(agent):
    """Return {name: value} of an agent, arrays as lists, so that two of them can be compared."""
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in vars(agent).items()}


def first_rows(rows):
    """Return the first row of every event: what was asked, before what came of it."""
    return rows[np.flatnonzero(np.r_[True, rows["flags"][:-1] & Flag.LAST != 0])]


def fills_of(run, kind):
    """Return the FILL rows in which an agent of a class was the aggressor, and those in which its order rested."""
    owners = [owner for owner, agent in run.tape.agents.items() if agent["kind"] == kind]
    fills = run.tape.rows[run.tape.rows["kind"] == ReportKind.FILL]
    return fills[np.isin(fills["owner"], owners)], fills[np.isin(fills["resting_owner"], owners)]


class StandingQuotes(Agent):
    """Rests one bid and one ask, far more than anybody takes."""

    bid_ticks: int = 9_990
    ask_ticks: int = 10_010

    def on_start(self, market):
        market.buy(self.bid_ticks, 1_000_000)
        market.sell(self.ask_ticks, 1_000_000)
