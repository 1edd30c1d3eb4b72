"""Records: arrays of records, and the place of one sorted series in another.

Owns the two things that long tapes make slow in numpy: choosing records (which it copies field by field) and looking up many sorted times.
"""
import numpy as np

from lob.jit import jit


def select(records, chosen):
    """Return the records of a mask or of indices, copied as bytes: a tenth of the time of records[chosen]. All of them: the array itself, not a copy."""
    if len(chosen) == len(records) and chosen.dtype == bool and chosen.all():
        return records
    return records.view(np.dtype((np.void, records.dtype.itemsize)))[chosen].view(records.dtype)


def last_at(keys, queries):
    """Return the index of the last key <= each query, -1 where there is none: int64[n]. keys: sorted. Cost: linear if the queries are sorted too."""
    return _last(np.ascontiguousarray(keys), np.ascontiguousarray(queries))


@jit
def _last(keys, queries):
    found, at = np.empty(len(queries), np.int64), -1
    for i in range(len(queries)):
        query = queries[i]
        if at >= 0 and keys[at] > query:
            at = np.searchsorted(keys[:at], query, side="right") - 1
        steps = 0
        while at + 1 < len(keys) and keys[at + 1] <= query:
            at += 1
            steps += 1
            if steps == 64:
                # A long way: leap instead of walking.
                at += np.searchsorted(keys[at + 1:], query, side="right")
                break
        found[i] = at
    return found
