"""Latency: how long a message is on its way.

Owns the delays of an agent's two links: what it sees is old by the feed latency (market data and its own reports), what it sends arrives late by
the order latency. Messages on one link never overtake each other, as on one connection; reports, changes of the touch and trades come on connections of
their own.
"""
from dataclasses import dataclass, replace

import numpy as np

from lob.errors import ScenarioError
from lob.integers import whole
from lob.jit import jit
from lob.simulation.distribution import Distribution, draw, law_at
from lob.simulation.streams import STREAM, integer, number_of, seeded
from lob.simulation.world import link_of

DELAY_MAX_NS = 3_600_000_000_000
LATENCY_STREAM = 3  # the purpose of the stream from which an agent's own latency is drawn


@dataclass(frozen=True)
class Latency:
    """The delays of an agent, in nanoseconds: each message takes x_ns, and what is drawn for it from x_jitter_ns on top.

    feed_ns, order_ns: whole numbers, or a Distribution from which each agent draws a number of its own, once.
    feed_jitter_ns, order_jitter_ns: j for a uniform draw from 0 to j, or the Distribution of the draws: with a lognormal, gamma or exponential one the delay is
    shifted by x_ns, with `choice` it comes from an empirical table. Where a Distribution is meant, its plain form will do: {"lognormal": [12.0, 0.5]}.
    Raises ScenarioError for anything below 0 or beyond an hour.
    """

    feed_ns: int | Distribution = 0
    order_ns: int | Distribution = 0
    feed_jitter_ns: int | Distribution = 0
    order_jitter_ns: int | Distribution = 0

    def __post_init__(self):
        for name, value in vars(self).items():
            place = f"latency.{name}"
            if isinstance(value, dict):
                value = Distribution.from_plain(place, value)
                object.__setattr__(self, name, value)
            if isinstance(value, Distribution):
                _check_bounds(place, value)
            elif (delay_ns := whole(value, 0, DELAY_MAX_NS)) is None:
                raise ScenarioError(f"{place} must be a whole number of nanoseconds from 0 to an hour, was {value!r}")
            else:
                object.__setattr__(self, name, delay_ns)

    def of(self, seed, name, venue=0):
        """Return the latency of one agent at one of its venues, with its own numbers in place of the distributions they come from."""
        drawn = {key: value for key, value in vars(self).items() if isinstance(value, Distribution) and not key.endswith("jitter_ns")}
        if not drawn:
            return self
        stream = np.zeros(1, STREAM)
        stream.view(np.uint64)[:] = seeded(seed, number_of(name), LATENCY_STREAM, *([venue] if venue else []))
        return replace(self, **{key: int(value.draw(stream)) for key, value in drawn.items()})

    @property
    def plain(self):
        """The table that a file would have."""
        return {key: value.plain if isinstance(value, Distribution) else value for key, value in vars(self).items()}

    def bounds(self, link):
        """Return the least and the longest delay of a link, "feed" or "order"."""
        shift, jitter = getattr(self, f"{link}_ns"), getattr(self, f"{link}_jitter_ns")
        least, most = jitter.bounds if isinstance(jitter, Distribution) else (0, jitter)
        return shift + int(least), shift + int(most)

    def law(self, link):
        """Return the Distribution of what a link's messages take on top, None if there is none or it is uniform from 0."""
        jitter = getattr(self, f"{link}_jitter_ns")
        return jitter if isinstance(jitter, Distribution) else None



def _check_bounds(place, distribution):
    least, most = distribution.bounds
    if not (least >= 0 and most <= DELAY_MAX_NS):
        raise ScenarioError(f"{place} must be from 0 to an hour in nanoseconds, and {distribution.plain} gives {least:,.0f} to {most:,.0f}")


@jit
def _draw_law(world, agent, law_address, shift_ns):
    return shift_ns + np.int64(draw(law_at(law_address, 0), link_of(world, agent.number)))


@jit(inline=True)
def feed_delay(world, agent):
    """Return the delay of one message to an agent, in ns."""
    if agent.feed_min_ns == agent.feed_max_ns:
        return agent.feed_min_ns
    if agent.feed_law:
        return _draw_law(world, agent, agent.feed_law, agent.feed_shift_ns)
    return integer(link_of(world, agent.number), agent.feed_min_ns, agent.feed_max_ns + 1)


@jit(inline=True)
def order_delay(world, agent):
    """Return the delay of one message from an agent, in ns."""
    if agent.order_min_ns == agent.order_max_ns:
        return agent.order_min_ns
    if agent.order_law:
        return _draw_law(world, agent, agent.order_law, agent.order_shift_ns)
    return integer(link_of(world, agent.number), agent.order_min_ns, agent.order_max_ns + 1)
