"""The fundamental: a value that the world gives and no quote sets.

Owns a mean-reverting jump diffusion on a time grid (Ornstein and Uhlenbeck, 1930; jumps after Merton, 1976), in ticks, drawn from a stream of its own. It is
exogenous: nothing that agents do moves it, and only agents that declare `sees_fundamental` can read it, as it stood a delay of their choice ago.
"""
import math
from dataclasses import dataclass

import numpy as np

from lob.errors import ScenarioError
from lob.jit import jit, pool_reader
from lob.simulation.streams import STREAM, normal, seeded, stream_at, uniform

GRID_STEPS = 4096
FUNDAMENTAL = np.dtype(
    [
        ("values", "i8"), ("stream", "i8"), ("step_ns", "i8"), ("step", "i8"), ("start_ns", "i8"),
        ("value_ticks", "f8"), ("mean_ticks", "f8"), ("keep", "f8"), ("step_sigma_ticks", "f8"), ("jump_probability", "f8"), ("jump_sigma_ticks", "f8"),
    ],
    align=True,
)
VALUE = np.dtype([("ticks", "f8")], align=True)
fundamental_at, value_at = pool_reader(FUNDAMENTAL), pool_reader(VALUE)


@dataclass(frozen=True)
class Fundamental:
    """What moves the value: its volatility in ticks per square root of a second, its jumps per second, and how fast it returns to where it began.

    mean_reversion_hz: 0 for a martingale; otherwise the rate at which the distance to the opening value decays.
    """

    volatility_ticks: float = 2.0
    jump_rate_hz: float = 0.0
    jump_ticks: float = 0.0
    mean_reversion_hz: float = 0.0
    step_ns: int = 10_000_000

    def __post_init__(self):
        for name, value in vars(self).items():
            if isinstance(value, bool) or not isinstance(value, int if name == "step_ns" else (int, float)) or not 0 <= value < math.inf:
                raise ScenarioError(f"fundamental.{name} must be a number >= 0, was {value!r}")
        if self.step_ns < 1:
            raise ScenarioError(f"fundamental.step_ns must be >= 1, was {self.step_ns}")


@jit
def advance_fundamental(fundamental):
    """Draw the value of the next step of the grid; return the time of the step after it."""
    stream = stream_at(fundamental.stream, 0)
    moved = fundamental.mean_ticks + fundamental.keep * (fundamental.value_ticks - fundamental.mean_ticks)
    moved += fundamental.step_sigma_ticks * normal(stream)
    if fundamental.jump_probability > 0.0 and uniform(stream) < fundamental.jump_probability:
        moved += fundamental.jump_sigma_ticks * normal(stream)
    fundamental.value_ticks = moved
    fundamental.step += 1
    value_at(fundamental.values, fundamental.step & (GRID_STEPS - 1)).ticks = moved
    return fundamental.start_ns + (fundamental.step + 1) * fundamental.step_ns


@jit
def fundamental_ticks_at(fundamental, time_ns):
    """Return the value at a time that is not in the future and no further back than the grid is kept."""
    step = (time_ns - fundamental.start_ns) // fundamental.step_ns if time_ns > fundamental.start_ns else 0
    if step <= fundamental.step - GRID_STEPS:
        raise ValueError("fundamental_ticks: the delay is longer than the 4,096 steps that are kept")
    return value_at(fundamental.values, min(step, fundamental.step) & (GRID_STEPS - 1)).ticks


class FundamentalMemory:
    """The memory behind one FUNDAMENTAL record."""

    def __init__(self, model, seed, opening_ticks, start_ns):
        step_s = model.step_ns / 1e9
        self.record, self.values = np.zeros(1, FUNDAMENTAL), np.full(GRID_STEPS, float(opening_ticks))
        self.stream = np.zeros(1, STREAM)
        self.stream.view(np.uint64)[:] = seeded(seed, 0, 2)
        for name, value in {
            "values": self.values.ctypes.data, "stream": self.stream.ctypes.data, "step_ns": model.step_ns, "start_ns": start_ns,
            "value_ticks": opening_ticks, "mean_ticks": opening_ticks, "keep": math.exp(-model.mean_reversion_hz * step_s),
            "step_sigma_ticks": model.volatility_ticks * math.sqrt(step_s),
            "jump_probability": -math.expm1(-model.jump_rate_hz * step_s), "jump_sigma_ticks": model.jump_ticks,
        }.items():
            self.record[name] = value
