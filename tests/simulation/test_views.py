"""No view leaks: whatever an agent sees stood on the tape a feed latency ago. The tape is the witness; it knows nothing of views."""
from functools import cache

import numpy as np
import pytest
from crowd import MS_NS, DepthWatcher, Listener, Watcher, crowd, depths_of
from hypothesis import given
from hypothesis import strategies as st

from lob import Agent, AgentError, Fundamental, Latency, Phase, ReportKind, ScenarioError, Simulation, Venue, compiled
from lob.simulation.depth import CLASSES_MAX, delay_classes
from lob.tape.replay import touches

LATENCIES = {
    "none": Latency(),
    "short": Latency(feed_ns=50_000, order_ns=50_000),
    "constant": Latency(feed_ns=50 * MS_NS),
    "jittered": Latency(feed_ns=20 * MS_NS, feed_jitter_ns=60 * MS_NS),
}
WATCHERS = (Watcher, Listener, DepthWatcher)
NAMES = [cls.__name__ for cls in WATCHERS]


@cache
def watched(latency_name):
    """Return the tape of a market that is watched, and the notes of each kind of watcher: {name: notes}."""
    run = Simulation([*crowd(), *(cls(latency=LATENCIES[latency_name]) for cls in WATCHERS)], seed=11).run(seconds=4)
    return run.tape, {type(agent).__name__: agent.notes for agent in run.agents[-len(WATCHERS):]}


class Series:
    """What changed in the course of a tape: the times of n changes and the n + 1 states before, between and after them."""

    def __init__(self, times_ns, states):
        self.times_ns, self.states = np.asarray(times_ns), states

    def during(self, first_ns, last_ns):
        """Return the states in force at some moment from first_ns to last_ns; at a moment of changes all of those around it."""
        return self.states[np.searchsorted(self.times_ns, first_ns, "left"):np.searchsorted(self.times_ns, last_ns, "right") + 1]

    def after(self, time_ns):
        """Return the state when everything up to and including a time has happened."""
        return self.states[np.searchsorted(self.times_ns, time_ns, "right")]


def touch_series(tape):
    changes = touches(tape.rows)
    return Series(changes["time_ns"], [(0, 0, 0, 0), *changes[["best_bid_ticks", "best_ask_ticks", "bid_lots", "ask_lots"]].tolist()])


def trade_series(tape):
    fills = tape.rows[tape.rows["kind"] == ReportKind.FILL]
    return Series(fills["time_ns"], [(0, 0, 0), *fills[["price_ticks", "lots", "side"]].tolist()])


def account_series(tape, owner):
    rows = tape.rows
    fills = rows[(rows["kind"] == ReportKind.FILL) & ((rows["owner"] == owner) | (rows["resting_owner"] == owner))]
    signs = (fills["owner"] == owner) * fills["side"].astype(np.int64) - (fills["resting_owner"] == owner) * fills["side"].astype(np.int64)
    inventory, cash = np.cumsum(signs * fills["lots"]), np.cumsum(-signs * fills["lots"] * fills["price_ticks"])
    return Series(fills["time_ns"], [(0, 0), *zip(inventory.tolist(), cash.tolist(), strict=True)])


def not_as_it_was(notes, series, latency, seen):
    """Return the notes of what was at no moment between the longest and the shortest delay ago."""
    longest_ns = latency.feed_ns + latency.feed_jitter_ns
    return [note for note in notes if seen(note) not in series.during(note.now_ns - longest_ns, note.now_ns - latency.feed_ns)]


def not_the_newest(notes, series, latency, seen):
    return [note for note in notes if seen(note) != series.after(note.now_ns - latency.feed_ns)]


@pytest.mark.parametrize("latency_name", LATENCIES)
@pytest.mark.parametrize("watcher", NAMES)
def test_the_touch_that_an_agent_sees_stood_a_delay_ago(watcher, latency_name):
    tape, notes = watched(latency_name)
    assert not_as_it_was(notes[watcher], touch_series(tape), LATENCIES[latency_name], lambda note: note.touch) == []
    assert len({note.touch for note in notes[watcher]}) > 50


