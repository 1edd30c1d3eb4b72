"""Agents: one class, two speeds.

Owns the base class, its parameters, and how the same class body becomes native code. An agent's annotated fields are its parameters and its state. As
plain Python they are attributes; compiled they are a record, and each hook is compiled with `self` as that record. Knows no exchange and no kernel.
"""
import difflib
import hashlib
import inspect
import math
import re
import sys
import types as pytypes
import typing

import numpy as np

from lob.errors import AgentError, ScenarioError
from lob.jit import HOOK, PACKAGE, checked_int, entry_point, jit, module_stamp, overload_method, pool_reader, record_subtype
from lob.simulation.latency import Latency
from lob.simulation.market import Market, market_from, notice_from, trade_from
from lob.simulation.world import HOOKS

HOOK_PARAMETERS = {"on_trade": "trade", "on_accepted": "order", "on_fill": "fill", "on_done": "order"}
DEPTH_METHODS = ("depth_ticks", "depth_lots", "lots_at")
FIELD_DTYPES = {int: "i8", float: "f8", bool: "?"}
COUNT_MAX = 1_000_000
SETTINGS = ("name", "count", "venue", "latency")
NO_LATENCY = Latency()


class Agent:
    """Base of every agent: annotated fields with their defaults are its parameters and its state; hooks are methods.

    name, count (how many of them), venue and latency are settings of every agent. Hooks, all optional: on_start(market), on_timer(market), on_quote(market),
    on_trade(market, trade), on_accepted(market, order), on_fill(market, fill), on_done(market, order).
    Fields are int, float or bool. Class attributes without annotation: `role`, a word for the reports ("maker", "flow", "informed"), `sees_fundamental`, and
    `positive`, the names of fields that must be above zero.
    Raises ScenarioError for a parameter that is unknown, of the wrong type or out of range.
    """

    role = "flow"
    sees_fundamental = False
    positive = ()

    def __init__(self, /, *, name=None, count=1, venue=0, latency=NO_LATENCY, **parameters):
        cls = type(self)
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise ScenarioError(f"{cls.__name__}.count must be a whole number >= 1, was {count!r}")
        if count > COUNT_MAX:
            raise ScenarioError(f"{cls.__name__}.count must be at most {COUNT_MAX:,}, was {count}")
        if not isinstance(latency, Latency):
            raise ScenarioError(f"{cls.__name__}.latency must be a Latency, was {latency!r}")
        self._name, self._count, self._venue, self._latency = name or cls.__name__, count, venue, latency
        fields = fields_of(cls)
        for key in parameters:
            if key not in fields:
                near = difflib.get_close_matches(key, fields, 1)
                hint = f": did you mean {near[0]!r}?" if near else f"; it has {', '.join(fields) or 'none'}"
                raise ScenarioError(f"{cls.__name__} has no parameter {key!r}{hint}")
        self._parameters = {}
        for key, kind in fields.items():
            if key not in parameters and not hasattr(cls, key):
                raise ScenarioError(f"{cls.__name__}.{key} has no default and must be given")
            value = _checked(f"{cls.__name__}.{key}", kind, parameters.get(key, getattr(cls, key, None)))
            if key in cls.positive and value <= 0:
                raise ScenarioError(f"{cls.__name__}.{key} must be > 0, was {value!r}")
            self._parameters[key] = value
            setattr(self, key, value)

    def clone(self):
        """Return a fresh agent with the same parameters."""
        return type(self)(name=self._name, count=1, venue=self._venue, latency=self._latency, **self._parameters)


def _checked(place, kind, value):
    accepted = {int: (int, np.integer), float: (int, float, np.number), bool: (bool, np.bool_)}[kind]
    if not isinstance(value, accepted) or (kind is not bool and isinstance(value, bool)):
        raise ScenarioError(f"{place} must be {kind.__name__}, was {value!r}")
    value = kind(value)
    if kind is int and not -(2**63) <= value < 2**63 or kind is float and not math.isfinite(value):
        raise ScenarioError(f"{place} is out of range: {value!r}")
    return value


