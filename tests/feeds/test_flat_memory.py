"""A file that is ten times as long takes no more memory to read: what is allocated at the most, counted by Python, numpy included."""
import gzip
import sys
import tracemalloc

import pytest
from made_files import SECOND_NS, dbn_head, itch, itch_bytes, mbo

from lob import feeds
from lob.feeds.dbn import mbo_blocks
from lob.feeds.itch_messages import Messages
from lob.feeds.table import read_rows

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


def write_lobster_orders(folder, count):
    """Write a day and the rows of its book, on which every other order comes and goes and the rest leave the window for good; return its path."""
    shown, better = "9999999999,0,1000000,5", "9999999999,0,1000100,5"
    messages, book = ["34200,1,1,5,1000000,1"], [shown]
    for i in range(2, 2 * count, 2):
        messages += [f"{34_200 + i},1,{i},5,1000000,1", f"{34_200 + i},1,{i + 1},5,1000100,1", f"{34_200 + i},3,{i + 1},5,1000100,1"]
        book += ["9999999999,0,1000000,10", better, shown]
    for word, rows in (("message", messages), ("orderbook", book)):
        (folder / f"TEST_2024-01-02_34200000_57600000_{word}_1.csv").write_text("\n".join(rows))
    return folder / "TEST_2024-01-02_34200000_57600000_message_1.csv"


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
    for reader in (mbo_blocks, Messages.__init__, read_rows):
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


@pytest.mark.parametrize("with_book", [True, False])
def test_memory_is_flat_in_the_length_of_a_lobster_day(with_book, small_blocks, tmp_path):
    peaks = []
    for i, times in enumerate((1, 1, 10)):
        folder = tmp_path / str(i)
        folder.mkdir()
        path = write_lobster_orders(folder, times * ORDERS)
        if not with_book:  # what left the window is never heard of again, so let nothing leave it
            path.write_text("".join(row for row in path.read_text().splitlines(True) if ",1000000," not in row))
            path.with_name(path.name.replace("message", "orderbook")).unlink()
        peaks.append(peak_bytes(path))
    (_, _), (short_bytes, short_rows), (long_bytes, long_rows) = peaks
    assert long_rows > 9 * short_rows
    assert long_bytes < 1.3 * short_bytes
