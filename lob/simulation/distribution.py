"""Distributions: numbers that are drawn, once for each agent or anew for each message.

Owns their plain form, a table with one key that names the distribution, and how they are drawn in native code from a stream. What is drawn from
an unbounded distribution is cut where less than one draw in a thousand million lies beyond, so that whoever must make room for the largest can.
"""
import math
from dataclasses import dataclass

import numpy as np

from lob.errors import ScenarioError
from lob.jit import jit, pool_reader
from lob.simulation.streams import exponential, normal, stream_at, uniform

# The parameters of each, in their order; `choice` takes any number of values, each as likely as the others: an empirical table.
PARAMETERS = {
    "uniform": ("low", "high"),
    "normal": ("mean", "standard deviation"),
    "lognormal": ("mean of the logarithm", "standard deviation of the logarithm"),
    "exponential": ("mean",),
    "gamma": ("shape", "scale"),
    "choice": (),
}
KINDS = tuple(PARAMETERS)
UNIFORM, NORMAL, LOGNORMAL, EXPONENTIAL, GAMMA, CHOICE = range(len(KINDS))
SIGMAS_MAX = 6.1                    # a normal number lies further from its mean than this once in a thousand million
LOG_RARE = 9 * math.log(10.0)

LAW = np.dtype([("kind", "i8"), ("a", "f8"), ("b", "f8"), ("least", "f8"), ("most", "f8"), ("values", "i8"), ("count", "i8")], align=True)
VALUE = np.dtype([("number", "f8")], align=True)
law_at, value_at = pool_reader(LAW), pool_reader(VALUE)


@dataclass(frozen=True)
class Distribution:
    """A distribution by its name and its parameters. Raises ScenarioError if they are none.

    In a file: { uniform = [low, high] }, { normal = [mean, sd] }, { lognormal = [mean of log, sd of log] }, { exponential = [mean] },
    { gamma = [shape, scale] }, { choice = [values] }.
    """

    kind: str
    numbers: tuple

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ScenarioError(f"a distribution is one of {', '.join(KINDS)}, was {self.kind!r}")
        object.__setattr__(self, "numbers", tuple(self.numbers) if isinstance(self.numbers, (list, tuple)) else (self.numbers,))
        for number in self.numbers:
            if isinstance(number, bool) or not isinstance(number, (int, float)) or not abs(number) < 1e300:
                raise ScenarioError(f"{self.kind} takes numbers, was given {number!r}")
        names = PARAMETERS[self.kind]
        if len(self.numbers) != len(names) if names else not self.numbers:
            raise ScenarioError(f"{self.kind} takes [{', '.join(names) or 'values'}], was given {list(self.numbers)}")
        if self.kind == "uniform" and not self.numbers[0] <= self.numbers[1]:
            raise ScenarioError(f"uniform: low must not be above high, was {list(self.numbers)}")
        if self.kind in ("normal", "lognormal") and self.numbers[1] < 0 or self.kind in ("exponential", "gamma") and min(self.numbers) <= 0:
            raise ScenarioError(f"{self.kind}: {names[-1]} must be {'>= 0' if 'normal' in self.kind else '> 0'}, was {self.numbers[-1]}")
        if self.kind == "lognormal" and self.bounds[1] == math.inf:
            raise ScenarioError(f"lognormal: numbers so large cannot be drawn, was given {list(self.numbers)}")

    @classmethod
    def from_plain(cls, place, table):
        """Return the Distribution of a table with one key. Raises ScenarioError, naming the place."""
        if len(table) != 1:
            raise ScenarioError(f"{place} must name one distribution of {', '.join(KINDS)}, was {table!r}")
        (kind, numbers), = table.items()
        try:
            return cls(kind, numbers)
        except ScenarioError as error:
            raise ScenarioError(f"{place}: {error}") from None

    @property
    def plain(self):
        """The table with one key that a file would have."""
        return {self.kind: list(self.numbers)}

    @property
    def bounds(self):
        """The least and the largest number that is ever drawn."""
        a, b = self.numbers[0], self.numbers[-1]
        if self.kind == "uniform":
            return float(a), float(b)
        if self.kind == "choice":
            return float(min(self.numbers)), float(max(self.numbers))
        if self.kind == "normal":
            return a - SIGMAS_MAX * b, a + SIGMAS_MAX * b
        if self.kind == "lognormal":
            log_most = a + SIGMAS_MAX * b
            return 0.0, math.exp(log_most) if log_most < 700.0 else math.inf
        shape = a if self.kind == "gamma" else 1.0
        # P(X > shape + sqrt(2 shape t) + t) <= exp(-t) for a gamma number of scale 1: Boucheron, Lugosi and Massart, "Concentration
        # inequalities" (2013), section 2.4.
        return 0.0, b * (shape + math.sqrt(2.0 * shape * LOG_RARE) + LOG_RARE)

    def draw(self, stream):
        """Return one number, drawn from a STREAM[1]."""
        law = LawMemory(self)
        return draw_at(law.address, stream.ctypes.data)


class LawMemory:
    """The memory behind one LAW record."""

    def __init__(self, distribution):
        self.record, self.values = np.zeros(1, LAW), np.array(distribution.numbers, np.float64)
        least, most = distribution.bounds
        self.record[0] = (KINDS.index(distribution.kind), self.values[0], self.values[-1], least, most, self.values.ctypes.data, len(self.values))
        self.address = self.record.ctypes.data


@jit
def draw(law, stream):
    """Return a number of a LAW."""
    kind = law.kind
    if kind == UNIFORM:
        number = law.a + uniform(stream) * (law.b - law.a)
    elif kind == NORMAL:
        number = law.a + law.b * normal(stream)
    elif kind == LOGNORMAL:
        number = math.exp(law.a + law.b * normal(stream))
    elif kind == EXPONENTIAL:
        number = exponential(stream, law.a)
    elif kind == GAMMA:
        number = law.b * _standard_gamma(stream, law.a)
    else:
        number = value_at(law.values, min(np.int64(uniform(stream) * law.count), law.count - 1)).number
    return min(max(number, law.least), law.most)


@jit
def draw_at(law_address, stream_address):
    """Return a number of the LAW at an address, from the STREAM at another."""
    return draw(law_at(law_address, 0), stream_at(stream_address, 0))


@jit
def _standard_gamma(stream, shape):
    """Return a gamma number of scale 1 (Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 26, 2000)."""
    # Below one, section 6: a number of shape + 1 times a uniform one to the power of 1 / shape.
    boosted = shape if shape >= 1.0 else shape + 1.0
    d = boosted - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = normal(stream)
        v = 1.0 + c * x
        if v > 0.0:
            v = v * v * v
            u = 1.0 - uniform(stream)
            if math.log(u) < 0.5 * x * x + d * (1.0 - v + math.log(v)):
                break
    return d * v if shape >= 1.0 else d * v * (1.0 - uniform(stream)) ** (1.0 / shape)
