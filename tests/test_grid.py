"""The grid: every choice of parameters has its line, the same on one core and on several, and the same as a run by itself."""
import importlib
import sys
from itertools import product
from pathlib import Path

import polars
import pytest

from lob import OrderBook, ScenarioError, Simulation, profit_and_loss, sweep

sys.path.insert(0, str(Path(__file__).parent / "simulation"))
sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from joiner import Joiner
from random_market import random_requests
from test_recorded_day import feed_of, record

GRID = {"step_ns": [100_000_000, 2_000_000_000], "inventory_max_lots": [2, 20]}


@pytest.fixture(scope="module")
def day():
    return feed_of(record(OrderBook().send_many(random_requests(2_000, seed=1))))


def test_every_choice_of_parameters_and_seed_has_a_line(day):
    table = sweep(Joiner, GRID, day, seeds=(1, 2), jobs=1, progress=False)
    assert table.select("step_ns", "inventory_max_lots", "seed").rows() == list(product(*GRID.values(), (1, 2)))
    assert table["fills"].min() > 0
    assert {"pnl_ticks", "realised_1s", "realised_10s"} <= set(table.columns)


def test_a_line_is_what_a_run_by_itself_says(day):
    line = sweep(Joiner, {"inventory_max_lots": [3]}, day, execution="displace", jobs=1, progress=False).row(0, named=True)
    run = Simulation([Joiner(inventory_max_lots=3)], feed=day, execution="displace").run()
    account = profit_and_loss(run.tape).row(by_predicate=polars.col("owner") == 1, named=True)
    assert line["execution"] == "displace"
    assert {name: line[name] for name in ("fills", "inventory_lots", "cash_ticks", "pnl_ticks")} == {
        name: account[name] for name in ("fills", "inventory_lots", "cash_ticks", "pnl_ticks")}


def test_several_cores_say_the_same_as_one(day):
    assert sweep(Joiner, GRID, day, jobs=2, progress=False).rows() == sweep(Joiner, GRID, day, jobs=1, progress=False).rows()


def test_an_agent_that_is_edited_between_two_sweeps_runs_as_it_is_now(day, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    text = "from lob import Agent\nclass Buyer(Agent):\n    lots: int = 1\n    def on_start(self, market):\n        market.buy(market.opening_ticks, {})\n"
    (tmp_path / "edited.py").write_text(text.format("self.lots"))
    edited = importlib.import_module("edited")
    assert sweep(edited.Buyer, {"lots": [1, 2]}, day, jobs=2, progress=False)["requests"].to_list() == [1, 1]
    (tmp_path / "edited.py").write_text(text.format("1) if self.lots == 1 else market.market_order(1, 1); market.market_order(1, self.lots"))
    importlib.reload(edited)
    assert sweep(edited.Buyer, {"lots": [1, 2]}, day, jobs=2, progress=False)["requests"].to_list() == [2, 2]


def test_a_parameter_without_values_is_refused(day):
    with pytest.raises(ScenarioError, match=r"grid\['step_ns'\] must be a list of values, was \[\]"):
        sweep(Joiner, {"step_ns": []}, day)
