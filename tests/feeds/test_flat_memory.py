"""A file that is ten times as long takes no more memory to read: what is allocated at the most, counted by Python, numpy included."""
import gzip
import sys
import tracemalloc

import pytest
from made_files import SECOND_NS, dbn_head, itch, itch_bytes, mbo

from lob import feeds
from lob.feeds.dbn import mbo_blocks
from lob.feeds.itch_messages import Messages

BLOCK_BYTES = 2**14
ORDERS = 1_000


def dbn_orders(count):
    """Return the bytes of a day on which each order comes and goes, so that no book grows."""
    return dbn_head() + b"".join(mbo(action, "BA"[i % 2], i, 100 + i % 2, 5, at_ns=SECOND_NS + i) for i in range(1, count + 1) for action in "AC")


def itch_orders(count):
    messages = [itch("R")]
    for i in range(1, count + 1):
        messages += [itch("A", SECOND_NS + i, ref=i, side="BS"[i % 2], shares=500, price=1_000_000 + 100 * (i % 2)), itch("D", SECOND_NS + i, ref=i)]
    return itch_bytes(messages)


def peak_bytes(path):
    """Return the most bytes that were allocated at a time while the rows of a streamed file were read, and how many there were."""
    tracemalloc.start()
    try:
        count = sum(len(rows) for rows in feeds.read(path, stream=True).blocks())
        return tracemalloc.get_traced_memory()[1], count
    finally:
        tracemalloc.stop()


@pytest.fixture
def small_blocks(monkeypatch):
    """Let blocks be small, so that a small file has many."""
    for reader in (mbo_blocks, Messages.__init__):
        monkeypatch.setattr(reader, "__defaults__", (BLOCK_BYTES,))
    monkeypatch.setattr(sys.modules["lob.feeds.fast"], "GROUP_ROWS", 2**9)


@pytest.mark.parametrize("kind", ["dbn", "itch", "dbn.gz", "parquet"])
def test_memory_is_flat_in_the_length_of_the_file(kind, small_blocks, tmp_path):
    day = itch_orders if kind == "itch" else dbn_orders
    peaks = []
    for times in (1, 1, 10):  # the first one compiles
        path = tmp_path / f"{times}.{kind}"
        content = day(times * ORDERS)
        path.write_bytes(gzip.compress(content) if kind.endswith(".gz") else content)
        if kind == "parquet":
            path = feeds.write_fast(feeds.read(path), tmp_path / f"{times}.fast.parquet")
        peaks.append(peak_bytes(path))
    (_, _), (short_bytes, short_rows), (long_bytes, long_rows) = peaks
    assert long_rows > 9 * short_rows
    assert long_bytes < 1.3 * short_bytes
