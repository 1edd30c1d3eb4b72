"""Arguments: what native code makes of an argument that may be missing, and of a number that may not be whole.

Owns functions that mean in native code what they mean in Python, where the compiler by itself would not have it so.
"""
import numpy as np

from lob.jit import TypingError, types
from lob.messages import PEGS
from lob.parts import overload_in_parts

NEAR, MID, FAR = (int(PEGS[name]) for name in ("near", "mid", "far"))


def _by_kind(function):
    """Return how a function of one argument is to be compiled: native code cannot ask a number whether it is None."""
    if_none, if_not = (lambda value: False, lambda value: True) if function.__name__ == "is_given" else (lambda value: 0, lambda value: value)

    def choose(value):
        if isinstance(value, types.Optional):
            return function
        return if_none if value in (None, types.none) or isinstance(value, types.Omitted) and value.value is None else if_not

    return choose


def is_given(value):
    """Return whether an argument of native code is not None."""
    return value is not None


def number_or_zero(value):
    """Return an argument of native code, 0 for None."""
    return 0 if value is None else value


for _function in (is_given, number_or_zero):
    overload_in_parts(_function)(_by_kind(_function))


def peg_flag(value):
    """Return the flag of what a pegged order follows, "near", "mid" or "far"; 0 for None."""
    if value is None:
        return 0
    if value == "near":
        return NEAR
    if value == "mid":
        return MID
    if value == "far":
        return FAR
    raise ValueError("peg must be 'near', 'mid' or 'far'")


@overload_in_parts(peg_flag)
def _peg_flag(value):
    if value in (None, types.none) or isinstance(value, types.Omitted):
        return lambda value: 0
    if not isinstance(value, (types.UnicodeType, types.StringLiteral)):
        raise TypingError(f"peg must be 'near', 'mid' or 'far', was {value}")
    return peg_flag


def checked_int(value):
    """Return int(value): what `int` means in an agent's native code, an error for nan, infinity and what no int64 holds, as in Python."""
    return int(value)


@overload_in_parts(checked_int)
def _checked_int(value):
    if not isinstance(value, types.Float):
        return lambda value: int(value)

    def from_float(value):
        if not -9223372036854775808.0 <= value < 9223372036854775808.0:
            raise OverflowError("int: the number is nan, infinite or beyond 64 bits")
        return np.int64(value)  # A cast, where `int` would be one more function to compile.

    return from_float
