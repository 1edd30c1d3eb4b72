"""The calendar gives the same events in the same order as a list that is sorted, however far apart they lie."""
import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lob.jit import jit
from lob.simulation.calendar import DAY_SHIFT, DAYS, SHIFT_MAX, SHIFT_MIN, CalendarMemory, add_at, calendar_at, first_of, remove_first

DAY_NS = 2**DAY_SHIFT


@jit
def take_at(address):
    """Take the first event; return its time, sequence number, kind and who."""
    events = calendar_at(address, 0)
    entry = first_of(events)
    found = entry.time_ns, entry.sequence, entry.kind, entry.who
    remove_first(events)
    return found


# How long after the last event that was taken a new one comes: at once, today, in some days, beyond all days; None takes the first event.
DELAYS_NS = st.one_of(
    st.sampled_from([0, 1, DAY_NS - 1, DAY_NS, 64 * DAY_NS, (DAYS - 1) * DAY_NS, DAYS * DAY_NS, DAYS * DAY_NS + 1, 2**50]),
    st.integers(0, 2 * DAY_NS), st.integers(0, 2 * DAYS * DAY_NS), st.none(), st.none(), st.none(),
)


@settings(max_examples=300)
@given(delays_ns=st.lists(DELAYS_NS, max_size=300), start_ns=st.sampled_from([0, 5, 2**40 + 3, 1_700_000_000_000_000_000]))
def test_events_come_by_time_and_equal_times_in_the_order_in_which_they_were_planned(delays_ns, start_ns):
    memory, expected, now_ns = CalendarMemory(capacity=512, start_ns=start_ns), [], start_ns
    for i, delay_ns in enumerate(delays_ns):
        if delay_ns is not None:
            planned = add_at(memory.address, now_ns + delay_ns, i % 7, i)
            heapq.heappush(expected, (now_ns + delay_ns, planned, i % 7, i))
        elif expected:
            first = heapq.heappop(expected)
            assert take_at(memory.address) == first
            now_ns = first[0]
    assert memory.count == len(expected)
    assert [take_at(memory.address) for _ in range(len(expected))] == sorted(expected)
    assert memory.count == 0


@pytest.mark.parametrize(("mean_ns", "is_longer"), [(200_000, False), (10**13, True)])
def test_the_length_of_a_day_follows_the_flow_and_changes_no_order(mean_ns, is_longer):
    random = np.random.default_rng(1)
    memory, expected, now_ns = CalendarMemory(capacity=512), [], 0
    for i in range(40_000):
        time_ns = now_ns + int(random.exponential(mean_ns))
        heapq.heappush(expected, (time_ns, add_at(memory.address, time_ns, 0, i), 0, i))
        if i >= 500:
            first = heapq.heappop(expected)
            assert take_at(memory.address) == first
            now_ns = first[0]
    shift = int(memory.record["shift"][0])
    assert shift > DAY_SHIFT if is_longer else shift < DAY_SHIFT
    assert SHIFT_MIN <= shift <= SHIFT_MAX


def test_a_calendar_that_grows_keeps_what_is_planned():
    memory = CalendarMemory(capacity=4)
    times_ns = [5 * DAY_NS, 3, 9_000 * DAY_NS, 3]
    for i, time_ns in enumerate(times_ns):
        add_at(memory.address, time_ns, 0, i)
    memory.set_capacity(16)
    for i in range(4, 16):
        add_at(memory.address, 7 * DAY_NS, 0, i)
    assert [take_at(memory.address)[3] for _ in range(16)] == [1, 3, 0, *range(4, 16), 2]
