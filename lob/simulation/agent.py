"""Agents: one class, two speeds.

Owns the base class, its parameters, and what a class must be to take part. An agent's annotated fields are its parameters and its state. As plain Python they
are attributes; compiled they are a record (`native`). Knows no exchange and no kernel.
"""
import copy
import inspect

import numpy as np

from lob.errors import AgentError, ScenarioError
from lob.integers import whole
from lob.simulation import native as native_code
from lob.simulation.compilable import Body, near
from lob.simulation.distribution import Distribution
from lob.simulation.fields import Array, annotated, assigned, is_kind, parameter, plain_value
from lob.simulation.latency import Latency
from lob.simulation.market import DEPTH_METHODS, ORDER_METHODS, QUEUE_METHODS
from lob.simulation.outbox import VENUES_MAX
from lob.simulation.streams import STREAM, number_of, seeded
from lob.simulation.window import Market, Notice, Trade
from lob.simulation.world import HOOKS

HOOK_PARAMETERS = {"on_trade": "trade", "on_accepted": "order", "on_fill": "fill", "on_done": "order", "on_rejected": "order"}
COUNT_MAX = 1_000_000
SETTINGS = ("name", "count", "venue", "venues", "latency")
NO_LATENCY = Latency()
PARAMETER_STREAM = 2  # the purpose of the streams from which an agent's own parameters are drawn


class Agent:
    """Base of every agent: annotated fields with their defaults are its parameters and its state; hooks are methods.

    name, count (how many of them), venue and latency are settings of every agent. venue: the number of its order book, or the name of its venue; or venues: a
    list of those that it trades at, the first being venue 0 to the agent itself. latency: one for all of them, or a list of one for each.
    Hooks, all optional: on_start(market), on_timer(market), on_quote(market), on_trade(market, trade), on_accepted(market, order), on_fill(market, fill),
    on_done(market, order), on_rejected(market, order).
    Fields are int, float, bool or an Array of a fixed number of these. A parameter may be given as a Distribution, `uniform(1, 5)`: each agent draws its own
    from a stream of its own, so that more agents move nobody else's. Class attributes without annotation are constants; `role`, a word for the reports
    ("maker", "flow", "informed"), `sees_fundamental`, and `positive`, the names of fields that must be above zero, mean something to the simulation.
    Raises ScenarioError for a parameter that is unknown, of the wrong type or out of range.
    """

    role = "flow"
    sees_fundamental = False
    positive = ()
    _kinds = {}

    def __init__(self, /, *, name=None, count=1, venue=None, venues=None, latency=NO_LATENCY, **parameters):
        cls = type(self)
        given, count = count, whole(count, 1, COUNT_MAX)
        if count is None:
            raise ScenarioError(f"{cls.__name__}.count must be a whole number from 1 to {COUNT_MAX:,}, was {given!r}")
        self._name, self._count, self._venues = name or cls.__name__, count, _checked_venues(cls.__name__, venue, venues)
        self._latencies = _checked_latencies(cls.__name__, latency, len(self._venues))
        fields = fields_of(cls)
        for key in parameters:
            if key not in fields:
                raise ScenarioError(f"{cls.__name__} has no parameter {key!r}{near(key, fields) or '; it has ' + (', '.join(fields) or 'none')}")
        self._parameters = {}
        for key in fields:
            if key not in parameters and not hasattr(cls, key):
                raise ScenarioError(f"{cls.__name__}.{key} has no default and must be given")
            self._set_parameter(key, fields[key], parameters.get(key, getattr(cls, key, None)))
        self._kinds = fields

    def _set_parameter(self, key, kind, value):
        cls = type(self)
        value = Distribution.from_plain(f"{cls.__name__}.{key}", value) if isinstance(value, dict) else value
        if isinstance(value, Distribution):
            self._parameters[key] = value
            return object.__setattr__(self, key, value)
        value = parameter(f"{cls.__name__}.{key}", kind, value)
        if key in cls.positive and np.any(value <= 0):
            raise ScenarioError(f"{cls.__name__}.{key} must be > 0, was {plain_value(value)!r}")
        self._parameters[key] = plain_value(value)
        return object.__setattr__(self, key, value)

    def __setattr__(self, name, value):
        kind = self._kinds.get(name)
        if kind is None or (type(value) is kind and (kind is not int or -(2**63) <= value < 2**63)):
            object.__setattr__(self, name, value)
        else:
            object.__setattr__(self, name, assigned(f"{type(self).__name__}.{name}", kind, value))

    def clone(self):
        """Return a fresh agent with the same parameters."""
        return type(self)(name=self._name, count=1, venues=self._venues, latency=self._latencies, **copy.deepcopy(self._parameters))

    def _draw_parameters(self, seed):
        """Put a number of the agent's own in the place of each parameter that was given as a Distribution."""
        for key, law in self._parameters.items():
            if isinstance(law, Distribution):
                stream = np.zeros(1, STREAM)
                stream.view(np.uint64)[:] = seeded(seed, number_of(self._name), PARAMETER_STREAM, number_of(key))
                self._set_parameter(key, self._kinds[key], _drawn(law, self._kinds[key], stream))


