"""What comes first happens first; of equal times, what was planned first."""
import heapq
import math

import pytest
from crowd import MS_NS
from hypothesis import given, settings
from hypothesis import strategies as st

from agents import NoiseTrader
from lob import Agent, AgentError, Latency, Simulation, compiled
from lob.jit import jit
from lob.schedule import ScheduleMemory, add_at, entry_at, remove_first, schedule_at


@jit
def take_at(schedule_address):
    """Take the first event; return its time, sequence number, kind and who."""
    events = schedule_at(schedule_address, 0)
    entry = entry_at(events.entries, 0)
    found = entry.time_ns, entry.sequence, entry.kind, entry.who
    remove_first(events)
    return found


# A time is added; None takes the first event. Few different times, so that many are equal.
STEPS = st.lists(st.one_of(st.integers(-3, 8), st.sampled_from([-2**62, 2**62]), st.none()), max_size=300)


@settings(max_examples=200)
@given(steps=STEPS)
def test_events_come_by_time_and_equal_times_in_the_order_in_which_they_were_planned(steps):
    memory, expected = ScheduleMemory(capacity=512), []
    address = memory.record.ctypes.data
    for sequence, time_ns in enumerate(steps):
        if time_ns is not None:
            planned = add_at(address, time_ns, sequence % 7, sequence)
            heapq.heappush(expected, (time_ns, planned, sequence % 7, sequence))
        elif expected:
            assert take_at(address) == heapq.heappop(expected)
    assert [take_at(address) for _ in range(len(expected))] == sorted(expected)
    assert memory.record["count"][0] == 0


def test_a_schedule_that_grows_keeps_what_is_planned():
    memory = ScheduleMemory(capacity=8)
    for time_ns in (5, 3, 9, 3):
        add_at(memory.record.ctypes.data, time_ns, 0, time_ns)
    memory.set_capacity(16)
    assert [take_at(memory.record.ctypes.data)[0] for _ in range(4)] == [3, 3, 5, 9]


class Sleeper(Agent):
    """Notes when its timer comes."""

    def on_start(self, market):
        self.woken_ns = []
        self.plan(market)

    def on_timer(self, market):
        self.woken_ns.append(market.now_ns)


def woken_ns(cls):
    return Simulation([cls()]).run(seconds=1).agents[0].woken_ns


def test_a_new_timer_takes_the_place_of_the_one_that_is_pending():
    class ChangesItsMind(Sleeper):
        def plan(self, market):
            market.wake_at(5 * MS_NS)
            market.wake_at(9 * MS_NS)
            market.wake_after(7 * MS_NS)

    assert woken_ns(ChangesItsMind) == [7 * MS_NS]


def test_a_timer_that_is_put_off_all_the_time_leaves_one_event_in_the_calendar():
    class PutsOff(Sleeper):
        def plan(self, market):
            for i in range(900):
                market.wake_at((500 + i) * MS_NS)

    simulation = Simulation([PutsOff()])
    simulation.run(seconds=0.4)
    assert simulation.world.calendar.count == 1
    assert simulation.run(seconds=2).agents[0].woken_ns == [1_399 * MS_NS]
    assert simulation.world.calendar.count == 0


def test_a_timer_that_is_set_anew_for_the_same_time_comes_after_those_that_were_set_meanwhile():
    class Sets(Sleeper):
        """Sets its timer to the same time at once, and anew when it hears of a change of the touch."""

        def plan(self, market):
            market.wake_at(10 * MS_NS)

        def on_quote(self, market):
            if market.now_ns < 10 * MS_NS:
                market.wake_at(10 * MS_NS)

        def on_timer(self, market):
            market.buy(1_000, 1)

    class Between(Agent):
        """Sets its timer to that time in between."""

        def on_start(self, market):
            market.wake_at(MS_NS)

        def on_timer(self, market):
            if market.now_ns == MS_NS:
                market.wake_at(10 * MS_NS)
            else:
                market.buy(1_000, 1)

    class Changes(Sleeper):
        """Changes the touch after that."""

        def plan(self, market):
            market.wake_at(2 * MS_NS)

        def on_timer(self, market):
            market.buy(500, 1)

    assert Simulation([Sets(), Between(), Changes()]).run(seconds=1).tape.rows["owner"].tolist() == [3, 2, 1]


