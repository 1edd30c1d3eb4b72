"""Integers: what counts as a whole number where settings come in. Python's and numpy's do, a bool does not."""
import operator


def whole(value, least, most):
    """Return a value as an int, None if it is no whole number from `least` to `most`."""
    if isinstance(value, bool):
        return None
    try:
        number = operator.index(value)
    except TypeError:
        return None
    return number if least <= number <= most else None
