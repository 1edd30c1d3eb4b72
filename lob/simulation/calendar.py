"""The calendar: what happens next in a simulation, by (time_ns, sequence), so equal times come in the order in which they were planned.

A calendar queue (Brown, "Calendar queues: a fast O(1) priority queue implementation for the simulation event set problem", CACM 31, 1988) whose current
day is a heap. Time is cut into days of 2^shift ns. The events of today and before stand in a small heap, `near`, whose root is the next event; those of the
next DAYS - 1 days in a list for each day, in no order; later ones in a heap, `far`, from where they come when their day does. The length of a day follows the
flow. It decides what an event costs and never which comes first.

Owns the events. Knows no market. Cost: O(1) to plan a day ahead or later, O(log of the events of a day) else; at the worst, all at one time, that of a heap.
"""
import numpy as np

from lob import schedule
from lob.jit import DEBUG, jit, pool_reader, trailing_zeros
from lob.schedule import ScheduleMemory, entry_at, schedule_at

DAYS = 4096
WORDS = DAYS // 64
DAY_SHIFT = 20           # a day of about a millisecond, to begin with
SHIFT_MIN, SHIFT_MAX = 4, 44
REVIEW_DAYS, REVIEW_EVENTS = 1024, 8192  # after so many days, or so many events, it is seen whether days have the right length
CROWDED, SPARSE = 6, 2                   # events a day

NODE = np.dtype([("time_ns", "i8"), ("sequence", "i8"), ("kind", "i4"), ("who", "i4"), ("next", "i8")], align=True)
CALENDAR = np.dtype(
    [
        ("near", "i8"), ("far", "i8"),             # addresses of SCHEDULE
        ("days", "i8"), ("marks", "i8"),           # addresses of the first node of each day, and of the bits of the days that have one
        ("nodes", "i8"), ("free", "i8"),           # address of NODE[capacity], slot 0 being none; the first of those that are free
        ("today", "i8"), ("shift", "i8"),
        ("count", "i8"), ("capacity", "i8"), ("sequence", "i8"),
        ("reviewed", "i8"), ("moved", "i8"), ("late", "i8"),  # since the last review: days begun, events of these, events planned beyond all days
    ],
    align=True,
)
LINK = np.dtype([("value", "i8")], align=True)
calendar_at, node_at, link_at = pool_reader(CALENDAR), pool_reader(NODE), pool_reader(LINK)


@jit(inline=True)
def near_of(calendar):
    return schedule_at(calendar.near, 0)


@jit(inline=True)
def _far_of(calendar):
    return schedule_at(calendar.far, 0)


@jit(inline=True)
def first_of(calendar):
    """Return the next event, an ENTRY; there must be one."""
    return entry_at(near_of(calendar).entries, 0)


@jit(inline=True)
def add(calendar, time_ns, kind, who):
    """Plan an event; return its sequence number. The caller has seen to it that there is room."""
    sequence = next_sequence(calendar)
    add_numbered(calendar, time_ns, sequence, kind, who)
    return sequence


@jit(inline=True)
def next_sequence(calendar):
    """Return the sequence number of an event that is to be planned."""
    sequence = calendar.sequence
    calendar.sequence = sequence + 1
    return sequence


@jit(inline=True)
def add_numbered(calendar, time_ns, sequence, kind, who):
    """Plan an event that has its sequence number already."""
    if DEBUG:
        assert calendar.count < calendar.capacity
    calendar.count += 1
    ahead = (time_ns >> calendar.shift) - calendar.today
    if 0 < ahead < DAYS:
        _add_later(calendar, time_ns, sequence, kind, who)
    else:
        _add_otherwise(calendar, time_ns, sequence, kind, who, ahead)


@jit(inline=True)
def _add_later(calendar, time_ns, sequence, kind, who):
    """Note an event on its day; one that is alone is the next event at once, as the timer of an agent in a quiet market is again and again."""
    if calendar.count == 1:
        _begin_day_with(calendar, time_ns, sequence, kind, who)
        return
    slot = calendar.free
    node = node_at(calendar.nodes, slot)
    calendar.free = node.next
    day = (time_ns >> calendar.shift) & (DAYS - 1)
    first, marks = link_at(calendar.days, day), link_at(calendar.marks, day >> 6)
    node.time_ns, node.sequence, node.kind, node.who, node.next = time_ns, sequence, kind, who, first.value
    first.value = slot
    marks.value |= np.int64(1) << (day & 63)
    if near_of(calendar).count == 0:
        _begin_day(calendar)


@jit(inline=True)
def _begin_day_with(calendar, time_ns, sequence, kind, who):
    """Go to the day of the only event there is."""
    near = near_of(calendar)
    calendar.today = time_ns >> calendar.shift
    calendar.reviewed += 1
    calendar.moved += 1
    near.count = 1
    first = entry_at(near.entries, 0)
    first.time_ns, first.sequence, first.kind, first.who = time_ns, sequence, kind, who


@jit
def _add_otherwise(calendar, time_ns, sequence, kind, who, ahead):
    """Plan an event of today, or one beyond all days."""
    if ahead <= 0:
        calendar.moved += 1
        schedule.put(near_of(calendar), time_ns, sequence, kind, who)
        return
    calendar.late += 1
    schedule.put(_far_of(calendar), time_ns, sequence, kind, who)
    if near_of(calendar).count == 0:
        _begin_day(calendar)


