"""What a simulation costs, whole and by its parts: python benchmarks/simulation.py --json

whole: the scenarios, `thousand` first, with every row thrown away as soon as it is written, with the tape in memory and with it on disk; a request is an
order, cancel or replace that reaches the exchange, and all deliveries are in its cost. parts: the event queue (the hold model of Jones, "An empirical
comparison of priority-queue and event-set implementations", CACM 29, 1986), a look at the market through a feed's delay, one call of a compiled agent and
of a Python agent. crowd: noise traders, one and eight times as many, as many messages. python: a hundred Python agents that each send one instruction a
call, beside those of bourse if it is installed.

Times are the process's own, system time with it, so that others on the machine disturb them less; what passed on the wall stands beside. Medians of rounds.
"""
import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from provenance import measured_on, one_line

from agents import NoiseTrader
from lob import Agent, Latency, Simulation, compiled
from lob.jit import jit
from lob.simulation import calendar
from lob.simulation.calendar import CalendarMemory, calendar_at
from lob.simulation.kept import MemorySink
from lob.simulation.scenario import load
from lob.simulation.view import look
from lob.simulation.world import TOUCHES, TRADES, agent_of, cursor_of, world_at

FAR = Latency(feed_ns=1_000_000, order_ns=1_000_000, order_jitter_ns=500_000)
PYTHON_AGENTS, CALL_NS = 100, 1_000


class Nowhere(MemorySink):
    """Keeps no row: what is left is the cost of the market."""

    def take(self, reports):
        reports.clear()


class PlainClock(Agent):
    """Does nothing but set its timer again."""

    def on_start(self, market):
        market.wake_after(CALL_NS)

    def on_timer(self, market):
        market.wake_after(CALL_NS)


@compiled
class Clock(PlainClock):
    """The same, as native code."""

    calls: int = 0


class Teller(Agent):
    """Sends one instruction a call: an order some ticks from the touch, then its cancel."""

    order_id: int = 0

    def on_start(self, market):
        market.wake_after(CALL_NS)

    def on_timer(self, market):
        if self.order_id:
            market.cancel(self.order_id)
            self.order_id = 0
        else:
            side = 1 if market.uniform() < 0.5 else -1
            self.order_id = market.limit(side, market.opening_ticks - side * market.integers(1, 20), 1)
        market.wake_after(CALL_NS)


def timed(make, run, rounds):
    """Return (seconds of the processor, seconds on the wall, what the last run returned): medians of rounds after one that warms up."""
    spent, passed = [], []
    for _ in range(rounds + 1):
        made = make()
        began, begun = time.process_time(), time.perf_counter()
        result = run(made)
        spent.append(time.process_time() - began)
        passed.append(time.perf_counter() - begun)
    return statistics.median(spent[1:]), statistics.median(passed[1:]), result


def row(name, count, measured, what):
    """Return a row of the result: how many there were of something and what each cost."""
    spent, passed, _ = measured
    return {
        "name": name, what: count, "ns_each": round(spent / count * 1e9, 2), f"{what}_per_second": round(count / spent),
        "wall_ns_each": round(passed / count * 1e9, 2),
    }


def scenario_row(name, place, minutes, rounds):
    """Return the row of a scenario with its tape "nowhere", "in memory" or "on disk"."""
    world = load(name)
    length = minutes or world.minutes

    def made(folder):
        simulation = world.simulation(out=Path(folder) if place == "on disk" else None)
        if place == "nowhere":
            simulation._memory = Nowhere()
        return simulation

    with tempfile.TemporaryDirectory() as folder:
        measured = timed(lambda: made(folder), lambda simulation: simulation.run(length, progress=False), rounds)
    run = measured[2]
    return row(f"{name}, tape {place}", run.requests, measured, "requests") | {"simulated_minutes": length, "deliveries": run.deliveries, "tape": place}


def whole(minutes, rounds):
    """Return the rows of the scenarios, each with its tape in every place."""
    return [scenario_row(name, place, minutes, rounds) for name in ("thousand", "calm", "toxic") for place in ("nowhere", "in memory", "on disk")]


@jit
def hold(calendar_address, rounds, delays):
    """Take the first event off and plan another, many times."""
    events = calendar_at(calendar_address, 0)
    for i in range(rounds):
        time_ns = calendar.first_of(events).time_ns
        calendar.remove_first(events)
        calendar.add(events, time_ns + delays[i & 1023], 0, 0)


