"""The roster: every agent of a simulation, one instance each, with a name of its own, at its venues.

Owns how the agents of a script or a file become those that take part. Knows no memory.
"""
import copy
from collections import Counter

from lob.errors import ScenarioError
from lob.simulation.agent import Agent


def roster(agents, seed, names):
    """Return a copy of every agent meant, n of one with count=n, with its own name, parameters and latencies, and the numbers of its venues.

    names: what the venues are called, None where only the number says which. Raises ScenarioError, naming the place, for what is no agent and for a venue that
    is not there.
    """
    if not isinstance(agents, (list, tuple)):
        raise ScenarioError(f"agents must be a list of agents, was {agents!r}")
    each = []
    for i, agent in enumerate(agents):
        if not isinstance(agent, Agent):
            raise ScenarioError(f"agents[{i}] must be an instance of lob.Agent, was {agent!r}")
        agent = copy.copy(agent)
        agent._venues = venue_numbers(f"agents[{i}]", agent, names)
        each += [copy.deepcopy(agent) for _ in range(agent._count)]
    _name(each)
    for agent in each:
        agent._draw_parameters(seed)
        agent._latencies = tuple(latency.of(seed, agent._name, venue) for venue, latency in enumerate(agent._latencies))
    return each


def venue_numbers(place, agent, names):
    """Return the numbers of an agent's venues, each of which may go by its name."""
    setting = f"{place}.venues" if len(agent._venues) > 1 else f"{place}.venue"
    known = [name for name in names if name is not None]
    numbers = [names.index(venue) if venue in known else venue for venue in agent._venues]
    for i, venue in enumerate(numbers):
        if isinstance(venue, str) or not 0 <= venue < len(names):
            which = f"{setting}[{i}]" if len(numbers) > 1 else setting
            called = f", or the name, {' or '.join(known)}" if known else ""
            raise ScenarioError(f"{which} must be the number of one of {len(names)} books, 0 first{called}, was {venue!r}")
    if len(set(numbers)) < len(numbers):
        raise ScenarioError(f"{setting} must name each venue once, was {list(agent._venues)}")
    return tuple(numbers)


def _name(agents):
    """Number the agents that share a name, so that every one has its own."""
    bearers, numbers = Counter(agent._name for agent in agents), Counter()
    for agent in agents:
        name = agent._name
        if bearers[name] > 1:
            numbers[name] += 1
            while f"{name}-{numbers[name]}" in bearers:
                numbers[name] += 1
            agent._name = f"{name}-{numbers[name]}"