@pytest.mark.parametrize("latency_name", LATENCIES)
@pytest.mark.parametrize("watcher", NAMES)
def test_the_last_trade_that_an_agent_sees_was_the_last_a_delay_ago(watcher, latency_name):
    tape, notes = watched(latency_name)
    assert not_as_it_was(notes[watcher], trade_series(tape), LATENCIES[latency_name], lambda note: note.last_trade) == []
    assert len({note.last_trade for note in notes[watcher]}) > 20


@pytest.mark.parametrize("latency_name", ["short", "constant"])
@pytest.mark.parametrize("watcher", ["Watcher", "DepthWatcher"])
def test_an_agent_that_looks_back_sees_everything_that_is_old_enough(watcher, latency_name):
    tape, notes = watched(latency_name)
    for series, seen in ((touch_series(tape), lambda note: note.touch), (trade_series(tape), lambda note: note.last_trade)):
        assert not_the_newest(notes[watcher], series, LATENCIES[latency_name], seen) == []


@pytest.mark.parametrize("latency_name", ["none", "short", "constant"])
def test_an_agent_hears_of_every_change_of_the_touch_exactly_a_delay_later(latency_name):
    tape, notes = watched(latency_name)
    latency, series = LATENCIES[latency_name], touch_series(tape)
    heard = [note for note in notes["Listener"] if note.hook == "on_quote"]
    changed_ns = np.unique(series.times_ns[series.times_ns <= tape.end_ns - latency.feed_ns]) + latency.feed_ns
    assert sorted({note.now_ns for note in heard}) == changed_ns.tolist()
    assert latency.feed_ns == 0 or not_the_newest(heard, series, latency, lambda note: note.touch) == []


def test_an_agent_never_sees_the_market_go_back_in_time():
    tape, notes = watched("jittered")
    series = trade_series(tape)
    for watcher in NAMES:
        at = np.array([series.states.index(note.last_trade) for note in notes[watcher]])
        unique = np.array([series.states.count(note.last_trade) == 1 for note in notes[watcher]])
        assert (np.diff(at[unique]) >= 0).all()
        assert unique.sum() > 5


@pytest.mark.parametrize("latency_name", LATENCIES)
@pytest.mark.parametrize("watcher", NAMES)
def test_inventory_and_cash_are_those_of_the_fills_that_have_been_reported(watcher, latency_name):
    tape, notes = watched(latency_name)
    owner = next(owner for owner, agent in tape.agents.items() if agent["kind"] == watcher)
    series = account_series(tape, owner)
    assert not_as_it_was(notes[watcher], series, LATENCIES[latency_name], lambda note: note.account) == []
    assert len({note.account for note in notes[watcher]}) > 50


@pytest.mark.parametrize("latency_name", LATENCIES)
def test_the_depth_that_an_agent_sees_stood_its_longest_delay_ago(latency_name):
    tape, notes = watched(latency_name)
    delay_ns = LATENCIES[latency_name].feed_ns + LATENCIES[latency_name].feed_jitter_ns
    # Without a delay, what happens at that very moment may come before or after the look.
    apart = [note for note in notes["DepthWatcher"] if delay_ns or note.now_ns not in tape.rows["time_ns"]]
    book = depths_of(tape, [note.now_ns - delay_ns for note in apart])
    assert [note for note in apart if note.depth != book[note.now_ns - delay_ns]] == []
    assert len({note.depth for note in apart}) > 200


