"""Notes: what a table says where the tape does not hold enough.

Owns the one way in which every analysis is honest: a number that the tape cannot give is null, never nan, and where a whole estimate is missing the column
`note` says what there was and what is needed. A table without a row means that nothing of its kind happened.
"""
import math


def shortage(count, needed, what):
    """Return None if `count` is enough, else the note that says so: `what` names the things counted."""
    return None if count >= needed else f"not enough data: {count:,} {what}, {needed:,} needed"


def known(value):
    """Return a number as a Python float, None if it is nan or infinite."""
    return float(value) if value is not None and math.isfinite(value) else None


def where_known(values, is_known):
    """Return a polars column of the values, null where they are not known."""
    import polars

    column = polars.Series(values)
    return column if is_known.all() else polars.select(polars.when(polars.Series(is_known)).then(column)).to_series()


def without_nan(frame):
    """Return a polars frame in which every nan and infinity of a float column is null."""
    import polars as pl
    from polars import selectors

    return frame.with_columns(pl.when(selectors.float().is_finite()).then(selectors.float()))
