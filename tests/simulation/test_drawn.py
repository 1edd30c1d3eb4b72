"""Parameters drawn from a distribution: each agent has its own, and more agents move nobody else's."""
import numpy as np
import pytest

from agents import NoiseTrader
from lob import Agent, Array, ScenarioError, Simulation, choice, compiled, exponential, lognormal, normal, uniform
from lob.simulation.scenario import load


@compiled
class Varied(Agent):
    positive = ("rate_hz",)

    rate_hz: float = 1.0
    lots: int = 1
    is_shy: bool = False
    weights: Array[float, 3] = 0.0


def made(seed=1, plain=False, **parameters):
    return Simulation([Varied(**parameters)], seed=seed, plain=plain).run(seconds=0.001).agents


def test_each_agent_draws_its_own_number_and_more_agents_move_nobody_elses():
    few, many, others = (made(count=count, rate_hz=lognormal(0.0, 0.5), seed=seed) for count, seed in ((3, 1), (50, 1), (3, 2)))
    rates = [agent.rate_hz for agent in many]
    assert len(set(rates)) == 50
    assert [agent.rate_hz for agent in few] == rates[:3]
    assert not {agent.rate_hz for agent in others} & set(rates)


def test_a_drawn_number_is_of_its_fields_kind():
    agents = made(count=200, rate_hz=uniform(0.5, 2.0), lots=uniform(1, 4), is_shy=choice([0, 1]), weights=normal(5.0, 0.1))
    assert all(0.5 <= agent.rate_hz <= 2.0 for agent in agents)
    # Each of the four numbers is as likely as the others: fifty of each, six deviations of 6.
    counts = np.bincount([agent.lots for agent in agents], minlength=5)
    assert (np.abs(counts[1:] - 50) < 37).all()
    assert {type(agent.lots) for agent in agents} == {int}
    assert {agent.is_shy for agent in agents} == {False, True}
    assert len({weight for agent in agents for weight in agent.weights}) == 600


def test_native_and_plain_agents_draw_the_same_and_the_tape_says_what():
    native, plain = (Simulation([Varied(count=2, lots=exponential(50.0))], plain=plain).run(seconds=0.001) for plain in (False, True))
    assert [agent.lots for agent in native.agents] == [agent.lots for agent in plain.agents]
    assert [agent["parameters"]["lots"] for agent in native.provenance["agents"]] == [agent.lots for agent in native.agents]


def test_a_file_says_it_with_a_table_of_one_key(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[[agents]]\nclass = "agents:NoiseTrader"\ncount = 4\nrate_hz = { uniform = [0.5, 2.0] }\n')
    run = load(path).simulation(seed=5).run(seconds=1)
    same = Simulation([NoiseTrader(count=4, rate_hz=uniform(0.5, 2.0))], seed=5).run(seconds=1)
    assert [agent.rate_hz for agent in run.agents] == [agent.rate_hz for agent in same.agents]
    assert run.tape.rows.tobytes() == same.tape.rows.tobytes()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rate_hz = { unifrom = [0.5, 2.0] }", r"agents\[0\]\.rate_hz: a distribution is one of uniform"), ("rate_hz = { uniform = [2.0] }", "uniform takes"),
        ("rate_hz = { uniform = [0, 1], normal = [0, 1] }", "must name one distribution"),
    ],
)
def test_a_table_that_is_no_distribution_is_refused_with_its_place(text, words, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(f'[[agents]]\nclass = "agents:NoiseTrader"\n{text}\n')
    with pytest.raises(ScenarioError, match=words):
        load(path)


def test_a_number_that_comes_out_of_range_is_refused_by_name():
    with pytest.raises(ScenarioError, match=r"Varied\.rate_hz must be > 0, was -"):
        made(rate_hz=uniform(-2.0, -1.0))
