"""Whole simulations: requests a second with every delivery included, the cost of one agent call, and of one Python callback."""
import numpy as np
import pytest

from agents import NoiseTrader
from lob import Agent, Latency, Simulation, compiled
from lob.jit import jit
from lob.schedule import ScheduleMemory, add, entry_at, remove_first, schedule_at
from lob.simulation.scenario import load

CALLS = 300_000


@compiled
class Clock(Agent):
    """Does nothing but set its timer again."""

    def on_start(self, market):
        market.wake_after(1_000)

    def on_timer(self, market):
        market.wake_after(1_000)


class PlainClock(Agent):
    """The same, as Python."""

    def on_start(self, market):
        market.wake_after(1_000)

    def on_timer(self, market):
        market.wake_after(1_000)


@jit
def hold(schedule_address, rounds, delays):
    """Take the first event off and plan another, `rounds` times: the classic hold model of an event queue (Jones, 1986)."""
    schedule = schedule_at(schedule_address, 0)
    for i in range(rounds):
        time_ns = entry_at(schedule.entries, 0).time_ns
        remove_first(schedule)
        add(schedule, time_ns + delays[i & 1023], 0, 0)


def _timed(benchmark, make, run, count_of=lambda run: run.requests, name="requests_per_second"):
    last = benchmark.pedantic(run, setup=lambda: ((make(),), {}), rounds=5, warmup_rounds=1)
    seconds = benchmark.stats["median"]
    benchmark.extra_info[name] = count_of(last) / seconds
    benchmark.extra_info["nanoseconds_each"] = seconds / count_of(last) * 1e9


@pytest.mark.parametrize("scenario", ["calm", "toxic"])
def test_scenario(benchmark, scenario):
    world = load(scenario)
    _timed(benchmark, world.simulation, lambda s: s.run(world.minutes, progress=False))


def test_scenario_with_its_tape_on_disk(benchmark, tmp_path):
    world = load("toxic")
    folders = iter(range(100))
    _timed(benchmark, lambda: world.simulation(out=tmp_path / str(next(folders))), lambda s: s.run(world.minutes, progress=False))


@pytest.mark.parametrize("count", [125, 1_000])
def test_many_traders(benchmark, count):
    far = Latency(feed_ns=1_000_000, order_ns=1_000_000, order_jitter_ns=500_000)
    minutes = 500 / count
    _timed(benchmark, lambda: Simulation([NoiseTrader(count=count, latency=far)]), lambda s: s.run(minutes, progress=False))


@pytest.mark.parametrize("agent", [Clock, PlainClock])
def test_one_agent_call(benchmark, agent):
    _timed(benchmark, lambda: Simulation([agent()]), lambda s: s.run(until_ns=CALLS * 1_000, progress=False), lambda run: run.deliveries, "calls_per_second")


@pytest.mark.parametrize("events", [100, 10_000])
def test_event_queue(benchmark, events):
    rounds = 1_000_000
    delays = np.random.default_rng(1).exponential(1e6, 1024).astype(np.int64)

    def make():
        memory = ScheduleMemory(capacity=events + 8)
        for i in range(events):
            memory.entries[i] = (i, i, 0, 0)
        memory.record["count"] = memory.record["sequence"] = events
        return memory

    _timed(benchmark, make, lambda memory: hold(memory.record.ctypes.data, rounds, delays), lambda _: rounds, "events_per_second")