def compiled(cls):
    """Mark an agent class to run as native code; take the line away to run the same body as plain Python.

    Raises AgentError if a field or a hook has a form that cannot be compiled.
    """
    check_hooks(cls)
    fields_of(cls)
    cls.is_compiled = True
    return cls


def fields_of(cls):
    """Return {field: int | float | bool} of an agent class, base classes first."""
    fields = {}
    for base in reversed(cls.__mro__):
        if issubclass(base, Agent) and base is not Agent:
            hints = typing.get_type_hints(base)
            fields |= {name: hints[name] for name in base.__dict__.get("__annotations__", {})}
    for name, kind in fields.items():
        if name in SETTINGS or hasattr(Agent, name):
            raise AgentError(f"{cls.__name__}.{name}: a field cannot be called so, since every agent has a {name} already")
        if kind not in FIELD_DTYPES:
            raise AgentError(f"{cls.__name__}.{name}: a field is int, float or bool, was {kind!r}")
    return fields


def check_hooks(cls):
    """Raise AgentError if a method that looks like a hook is none, or takes the wrong arguments."""
    for name in dir(cls):
        if not name.startswith("on_"):
            continue
        if name not in HOOKS:
            near = difflib.get_close_matches(name, HOOKS, 1)
            raise AgentError(f"{cls.__name__}.{name} is no hook" + (f": did you mean {near[0]!r}?" if near else f"; hooks are {', '.join(HOOKS)}"))
        wanted = ["self", "market"] + ([HOOK_PARAMETERS[name]] if name in HOOK_PARAMETERS else [])
        if len(inspect.signature(getattr(cls, name)).parameters) != len(wanted):
            raise AgentError(f"{cls.__name__}.{name} must take ({', '.join(wanted)}), takes {inspect.signature(getattr(cls, name))}")


def reads_depth(cls):
    """Return whether an agent class reads the book below the touch: it says so, or one of its own functions names a method that does."""
    functions = [member for _, member in inspect.getmembers(cls, inspect.isfunction)]
    return getattr(cls, "reads_depth", any(name in DEPTH_METHODS for function in functions for name in function.__code__.co_names))


# Native code.

_NATIVE = {}


class Native:
    """An agent class as native code: the dtype of its state and the addresses of its hooks (0 where it has none)."""

    def __init__(self, cls):
        self.fields = fields_of(cls)
        # A state is never empty: a record of nothing has no address.
        self.dtype = np.dtype([(name, FIELD_DTYPES[kind]) for name, kind in self.fields.items()] or [("nothing", "i8")], align=True)
        record = record_subtype(self.dtype, f"{cls.__name__}State")
        for name, method in _methods(cls).items():
            _add_helper(record, name, method)
        self.hooks = np.zeros(len(HOOKS), np.int64)
        self.dispatchers = []
        for i, name in enumerate(HOOKS):
            if hasattr(cls, name):
                dispatcher = _compile_hook(cls, name, pool_reader(record))
                self.dispatchers.append(dispatcher)
                self.hooks[i] = entry_point(dispatcher)


def native(cls):
    """Return the Native form of a class, compiled at the first call in a process (or taken from disk)."""
    if cls not in _NATIVE:
        _NATIVE[cls] = Native(cls)
    return _NATIVE[cls]


def _methods(cls):
    """Return the helper methods of an agent class: plain functions that are no hooks."""
    return {
        name: member for name, member in inspect.getmembers(cls, inspect.isfunction)
        if name not in HOOKS and not name.startswith("__") and not hasattr(Agent, name)
    }


def _native_function(method):
    """Return a method as native code, in which `int` raises where Python's does."""
    scope = {**method.__globals__, "int": checked_int}
    function = pytypes.FunctionType(method.__code__, scope, method.__name__, method.__defaults__, method.__closure__)
    function.__module__, function.__qualname__ = method.__module__, method.__qualname__
    return jit(function, keep=False)


