"""What cannot become native code is refused where the class is marked, with file, line and reason, and what can be does the same as Python."""
import inspect
import subprocess
import sys
import time

import numpy as np
import pytest

from lob import Agent, AgentError, Array, Latency, Side, Simulation, compiled

LEVELS = [1, 2]
SHARES = (0.5, 0.25)


def refusal_of(cls):
    """Return what is said of a class when it is marked; it is not run."""
    with pytest.raises(AgentError) as failure:
        compiled(cls)
    return str(failure.value)


def line_of(cls, text):
    lines, first = inspect.getsourcelines(cls)
    return first + next(i for i, line in enumerate(lines) if text in line)


class Catches(Agent):
    def on_start(self, market):
        try:  # here
            market.buy(1, 1)
        except ValueError:
            market.buy(2, 1)


class Opens(Agent):
    def on_start(self, market):
        with open("file"):  # here
            pass


class Yields(Agent):
    def on_start(self, market):
        yield 1  # here


class Prints(Agent):
    def on_start(self, market):
        print(f"now {market.now_ns}")  # here


class Maps(Agent):
    def on_start(self, market):
        orders = {1: 2}  # here
        market.cancel(orders[1])


class ReadsAList(Agent):
    def on_start(self, market):
        market.buy(LEVELS[0], 1)  # here


class Misspells(Agent):
    def on_quote(self, market):
        if market.best_bid:  # here
            market.buy(1, 1)


class MisspellsInside(Agent):
    def on_timer(self, market):
        self.quote(market)

    def quote(self, market):
        market.limit_order(1, 1, 1)  # here


class MisspellsAKind(Agent):
    def on_timer(self, market):
        market.buy(1, 1, postonly=True)  # here


class Undeclared(Agent):
    def on_start(self, market):
        self.bid_id = market.buy(1, 1)  # here


class UndeclaredRead(Agent):
    price_tick: int = 1

    def on_start(self, market):
        market.buy(self.price_ticks, 1)  # here


class SetsAConstant(Agent):
    edge_ticks = 3

    def on_start(self, market):
        self.edge_ticks = 4  # here


class SetsAnArray(Agent):
    weights: Array[float, 3] = 0.0

    def on_start(self, market):
        self.weights = np.zeros(3)  # here


class ReadsAReport(Agent):
    lots: int = 0

    def on_fill(self, market, fill):
        self.lots = fill.size  # here


class CallsItselfWrongly(Agent):
    def on_start(self, market):
        self.quote(market)  # here

    def quote(self, market, side):
        pass


class Recurses(Agent):
    rounds: int = 3

    def on_start(self, market):  # here
        market.buy(1, 1)
        self.again(market)

    def again(self, market):
        self.rounds -= 1
        if self.rounds:
            self.on_start(market)


@pytest.mark.parametrize(
    ("cls", "words"),
    [
        (Catches, "native code cannot catch errors"), (Opens, "native code has no `with`"), (Yields, "native code has no generators"),
        (Prints, "native code makes no text"), (Maps, "native code has no dict"), (ReadsAList, "LEVELS is a list of the module"),
        (Misspells, "market has no 'best_bid': did you mean 'best_bid_lots'?"), (MisspellsInside, "market has no 'limit_order': did you mean 'market_order'?"),
        (MisspellsAKind, "market.buy: got an unexpected keyword argument 'postonly'"), (Undeclared, "self has no field 'bid_id'"),
        (UndeclaredRead, "self has no field 'price_ticks': did you mean 'price_tick'?"),
        (SetsAConstant, "self.edge_ticks cannot be set: annotate it in the class, as in `edge_ticks: int = 0`, to make it a field"),
        (SetsAnArray, "self.weights is an array: set its elements, as in self.weights[:] = ..."), (ReadsAReport, "notice has no 'size'"),
        (CallsItselfWrongly, "self.quote: missing a required argument: 'side'"),
        (Recurses, "it calls itself (on_start -> again -> on_start), and native code of an agent cannot: write a loop"),
    ],
)
def test_what_cannot_be_compiled_is_refused_at_once_with_its_line_and_the_reason(cls, words):
    function = "quote" if cls is MisspellsInside else next(name for name in vars(cls) if name.startswith("on_"))
    message = refusal_of(cls)
    assert message.startswith(f"{cls.__name__}.{function} cannot be compiled: {words}")
    assert message.endswith(f"({__file__}, line {line_of(cls, '# here')})")
    assert len(message) < 400


class HoldsAList(Agent):
    lots: int = 1

    def on_start(self, market):
        self.lots = [1, 2]  # here


class HoldsAFraction(Agent):
    lots: int = 1

    def on_start(self, market):
        self.lots = market.now_ns / 2 + 2.7  # here


class HoldsANumber(Agent):
    is_shy: bool = False

    def on_start(self, market):
        self.is_shy = self.is_shy + 5  # here


@pytest.mark.parametrize(
    ("cls", "native", "python"),
    [
        (HoldsAFraction, "self.lots is int and cannot be set to a float", "HoldsAFraction.lots is int and cannot be set to 2.7"),
        (HoldsANumber, "self.is_shy is bool and cannot be set to a int", "HoldsANumber.is_shy is bool and cannot be set to 5"),
        (HoldsAList, "list(int64)", "HoldsAList.lots is int and cannot be set to [1, 2]"),
    ],
)
def test_a_value_that_is_not_of_its_fields_kind_is_refused_by_both(cls, native, python):
    with pytest.raises(AgentError) as failure:
        Simulation([compiled(cls)()]).run(seconds=1)
    assert str(failure.value).startswith(f"{cls.__name__}.on_start cannot be compiled: {native}")
    assert str(failure.value).endswith(f"line {line_of(cls, '# here')})")
    with pytest.raises(AgentError) as failure:
        Simulation([cls()], plain=True).run(seconds=1)
    assert f"TypeError: {python} ({__file__}, line {line_of(cls, '# here')})" in str(failure.value)


