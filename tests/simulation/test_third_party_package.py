"""A package of somebody else adds agents by "module:Class" alone: no registry, no change here, and the population need not be there."""
import os
import subprocess
import sys
from pathlib import Path

import lob

PROJECT = Path(lob.__file__).parents[1]
PACKAGE = {
    "desk/__init__.py": "",
    "desk/pricing.py": '''
def shaded_ticks(price_ticks, side, inventory_lots):
    """Return a price a tick further from the touch for each ten lots that its side would add to."""
    return price_ticks - side * max(side * inventory_lots // 10, 0)
''',
    "desk/quoting.py": '''
from desk.pricing import shaded_ticks
from lob import Agent, compiled


class TwoSided(Agent):
    """What the desk's makers share."""

    role = "maker"
    lots: int = 4
    bid_id: int = 0
    ask_id: int = 0

    def on_done(self, market, order):
        self.bid_id = 0 if order.id == self.bid_id else self.bid_id
        self.ask_id = 0 if order.id == self.ask_id else self.ask_id


@compiled
class ShadingMaker(TwoSided):
    """Quotes a tick from the opening price, shaded by what it holds."""

    def on_quote(self, market):
        if self.bid_id == 0:
            self.bid_id = market.buy(shaded_ticks(market.opening_ticks - 1, 1, market.inventory_lots), self.lots, post_only=True)
        if self.ask_id == 0:
            self.ask_id = market.sell(shaded_ticks(market.opening_ticks + 1, -1, market.inventory_lots), self.lots, post_only=True)
''',
    "desk/people.py": '''
from lob import Agent


class Dealer(Agent):
    """Plain Python: rests two orders around the opening price, and takes one lot of somebody now and then."""

    def on_start(self, market):
        market.buy(market.opening_ticks - 9, 5_000)
        market.sell(market.opening_ticks + 9, 5_000)
        market.wake_after(10_000_000)

    def on_timer(self, market):
        market.market_order(1 if market.uniform() < 0.5 else -1, market.integers(1, 4))
        market.wake_after(10_000_000)
''',
    "desk.toml": '''
minutes = 0.2

[[agents]]
class = "desk.people:Dealer"

[[agents]]
class = "desk.quoting:ShadingMaker"
count = 2
lots = { choice = [2, 6] }
latency = { feed_ns = 1_000, order_ns = 1_000 }
''',
}
PROGRAM = """
import sys
from lob import ReportKind, check_agent
from lob.simulation.scenario import load, resolve
world = load("desk.toml")
runs = [world.simulation(plain=plain).run(minutes=world.minutes) for plain in (False, True)]
assert runs[0].tape_sha256 == runs[1].tape_sha256
fills = runs[0].tape.rows[runs[0].tape.rows["kind"] == ReportKind.FILL]
assert (fills["resting_owner"] >= 2).sum() > 100, len(fills)
assert [agent["kind"] for agent in runs[0].tape.agents.values()] == ["Dealer", "ShadingMaker", "ShadingMaker"]
check_agent(resolve("here", "desk.quoting:ShadingMaker"))
assert "agents" not in sys.modules
"""


def test_a_package_of_somebody_else_adds_agents_by_module_and_class(tmp_path):
    for name, text in PACKAGE.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    # The package is on the path as an installed one is; where the project is not installed, so is the project.
    path = os.pathsep.join([str(tmp_path), str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
