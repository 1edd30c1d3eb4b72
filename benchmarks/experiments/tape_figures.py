"""Figures that several experiments take from a tape, and worlds that differ from a scenario in who takes part."""
import dataclasses

import numpy as np
import polars

from lob import ReportKind, fill_markouts
from lob.simulation.scenario import load
from lob.tape.replay import touches


def run_with(name, seed, minutes, agents=None, **changes):
    """Return the Run of a scenario with other agents, if any are given, and other settings (fundamental=...)."""
    world = load(name)
    changes |= {} if agents is None else {"agents": tuple(agents)}
    return dataclasses.replace(world, **changes).simulation(seed=seed).run(minutes=minutes)


def without(name, *classes):
    """Return the agents of a scenario but those of certain classes."""
    return [agent for agent in load(name).agents if not isinstance(agent, classes)]


def varied(name, cls, **parameters):
    """Return the agents of a scenario, those of a class with other parameters."""
    agents = load(name).agents
    for agent in agents:
        for key, value in parameters.items() if isinstance(agent, cls) else ():
            setattr(agent, key, value)
    return agents


def owners_of(tape, key, *values):
    """Return the owners whose label ("name", "kind" or "role") is one of some values."""
    return [owner for owner, agent in tape.agents.items() if agent[key] in values]


def two_sided(tape):
    """Return the touches with both sides there: TOUCH[n]."""
    quotes = touches(tape.rows)
    return quotes[(quotes["best_bid_ticks"] > 0) & (quotes["best_ask_ticks"] > 0)]


def mean_spread_ticks(tape):
    """Return the spread, weighted by the time that it lasted."""
    quotes = two_sided(tape)
    return float(np.average((quotes["best_ask_ticks"] - quotes["best_bid_ticks"])[:-1], weights=np.diff(quotes["time_ns"])))


def realised_ticks(tape, horizon_s, **labels):
    """Return the mean realised spread, in ticks per lot, of the fills with certain labels (agent=, kind=, role=, counterparty_kind=); nan without any."""
    fills = fill_markouts(tape, horizons_ns=(int(horizon_s * 1e9),)).filter(polars.col("realised_half_ticks").is_not_null())
    for name, value in labels.items():
        fills = fills.filter(polars.col(name) == value)
    return float((fills["realised_half_ticks"] * fills["lots"]).sum() / fills["lots"].sum() / 2) if len(fills) else float("nan")


def fills_of(tape):
    """Return the FILL rows: REPORT[n]."""
    return tape.rows[tape.rows["kind"] == ReportKind.FILL]
