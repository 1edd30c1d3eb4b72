"""Recorded: a tape as a recorded day, so that agents can trade inside a simulated market as inside a real one, and other tools can read it.

Owns the step from rows of the tape to rows of a Feed: what was displayed, nothing else. Orders get numbers of their own, from 1 in the order in which
they first appear. Hidden orders and waiting stops are not there; what they trade is a PRINT; of an iceberg the clips are. What an auction trades is a
PRINT without a side, and its orders go. Cost: about 30 ns a row.
"""
from decimal import Decimal

import numpy as np

from lob.errors import TapeError
from lob.feeds.feed import LAST, Feed, joined
from lob.jit import jit
from lob.messages import REQUEST, Action, Flag, Phase, ReportKind

LIVE, PASSIVE = "live", "passive"
ROWS_A_ROW = 3
_LIMIT, _CANCEL, _EXECUTE, _PRINT, _STATUS = (int(a) for a in (Action.LIMIT, Action.CANCEL, Action.EXECUTE, Action.PRINT, Action.STATUS))
_K = ReportKind
_OPENS = (int(_K.ACCEPTED), int(_K.REPLACED), int(_K.TRIGGERED))
_FILL, _CANCELLED, _REDUCED, _REFRESHED, _PRINTED, _STATUS_ROW, _PHASE = (
    int(k) for k in (_K.FILL, _K.CANCELLED, _K.REDUCED, _K.REFRESHED, _K.PRINT, _K.STATUS, _K.PHASE))
_UNSEEN, _HIDDEN, _ICEBERG, _AUCTION = int(Flag.HIDDEN | Flag.STOP), int(Flag.HIDDEN), int(Flag.ICEBERG), int(Flag.AUCTION)
# What the Phase of a book is as a STATUS: halted 0, orders collect 1, continuous 2.
_STATUS_OF_PHASE = np.ones(256, np.int64)
_STATUS_OF_PHASE[[Phase.HALT, Phase.CLOSED]] = 0
_STATUS_OF_PHASE[Phase.CONTINUOUS] = 2


def feed_of(tape, book=0, name=None):
    """Return the Feed of what a tape shows of one book. Of a tape of the rule `passive` that is the recording; other rules have no one market to show.

    name: the symbol, by default the instrument's. Raises TapeError for a tape of another rule.
    """
    if tape.execution not in (LIVE, PASSIVE):
        raise TapeError(f"execution must be {LIVE} or {PASSIVE} for a tape that is to become a recording, was {tape.execution}")
    reports = tape.rows[tape.rows["book"] == book]
    if tape.execution == PASSIVE:
        reports = reports[(reports["owner"] == 0) & (reports["resting_owner"] == 0)]
    ids, resting_ids, order_count = _numbers(reports)
    rows, instrument = _rows_of(reports, ids, resting_ids), tape.instrument_of(book)
    start_ns = int(reports["time_ns"][0]) if len(reports) else 0
    counts = {"messages": len(reports), "rows": len(rows), "seed_rows": 0, "orders": order_count}
    summary = {"format": "tape", **counts, "first_ns": start_ns, "last_ns": tape.end_ns}
    sizes = (Decimal(instrument.tick_size), Decimal(instrument.lot_size))
    return Feed(name or instrument.name, str(tape.provenance.get("scenario", "tape")), rows, None, 0, *sizes, start_ns, max(tape.end_ns, start_ns), summary)