def _add_helper(record, name, method):
    code = _native_function(method)
    signature = inspect.signature(method)
    names = list(signature.parameters)
    scope = {"code": code}
    exec(f"def call({', '.join(names)}):\n    return code({', '.join(names)})", scope)
    call = scope["call"]
    call.__defaults__ = method.__defaults__

    def choose(*args, **kwargs):
        return call

    choose.__signature__ = signature
    overload_method(type(record), name)(choose)


def _call_bare(state, market, notice):
    hook(state_at(state, 0), market_from(market))  # noqa: F821


def _call_with(state, market, notice):
    hook(state_at(state, 0), market_from(market), notice_from(notice))  # noqa: F821


def _compile_hook(cls, name, state_at):
    """Return a hook compiled for the kernel's one signature: it casts the three addresses and calls the class's own function."""
    template = _call_with if name in HOOK_PARAMETERS else _call_bare
    method = getattr(cls, name)
    from_address = trade_from if name == "on_trade" else notice_from
    scope = {"hook": _native_function(method), "state_at": state_at, "market_from": market_from, "notice_from": from_address}
    # Names in a dictionary instead of a closure: numba keeps code on disk by the contents of the closure, and these differ in each process.
    function = pytypes.FunctionType(template.__code__, scope, name)
    module = sys.modules.get(cls.__module__)
    stamp = module_stamp(module)
    function.__module__, function.__qualname__ = cls.__module__, f"{cls.__module__}.{cls.__qualname__}.{name}"
    function.__stamp__ = f"{stamp}-{_code_stamp(cls)}"
    try:
        return jit(function, HOOK, keep=stamp is not None)
    except Exception as error:
        raise AgentError(f"{cls.__name__}.{name} cannot be compiled: {plain_words(error)}") from error


def _code_stamp(cls):
    """Return what tells two classes of one name in one file apart: their code, constants and field types."""
    def digest(code):
        constants = [digest(c) if isinstance(c, pytypes.CodeType) else repr(c) for c in code.co_consts]
        return (code.co_code.hex(), code.co_names, code.co_varnames, constants)

    functions = inspect.getmembers(cls, inspect.isfunction)
    free = [repr(cell.cell_contents) for _, f in functions for cell in f.__closure__ or ()]
    parts = repr([(name, digest(f.__code__), f.__defaults__) for name, f in functions] + [sorted((n, k.__name__) for n, k in fields_of(cls).items())] + free)
    return hashlib.blake2b(parts.encode(), digest_size=12).hexdigest()


# What the compiler says, in plain words.

_WORDS = (
    (r"Unknown attribute '(\w+)' of type Handle\((\w+)\)", lambda found: f"{found[2].lower()} has no {found[1]!r}" + _near(found[1]) * (found[2] == "Market")),
    (r"No definition for lowering Handle\((\w+)\)\.(\w+) = .*", lambda found: f"{found[1].lower()}.{found[2]} cannot be set"),
    (r"Unknown attribute '(\w+)' of type Record.*|'(\w+)'", lambda found: f"self has no field {found[1] or found[2]!r}"),
    (r"Cannot cast (.+) to (\w+): %.*", lambda found: f"{found[1]} does not fit into {found[2]}"),
    (r"\w+Error: (?!Failed in)(.+)", lambda found: found[1]),
)


def plain_words(error):
    """Return what an error says is wrong, in one line; of the compiler's long story the innermost reason, and where in the user's file it arose."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [""]
    known = [say(found) for line in lines for pattern, say in _WORDS if (found := re.fullmatch(pattern, line))]
    others = [line for line in lines if not line.startswith(("Failed in", "During:", "raised from", "- Resolution", "File ", "<source"))] or lines
    words = known[0] if known else " ".join(others[:2] if others[0].endswith(":") else others[:1])
    places = [(file, line) for file, line in re.findall(r" at (\S+\.py) \((\d+)\)", str(error)) if not file.startswith(str(PACKAGE))]
    return words[:400] + (f" ({places[0][0]}, line {places[0][1]})" if places else "")


def _near(word):
    near = difflib.get_close_matches(word, [name for name in dir(Market) if not name.startswith("_")], 1)
    return f": did you mean {near[0]!r}?" if near else ""