def test_agents_of_forty_different_delays_each_see_the_depth_of_their_class():
    delays_ns = [(i + 1) * 1_370_001 for i in range(40)]
    watchers = [DepthWatcher(step_ns=40_000_003, latency=Latency(feed_ns=delay_ns)) for delay_ns in delays_ns]
    simulation = Simulation([*crowd(), *watchers], seed=2)
    run = simulation.run(seconds=2)
    classes = delay_classes(delays_ns)
    assert len(simulation.world.replicas[0]) == len(set(classes.values())) <= CLASSES_MAX
    for agent, delay_ns in zip(run.agents[-40:], delays_ns, strict=True):
        book = depths_of(run.tape, [note.now_ns - classes[delay_ns] for note in agent.notes])
        assert [note.depth for note in agent.notes] == [book[note.now_ns - classes[delay_ns]] for note in agent.notes]
        assert len({note.depth for note in agent.notes}) > 20


class StopLimits(Agent):
    """Lets limit orders wait on both sides for a trade at the price where they will rest."""

    def on_start(self, market):
        market.wake_after(10 * MS_NS)

    def on_timer(self, market):
        side = 2 * market.integers(0, 2) - 1
        price_ticks = market.opening_ticks + market.integers(-5, 6)
        market.limit(side, price_ticks, 3, trigger_ticks=price_ticks)
        market.wake_after(10 * MS_NS)


@pytest.mark.parametrize(("venue", "kind"), [
    (Venue(), ReportKind.TRIGGERED), (Venue(phase=Phase.BATCH, batch_interval_ns=100 * MS_NS), ReportKind.AUCTION),
])
def test_depth_shows_what_triggered_stops_and_auctions_leave_behind(venue, kind):
    latency = Latency(feed_ns=5 * MS_NS)
    run = Simulation([*crowd(), StopLimits(), DepthWatcher(latency=latency)], seed=12, venue=venue).run(seconds=4)
    notes = run.agents[-1].notes
    depth = depths_of(run.tape, [note.now_ns - latency.feed_ns for note in notes])
    assert (run.tape.rows["kind"] == kind).sum() > 20
    assert [note for note in notes if note.depth != depth[note.now_ns - latency.feed_ns]] == []


@given(delays_ns=st.lists(st.integers(0, 3_600_000_000_000), max_size=200))
def test_a_class_of_delays_is_never_shorter_than_its_delays_and_at_most_a_fifth_longer(delays_ns):
    classes = delay_classes(delays_ns)
    assert classes.keys() == set(delays_ns)
    assert all(delay_ns <= class_ns <= 1.2 * delay_ns + 1 for delay_ns, class_ns in classes.items())
    assert len(set(delays_ns)) > CLASSES_MAX or all(delay_ns == class_ns for delay_ns, class_ns in classes.items())


def test_an_agent_that_reads_depth_through_another_function_must_say_so():
    def depth(market):
        return market.depth_ticks(1)

    class Silent(Agent):
        def on_start(self, market):
            depth(market)

    class Declared(Silent):
        reads_depth = True

    with pytest.raises(AgentError, match="must declare reads_depth = True"):
        Simulation([Silent()]).run(seconds=1)
    assert Simulation([Declared()]).run(seconds=1).is_complete


# The fundamental.

RESTLESS = Fundamental(volatility_ticks=3.0)


class Oracle(Agent):
    """Reads the value every step."""

    sees_fundamental = True
    step_ns: int = 7 * MS_NS
    delay_ns: int = 0

    def on_start(self, market):
        self.values = {}
        market.wake_after(self.step_ns)

    def on_timer(self, market):
        self.values[market.now_ns] = market.fundamental_ticks(self.delay_ns)
        market.wake_after(self.step_ns)


def values_of(*oracles, fundamental=RESTLESS, seed=1):
    return [agent.values for agent in Simulation(oracles, fundamental=fundamental, seed=seed).run(seconds=2).agents]


def test_a_late_reading_of_the_value_is_the_earlier_reading():
    now, late = values_of(Oracle(), Oracle(delay_ns=70 * MS_NS))
    assert {time_ns: late[time_ns + 70 * MS_NS] for time_ns in list(now)[:-10]} == dict(list(now.items())[:-10])
    assert set(list(late.values())[:10]) == {10_000.0}
    assert len(set(now.values())) > 150


