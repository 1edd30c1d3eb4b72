"""DBN: Databento's binary files, market by order, versions 1 to 3, as blocks of records.

Owns the head of the file and where each record begins and ends. Knows no order and no book. The 56 bytes of a market-by-order record are the same
in all three versions; the head differs: from version 2 on it has no count of records, and says how long its symbols are. Records of other kinds
(symbol mappings, errors, statistics) are passed over.
Source: Databento, DBN encoding, metadata layout and MboMsg (databento.com/docs/standards-and-conventions/databento-binary-encoding).
"""
from dataclasses import dataclass

import numpy as np

from lob.errors import FeedError
from lob.feeds.packed import BLOCK_BYTES, blocks_of
from lob.jit import jit

MAGIC, PREFIX_BYTES, FIXED_BYTES = b"DBN", 8, 100
VERSIONS = (1, 2, 3)
SYMBOL_BYTES_V1 = 22
HEAD_BYTES_MAX = 2**28
MBO_KIND, MBO_BYTES, HEADER_BYTES, WORD_BYTES = 160, 56, 16, 4
NO_PRICE = 2**63 - 1
# The kinds of records there are: a wrong length shows in what is taken for the next record's kind.
KINDS = np.zeros(256, np.bool_)
KINDS[[0x00, 0x01, 0x0A, 0x11, *range(0x12, 0x19), *range(0x20, 0x25), MBO_KIND, 0xB1, *range(0xC0, 0xC5)]] = True

# Times and ids are unsigned in the file. As signed numbers those from 2^63 on are below zero, which no rule lets through.
MBO = np.dtype([
    ("length", "u1"), ("kind", "u1"), ("publisher_id", "u2"), ("instrument_id", "u4"), ("ts_event", "i8"), ("order_id", "i8"), ("price", "i8"), ("size", "u4"),
    ("flags", "u1"), ("channel_id", "u1"), ("action", "u1"), ("side", "u1"), ("ts_recv", "i8"), ("ts_in_delta", "i4"), ("sequence", "u4"),
], align=True)
assert MBO.itemsize == MBO_BYTES


@dataclass(frozen=True)
class Head:
    """What the head of a file says."""

    version: int
    dataset: str
    start_ns: int        # since 1970
    symbols: dict        # {instrument id: raw symbol}
    byte_count: int      # of the whole head


def read_head(packed):
    """Return the Head at the beginning of a Packed; raises FeedError if it is not one."""
    prefix = packed.fill(PREFIX_BYTES).tobytes()
    if len(prefix) < PREFIX_BYTES or prefix[:3] != MAGIC:
        raise FeedError(f"{packed.place}: byte 0: a DBN file must begin with {MAGIC!r}, was {prefix[:3]!r}")
    version, length = prefix[3], int.from_bytes(prefix[4:], "little")
    if version not in VERSIONS:
        raise FeedError(f"{packed.place}: byte 3: the DBN version must be 1, 2 or 3, was {version}")
    if not FIXED_BYTES <= length <= HEAD_BYTES_MAX:
        raise FeedError(f"{packed.place}: byte 4: the head must have {FIXED_BYTES} to {HEAD_BYTES_MAX:,} bytes, was {length:,}")
    head = packed.fill(length).tobytes()
    if len(head) < length:
        raise packed.failure or FeedError(f"{packed.place}: byte {packed.offset:,}: the head must have {length:,} bytes, the file ends after {len(head):,}")
    try:
        return _parse(head, version)
    except (IndexError, ValueError) as error:
        raise FeedError(f"{packed.place}: byte {PREFIX_BYTES}: the head must be that of a DBN file: {error}") from None


def _parse(head, version):
    start_ns = int.from_bytes(head[18:26], "little")
    symbol_bytes = SYMBOL_BYTES_V1 if version == 1 else int.from_bytes(head[45:47], "little")
    reader = _Fields(head, FIXED_BYTES, symbol_bytes)
    reader.skip(reader.count())  # a schema of its own, which no file has yet
    for _ in range(3):  # the symbols asked for, those only partly resolved, those not found
        reader.skip(reader.count() * symbol_bytes)
    symbols = {}
    for _ in range(reader.count()):
        raw_symbol = reader.symbol()
        for _ in range(reader.count()):
            reader.skip(8)
            symbol = reader.symbol()
            if symbol.isdecimal():
                symbols[int(symbol)] = raw_symbol
            elif raw_symbol.isdecimal():
                symbols[int(raw_symbol)] = symbol
    dataset = head[:16].rstrip(b"\0").decode("ascii")
    return Head(version, dataset, start_ns, symbols, PREFIX_BYTES + len(head))


class _Fields:
    """What stands one after the other in the head; raises ValueError at its end."""

    def __init__(self, head, at, symbol_bytes):
        self.head, self.at, self.symbol_bytes = head, at, symbol_bytes

    def skip(self, count):
        """Pass over so many bytes and return them."""
        if self.at + count > len(self.head):
            raise ValueError(f"{count:,} bytes more than its {len(self.head):,} are said to follow byte {self.at:,}")
        self.at += count
        return self.head[self.at - count:self.at]

    def count(self):
        """Return the next number."""
        return int.from_bytes(self.skip(4), "little")

    def symbol(self):
        """Return the next symbol."""
        return self.skip(self.symbol_bytes).split(b"\0")[0].decode("utf-8")


def mbo_blocks(packed, block_bytes=BLOCK_BYTES):
    """Yield (offsets, records) of a Packed after its head: where each market-by-order record begins, int64[n], and the records, MBO[n].

    Raises FeedError where a record cannot be one of a DBN file.
    """
    return blocks_of(packed, _split, block_bytes)


def _split(offset, block):
    starts = np.empty(len(block) // HEADER_BYTES + 1, np.int64)
    count, taken, is_broken = _find_records(block, starts, KINDS)
    rule = None
    if is_broken:
        length, kind = int(block[taken]) * WORD_BYTES, int(block[taken + 1])
        rule = f"a record must have at least {HEADER_BYTES} bytes, {MBO_BYTES} if its kind is {MBO_KIND}, and a kind of DBN, was {length} bytes, kind {kind}"
    starts = starts[:count]
    return (offset + starts, _gather(block, starts)), taken, rule


@jit
def _find_records(block, starts, kinds):
    """Fill in where market-by-order records begin; return (how many, where the first record that is not whole or is broken begins, whether it is broken)."""
    count, i = 0, 0
    while i + 2 <= block.size:
        length, kind = WORD_BYTES * np.int64(block[i]), block[i + 1]
        if length < HEADER_BYTES or not kinds[kind] or (kind == MBO_KIND and length < MBO_BYTES):
            return count, i, True
        if i + length > block.size:
            break
        if kind == MBO_KIND:
            starts[count] = i
            count += 1
        i += length
    return count, i, False


def _gather(block, starts):
    """Return the records that begin at these places, as they are in the block if they follow each other."""
    if len(starts) == 0:
        return np.zeros(0, MBO)
    if starts[-1] - starts[0] == MBO_BYTES * (len(starts) - 1):
        return block[starts[0]:starts[-1] + MBO_BYTES].view(MBO)
    return block[starts[:, None] + np.arange(MBO_BYTES)].view(MBO)[:, 0]
