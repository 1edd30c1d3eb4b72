"""Where the spread is one tick, the mid moves when a best queue is used up; where it is wider, when somebody improves a quote.

Every change of the mid in `crowded` and `calm`, by the spread before it: did a best price get worse (its queue was traded through or cancelled away) or better.
At one tick it can only get worse: that much is arithmetic, and a check of the tape. What comes out is the rest: how many of the depletions are eaten, not
pulled, how many move the price for good, so that the next one-tick spread is elsewhere, and that wider spreads close again instead of opening further.
Source of the claim: Cont and de Larrard (2013), section 2.
"""
import numpy as np
from experiments.tape_figures import run_with, two_sided

from lob import ReportKind

X, Y = "spread before the move, ticks (2: two or more)", "share of the mid's moves that are depletions"
MINUTES = 5.0
WIDE = 2


def measure(seed, minutes):
    """Return the points of one seed."""
    return [point for scenario in ("crowded", "calm") for point in _points(scenario, run_with(scenario, seed, minutes).tape)]


def _points(scenario, tape):
    quotes = two_sided(tape)
    bid, ask = quotes["best_bid_ticks"], quotes["best_ask_ticks"]
    is_move = np.diff(bid + ask) != 0
    is_depletion = is_move & ((np.diff(bid) < 0) | (np.diff(ask) > 0))
    is_tight = (ask - bid)[:-1] == 1
    shares = {1: is_depletion[is_move & is_tight].mean(), WIDE: is_depletion[is_move & ~is_tight].mean()}
    is_eaten = kinds_at(tape, quotes["sequence"][1:])[is_depletion & is_tight] == ReportKind.FILL
    return [
        *({"line": scenario, "at": spread_ticks, "x": spread_ticks, "y": share} for spread_ticks, share in shares.items()),
        {"line": f"{scenario}: share of one-tick depletions that are eaten", "at": 1, "x": 1, "y": is_eaten.mean()},
        {"line": f"{scenario}: share of one-tick depletions that last", "at": 1, "x": 1, "y": lasting(bid, ask).mean()},
    ]


def kinds_at(tape, sequences):
    """Return the kind of the row with each sequence: that of the last row of an event."""
    rows = tape.rows
    return rows["kind"][np.searchsorted(rows["sequence"], sequences)]


def lasting(bid, ask):
    """Return, of each stretch between two one-tick spreads, whether the price is another at its end: bool[n]."""
    tight = np.flatnonzero(ask - bid == 1)
    begin, end = tight[:-1], tight[1:]
    has_moved = (end - begin > 1) | (bid[begin] != bid[end])
    return (bid[begin] != bid[end])[has_moved]


def effects(y):
    """Return {words: (figure, what it must be beside 0)}. y: {(line, at): figure}."""
    at_one_tick = {f"share of depletions at one tick less 1 in {line}": (y[line, 1] - 1.0, "=") for line in ("crowded", "calm")}
    return at_one_tick | {f"share of improvements at wider spreads less half in {line}": (0.5 - y[line, WIDE], ">") for line in ("crowded", "calm")}
