"""The fundamental: what moves it, and how a file gives it."""
import math

import numpy as np
import pytest

from lob import Agent, Fundamental, ScenarioError, Simulation
from lob.jit import jit
from lob.simulation.fundamental import FundamentalMemory, advance_fundamental, fundamental_at
from lob.simulation.scenario import load


def path_of(model, steps, seed=1, opening_ticks=10_000, start_ns=0):
    """Return the values of a fundamental on its grid, the first being the opening one: float64[steps + 1]."""
    memory = FundamentalMemory(model, seed, opening_ticks, start_ns)
    values = np.zeros(steps + 1)
    _walk(memory.record.ctypes.data, values)
    return values


@jit
def _walk(address, values):
    fundamental = fundamental_at(address, 0)
    for i in range(len(values)):
        values[i] = fundamental.value_ticks
        advance_fundamental(fundamental)


def test_a_diffusion_has_the_variance_that_its_volatility_says():
    moves = np.diff(path_of(Fundamental(volatility_ticks=3.0), 20_000))
    # The relative error of a variance of n normal numbers is sqrt(2 / n).
    assert moves.var() == pytest.approx(9.0 * 0.01, rel=5 * (2 / 20_000) ** 0.5)
    assert abs(moves.mean()) < 5 * 0.3 / 20_000**0.5


def test_jumps_come_at_their_rate_with_their_mean_and_deviation():
    moves = np.diff(path_of(Fundamental(volatility_ticks=0.0, jump_rate_hz=2.0, jump_mean_ticks=-5.0, jump_ticks=1.5), 40_000))
    jumps = moves[moves != 0.0]
    # 400 s on a grid of 10 ms: a step jumps with probability 1 - exp(-0.02).
    expected = 40_000 * -math.expm1(-0.02)
    assert abs(len(jumps) - expected) < 5 * expected**0.5
    assert abs(jumps.mean() + 5.0) < 5 * 1.5 / len(jumps) ** 0.5
    assert jumps.std() == pytest.approx(1.5, rel=5 / (2 * len(jumps)) ** 0.5)


def test_a_mean_reverting_value_has_the_stationary_variance_of_ornstein_and_uhlenbeck_around_its_mean():
    # Half a second of memory, 2,000 s: 2,000 independent values at least. A coarse grid gives the same law as a fine one.
    for step_ns in (10_000_000, 400_000_000):
        values = path_of(Fundamental(volatility_ticks=2.0, mean_reversion_hz=2.0, mean_ticks=9_990.0, step_ns=step_ns), 2_000_000_000_000 // step_ns)
        settled = values[len(values) // 100:]
        assert settled.mean() == pytest.approx(9_990.0, abs=5 * 1.0 / 2_000**0.5)
        assert settled.var() == pytest.approx(4.0 / (2 * 2.0), rel=5 * (2 / 2_000) ** 0.5)


def test_without_a_mean_it_returns_to_where_it_began():
    assert path_of(Fundamental(volatility_ticks=0.0, mean_reversion_hz=1.0), 10).tolist() == [10_000.0] * 11


def file_of(folder, text):
    path = folder / "values.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_file_gives_the_value_of_every_time_by_the_last_line_before(tmp_path):
    file = file_of(tmp_path, "time_ns,value_ticks\n0,100.5\n15000000,101\n16000000,102\n30000000,99.25\n")
    assert path_of(Fundamental(file=file), 5).tolist() == [100.5, 100.5, 102.0, 99.25, 99.25, 99.25]
    assert path_of(Fundamental(file=file), 2, start_ns=16_000_000).tolist() == [102.0, 102.0, 99.25]


def test_before_the_first_line_of_a_file_the_value_is_the_opening_price(tmp_path):
    file = file_of(tmp_path, "time_ns,value_ticks\n15000000,101\n")
    assert path_of(Fundamental(file=file), 2, opening_ticks=7).tolist() == [7.0, 7.0, 101.0]


class Reader(Agent):
    """Keeps the value that it reads after a second."""

    sees_fundamental = True
    read_ticks: float = 0.0

    def on_start(self, market):
        market.wake_after(1_005_000_000)

    def on_timer(self, market):
        self.read_ticks = market.fundamental_ticks()


def test_an_agent_reads_the_value_of_a_file(tmp_path):
    file = file_of(tmp_path, "time_ns,value_ticks\n0,10000\n900000000,10007.5\n2000000000,1\n")
    assert Simulation([Reader()], fundamental=Fundamental(file=file)).run(seconds=2).agents[0].read_ticks == 10_007.5


def test_a_scenario_names_the_file(tmp_path):
    file = file_of(tmp_path, "time_ns,value_ticks\n0,10000\n")
    scenario = tmp_path / "world.toml"
    scenario.write_text(f'[fundamental]\nfile = "{file}"\n[[agents]]\nclass = "agents:InformedTrader"\n', encoding="utf-8")
    assert load(scenario).fundamental == Fundamental(file=file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time_ns,value_ticks\n", "has no values"),
        ("time_ns,value\n1,2\n", "line 2 must have time_ns and value_ticks"),
        ("time_ns,value_ticks\n1,2\nx,3\n", "line 3 must have"),
        ("time_ns,value_ticks\n1,2\n2,nan\n", "line 3: the value must be finite"),
        ("time_ns,value_ticks\n1,2\n1,3\n", "line 3: the times must rise"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_line(tmp_path, text, message):
    with pytest.raises(ScenarioError, match=message):
        Fundamental(file=file_of(tmp_path, text))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"file": "nowhere.csv"}, "nowhere.csv"),
        ({"file": 3}, "file must be text, was 3"),
        ({"volatility_ticks": -1.0}, "volatility_ticks must be a number >= 0, was -1.0"),
        ({"jump_mean_ticks": math.nan}, "jump_mean_ticks must be a number, was nan"),
        ({"step_ns": 0}, "step_ns must be >= 1, was 0"),
        ({"step_ns": 1.5}, "step_ns must be a whole number, was 1.5"),
    ],
)
def test_a_setting_that_is_none_is_refused(settings, message):
    with pytest.raises(ScenarioError, match=message):
        Fundamental(**settings)


def test_nothing_else_can_be_set_beside_a_file(tmp_path):
    with pytest.raises(ScenarioError, match="volatility_ticks has no meaning beside a file, was 1.0"):
        Fundamental(file=file_of(tmp_path, "time_ns,value_ticks\n0,1\n"), volatility_ticks=1.0)
