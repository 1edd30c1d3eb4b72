"""Columns: the rows of a tape as arrays, one a field, and back; and the version of the schema that these fields are. Knows no file and no market."""
import numpy as np

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


def _blocks(count):
    return (slice(first, first + BLOCK_ROWS) for first in range(0, count, BLOCK_ROWS))
