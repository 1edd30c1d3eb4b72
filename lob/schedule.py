"""The schedule: what happens next. A binary heap on (time_ns, sequence), so equal times come in the order in which they were planned.

Owns the heap. Knows no market. Cost: O(log n) to add and to take; the root is read for nothing.
"""
import numpy as np

from lob.jit import DEBUG, jit, pool_reader

ENTRY = np.dtype([("time_ns", "i8"), ("sequence", "i8"), ("kind", "i4"), ("who", "i4")], align=True)
SCHEDULE = np.dtype([("entries", "i8"), ("count", "i8"), ("capacity", "i8"), ("sequence", "i8")], align=True)
entry_at, schedule_at = pool_reader(ENTRY), pool_reader(SCHEDULE)


@jit(inline=True)
def _before(time_ns, sequence, entry):
    return time_ns < entry.time_ns or (time_ns == entry.time_ns and sequence < entry.sequence)


@jit(inline=True)
def _put(entries, i, time_ns, sequence, kind, who):
    entry = entry_at(entries, i)
    entry.time_ns, entry.sequence, entry.kind, entry.who = time_ns, sequence, kind, who


@jit
def add(schedule, time_ns, kind, who):
    """Plan an event; return its sequence number. The caller has seen to it that there is room."""
    sequence = schedule.sequence
    schedule.sequence += 1
    put(schedule, time_ns, sequence, kind, who)
    return sequence


@jit(inline=True)
def put(schedule, time_ns, sequence, kind, who):
    """Plan an event that has a sequence number already."""
    if DEBUG:
        assert schedule.count < schedule.capacity
    i = schedule.count
    schedule.count += 1
    while i > 0:
        parent = entry_at(schedule.entries, (i - 1) >> 1)
        if not _before(time_ns, sequence, parent):
            break
        _put(schedule.entries, i, parent.time_ns, parent.sequence, parent.kind, parent.who)
        i = (i - 1) >> 1
    _put(schedule.entries, i, time_ns, sequence, kind, who)


@jit
def add_at(schedule_address, time_ns, kind, who):
    """Plan an event from Python."""
    return add(schedule_at(schedule_address, 0), time_ns, kind, who)


@jit
def remove_first(schedule):
    """Take the root off; read it before."""
    schedule.count -= 1
    count = schedule.count
    last = entry_at(schedule.entries, count)
    time_ns, sequence = last.time_ns, last.sequence
    i, child = 0, 1
    while child < count:
        entry = entry_at(schedule.entries, child)
        if child + 1 < count:
            right = entry_at(schedule.entries, child + 1)
            if _before(right.time_ns, right.sequence, entry):
                child, entry = child + 1, right
        if _before(time_ns, sequence, entry):
            break
        _put(schedule.entries, i, entry.time_ns, entry.sequence, entry.kind, entry.who)
        i, child = child, 2 * child + 1
    _put(schedule.entries, i, time_ns, sequence, last.kind, last.who)


class ScheduleMemory:
    """The memory behind one SCHEDULE record."""

    def __init__(self, capacity=4096):
        self.record, self.entries = np.zeros(1, SCHEDULE), np.zeros(0, ENTRY)
        self.set_capacity(capacity)

    def set_capacity(self, capacity):
        """Make room for `capacity` events, keeping those that are planned."""
        entries = np.zeros(capacity, ENTRY)
        entries[:len(self.entries)] = self.entries
        self.entries = entries
        self.record["entries"], self.record["capacity"] = entries.ctypes.data, capacity
