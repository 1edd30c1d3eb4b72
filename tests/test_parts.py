"""Parts: that functions put together in one whole do what they do apart, when just compiled and when read from disk."""
import os
import subprocess
import sys

import numpy as np
import pytest
from numba.core.codegen import JITCodeLibrary

from lob import Agent, Simulation, compiled
from lob.jit import HOOK, call_at, entry_point, jit, pool_reader, types
from lob.parts import Doors, outer, part, whole

CELL = np.dtype([("value", np.int64)], align=True)
cell_at = pool_reader(CELL)


@part
def twice(number):
    return 2 * number


@part
def is_below_zero(number):
    return number < 0


@part
def twice_or_refused(number):
    if is_below_zero(number):
        raise ValueError("below zero", number)
    return twice(number)


@part
def steps_down(number):
    return 0 if number <= 0 else 1 + steps_down(number - 1)


def write_sum(address, number, other):
    cell_at(address, 0).value = twice_or_refused(number) + twice(other) + steps_down(number)


HOOK_OF_PARTS = whole(write_sum, HOOK)


@jit(keep=False)
def call(function, address, number, other):
    call_at(function, address, number, other)


def sum_of(number, other):
    cells = np.zeros(1, CELL)
    call(entry_point(HOOK_OF_PARTS), cells.ctypes.data, number, other)
    return int(cells["value"][0])


def test_a_whole_does_what_its_parts_do_also_one_that_two_call_and_one_that_calls_itself():
    assert sum_of(5, 7) == 10 + 14 + 5


def test_an_error_in_a_part_of_a_part_reaches_the_caller_with_its_arguments():
    with pytest.raises(ValueError, match="below zero") as failure:
        sum_of(-3, 7)
    assert failure.value.args == ("below zero", -3)


@compiled
class Counted(Agent):
    seen: int = 0

    def on_start(self, market):
        self.look(market)

    def on_quote(self, market):
        self.look(market)
        self.look(market)

    def look(self, market):
        self.note(market.best_bid_ticks)

    def note(self, ticks):
        self.seen += ticks


def test_machine_code_of_an_agent_is_made_once_for_all_its_hooks(monkeypatch):
    made = []
    finalize = JITCodeLibrary._finalize_specific
    monkeypatch.setattr(JITCodeLibrary, "_finalize_specific", lambda library: [made.append(library.name), finalize(library)])
    Simulation([Counted()])
    assert sorted(name for name in made if "Counted" in name) == [f"{__name__}.Counted.hooks"]


@jit
def half_or_refused(number):
    if number & 1:
        raise ValueError("an odd number", number)
    return number // 2


halves = Doors("halves", keep=False)
half = halves.add(half_or_refused, types.int64(types.int64))


def write_halves(address, number, other):
    cell_at(address, 0).value = half(number) + half(other == 1)


def test_what_is_behind_a_door_is_called_where_it_is_and_its_errors_come_through():
    halves.open()
    hook, cells = whole(write_halves, HOOK, keep=False), np.zeros(1, CELL)
    call(entry_point(hook), cells.ctypes.data, 8, 0)
    assert cells["value"][0] == 4
    with pytest.raises(ValueError, match="an odd number"):
        call(entry_point(hook), cells.ctypes.data, 7, 0)
    with pytest.raises(ValueError, match="an odd number") as failure:
        call(entry_point(hook), cells.ctypes.data, 8, 1)
    assert failure.value.args == ("an odd number", 1), "a truth is cast to the number that the door takes"
    assert "half_or_refused" not in "".join(hook.inspect_asm().values()).replace("lob.halves.half_or_refused.0", "")


def test_no_door_can_be_added_to_those_that_are_open_or_used_by_python():
    halves.open()
    with pytest.raises(AssertionError, match="open already"):
        halves.add(half_or_refused, types.int64(types.int64))
    with pytest.raises(TypeError, match="only native code"):
        half(8)


@outer
def thrice(number):
    return 3 * number


def test_what_only_python_calls_cannot_be_called_by_native_code():
    assert thrice(5) == 15
    with pytest.raises(AssertionError, match="not to be called by native code"):
        jit(lambda number: thrice(number) + 1, keep=False)(5)


TWINS = """
import sys
from lob import Agent, Simulation, compiled

def agent(step):
    @compiled
    class Twin(Agent):
        total: int = 1
        step = 1

        def on_start(self, market):
            self.work()
            self.work()

        def work(self):
{work}

    return compiled(type("Twin", (Twin,), {{"step": step, "__module__": __name__, "__qualname__": "Twin"}}))

def total(step, plain):
    return Simulation([agent(step)()], plain=plain).run(seconds=1, progress=False).agents[0].total

if __name__ == "__main__":
    import twins
    print(*[twins.total(int(step), False) == twins.total(int(step), True) for step in sys.argv[1:]])
"""


def test_two_agents_of_one_name_and_place_are_not_taken_for_each_other(tmp_path):
    lines = [f"            self.total = (self.total * {31 + i} + self.step) % 1000003 if self.total % {2 + i} else self.total + {i}" for i in range(80)]
    (tmp_path / "twins.py").write_text(TWINS.format(work="\n".join(lines)))
    for steps, same in ((["1"], "True"), (["1", "2"], "True True")):
        done = subprocess.run([sys.executable, str(tmp_path / "twins.py"), *steps], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == same


def test_a_part_cannot_be_called_from_python():
    with pytest.raises(TypeError, match="not callable"):
        twice(5)


def test_a_whole_read_from_disk_is_the_same_with_its_errors(tmp_path):
    program = (
        f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r})\n"
        "import test_parts as t\nprint(t.sum_of(5, 7))\n"
        "try:\n    t.sum_of(-3, 7)\nexcept ValueError as error:\n    print(*error.args)\nprint(sum(t.HOOK_OF_PARTS.stats.cache_hits.values()))"
    )
    for hits in ("0", "1"):
        environment = os.environ | {"LOB_CACHE_DIR": str(tmp_path)}
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
        assert done.stdout.split("\n")[:3] == ["29", "below zero -3", hits]
