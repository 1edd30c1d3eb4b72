"""Fields: what an agent's parameters and state are made of.

Owns the kinds of fields, which value fits into which, and how each lies in a record. A field is an int, a float, a bool, or an Array of a fixed number of them.
The same values fit when an agent is made, when its plain body assigns them and when its native body does.
"""
import math
import typing

import numpy as np

from lob.errors import AgentError, ScenarioError

DTYPES = {int: "i8", float: "f8", bool: "?"}
FITS = {int: (int, np.integer, np.bool_), float: (int, float, np.number, np.bool_), bool: (bool, np.bool_)}
LENGTH_MAX = 100_000


class Array:
    """The kind of a field that holds a fixed number of numbers: `weights: Array[float, 8] = 0.0`, or with a list of eight as default."""

    def __init__(self, kind, length):
        if kind not in DTYPES or isinstance(length, bool) or not isinstance(length, int) or not 1 <= length <= LENGTH_MAX:
            raise AgentError(f"Array[kind, length] takes int, float or bool and a length from 1 to {LENGTH_MAX:,}, was given {kind!r} and {length!r}")
        self.kind, self.length = kind, length

    def __class_getitem__(cls, items):
        if not isinstance(items, tuple) or len(items) != 2:
            raise AgentError(f"Array takes a kind and a length, as in Array[float, 8], was given {items!r}")
        return cls(*items)

    def __eq__(self, other):
        return isinstance(other, Array) and (self.kind, self.length) == (other.kind, other.length)

    def __hash__(self):
        return hash((self.kind, self.length))

    def __repr__(self):
        return f"Array[{self.kind.__name__}, {self.length}]"


def annotated(cls):
    """Return {name: annotation} of one class's own body."""
    names = cls.__dict__.get("__annotations__", {})
    hints = typing.get_type_hints(cls) if names else {}
    return {name: hints[name] for name in names}


def is_kind(kind):
    """Return whether a field can be so annotated."""
    return isinstance(kind, Array) or kind in DTYPES


def word_of(kind):
    """Return a kind as a person writes it."""
    return repr(kind) if isinstance(kind, Array) else kind.__name__


def dtype_of(fields):
    """Return the record of {name: kind}; never empty, since a record of nothing has no address."""
    columns = [(name, DTYPES[kind.kind], (kind.length,)) if isinstance(kind, Array) else (name, DTYPES[kind]) for name, kind in fields.items()]
    return np.dtype(columns or [("nothing", "i8")], align=True)


def parameter(place, kind, value):
    """Return a value as a parameter of a kind. Raises ScenarioError, naming the place, if it is none."""
    if isinstance(kind, Array):
        is_scalar = np.ndim(value) == 0
        values = [value] * kind.length if is_scalar else list(value)
        if len(values) != kind.length or np.ndim(value) > 1:
            raise ScenarioError(f"{place} must be {kind.length} numbers, or one for all of them, was {value!r}")
        items = [parameter(place if is_scalar else f"{place}[{i}]", kind.kind, item) for i, item in enumerate(values)]
        return np.array(items, DTYPES[kind.kind])
    if not isinstance(value, FITS[kind]) or (kind is not bool and isinstance(value, (bool, np.bool_))):
        raise ScenarioError(f"{place} must be {kind.__name__}, was {value!r}")
    value = kind(value)
    if kind is int and not -(2**63) <= value < 2**63 or kind is float and not math.isfinite(value):
        raise ScenarioError(f"{place} is out of range: {value!r}")
    return value


def assigned(place, kind, value):
    """Return a value as a plain agent's field holds it after an assignment, as native code would. Raises TypeError or OverflowError, naming the place."""
    if isinstance(kind, Array):
        raise TypeError(f"{place} is an array: set its elements, as in {place.rpartition('.')[2]}[:] = ...")
    if not isinstance(value, FITS[kind]):
        raise TypeError(f"{place} is {kind.__name__} and cannot be set to {value!r}")
    value = kind(value)
    if kind is int and not -(2**63) <= value < 2**63:
        raise OverflowError(f"{place} must fit 64 bits, was {value}")
    return value


def plain_value(value):
    """Return a field's value as a file holds it: an array as a list."""
    return value.tolist() if isinstance(value, np.ndarray) else value
