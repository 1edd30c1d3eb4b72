"""The fundamental: a value that the world gives and no quote sets.

Owns a mean-reverting jump diffusion on a time grid, in ticks, drawn from a stream of its own: Uhlenbeck and Ornstein, "On the theory of the Brownian motion",
Physical Review 36 (1930), its exact step; jumps after Merton, "Option pricing when underlying stock returns are discontinuous", Journal of Financial Economics
3 (1976): Poisson times, normal sizes. Or the values of a file. It is exogenous: nothing that agents do moves it, and only agents that declare
`sees_fundamental` can read it, as it stood a delay of their choice ago.
"""
import csv
import math
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from lob.errors import ScenarioError
from lob.jit import jit, pool_reader
from lob.simulation.streams import STREAM, normal, seeded, stream_at, uniform

GRID_STEPS = 4096
FUNDAMENTAL = np.dtype(
    [
        ("values", "i8"), ("stream", "i8"), ("step_ns", "i8"), ("step", "i8"), ("start_ns", "i8"),
        ("value_ticks", "f8"), ("mean_ticks", "f8"), ("keep", "f8"), ("step_sigma_ticks", "f8"), ("jump_probability", "f8"), ("jump_mean_ticks", "f8"),
        ("jump_sigma_ticks", "f8"), ("recorded", "i8"), ("recorded_count", "i8"), ("recorded_next", "i8"),
    ],
    align=True,
)
VALUE = np.dtype([("ticks", "f8")], align=True)
RECORDED = np.dtype([("time_ns", "i8"), ("ticks", "f8")], align=True)
FILE_COLUMNS = ("time_ns", "value_ticks")
SIGNED = ("jump_mean_ticks",)
fundamental_at, value_at, recorded_at = pool_reader(FUNDAMENTAL), pool_reader(VALUE), pool_reader(RECORDED)


@dataclass(frozen=True)
class Fundamental:
    """What moves the value: its volatility in ticks per square root of a second, its jumps per second, and how fast it returns to its mean.

    jump_mean_ticks, jump_ticks: mean and standard deviation of a jump. mean_reversion_hz: 0 for a martingale; otherwise the rate at which the distance to
    mean_ticks decays (0: to the opening value). step_ns: of the time grid. file: a CSV file with the columns time_ns and value_ticks, sorted by time, in place
    of everything but step_ns; each value holds until the next, the opening price before the first. Raises ScenarioError for what is out of range.
    """

    volatility_ticks: float = 2.0
    jump_rate_hz: float = 0.0
    jump_ticks: float = 0.0
    mean_reversion_hz: float = 0.0
    step_ns: int = 10_000_000
    jump_mean_ticks: float = 0.0
    mean_ticks: float = 0.0
    file: str = ""

    def __post_init__(self):
        for name, value in vars(self).items():
            if name == "file":
                self._check_file()
            elif isinstance(value, bool) or not isinstance(value, int if name == "step_ns" else (int, float)) or not abs(value) < math.inf:
                raise ScenarioError(f"fundamental.{name} must be {'a whole' if name == 'step_ns' else 'a'} number, was {value!r}")
            elif value < 0 and name not in SIGNED:
                raise ScenarioError(f"fundamental.{name} must be a number >= 0, was {value!r}")
        if self.step_ns < 1:
            raise ScenarioError(f"fundamental.step_ns must be >= 1, was {self.step_ns}")

    def _check_file(self):
        if not isinstance(self.file, str):
            raise ScenarioError(f"fundamental.file must be text, was {self.file!r}")
        if self.file:
            given = [f.name for f in fields(self) if f.name not in ("file", "step_ns") and getattr(self, f.name) != f.default]
            if given:
                raise ScenarioError(f"fundamental.{given[0]} has no meaning beside a file, was {getattr(self, given[0])!r}")
            read_values(self.file)