def _checked_venues(place, venue, venues):
    """Return the venues of an agent, numbers or names; whether they are there is seen when it takes part."""
    if venue is not None and venues is not None:
        raise ScenarioError(f"{place}: give venue or venues, not both")
    if venues is None:
        setting, venues = "venue", (0 if venue is None else venue,)
    elif not isinstance(venues, (list, tuple)) or not 1 <= len(venues) <= VENUES_MAX:
        raise ScenarioError(f"{place}.venues must be a list of 1 to {VENUES_MAX:,} venues, was {venues!r}")
    else:
        setting = "venues"
    for i, one in enumerate(venues):
        if not isinstance(one, (int, str)) or isinstance(one, bool):
            raise ScenarioError(f"{place}.{setting}{f'[{i}]' if setting == 'venues' else ''} must be the number of a book or the name of a venue, was {one!r}")
    return tuple(venues)


def _checked_latencies(place, latency, count):
    """Return the Latency of an agent at each of its venues."""
    latencies = tuple(latency) if isinstance(latency, (list, tuple)) else (latency,) * count
    for i, one in enumerate(latencies):
        if not isinstance(one, Latency):
            raise ScenarioError(f"{place}.latency{'' if one is latency else f'[{i}]'} must be a Latency, was {one!r}")
    if len(latencies) != count:
        raise ScenarioError(f"{place}.latency must be one for all venues, or one for each of {count}, was a list of {len(latencies)}")
    return latencies


def _drawn(law, kind, stream):
    """Return what a Distribution gives for a field: for an int a whole number, all those of a range alike; for an Array a draw for each element."""
    if isinstance(kind, Array):
        return [_drawn(law, kind.kind, stream) for _ in range(kind.length)]
    number = law.draw(stream)
    if kind is int:
        low, high = law.bounds
        return min(int(np.floor(low + (number - low) * (high - low + 1) / (high - low))), int(high)) if law.kind == "uniform" and low < high else round(number)
    if kind is bool and number in (0.0, 1.0):
        return bool(number)
    return number


def compiled(cls):
    """Mark an agent class to run as native code; take the line away to run the same body as plain Python.

    Raises AgentError, with file, line and reason, if a field, a hook or a method has a form that cannot be compiled. Nothing is compiled yet.
    """
    check_hooks(cls)
    fields = fields_of(cls)
    methods, faces = native_code.methods_of(cls, Agent), {"market": Market, "notice": Notice, "trade": Trade}
    body = Body(cls, fields, methods, native_code.constants_of(cls, Agent, fields), faces, HOOKS)
    seen, left = set(), list(methods.values())
    while left:
        function = left.pop()
        if function not in seen:
            seen.add(function)
            body.check(function)
            left += [above for name in native_code.super_calls(function) if (above := native_code.next_above(cls, Agent, function, name)) is not None]
    cls.is_compiled = True
    return cls


def native(cls):
    """Return the Native form of a class, compiled at the first call in a process (or taken from disk)."""
    return native_code.native(cls, Agent, fields_of(cls), HOOK_PARAMETERS)


def fields_of(cls):
    """Return {field: kind} of an agent class, base classes first."""
    fields = {}
    for base in reversed(cls.__mro__):
        if issubclass(base, Agent) and base is not Agent:
            fields |= annotated(base)
    for name, kind in fields.items():
        if name in SETTINGS or hasattr(Agent, name):
            raise AgentError(f"{cls.__name__}.{name}: a field cannot be called so, since every agent has a {name} already")
        if not is_kind(kind):
            raise AgentError(f"{cls.__name__}.{name}: a field is int, float or bool, or an Array of them, was {kind!r}")
    return fields


def check_hooks(cls):
    """Raise AgentError if a method that looks like a hook is none, or takes the wrong arguments."""
    for name in dir(cls):
        if not name.startswith("on_"):
            continue
        if name not in HOOKS:
            raise AgentError(f"{cls.__name__}.{name} is no hook{near(name, HOOKS) or '; hooks are ' + ', '.join(HOOKS)}")
        wanted = ["self", "market"] + ([HOOK_PARAMETERS[name]] if name in HOOK_PARAMETERS else [])
        if len(inspect.signature(getattr(cls, name)).parameters) != len(wanted):
            raise AgentError(f"{cls.__name__}.{name} must take ({', '.join(wanted)}), takes {inspect.signature(getattr(cls, name))}")


def names_any(cls, names):
    """Return whether one of the functions of an agent class names one of these."""
    functions = [member for _, member in inspect.getmembers(cls, inspect.isfunction)]
    functions += [member.fget for _, member in inspect.getmembers(cls, lambda member: isinstance(member, property))]
    return any(name in names for function in functions for name in function.__code__.co_names)


def reads_depth(cls):
    """Return whether an agent class reads the book below the touch: it says so, or one of its own functions names a method that does."""
    return getattr(cls, "reads_depth", names_any(cls, DEPTH_METHODS) or reads_queue(cls))


def reads_orders(cls):
    """Return whether an agent class asks for its own orders."""
    return getattr(cls, "reads_orders", names_any(cls, ORDER_METHODS) or reads_queue(cls))


def reads_queue(cls):
    """Return whether an agent class asks for its places in queues."""
    return getattr(cls, "reads_queue", names_any(cls, QUEUE_METHODS))