def _numbers(reports):
    """Return the number of the order and of the resting order of each row, int64[n] twice, and how many orders there are."""
    owners = np.concatenate([reports["owner"], reports["resting_owner"]]).astype(np.int64)
    ids = np.concatenate([reports["order_id"], reports["resting_id"]])
    order = np.lexsort((owners, ids))
    is_new = np.ones(len(order), bool)
    is_new[1:] = (np.diff(ids[order]) != 0) | (np.diff(owners[order]) != 0)
    group = np.empty(len(order), np.int64)
    group[order] = np.cumsum(is_new) - 1
    # The first row that speaks of an order gives it its place in line.
    interleaved = group.reshape(2, -1).T.ravel()
    groups, firsts = np.unique(interleaved, return_index=True)
    is_order = np.concatenate([reports["order_id"], reports["resting_id"]]).reshape(2, -1).T.ravel()[firsts] != 0
    number, in_line = np.zeros(len(groups), np.int64), np.argsort(np.where(is_order, firsts, 2 * len(reports)), kind="stable")
    number[in_line[:np.count_nonzero(is_order)]] = np.arange(1, np.count_nonzero(is_order) + 1)
    return number[group[:len(reports)]], number[group[len(reports):]], int(np.count_nonzero(is_order))


def _rows_of(reports, ids, resting_ids):
    rows = np.zeros(ROWS_A_ROW * len(reports) + 1, REQUEST)
    return joined([rows[:_fill(np.ascontiguousarray(reports), ids, resting_ids, _STATUS_OF_PHASE, rows)]])


@jit
def _fill(reports, ids, resting_ids, status_of_phase, rows):
    """Write the rows; return how many. Within an event the incoming order is pending: what is left of it at the end rests."""
    count, event_start, pending, display, pending_at = 0, 0, 0, 0, 0
    for i in range(reports.shape[0]):
        report = reports[i]
        kind = report.kind
        if kind in _OPENS:
            pending = 0 if report.flags & _UNSEEN or report.price_ticks == 0 else report.lots
            display, pending_at = report.display_lots if report.flags & _ICEBERG else report.lots, i
        elif kind == _FILL and report.flags & _AUCTION:
            count = _put(rows, count, report, _CANCEL, ids[i], 1, report.trigger_ticks, report.lots)
            count = _put(rows, count, report, _CANCEL, resting_ids[i], -1, report.offset_ticks, report.lots)
            count = _put(rows, count, report, _PRINT, 0, 0, report.price_ticks, report.lots)
        elif kind == _FILL:
            pending = max(pending - report.lots, 0)
            if report.flags & _HIDDEN:
                count = _put(rows, count, report, _PRINT, 0, report.side, report.price_ticks, report.lots)
            else:
                count = _put(rows, count, report, _EXECUTE, resting_ids[i], -report.side, report.price_ticks, report.lots)
        elif kind == _CANCELLED or kind == _REDUCED:
            if pending and ids[i] == ids[pending_at]:
                pending = max(pending - report.lots, 0)
            elif report.flags & _UNSEEN == 0:
                lots = report.display_lots if report.flags & _ICEBERG else report.lots
                count = _put(rows, count, report, _CANCEL, ids[i], report.side, report.price_ticks, lots)
        elif kind == _REFRESHED:
            count = _put(rows, count, report, _LIMIT, ids[i], report.side, report.price_ticks, report.lots)
        elif kind == _PRINTED:
            count = _put(rows, count, report, _PRINT, 0, report.side, report.price_ticks, report.lots)
        elif kind == _STATUS_ROW or kind == _PHASE:
            status = report.price_ticks if kind == _STATUS_ROW else status_of_phase[report.price_ticks & 255]
            count = _put(rows, count, report, _STATUS, 0, 0, status, 0)
        if report.flags & LAST:
            if pending:
                opened = reports[pending_at]
                count = _put(rows, count, report, _LIMIT, ids[pending_at], opened.side, opened.price_ticks, min(pending, display))
            if count > event_start:
                rows[count - 1].flags = LAST
            event_start, pending = count, 0
    return count


@jit
def _put(rows, count, report, action, order_id, side, price_ticks, lots):
    """Write a row and return the new count; nothing for what was not displayed."""
    if action != _STATUS and (lots == 0 or price_ticks == 0):
        return count
    row = rows[count]
    row.time_ns = row.sent_ns = report.time_ns
    row.action, row.order_id, row.side, row.price_ticks, row.lots = action, order_id, side, price_ticks, lots
    return count + 1
