"""Kept: the rows of a run whose tape stays in memory. Owns the blocks that they lie in, and what one call of `run` has seen of them."""
import ctypes
import weakref
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lob.exchange.reports import copied
from lob.messages import REPORT
from lob.tape.record import Tape

BLOCK_ROWS = 2**17
SPARE_MAX = 4
_spare = []  # the memory of blocks that nobody reads any more, uint8[BLOCK_ROWS * REPORT.itemsize] each


class MemorySink:
    """Keeps the rows of a run in memory, in blocks that are put together when somebody asks for the tape."""

    def __init__(self):
        self.blocks, self.row_count, self._free = [np.zeros(0, REPORT)], 0, np.zeros(0, REPORT)

    def append(self, rows):
        """Keep REPORT[n]: a copy."""
        self._keep(copied(rows))

    def take(self, reports):
        """Keep the rows of a ReportBuffer, which begins again; if it is fairly full it gives its memory away: a copy costs as much as a row's own work."""
        if 2 * reports.count < len(reports.rows):
            self.append(reports.rows[:reports.count])
            reports.clear()
        else:
            self._keep(reports.give(self._memory(len(reports.rows))))

    def _memory(self, count):
        """Return memory for so many rows, a part of a block so large that the system has large pages for it: a fault for every small one would cost as much."""
        if len(self._free) < count:
            self._free = _block() if count <= BLOCK_ROWS else np.empty(count, REPORT)
        memory, self._free = self._free[:count], self._free[count:]
        return memory

    def _keep(self, rows):
        self.blocks.append(rows)
        self.row_count += len(rows)

    def close(self, provenance):
        """Return what has been kept so far."""
        return _Kept(self, self.row_count)

    def first(self, count):
        """Return the first rows of the run: REPORT[count]."""
        if len(self.blocks) > 1:
            self.blocks = [np.concatenate([block.view(np.uint8) for block in self.blocks]).view(REPORT)]
        return self.blocks[0][:count]


def _block():
    """Return REPORT[BLOCK_ROWS], not set to anything, in memory that serves again when the last array that lies in it is gone.

    New memory costs a short run a fifth of its time: the system sets every page of it to zero first.
    """
    try:
        memory = _spare.pop()
    except IndexError:
        memory = np.empty(BLOCK_ROWS * REPORT.itemsize, np.uint8)
    lease = (ctypes.c_char * memory.nbytes).from_buffer(memory)
    weakref.finalize(lease, _give_back, memory).atexit = False
    return np.frombuffer(lease, REPORT)


def _give_back(memory):
    if len(_spare) < SPARE_MAX:
        _spare.append(memory)


@dataclass(frozen=True)
class _Kept:
    """What a run in memory has kept, up to its end; a later call of `run` may have added to it."""

    sink: MemorySink
    row_count: int

    @property
    def rows(self):
        return self.sink.first(self.row_count)

    @cached_property
    def sha256(self):
        return Tape(self.rows, {}).sha256