def test_the_value_changes_only_on_its_grid():
    values, = values_of(Oracle(step_ns=MS_NS))
    changed_ns = [time_ns for time_ns in list(values)[1:] if values[time_ns] != values[time_ns - MS_NS]]
    assert changed_ns == list(range(10 * MS_NS, 2_000 * MS_NS + 1, 10 * MS_NS))


def test_the_value_moves_as_much_as_its_volatility_says_and_jumps_when_it_jumps():
    calm, wild, still = (values_of(Oracle(), fundamental=Fundamental(volatility_ticks=sigma_ticks))[0] for sigma_ticks in (1.0, 10.0, 0.0))
    jumping, = values_of(Oracle(), fundamental=Fundamental(volatility_ticks=0.0, jump_rate_hz=5.0, jump_ticks=4.0))
    assert np.allclose(10 * (np.array(list(calm.values())) - 10_000), np.array(list(wild.values())) - 10_000)
    assert set(still.values()) == {10_000.0}
    assert 3 < len(set(jumping.values())) < 25
    steps = np.diff(list(values_of(Oracle(step_ns=10 * MS_NS), fundamental=Fundamental(volatility_ticks=10.0), seed=4)[0].values()))
    assert abs(steps.std() / (10.0 * 0.1) - 1) < 0.25, "200 steps: the deviation of their deviation is 5 %"


@pytest.mark.parametrize("plain", [False, True])
def test_only_who_declares_it_can_read_the_value_and_no_further_back_than_it_is_kept(plain):
    @compiled
    class Blind(Agent):
        def on_start(self, market):
            market.fundamental_ticks()

    @compiled
    class Historian(Agent):
        sees_fundamental = True
        delay_ns: int = 0

        def on_start(self, market):
            market.wake_after(50_000_000_000)

        def on_timer(self, market):
            market.fundamental_ticks(self.delay_ns)

    def read(agent, fundamental=RESTLESS):
        return Simulation([agent], fundamental=fundamental, plain=plain).run(seconds=60)

    assert read(Historian(delay_ns=40_900 * MS_NS)).is_complete
    for agent, fundamental, words in (
        (Blind(), Fundamental(), "does not declare sees_fundamental = True"),
        (Historian(delay_ns=41_000 * MS_NS), Fundamental(), "longer than the 4,096 steps"), (Historian(delay_ns=-1), Fundamental(), "the delay must be >= 0"),
    ):
        with pytest.raises(AgentError, match=words):
            read(agent, fundamental)
    with pytest.raises(ScenarioError, match="sees a fundamental, and the simulation has none"):
        read(Historian(), None)


# What native code cannot even name.

def compiled_error(cls):
    with pytest.raises(AgentError) as failure:
        Simulation([compiled(cls)()])
    return str(failure.value)


def test_an_agent_cannot_set_what_it_sees():
    class Cheat(Agent):
        def on_start(self, market):
            market.inventory_lots = 1_000

    assert compiled_error(Cheat).startswith("Cheat.on_start cannot be compiled: market.inventory_lots cannot be set")
    with pytest.raises(AgentError, match="has no setter"):
        Simulation([Cheat()], plain=True).run(seconds=1)


@pytest.mark.parametrize("name", ["world", "state", "_address", "_words", "cursors", "replica", "owner", "sees_fundamental", "feed_max_ns"])
def test_the_compiled_market_leads_nowhere_but_to_what_an_agent_may_see(name):
    namespace = {"Agent": Agent}
    exec(f"class Burglar(Agent):\n    def on_start(self, market):\n        found = market.{name}\n", namespace)
    assert compiled_error(namespace["Burglar"]).startswith(f"Burglar.on_start cannot be compiled: market has no {name!r}")
