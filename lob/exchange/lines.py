"""Lines: arrays of zeros laid out by the processor's lines.

Memory comes into the cache 64 bytes at a time. A record that begins anywhere straddles two lines as often as not, and then costs two journeys to the machine's
memory where one would do; numpy begins an array at any multiple of 16. A large array begins, and its memory ends, at a huge page: numpy asks the operating
system for these, and gets them where they are whole, so that one entry of the processor's table of pages serves 2 MB.
"""
import mmap

import numpy as np

LINE_BYTES, HUGE_PAGE_BYTES = 64, 2**21
LARGE_BYTES = 2 * HUGE_PAGE_BYTES


def zeroed(count, dtype):
    """Return an array of `count` zeros that begins at a line, one of LARGE_BYTES or more at a huge page."""
    dtype = np.dtype(dtype)
    byte_count = count * dtype.itemsize
    whole = HUGE_PAGE_BYTES if byte_count >= LARGE_BYTES else LINE_BYTES
    memory = np.zeros(-(-byte_count // whole) * whole + whole, np.uint8)
    first = -memory.ctypes.data % whole
    return memory[first:first + byte_count].view(dtype)


def untouched(count, dtype):
    """Return an array of `count` zeros of which a page is there once it is touched: for a large one that stays nearly empty.

    One of numpy is set to zero, all of it, where its memory has served before, and comes 2 MB at a time where it has not.
    """
    return np.frombuffer(mmap.mmap(-1, count * np.dtype(dtype).itemsize, access=mmap.ACCESS_COPY), dtype)
