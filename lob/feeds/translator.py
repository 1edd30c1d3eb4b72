"""Translator: the step from a format's messages to REQUEST rows, a block at a time.

Owns what all formats share: the rows that are not handed on yet, the events that they belong to, the phase, and the open orders. Each format adds its own state
and its rules (dbn_rows.py, itch_rows.py). Rows are handed on when their event has ended. Knows no file.
"""
import numpy as np

from lob.feeds.feed import LAST, joined
from lob.feeds.open_orders import OpenOrders, is_crossed
from lob.jit import jit, pool_reader
from lob.messages import REQUEST, Action

# rows: REQUEST[capacity], count of them filled, event_end of them in events that have ended, total: handed on before.
FIELDS = ("rows", "count", "capacity", "event_end", "total", "open_orders", "time_ns", "tick_units", "phase", "skips_duplicates")
COUNTS = ("events", "crossed_events", "unknown_references", "duplicate_orders", "overfilled", "times_raised", "status_changes")
HALTED, QUOTING, TRADING, UNKNOWN = 0, 1, 2, -1
DONE, ROOM_SHORT, DUPLICATE = range(3)
ROWS_A_RECORD = 8  # more than one record can bring, but for a clear
_STATUS = int(Action.STATUS)

row_at = pool_reader(REQUEST)


@jit(inline=True)
def put_row(state, action, order_id, side, price_ticks, lots):
    """Write the next row, at the time of the state; there must be room for it."""
    row = row_at(state.rows, state.count)
    state.count += 1
    row.time_ns = row.sent_ns = state.time_ns
    row.action, row.order_id, row.side, row.price_ticks, row.lots, row.flags = action, order_id, side, price_ticks, lots, 0


@jit(inline=True)
def close_event(state):
    """Mark the newest row as the last of its event."""
    if state.count > state.event_end:
        row_at(state.rows, state.count - 1).flags = LAST
        state.event_end = state.count


@jit
def end_event(state, book):
    """Close an event and look at the book that it leaves; return whether that is crossed."""
    close_event(state)
    crossed = is_crossed(book)
    state.events += 1
    state.crossed_events += crossed
    return crossed


@jit
def change_phase(state, phase):
    """Say that the phase has changed, if it has: an event of its own."""
    if state.phase != phase:
        close_event(state)
        put_row(state, _STATUS, 0, 0, phase, 0)
        close_event(state)
        state.phase, state.status_changes = phase, state.status_changes + 1


@jit(inline=True)
def pass_time(state, time_ns):
    """Move the clock to a message's time, or leave it where it is if that would go back."""
    state.times_raised += time_ns < state.time_ns
    state.time_ns = max(state.time_ns, time_ns)


class Translator:
    """The state of a translation and its memory.

    A subclass names its STATE dtype, whose fields begin with FIELDS, and `translate(state address, records address, first, count)`, which returns how many
    records are done and why it stopped. tick_units: the price step in file units; skips_duplicates: count an added order whose id is open, instead of
    stopping there; values: other fields of the state.
    """

    dtype, translate = None, None

    def __init__(self, tick_units, skips_duplicates=False, **values):
        self.open_orders, self.rows, self.state = OpenOrders(), np.zeros(0, REQUEST), np.zeros(1, self.dtype)
        values |= {"tick_units": tick_units, "skips_duplicates": skips_duplicates, "phase": UNKNOWN, "time_ns": -2**62}
        for name, value in (values | {"open_orders": self.open_orders.address}).items():
            self.state[name] = value

    def __getitem__(self, name):
        return int(self.state[name][0])

    def rows_of(self, records, is_last=False):
        """Return the rows of the events that end in an array of records, REQUEST[n], and None or the number of a record whose order is open already.

        is_last: whether these are the last records; the rows of an event that does not end are given out too.
        """
        records, done, why = np.ascontiguousarray(records), 0, ROOM_SHORT
        while why == ROOM_SHORT:
            self._make_room(len(records) - done)
            done, why = self.translate(self.state.ctypes.data, records.ctypes.data, done, len(records))
        return self._hand_on(is_last or why == DUPLICATE), done if why == DUPLICATE else None

    def _make_room(self, record_count, rows_a_record=ROWS_A_RECORD):
        self.open_orders.grow()
        count = self["count"] + 2 * record_count + 2 * rows_a_record + int(self.open_orders.record["levels"]["count"][0])
        if count > len(self.rows):
            kept, self.rows = self.rows, np.zeros(count, REQUEST)
            self.rows.view(np.uint8)[:kept.nbytes] = kept.view(np.uint8)
        self.state["rows"], self.state["capacity"] = self.rows.ctypes.data, len(self.rows)

    def _hand_on(self, all_rows):
        end, count = self["count" if all_rows else "event_end"], self["count"]
        rows, waiting = joined([self.rows[:end]]), joined([self.rows[end:count]])
        self.rows.view(np.uint8)[:waiting.nbytes] = waiting.view(np.uint8)
        self.state["count"], self.state["event_end"] = count - end, 0
        self.state["total"] += end
        return rows
