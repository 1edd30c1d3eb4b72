"""Reports: where the exchange writes its answers.

Owns the buffer of REPORT rows and how a row is begun. Knows no book.
"""
import numpy as np

from lob.jit import jit, pool_reader
from lob.messages import REPORT, REQUEST, Flag

REPORTS = np.dtype([("rows", "i8"), ("count", "i8"), ("capacity", "i8"), ("sequence", "i8")], align=True)

request_at, report_at, reports_at = pool_reader(REQUEST), pool_reader(REPORT), pool_reader(REPORTS)

LAST = int(Flag.LAST)


@jit(inline=True)
def begin(reports, request, kind):
    """Return the next row, filled with what every row of this request says; the rest is zero."""
    row = report_at(reports.rows, reports.count)
    row.time_ns, row.sent_ns, row.sequence = request.time_ns, request.sent_ns, reports.sequence
    row.order_id, row.owner, row.book, row.action = request.order_id, request.owner, request.book, request.action
    row.kind, row.side, row.price_ticks, row.lots = kind, request.side, request.price_ticks, request.lots
    row.resting_id, row.resting_owner, row.resting_open_lots, row.lots_ahead, row.level_lots, row.open_lots = 0, 0, 0, 0, 0, 0
    row.tif, row.reason, row.flags = 0, 0, 0
    reports.count += 1
    reports.sequence += 1
    return row


@jit(inline=True)
def close(reports):
    """Mark the newest row as the last of its event."""
    report_at(reports.rows, reports.count - 1).flags |= LAST


class ReportBuffer:
    """The memory behind one REPORTS record."""

    def __init__(self, capacity=1024, sequence=0):
        self.record = np.zeros(1, REPORTS)
        self.record["sequence"] = sequence
        self.rows = np.zeros(0, REPORT)
        self.grow(capacity)

    @property
    def address(self):
        return self.record.ctypes.data

    @property
    def count(self):
        return int(self.record["count"][0])

    def grow(self, capacity=None):
        """Make room for `capacity` rows, by default twice as many, keeping those that are there."""
        rows = np.zeros(capacity or 2 * len(self.rows), REPORT)
        rows[:self.count] = self.rows[:self.count]
        self.rows = rows
        self.record["rows"], self.record["capacity"] = rows.ctypes.data, len(rows)

    def take(self):
        """Return a copy of the rows and begin again."""
        rows = self.rows[:self.count].copy()
        self.record["count"] = 0
        return rows
