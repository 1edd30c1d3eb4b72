"""Where the arrays of a book begin: no order lies across two cache lines, and large arrays begin at a huge page; of one that stays empty little is there."""
from pathlib import Path

import numpy as np
import pytest

from lob.exchange.book import ORDER
from lob.exchange.lines import HUGE_PAGE_BYTES, LARGE_BYTES, LINE_BYTES, untouched, zeroed
from lob.exchange.memory import BookMemory


@pytest.mark.parametrize("count", [1, 3, 1000, LARGE_BYTES // ORDER.itemsize - 1, LARGE_BYTES // ORDER.itemsize, 200_001])
def test_array_of_zeros_begins_at_a_line_and_a_large_one_at_a_huge_page(count):
    array = zeroed(count, ORDER)
    assert len(array) == count and array.dtype == ORDER and not array.view(np.uint8).any()
    assert array.ctypes.data % (HUGE_PAGE_BYTES if array.nbytes >= LARGE_BYTES else LINE_BYTES) == 0


@pytest.mark.parametrize("order_capacity", [1500, 5000, 300_000])
def test_orders_and_map_begin_at_a_line_however_large_the_book_grows(order_capacity):
    memory = BookMemory()
    memory.set_order_capacity(order_capacity)
    for array in (memory.book, memory.ahead, memory.orders, memory.map):
        assert array.ctypes.data % LINE_BYTES == 0
    assert memory.book["orders"][0] == memory.orders.ctypes.data and memory.book["map"][0] == memory.map.ctypes.data


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="tells what memory a process has by /proc")
def test_of_a_large_array_only_what_is_touched_is_there():
    served_before = [np.ones(2**19, np.int64) for _ in range(40)]
    del served_before
    before, arrays = resident_bytes(), [untouched(2**19, np.int64) for _ in range(40)]
    for i, array in enumerate(arrays):
        array[i * 10_000] += 1
    assert resident_bytes() - before < 8 * 2**20
    assert [(len(array), int(array.sum())) for array in arrays] == [(2**19, 1)] * 40