def test_what_was_refused_once_is_refused_again_by_another_process(tmp_path):
    body = f"    def on_start(self, market):\n        self.lots = market.now_ns / 2 + {time.time_ns() % 1000}\n"
    (tmp_path / "halves.py").write_text(f"from lob import Agent, compiled\n\n\n@compiled\nclass Halves(Agent):\n    lots: int = 1\n\n{body}")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from halves import Halves; from lob import Simulation; Simulation([Halves()])"
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert "self.lots is int and cannot be set to a float" in done.stderr


def test_a_plain_class_may_do_all_that_python_can():
    class Free(Agent):
        def on_start(self, market):
            self.seen = {f"{level}": level for level in LEVELS}

    assert Simulation([Free()]).run(seconds=1).agents[0].seen == {"1": 1, "2": 2}


# What can be compiled, both ways.

def doubled(value):
    return 2 * value


class Ladder(Agent):
    """The base: shared fields, an array, a constant and methods."""

    step_ns = 10_000_000
    lots: int = 2
    seen: Array[float, 4] = 0.0

    def on_start(self, market):
        market.wake_after(self.step_ns)

    def on_timer(self, market):
        self.note(market, 1.0)
        market.wake_after(self.step_ns)

    def note(self, market, value):
        self.seen[self.lots % 4] += value


@compiled
class Climber(Ladder):
    """Uses what a class can have: super, a property, a static method, constants of numbers, enums and tuples, module functions and an array of ints."""

    side = Side.BUY
    sizes = (1, 5, 9)
    rate: float = 1.0
    steps: int = 0
    is_tired: bool = False
    ids: Array[int, 3] = [1, 2, 3]

    @property
    def total(self):
        return self.seen.sum() + self.rate

    @staticmethod
    def half(value, by=2):
        return value // by

    def note(self, market, value):
        super().note(market, value + doubled(SHARES[0]))
        self.steps += self.half(7) + self.sizes[1] + self.side
        self.rate = self.total
        self.is_tired = self.steps > 20
        self.ids[1:] += self.steps
        self.ids[0] = market.limit(self.side, market.opening_ticks - self.ids[1] % 50, self.lots)

    def on_timer(self, market):
        super().on_timer(market)
        self.seen[:] *= 0.5


def test_everything_that_a_class_can_have_gives_the_same_tape_and_state_both_ways():
    runs = [Simulation([Climber(count=2, latency=Latency(1_000, 1_000))], seed=3, plain=plain).run(seconds=0.5) for plain in (False, True)]
    assert runs[0].tape.rows.tobytes() == runs[1].tape.rows.tobytes()
    for native, plain in zip(runs[0].agents, runs[1].agents, strict=True):
        assert (native.steps, native.rate, native.is_tired, native.ids.tolist(), native.seen.tolist()) == (
            plain.steps, plain.rate, plain.is_tired, plain.ids.tolist(), plain.seen.tolist())
    assert runs[0].agents[0].steps == 50 * 9
    assert runs[0].agents[0].is_tired
    assert len(runs[0].tape) == 98, "fifty of each, the last two on their way"


@pytest.mark.parametrize("plain", [False, True])
def test_an_index_beyond_an_array_is_an_error_and_not_another_agents_memory(plain):
    @compiled
    class Reaches(Agent):
        weights: Array[float, 3] = 0.0
        at: int = 3

        def on_start(self, market):
            self.weights[self.at] = 1.0

    with pytest.raises(AgentError, match="IndexError"):
        Simulation([Reaches()], plain=plain).run(seconds=1)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([1, 2], "Weighted.weights must be 3 numbers, or one for all of them, was \\[1, 2\\]"), ([1, 2, "x"], "Weighted.weights\\[2\\] must be float"),
        ("xyz", "must be float"),
    ],
)
def test_an_array_of_another_length_or_kind_is_refused(value, words):
    class Weighted(Agent):
        weights: Array[float, 3] = 0.0

    with pytest.raises(AgentError.__base__, match=words):
        Weighted(weights=value)


def test_an_array_is_each_agents_own():
    class Weighted(Agent):
        weights: Array[float, 3] = [1.0, 2.0, 3.0]

        def on_start(self, market):
            self.weights[0] += market.integers(1, 100)

    agents = Simulation([Weighted(count=3)], seed=1).run(seconds=1).agents
    assert len({agent.weights[0] for agent in agents}) == 3
    assert Weighted().weights.tolist() == [1.0, 2.0, 3.0]


PROGRAM = """
import sys
sys.path.insert(0, {folder!r})
from fresh import Fresh
from lob import Simulation
from lob.simulation.kernel import advance
from lob.simulation.outbox import doors
run = Simulation([Fresh()]).run(seconds=1)
print(run.requests, sum(sum(function.stats.cache_misses.values()) for function in (advance, doors.together)))
"""


def test_a_new_compiled_agent_in_a_fresh_process_compiles_alone(tmp_path):
    body = "market.buy(100, 1, display_lots=None)\n        market.wake_after(100_000_000 + self.n)"
    text = f"from lob import Agent, compiled\n\n\n@compiled\nclass Fresh(Agent):\n    n: int = {time.time_ns() % 1000}\n\n"
    text += f"    def on_start(self, market):\n        {body}\n"
    (tmp_path / "fresh.py").write_text(text)
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(folder=str(tmp_path))], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "0"], "one request; the kernel and the outbox came from the disk"
