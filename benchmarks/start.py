"""How long a new compiled agent takes to start, in a process of its own, when the engine has been compiled before: python benchmarks/start.py [--json]

Each round writes the file of a maker that no process has seen, and times a process that imports it and runs it for five simulated seconds: the start of Python,
the imports, the compilation of the agent and the run. Then the same once more, with the agent's code on disk.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from provenance import PROJECT, measured_on, one_line

MAKER = '''"""A maker of a user's."""
from lob import Agent, compiled


@compiled
class Mine(Agent):
    role = "maker"
    positive = ("lots",)

    lots: int = 5
    inventory_max_lots: int = 50
    half_spread_ticks: float = 1.0
    skew_ticks: float = 0.0{number}
    bid_id: int = 0
    ask_id: int = 0
    bid_ticks: int = 0
    ask_ticks: int = 0
    fills: int = 0
    filled_lots: int = 0

    def on_start(self, market):
        market.wake_after(1_000_000_000)

    def on_timer(self, market):
        self.requote(market)
        market.wake_after(1_000_000_000)

    def on_quote(self, market):
        self.requote(market)

    def on_fill(self, market, fill):
        self.fills += 1
        self.filled_lots += fill.lots

    def on_done(self, market, order):
        if order.id == self.bid_id:
            self.bid_id, self.bid_ticks = 0, 0
            self.requote(market)
        elif order.id == self.ask_id:
            self.ask_id, self.ask_ticks = 0, 0
            self.requote(market)

    def requote(self, market):
        if market.best_bid_ticks == 0 or market.best_ask_ticks == 0:
            return
        center = market.mid_ticks - self.skew_ticks * market.inventory_lots
        bid = min(int((center - self.half_spread_ticks) // 1), market.best_ask_ticks - 1)
        ask = max(-int(-(center + self.half_spread_ticks) // 1), market.best_bid_ticks + 1)
        self.bid_side(market, max(bid, 1))
        self.ask_side(market, ask)

    def bid_side(self, market, price_ticks):
        if self.bid_id == 0 and market.inventory_lots < self.inventory_max_lots:
            self.bid_id = market.buy(price_ticks, self.lots, post_only=True)
            self.bid_ticks = price_ticks
        elif self.bid_id and self.bid_ticks and self.bid_ticks != price_ticks:
            market.cancel(self.bid_id)
            self.bid_ticks = 0

    def ask_side(self, market, price_ticks):
        if self.ask_id == 0 and market.inventory_lots > -self.inventory_max_lots:
            self.ask_id = market.sell(price_ticks, self.lots, post_only=True)
            self.ask_ticks = price_ticks
        elif self.ask_id and self.ask_ticks and self.ask_ticks != price_ticks:
            market.cancel(self.ask_id)
            self.ask_ticks = 0
'''
PROGRAM = """
from agents import NoiseTrader
from lob import Simulation
from mine import Mine

print(Simulation([NoiseTrader(count=20), Mine()], seed=1).run(seconds=5, progress=False).requests)
"""


def timed(folder):
    """Return the wall and processor seconds of one process, and what it says on standard error."""
    paths = [folder, str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)}, capture_output=True, text=True, check=True,
    )
    wall, after = time.perf_counter() - wall, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stderr


def measure(rounds):
    """Return the whole result; the first process, which may compile the engine, is not counted."""
    seconds = {"new": [], "again": []}
    with tempfile.TemporaryDirectory() as folder:
        for i in range(rounds + 1):
            # The process's own number, so that no agent of an earlier run on this machine is the same.
            Path(folder, "mine.py").write_text(MAKER.replace("{number}", f"{i}{os.getpid()}"), encoding="utf-8")
            for found in seconds.values():
                wall_seconds, cpu_seconds, said = timed(folder)
                if i:
                    assert "compiling" not in said, said
                    found.append((wall_seconds, cpu_seconds))
    rows = [
        {"agent": name, "wall_seconds": round(statistics.median(wall for wall, _ in found), 3), "cpu_seconds": round(min(cpu for _, cpu in found), 3)}
        for name, found in seconds.items()
    ]
    return {"benchmark": "start", **measured_on(), "rounds": rounds, "lines": len(MAKER.splitlines()), "processes": rows}


def table(result):
    """Return the result as lines of text."""
    lines = [f"{row['agent']:<8} {row['wall_seconds']:>6.2f} s, of processor time {row['cpu_seconds']:.2f} s" for row in result["processes"]]
    return "\n".join([f"a maker of {result['lines']} lines, from the start of a process to the end of five simulated seconds", *lines, one_line(result)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    options = parser.parse_args()
    result = measure(options.rounds)
    print(json.dumps(result, indent=1) if options.json else table(result))


if __name__ == "__main__":
    main()
