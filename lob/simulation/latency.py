"""Latency: how long a message is on its way.

Owns the delays of an agent's two links: what it sees is old by the feed latency (market data and its own reports), what it sends arrives late by
the order latency. Messages on one link never overtake each other, as on one connection; reports, changes of the touch and trades come on connections of
their own.
"""
from dataclasses import dataclass

from lob.errors import ScenarioError
from lob.jit import jit
from lob.simulation.streams import integer
from lob.simulation.world import link_of


@dataclass(frozen=True)
class Latency:
    """The delays of an agent, in nanoseconds: each is uniform in [x_ns, x_ns + x_jitter_ns]; without jitter it is constant."""

    feed_ns: int = 0
    order_ns: int = 0
    feed_jitter_ns: int = 0
    order_jitter_ns: int = 0

    def __post_init__(self):
        for name, value in vars(self).items():
            if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 3_600_000_000_000:
                raise ScenarioError(f"latency.{name} must be a whole number of nanoseconds from 0 to an hour, was {value!r}")


@jit(inline=True)
def _draw(world, agent, min_ns, max_ns):
    return min_ns if min_ns == max_ns else integer(link_of(world, agent.owner), min_ns, max_ns + 1)


@jit(inline=True)
def feed_delay(world, agent):
    """Return the delay of one message to an agent, in ns."""
    return _draw(world, agent, agent.feed_min_ns, agent.feed_max_ns)


@jit(inline=True)
def order_delay(world, agent):
    """Return the delay of one message from an agent, in ns."""
    return _draw(world, agent, agent.order_min_ns, agent.order_max_ns)