class Fickle(Agent):
    """Sets its timer to times near and far, at random; notes what it set and when it was woken. A clock of trades gives it something to think at."""

    def on_start(self, market):
        self.told = []
        self.set(market)

    def set(self, market):
        for _ in range(market.integers(1, 4)):
            time_ns = market.now_ns + market.integers(0, 40) * MS_NS
            market.wake_at(time_ns)
            self.told.append(("set", market.now_ns, time_ns))

    def on_timer(self, market):
        self.told.append(("woken", market.now_ns, market.now_ns))
        self.set(market)

    def on_quote(self, market):
        self.set(market)


def test_a_timer_comes_exactly_when_it_was_last_set_to():
    told = Simulation([NoiseTrader(count=5, rate_hz=20.0), Fickle()], seed=3).run(seconds=20).agents[-1].told
    due_ns, woken = None, 0
    for what, now_ns, time_ns in told:
        assert due_ns is None or now_ns <= due_ns
        if what == "woken":
            assert now_ns == due_ns
            woken += 1
        due_ns = None if what == "woken" else time_ns
    assert woken > 300
    assert sum(what == "set" for what, *_ in told) > 2_000


def test_a_timer_can_be_set_to_now_and_comes_at_once():
    class Now(Sleeper):
        def plan(self, market):
            market.wake_after(0)

    assert woken_ns(Now) == [0]


def test_a_timer_at_the_very_end_still_comes():
    class Late(Sleeper):
        def plan(self, market):
            market.wake_at(1_000 * MS_NS)

    assert woken_ns(Late) == [1_000 * MS_NS]


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(
    ("time_ns", "words"),
    [(-1.0, "in the past"), (float("-inf"), "in the past|infinity"), (float("nan"), "never comes|NaN"), (float("inf"), "never comes|infinity")],
)
def test_a_timer_in_the_past_or_at_no_time_at_all_is_refused(time_ns, words, plain):
    @compiled
    class Impossible(Agent):
        time_ns: float = 0.0
        factor: float = 1.0
        is_nan: bool = False

        def on_start(self, market):
            time_ns = self.time_ns * self.factor * self.factor
            market.wake_at(time_ns - time_ns if self.is_nan else time_ns)

    # No parameter is infinite: an agent must come to it by itself.
    is_finite = math.isfinite(time_ns)
    agent = Impossible(time_ns=time_ns if is_finite else math.copysign(1.0, time_ns), factor=1.0 if is_finite else 1e200, is_nan=math.isnan(time_ns))
    with pytest.raises(AgentError, match=rf"Impossible \(Impossible\), on_start, at 0 ns: \w+: .*({words})"):
        Simulation([agent], plain=plain).run(seconds=1)


def test_an_agent_that_wakes_itself_without_end_at_one_time_is_stopped():
    @compiled
    class Zeno(Agent):
        def on_start(self, market):
            market.wake_after(5)

        def on_timer(self, market):
            market.wake_after(0)

    with pytest.raises(AgentError, match=r"Zeno \(Zeno\), on_timer, at 5 ns: time stands still"):
        Simulation([Zeno()]).run(seconds=1)


def test_a_timer_that_was_set_anew_a_million_times_does_not_stand_still():
    @compiled
    class Postpones(Agent):
        orders: int = 0

        def on_start(self, market):
            market.buy(market.opening_ticks, 1)

        def on_accepted(self, market, order):
            market.wake_at(1_500_000_000)
            self.orders += 1
            if self.orders < 1_100_000:
                market.replace(order.id, order.price_ticks, 2 + self.orders % 2)

    assert Simulation([Postpones(latency=Latency(order_ns=1_000))]).run(seconds=2).is_complete


def test_two_agents_that_answer_each_other_without_latency_are_stopped():
    @compiled
    class Answers(Agent):
        def on_start(self, market):
            market.buy(market.opening_ticks, 1)

        def on_done(self, market, order):
            market.buy(market.opening_ticks, 1)

        def on_accepted(self, market, order):
            market.cancel(order.id)

    with pytest.raises(AgentError, match="time stands still"):
        Simulation([Answers()]).run(seconds=1)
    assert Simulation([Answers(latency=Latency(order_ns=MS_NS))]).run(seconds=1).is_complete


def test_a_thousand_timers_can_be_set_in_one_call_and_the_last_one_counts():
    class Fickle(Sleeper):
        def plan(self, market):
            for i in range(1_000):
                market.wake_at(MS_NS + i)

    class TooFickle(Sleeper):
        def plan(self, market):
            for i in range(1_001):
                market.wake_at(MS_NS + i)

    assert woken_ns(Fickle) == [MS_NS + 999]
    with pytest.raises(AgentError, match="may set its timer at most 1,000 times"):
        woken_ns(TooFickle)
