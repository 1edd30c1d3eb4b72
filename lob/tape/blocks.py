"""Blocks: the tape of a run that keeps it in memory.

Owns the memory, which grows a block at a time so that no row is copied twice while time passes. Knows no market.
"""
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lob.messages import REPORT
from lob.tape.record import Tape

BLOCK_ROWS = 2**18  # large enough for huge pages, small enough that a short run takes little


class RowBlocks:
    """The growing tape of a run in memory, in blocks that are put together when somebody asks for the rows."""

    def __init__(self):
        self.blocks, self.row_count, self._free = [np.zeros(0, REPORT)], 0, np.zeros(0, REPORT)

    def append(self, rows):
        while len(rows):
            if len(self._free) == 0:
                self._free = np.empty(BLOCK_ROWS, REPORT)
                self.blocks.append(self._free)
            taken = min(len(rows), len(self._free))
            # As bytes: numpy copies a record field by field.
            self._free[:taken].view(np.uint8)[:] = rows[:taken].view(np.uint8)
            self._free, rows, self.row_count = self._free[taken:], rows[taken:], self.row_count + taken

    def close(self, provenance):
        return Kept(self, self.row_count)

    def first(self, count):
        """Return the first rows of the run: REPORT[count]."""
        if len(self.blocks) > 1:
            joined = np.concatenate([block.view(np.uint8) for block in self.blocks]).view(REPORT)[:self.row_count]
            self.blocks, self._free = [joined], np.zeros(0, REPORT)
        return self.blocks[0][:count]


@dataclass(frozen=True)
class Kept:
    """What a run in memory has kept, up to its end; a later call of `run` may have added to it."""

    sink: RowBlocks
    row_count: int

    @property
    def rows(self):
        return self.sink.first(self.row_count)

    @cached_property
    def sha256(self):
        return Tape(self.rows, {}).sha256
