"""The rows of a run whose tape stays in memory: the memory of runs that are gone serves again, and that of no other."""
import gc

import pytest
from crowd import crowd

from lob import Simulation
from lob.simulation import kept
from lob.simulation.kept import BLOCK_ROWS, SPARE_MAX, MemorySink


@pytest.fixture(autouse=True)
def no_spare():
    gc.collect()
    kept._spare.clear()


def block(number):
    """Return a block of rows of a new sink, all of one order; of the sink nothing stays."""
    memory = MemorySink()._memory(BLOCK_ROWS)
    memory["order_id"] = number
    return memory


def test_memory_serves_again_when_the_last_array_in_it_is_gone():
    first = block(1)
    address, part = first.ctypes.data, first[10:20]["order_id"]
    del first
    second = block(2)
    assert second.ctypes.data != address and (part == 1).all()
    del part
    assert block(3).ctypes.data == address and (second["order_id"] == 2).all()


def test_no_more_than_some_memory_is_kept_for_the_next_run():
    several = [block(i) for i in range(SPARE_MAX + 3)]
    assert len({memory.ctypes.data for memory in several}) == SPARE_MAX + 3
    del several
    assert len(kept._spare) == SPARE_MAX


def test_runs_one_after_the_other_leave_each_other_as_they_are():
    # Each by itself first: of two that lie in one memory both would be wrong, and wrong again.
    told = [Simulation(crowd(), seed=seed).run(seconds=30, progress=False).rows.tobytes() for seed in (1, 2)]
    gc.collect()
    assert kept._spare
    again = [Simulation(crowd(), seed=seed).run(seconds=30, progress=False) for seed in (1, 2)]
    assert [run.rows.tobytes() for run in again] == told != told[::-1]


def test_more_rows_than_a_block_has_are_kept_too():
    memory = MemorySink()._memory(BLOCK_ROWS + 1)
    assert len(memory) == BLOCK_ROWS + 1
    del memory
    assert kept._spare == []
