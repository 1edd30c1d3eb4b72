"""Columns: the rows of a tape as arrays, one a field, and back; their order, and the version of the schema that they are. Knows no file and no market."""
import numpy as np

from lob.errors import TapeError
from lob.messages import REPORT

SCHEMA_VERSION = 2

# Rows to turn into columns at a time: few enough to stay in the cache while each field is picked out.
BLOCK_ROWS = 2**13


def columns_of(rows):
    """Return the fields of REPORT[n] as contiguous arrays: {name: array[n]}."""
    columns = {name: np.empty(len(rows), REPORT[name]) for name in REPORT.names}
    for block in _blocks(len(rows)):
        for name, column in columns.items():
            column[block] = rows[name][block]
    return columns


def fill_rows(rows, columns):
    """Write columns into REPORT[n]: {name: array[n]}."""
    for block in _blocks(len(rows)):
        for name, column in columns.items():
            rows[name][block] = column[block]


def check_order(rows, place):
    """Raise TapeError, naming the place and the first wrong row, if times go back or numbers do not climb."""
    for name, may_repeat in (("time_ns", True), ("sequence", False)):
        column = rows[name]
        wrong = column[1:] < column[:-1] if may_repeat else column[1:] <= column[:-1]
        if wrong.any():
            row = int(wrong.argmax()) + 1
            raise TapeError(f"{place}: not sorted: row {row} has {name} {column[row]} after {column[row - 1]}")


def _blocks(count):
    return (slice(first, first + BLOCK_ROWS) for first in range(0, count, BLOCK_ROWS))
