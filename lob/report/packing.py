"""Packing: columns of numbers in a page, as few bytes as hold them.

Owns the one form in which arrays are written: {"dtype", "bdata"}, base64 of little-endian numbers, as plotly reads it too. nan and None become null, so that
what is written is JSON.
"""
import base64
import json
import math

import numpy as np

WHOLE = ("i1", "u1", "i2", "u2", "i4", "u4")
LIST_MAX = 8  # shorter arrays are written as lists


def as_json(value):
    """Return a part's data as JSON that can stand inside a script element; arrays are packed."""
    return json.dumps(_plain(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False).replace("</", "<\\/").replace("<!--", "<\\!--")


def packed(array):
    """Return an array as {"dtype", "bdata"}: whole numbers in the smallest type that holds them, others as they are, 32 or 64 bits."""
    array = np.ascontiguousarray(array)
    if array.dtype.kind in "iub":
        low, high = (int(array.min()), int(array.max())) if len(array) else (0, 0)
        fitting = [kind for kind in WHOLE if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max]
        array = array.astype(fitting[0] if fitting else "f8")
    array = array.astype(array.dtype.newbyteorder("<"))
    return {"dtype": array.dtype.str[1:], "bdata": base64.b64encode(array.tobytes()).decode("ascii")}


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return packed(value) if len(value) > LIST_MAX else _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return _number(value)
    return value


def _number(value):
    """Return a float with as many digits as a screen can show, None if it is not finite."""
    return float(f"{value:.10g}") if math.isfinite(value) else None