@jit
def look_often(world_address, owner, rounds, step_ns):
    """Look at the market as of many times, each as if the last look had been long ago."""
    world = world_at(world_address, 0)
    agent = agent_of(world, owner)
    for i in range(rounds):
        cursor_of(agent, TOUCHES).next = cursor_of(agent, TRADES).next = 1
        agent.now_ns = world.now_ns - (i & 63) * step_ns
        look(world, agent)


def parts(count, rounds):
    """Return rows of the event queue, of views and of calls."""
    delays = np.random.default_rng(1).exponential(1e6, 1024).astype(np.int64)
    rows = []
    for events in (100, 10_000):
        def filled(events=events):
            memory = CalendarMemory(capacity=events + 8)
            for i in range(events):
                calendar.add_at(memory.address, int(delays[i & 1023]) + i, 0, 0)
            return memory

        rows.append(row(f"event queue, {events:,} planned", count, timed(filled, lambda memory: hold(memory.address, count, delays), rounds), "events"))
    watched = load("calm").simulation()
    watched.run(seconds=5, progress=False)
    looks = timed(lambda: watched, lambda simulation: look_often(simulation.world.address, 1, count, 50_000), rounds)
    rows.append(row("view, the touch and the last trade a delay ago", count, looks, "looks"))
    for kind in (Clock, PlainClock):
        calls = timed(lambda kind=kind: Simulation([kind()]), lambda s: s.run(until_ns=count * CALL_NS, progress=False), rounds)
        rows.append(row(f"one call of a {'compiled' if kind is Clock else 'Python'} agent", count, calls, "calls"))
    return rows


def crowd_row(count, messages, rounds):
    """Return the row of some noise traders that send as many messages whatever their number."""
    traders = [NoiseTrader(count=count, latency=FAR)]
    measured = timed(lambda: Simulation(traders), lambda simulation: simulation.run(seconds=messages / count, progress=False), rounds)
    return row(f"{count:,} noise traders", measured[2].requests, measured, "requests")


def python_agents(steps, rounds):
    """Return rows of a hundred Python agents, ours and, if it is installed, bourse's; and what is missing."""
    tellers = timed(lambda: Simulation([Teller(count=PYTHON_AGENTS)]), lambda s: s.run(until_ns=steps * CALL_NS, progress=False), rounds)
    rows, skipped = [row("lob, a hundred Python agents", tellers[2].deliveries - PYTHON_AGENTS, tellers, "callbacks")], []
    try:
        from contenders.bourse_house import Crowd
    except ImportError as error:
        skipped.append(f"bourse: {error}")
    else:
        measured = timed(lambda: Crowd(PYTHON_AGENTS, seed=1), lambda house: house.run(steps), rounds)
        rows.append(row("bourse, a hundred Python agents", measured[2], measured, "callbacks"))
    return rows, skipped


def measure(minutes=None, count=1_000_000, messages=500_000, steps=3_000, rounds=3):
    """Return the whole result."""
    crowds = [crowd_row(count, messages, rounds) for count in (125, 1_000)]
    pythons, skipped = python_agents(steps, rounds)
    return {
        "benchmark": "simulation", **measured_on("bourse"), "rounds": rounds, "whole": whole(minutes, rounds), "parts": parts(count, rounds), "crowd": crowds,
        "cost_of_eight_times_the_agents": round(crowds[1]["ns_each"] / crowds[0]["ns_each"], 2), "python": pythons, "skipped": skipped,
    }


def table(result):
    """Return the result as lines of text."""
    lines = []
    for part in ("whole", "parts", "crowd", "python"):
        for line in result[part]:
            rate = next(name for name in line if name.endswith("_per_second"))
            lines.append(f"{line['name']:50}{line['ns_each']:>10,.1f} ns each {line[rate]:>14,} {rate.replace('_', ' ')}  wall {line['wall_ns_each']:,.1f} ns")
    lines.append(f"eight times the agents cost {result['cost_of_eight_times_the_agents']} times as much a message")
    return "\n".join([*lines, *(f"skipped: {line}" for line in result["skipped"]), one_line(result)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, help="simulated, of each scenario; by default what the scenario says")
    parser.add_argument("--count", type=int, default=1_000_000, help="of events, looks and calls")
    parser.add_argument("--messages", type=int, default=500_000, help="of the crowds")
    parser.add_argument("--steps", type=int, default=3_000, help="of the Python agents")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    options = parser.parse_args()
    result = measure(options.minutes, options.count, options.messages, options.steps, options.rounds)
    print(json.dumps(result, indent=1) if options.json else table(result))


if __name__ == "__main__":
    main()
