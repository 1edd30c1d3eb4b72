"""Parts: that functions put together in one whole do what they do apart, when just compiled and when read from disk."""
import os
import subprocess
import sys

import numpy as np
import pytest
from numba.core.codegen import JITCodeLibrary

from lob import Agent, Simulation, compiled
from lob.jit import HOOK, call_at, entry_point, jit, pool_reader
from lob.parts import part, whole

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