@jit
def add_at(calendar_address, time_ns, kind, who):
    """Plan an event from Python."""
    return add(calendar_at(calendar_address, 0), time_ns, kind, who)


@jit(inline=True)
def remove_first(calendar):
    """Take the next event off; read it before."""
    calendar.count -= 1
    near = near_of(calendar)
    if near.count > 1:
        schedule.remove_first(near)
    else:
        near.count = 0
        if calendar.count:
            _begin_day(calendar)


@jit
def _begin_day(calendar):
    """Go to the next day that has an event, and put its events in order."""
    near, far = near_of(calendar), _far_of(calendar)
    if calendar.reviewed >= REVIEW_DAYS or calendar.moved >= REVIEW_EVENTS:
        _review(calendar)
    ahead = _days_ahead(calendar)
    if far.count:
        until_far = (entry_at(far.entries, 0).time_ns >> calendar.shift) - calendar.today
        ahead = until_far if ahead == 0 else min(ahead, until_far)
    calendar.today += ahead
    _take_list(calendar, calendar.today & (DAYS - 1), near)
    while far.count and entry_at(far.entries, 0).time_ns >> calendar.shift <= calendar.today:
        entry = entry_at(far.entries, 0)
        schedule.put(near, entry.time_ns, entry.sequence, entry.kind, entry.who)
        schedule.remove_first(far)
    calendar.reviewed += 1
    calendar.moved += near.count


@jit
def _take_list(calendar, day, to):
    """Move the events of a day's list into a heap."""
    first = link_at(calendar.days, day)
    slot = first.value
    while slot:
        node = node_at(calendar.nodes, slot)
        schedule.put(to, node.time_ns, node.sequence, node.kind, node.who)
        behind = node.next
        node.next = calendar.free
        calendar.free = slot
        slot = behind
    first.value = 0
    link_at(calendar.marks, day >> 6).value &= ~(np.int64(1) << (day & 63))


@jit(inline=True)
def _days_ahead(calendar):
    """Return how many days ahead the next list is that has an event, 0 if none has."""
    here = calendar.today + 1
    day = here & (DAYS - 1)
    word = link_at(calendar.marks, day >> 6).value & (np.int64(-1) << (day & 63))
    passed = -(day & 63)
    i = day >> 6
    while word == 0 and passed < DAYS:
        passed += 64
        i = (i + 1) & (WORDS - 1)
        word = link_at(calendar.marks, i).value
    return 1 + passed + trailing_zeros(word) if word else 0


@jit
def _review(calendar):
    """Make the days shorter if they are crowded; longer if they are sparse and many events lie beyond them all."""
    shift, moved, days = calendar.shift, calendar.moved, calendar.reviewed
    if moved > CROWDED * days:
        while moved > CROWDED * days and shift > SHIFT_MIN:
            shift, moved = shift - 1, moved >> 1
        _set_shift(calendar, shift)
    elif moved < SPARSE * days and 4 * calendar.late > moved and shift < SHIFT_MAX:
        _set_shift(calendar, shift + 1)
    calendar.reviewed, calendar.moved, calendar.late = 0, 0, 0


@jit
def _set_shift(calendar, shift):
    """Change the length of a day. What is planned goes beyond all days, from where it comes in time."""
    far = _far_of(calendar)
    for word in range(WORDS):
        marks = link_at(calendar.marks, word)
        while marks.value:
            _take_list(calendar, 64 * word + trailing_zeros(marks.value), far)
    calendar.today = (calendar.today << calendar.shift) >> shift
    calendar.shift = shift


class CalendarMemory:
    """The memory behind one CALENDAR record. start_ns: no event is planned before it."""

    def __init__(self, capacity=4096, start_ns=0):
        self.record, self.nodes = np.zeros(1, CALENDAR), np.zeros(0, NODE)
        self.near, self.far = ScheduleMemory(capacity), ScheduleMemory(capacity)
        self.days, self.marks = np.zeros(DAYS, np.int64), np.zeros(WORDS, np.int64)
        record = self.record[0]
        record["near"], record["far"] = self.near.record.ctypes.data, self.far.record.ctypes.data
        record["days"], record["marks"] = self.days.ctypes.data, self.marks.ctypes.data
        record["shift"], record["today"] = DAY_SHIFT, start_ns >> DAY_SHIFT
        self.set_capacity(capacity)

    @property
    def address(self):
        return self.record.ctypes.data

    @property
    def count(self):
        return int(self.record["count"][0])

    @property
    def capacity(self):
        return int(self.record["capacity"][0])

    def set_capacity(self, capacity):
        """Make room for `capacity` events, keeping those that are planned."""
        nodes, before = np.zeros(capacity + 1, NODE), len(self.nodes)
        nodes[:before] = self.nodes
        # The new ones come before those that are free already; slot 0 is none.
        first = max(before, 1)
        nodes["next"][first:-1] = np.arange(first + 1, len(nodes))
        nodes["next"][-1] = self.record["free"][0]
        self.nodes, self.record["free"] = nodes, first
        self.record["nodes"], self.record["capacity"] = nodes.ctypes.data, capacity
        for heap in (self.near, self.far):
            heap.set_capacity(capacity)
