"""Reports: where the exchange writes its answers.

Owns the buffer of REPORT rows and how a row is begun. Knows no book.
"""
import numpy as np

from lob.errors import LobError
from lob.exchange.lines import LINE_BYTES
from lob.jit import DEBUG, address_of, jit, pool_reader, prefetch, row_starter
from lob.messages import REPORT, REQUEST, Flag

REPORTS = np.dtype([("rows", "i8"), ("count", "i8"), ("capacity", "i8"), ("sequence", "i8")], align=True)

request_at, report_at, reports_at = pool_reader(REQUEST), pool_reader(REPORT), pool_reader(REPORTS)
start_row = row_starter(REQUEST, REPORT)

LAST = int(Flag.LAST)
REPORT_BYTES, ROWS_AHEAD = REPORT.itemsize, 8
COUNT = REPORTS.names.index("count")


@jit(inline=True)
def begin(reports, request, kind):
    """Return the next row, filled with what every row of this request says; the rest is zero."""
    count, sequence = reports.count, reports.sequence
    if DEBUG:
        assert count < reports.capacity
    reports.count, reports.sequence = count + 1, sequence + 1
    row = report_at(reports.rows, count)
    _expect_row(address_of(row) + ROWS_AHEAD * REPORT_BYTES)
    start_row(request, row)
    row.sequence, row.kind = sequence, kind
    return row


@jit(inline=True)
def _expect_row(address):
    """Send for the lines of a row that will be begun soon: a chunk of rows is larger than the nearest cache, and who writes waits for a line as who reads."""
    for i in range(0, REPORT_BYTES, LINE_BYTES):
        prefetch(address + i)


@jit(inline=True)
def only(row):
    """Mark a row as the only one of its event; return the number of rows, 1."""
    row.flags |= LAST
    return 1


@jit(inline=True)
def close(reports):
    """Mark the newest row as the last of its event."""
    report_at(reports.rows, reports.count - 1).flags |= LAST


def copied(rows):
    """Return a copy of REPORT[n]. As bytes: numpy copies a record field by field, which takes ten times as long."""
    return rows.view(np.uint8).copy().view(REPORT)


class ReportBuffer:
    """The memory behind one REPORTS record."""

    def __init__(self, capacity=1024, sequence=0):
        self.record = np.zeros(1, REPORTS)
        self.address = self.record.ctypes.data
        self._words = memoryview(self.record.view(np.int64))
        self.record["sequence"] = sequence
        self.rows = np.zeros(0, REPORT)
        self.grow(capacity)

    @property
    def count(self):
        """How many rows are there."""
        return self._words[COUNT]

    @property
    def sequence(self):
        """The number of the next row."""
        return int(self.record["sequence"][0])

    def clear(self):
        """Begin again; the row numbers go on."""
        self._words[COUNT] = 0

    def give(self, memory):
        """Return the rows in the memory that they lie in, and begin again in other memory, REPORT[n]."""
        rows = self.rows[:self.count]
        self._lie_in(memory)
        self.clear()
        return rows

    def grow(self, capacity=None):
        """Make room for `capacity` rows, by default twice as many, keeping those that are there; raises LobError if there is no memory for so many."""
        capacity = capacity or 2 * len(self.rows)
        try:
            rows = np.zeros(capacity, REPORT)
        except MemoryError:
            size = f"{capacity:,} rows, {capacity * REPORT.itemsize / 1e9:,.0f} GB"
            raise LobError(f"no memory for the answer that the next request may have at the worst: {size} (docs/rules.md, what the rules cost)") from None
        rows[:self.count].view(np.uint8)[:] = self.rows[:self.count].view(np.uint8)
        self._lie_in(rows)

    def _lie_in(self, rows):
        self.rows, self._bytes = rows, memoryview(rows.view(np.uint8))
        self.record["rows"], self.record["capacity"] = rows.ctypes.data, len(rows)

    def take(self):
        """Return a copy of the rows and begin again."""
        count = self.count
        # A bytearray as the memory: of the ways to copy a few rows the one with the least work around it.
        rows = np.ndarray(count, REPORT, bytearray(self._bytes[:count * REPORT.itemsize]))
        self.clear()
        return rows
