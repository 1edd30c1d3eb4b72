"""When an agent's own code fails, the error says whose, where and when, and what happened up to there is not lost."""
import inspect
import json

import numpy as np
import pytest
from crowd import MS_NS, crowd

from lob import Agent, AgentError, Instrument, Latency, ScenarioError, Simulation, Tape, compiled, verify


@compiled
class DividesByInventory(Agent):
    """Buys, and is sorry when the fill arrives."""

    lots: int = 3

    def on_start(self, market):
        market.wake_at(500 * MS_NS)

    def on_timer(self, market):
        market.market_order(1, self.lots)

    def on_fill(self, market, fill):
        self.lots = 1 // (fill.lots - fill.lots)


def failed(out=None, plain=False):
    """Return the error and the Simulation of a market in which DividesByInventory fails."""
    simulation = Simulation([*crowd(), DividesByInventory(name="unlucky", latency=Latency(feed_ns=MS_NS))], seed=2, out=out, plain=plain)
    with pytest.raises(AgentError) as failure:
        simulation.run(seconds=5)
    return failure.value


@pytest.mark.parametrize("plain", [False, True])
def test_the_error_names_the_agent_the_hook_and_the_time(plain):
    error = failed(plain=plain)
    assert str(error).startswith("unlucky (DividesByInventory), on_fill, at 501,000,000 ns: ZeroDivisionError: integer division")
    assert isinstance(error.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("plain", [False, True])
def test_the_tape_up_to_the_error_is_kept_in_memory(plain):
    run = failed(plain=plain).run
    assert not run.is_complete
    assert run.provenance["complete"] is False
    assert run.provenance["end_ns"] == 501 * MS_NS
    assert 490 * MS_NS < run.tape.rows["time_ns"][-1] <= 501 * MS_NS
    assert verify(run.tape).ok


@pytest.mark.parametrize("plain", [False, True])
def test_the_tape_up_to_the_error_is_kept_on_disk(plain, tmp_path):
    run = failed(tmp_path, plain).run
    tape = Tape.read(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tape.parquet"]
    assert tape.provenance["complete"] is False
    assert tape.sha256 == run.tape_sha256 == failed(plain=plain).run.tape_sha256
    assert verify(tape).ok


def message_of(cls, plain):
    with pytest.raises(AgentError) as failure:
        Simulation([cls()], plain=plain).run(seconds=1)
    return str(failure.value)


def line_in(cls, text):
    """Return the number of the first line of a class that holds a text."""
    lines, first = inspect.getsourcelines(cls)
    return first + next(i for i, line in enumerate(lines) if text in line)


@pytest.mark.parametrize("plain", [False, True])
def test_the_error_names_the_line(plain):
    assert str(failed(plain=plain)).endswith(f"({__file__}, line {line_in(DividesByInventory, '1 // (')})")


@compiled
class SetsAnAlarm(Agent):
    """Fails in three ways: in a helper, by a raise of its own, and inside the market."""

    way: int = 0
    half: float = 0.0

    def on_start(self, market):
        if self.way == 0:
            self.divide()
        if self.way == 1:
            raise ValueError("enough")
        market.wake_at(-1)

    def divide(self):
        self.half = 1 / self.half


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(
    ("way", "words", "text"),
    [
        (0, "ZeroDivisionError: ", "1 / self.half"), (1, "ValueError: enough", 'raise ValueError("enough")'),
        (2, "ValueError: wake_at: the time is in the past", "wake_at(-1)"),
    ],
)
def test_native_code_names_the_line_too_wherever_it_fails(way, words, text, plain):
    with pytest.raises(AgentError) as failure:
        Simulation([*crowd(), SetsAnAlarm(way=way)], plain=plain).run(seconds=1)
    assert str(failure.value).startswith(f"SetsAnAlarm (SetsAnAlarm), on_start, at 0 ns: {words}")
    assert str(failure.value).endswith(f"({__file__}, line {line_in(SetsAnAlarm, text)})")


def test_an_error_of_this_library_in_an_agents_hook_is_the_agents():
    class Rounds(Agent):
        def on_start(self, market):
            market.buy(Instrument().to_ticks("100.005"), 1)

    assert message_of(Rounds, plain=True).startswith("Rounds (Rounds), on_start, at 0 ns: LobError: price of XYZ must be a multiple of the tick size 0.01")


def test_an_error_is_told_in_its_own_words():
    class Forgets(Agent):
        def on_start(self, market):
            {}["bid"]

    assert message_of(Forgets, plain=True) == f"Forgets (Forgets), on_start, at 0 ns: KeyError: 'bid' ({__file__}, line {line_in(Forgets, '{}[')})"


def test_a_wrong_type_in_a_plain_agent_is_an_agent_error_too():
    class Shouts(Agent):
        def on_start(self, market):
            market.exponential("loud")

    message = message_of(Shouts, plain=True)
    assert message.startswith("Shouts (Shouts), on_start, at 0 ns: TypingError: ")
    assert "\n" not in message


@compiled
class Fractions(Agent):
    """Sends whatever number it is told to be a price, lots or an order."""

    def on_start(self, market):
        market.buy(market.opening_ticks * 0.5, 1)


@compiled
class HalfLots(Agent):
    def on_start(self, market):
        market.market_order(1, 0.5)


@compiled
class HalfOrder(Agent):
    def on_start(self, market):
        market.cancel(1.5)


@compiled
class Word(Agent):
    def on_start(self, market):
        market.replace(1, "best", 5)


@pytest.mark.parametrize(
    ("cls", "name", "native", "python"),
    [
        (Fractions, "price_ticks", "float64", "5000.0"), (HalfLots, "lots", "float64", "0.5"), (HalfOrder, "order_id", "float64", "1.5"),
        (Word, "price_ticks", "unicode_type", "'best'"),
    ],
)
def test_no_float_enters_the_exchange(cls, name, native, python):
    words = f"{cls.__name__} ({cls.__name__}), on_start, at 0 ns: TypeError: {name} must be a whole number, was {python} ({__file__}, line "
    assert message_of(cls, plain=True).startswith(words)
    words = f"{cls.__name__}.on_start cannot be compiled: {name} must be a whole number, was {native} ({__file__}, line "
    assert message_of(cls, plain=False).startswith(words)


@compiled
class Never(Agent):
    def on_start(self, market):
        market.wake_at(None)


def test_a_time_that_is_no_number_is_refused_where_it_stands():
    assert message_of(Never, plain=False).startswith(f"Never.on_start cannot be compiled: time_ns must be a number, was none ({__file__}, line ")


@pytest.mark.parametrize("plain", [False, True])
def test_a_number_that_does_not_fit_into_a_byte_is_refused_by_the_exchange_and_not_cut_to_one_that_does(plain):
    @compiled
    class Wraps(Agent):
        def on_start(self, market):
            market.limit(257, 100, 1)
            market.limit(1, 100, 1, tif=256)

    rows = Simulation([Wraps()], plain=plain).run(seconds=1).tape.rows
    assert rows["reason"].tolist() == [5, 6], "unknown side, unknown time in force"


# What is no agent.

def test_a_misspelt_hook_is_found_before_anything_runs():
    with pytest.raises(AgentError, match=r"Typo\.on_qoute is no hook: did you mean 'on_quote'\?"):
        @compiled
        class Typo(Agent):
            def on_qoute(self, market):
                pass


def test_a_hook_with_the_wrong_arguments_is_found_before_anything_runs():
    with pytest.raises(AgentError, match=r"Forgetful\.on_fill must take \(self, market, fill\), takes \(self, market\)"):
        @compiled
        class Forgetful(Agent):
            def on_fill(self, market):
                pass


def test_a_field_is_a_number_or_a_truth():
    class Named(Agent):
        title: str = "maker"

    with pytest.raises(AgentError, match=r"Named\.title: a field is int, float or bool, or an Array of them, was <class 'str'>"):
        Named()


@pytest.mark.parametrize("name", ["name", "count", "venue", "latency", "role", "clone"])
def test_a_field_cannot_have_the_name_of_a_setting_that_every_agent_has(name):
    Shadows = type("Shadows", (Agent,), {"__annotations__": {name: int}, name: 1})
    with pytest.raises(AgentError, match=rf"Shadows\.{name}: a field cannot be called so"):
        Shadows()


class Plain(Agent):
    lots: int
    edge: float = 1.5
    is_shy: bool = False


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"lots": 1, "lotz": 2}, "Plain has no parameter 'lotz': did you mean 'lots'?"),
        ({"lots": 1, "zzz": 2}, "Plain has no parameter 'zzz'; it has lots, edge, is_shy"),
        ({}, "Plain.lots has no default and must be given"), ({"lots": 1.0}, "Plain.lots must be int, was 1.0"),
        ({"lots": True}, "Plain.lots must be int, was True"),
        ({"lots": 2**63}, "Plain.lots is out of range"), ({"lots": 1, "edge": "wide"}, "Plain.edge must be float, was 'wide'"),
        ({"lots": 1, "edge": float("nan")}, "Plain.edge is out of range: nan"), ({"lots": 1, "is_shy": 1}, "Plain.is_shy must be bool, was 1"),
        ({"lots": 1, "count": 0}, "Plain.count must be a whole number from 1 to 1,000,000, was 0"),
        ({"lots": 1, "count": True}, "Plain.count must be a whole number from 1 to 1,000,000, was True"),
        ({"lots": 1, "latency": 5}, "Plain.latency must be a Latency, was 5"), ({"lots": 1, "self": 5}, "Plain has no parameter 'self'"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_refused_by_name(parameters, words):
    with pytest.raises(ScenarioError) as failure:
        Plain(**parameters)
    assert str(failure.value).startswith(words)


def test_what_takes_part_must_be_an_agent():
    with pytest.raises(ScenarioError, match=r"agents\[1\] must be an instance of lob\.Agent, was <class"):
        Simulation([Plain(lots=1), Plain])
    with pytest.raises(ScenarioError, match=r"agents\[0\]\.venue must be the number of one of 1 books"):
        Simulation([Plain(lots=1, venue=1)])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"feed": 5}, "feed must be of the class Feed, was 5"), ({"instrument": "ES"}, "instrument must be of the class Instrument, was 'ES'"),
        ({"fundamental": 5}, "fundamental must be of the class Fundamental, was 5"), ({"agents": Plain(lots=1)}, "agents must be a list of agents, was "),
        ({"schedule": 5}, "venue.schedule must be a list of times and phases, was 5"), ({"seed": True}, "seed must be a whole number from 0"),
    ],
)
def test_a_setting_of_another_kind_is_refused_by_name(settings, words):
    with pytest.raises(ScenarioError) as failure:
        Simulation(**{"agents": [Plain(lots=1)]} | settings)
    assert str(failure.value).startswith(words)


def test_whole_numbers_may_be_numpys():
    plain = Plain(lots=np.int64(1), count=np.int64(2), latency=Latency(feed_ns=np.int64(3)))
    run = Simulation([plain], seed=np.int64(4), opening_price_ticks=np.int32(50), books=np.int8(1)).run(seconds=np.int64(1))
    assert (run.provenance["seed"], run.provenance["opening_price_ticks"], run.provenance["end_ns"], len(run.agents)) == (4, 50, 1_000_000_000, 2)
    json.dumps(run.provenance)


def test_every_agent_of_a_simulation_has_a_name_of_its_own():
    agents = [Plain(lots=1), Plain(lots=2, count=2), Plain(lots=3, name="third"), Plain(lots=4, name="Plain-2")]
    run = Simulation(agents).run(seconds=1)
    named = [(agent["owner"], agent["name"]) for agent in run.provenance["agents"]]
    assert named == [(1, "Plain-1"), (2, "Plain-3"), (3, "Plain-4"), (4, "third"), (5, "Plain-2")]
    assert [agent._name for agent in agents] == ["Plain", "Plain", "third", "Plain-2"], "those that were given stay as they are"
