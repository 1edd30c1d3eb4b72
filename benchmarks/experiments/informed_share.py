"""The more of the flow is informed, the worse is what a maker's fills are worth a second later.

The market of `toxic` with informed traders who look ever more often, from never on. Source of the claim: Glosten and Milgrom (1985): what a maker loses to the
informed grows with their share.
"""
import numpy as np
from experiments.tape_figures import fills_of, owners_of, realised_ticks, run_with, varied, without

from agents import InformedTrader

X, Y = "share of the lots taken that informed traders take, as it comes out", "makers' markout at 1 s, ticks per lot"
MINUTES = 10.0
LOOKS_HZ = (0.0, 0.5, 1.5, 4.0)


def measure(seed, minutes):
    """Return the points of one seed."""
    points = []
    for looks_hz in LOOKS_HZ:
        tape = run_with("toxic", seed, minutes, varied("toxic", InformedTrader, rate_hz=looks_hz) if looks_hz else without("toxic", InformedTrader)).tape
        taken = fills_of(tape)
        informed_lots = taken["lots"][np.isin(taken["owner"], owners_of(tape, "role", "informed"))].sum()
        points.append({"line": "makers", "at": looks_hz, "x": informed_lots / taken["lots"].sum(), "y": realised_ticks(tape, 1.0, role="maker")})
    return points


def effects(y):
    """Return {words: (figure, what it must be beside 0)}: each step down. y: {(line, at): figure}."""
    pairs = zip(LOOKS_HZ, LOOKS_HZ[1:], strict=False)
    return {f"markout with looks at {fewer} a second less that at {more}": (y["makers", fewer] - y["makers", more], ">") for fewer, more in pairs}