def read_values(path):
    """Return the values of a CSV file: RECORDED[n]. Raises ScenarioError, naming file and line, if it is none."""
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ScenarioError(f"fundamental.file: {path}: {error}") from None
    if not lines:
        raise ScenarioError(f"fundamental.file: {path} has no values")
    recorded = np.zeros(len(lines), RECORDED)
    for i, line in enumerate(lines):
        try:
            recorded[i] = (int(line[FILE_COLUMNS[0]]), float(line[FILE_COLUMNS[1]]))
        except (KeyError, ValueError, TypeError, OverflowError):
            raise ScenarioError(f"fundamental.file: {path}, line {i + 2} must have {' and '.join(FILE_COLUMNS)}, was {line!r}") from None
    if not np.isfinite(recorded["ticks"]).all():
        raise ScenarioError(f"fundamental.file: {path}, line {np.flatnonzero(~np.isfinite(recorded['ticks']))[0] + 2}: the value must be finite")
    if (np.diff(recorded["time_ns"]) <= 0).any():
        raise ScenarioError(f"fundamental.file: {path}, line {np.flatnonzero(np.diff(recorded['time_ns']) <= 0)[0] + 3}: the times must rise")
    return recorded


@jit
def advance_fundamental(fundamental):
    """Find the value of the next step of the grid; return the time of the step after it."""
    fundamental.step += 1
    if fundamental.recorded:
        _read_recorded(fundamental)
    else:
        _draw_step(fundamental)
    value_at(fundamental.values, fundamental.step & (GRID_STEPS - 1)).ticks = fundamental.value_ticks
    return fundamental.start_ns + (fundamental.step + 1) * fundamental.step_ns


@jit
def _draw_step(fundamental):
    stream = stream_at(fundamental.stream, 0)
    moved = fundamental.mean_ticks + fundamental.keep * (fundamental.value_ticks - fundamental.mean_ticks)
    moved += fundamental.step_sigma_ticks * normal(stream)
    if fundamental.jump_probability > 0.0 and uniform(stream) < fundamental.jump_probability:
        moved += fundamental.jump_mean_ticks + fundamental.jump_sigma_ticks * normal(stream)
    fundamental.value_ticks = moved


@jit
def _read_recorded(fundamental):
    time_ns = fundamental.start_ns + fundamental.step * fundamental.step_ns
    while fundamental.recorded_next < fundamental.recorded_count and recorded_at(fundamental.recorded, fundamental.recorded_next).time_ns <= time_ns:
        fundamental.value_ticks = recorded_at(fundamental.recorded, fundamental.recorded_next).ticks
        fundamental.recorded_next += 1


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
        self.recorded = read_values(model.file) if model.file else np.zeros(0, RECORDED)
        # The grid begins at the start: what the file says by then is the first value.
        first = int(np.searchsorted(self.recorded["time_ns"], start_ns, side="right"))
        opening_ticks = float(self.recorded["ticks"][first - 1]) if first else float(opening_ticks)
        self.record, self.values = np.zeros(1, FUNDAMENTAL), np.full(GRID_STEPS, opening_ticks)
        self.stream = np.zeros(1, STREAM)
        self.stream.view(np.uint64)[:] = seeded(seed, 0, 2)
        decay = -math.expm1(-2.0 * model.mean_reversion_hz * step_s) / (2.0 * model.mean_reversion_hz) if model.mean_reversion_hz else step_s
        for name, value in {
            "values": self.values.ctypes.data, "stream": self.stream.ctypes.data, "step_ns": model.step_ns, "start_ns": start_ns,
            "value_ticks": opening_ticks, "mean_ticks": model.mean_ticks or opening_ticks, "keep": math.exp(-model.mean_reversion_hz * step_s),
            "step_sigma_ticks": model.volatility_ticks * math.sqrt(decay),
            "jump_probability": -math.expm1(-model.jump_rate_hz * step_s), "jump_mean_ticks": model.jump_mean_ticks, "jump_sigma_ticks": model.jump_ticks,
            "recorded": self.recorded.ctypes.data if model.file else 0, "recorded_count": len(self.recorded), "recorded_next": first,
        }.items():
            self.record[name] = value
