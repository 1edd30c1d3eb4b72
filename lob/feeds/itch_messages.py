"""ITCH messages: Nasdaq TotalView-ITCH 5.0 files as blocks of decoded messages.

Owns the sizes and places of fields, all big endian, and both ways in which messages are told apart: by a two-byte length before each, or by their type where
that prefix is 00 00. Knows no order and no book. Every kind is checked and handed on with its head; what only some have is zero in the others.
Source: Nasdaq, TotalView-ITCH 5.0 specification.
"""
import numpy as np

from lob.feeds.packed import BLOCK_BYTES, blocks_of
from lob.jit import jit
from lob.messages import ANONYMOUS_ID_FIRST

PREFIX_BYTES, STOCK_BYTES = 2, 8
ID_OF_ZERO = ANONYMOUS_ID_FIRST - 1
SIZE_OF_KIND = {
    "S": 12, "R": 39, "H": 25, "Y": 20, "L": 26, "V": 35, "W": 12, "K": 28, "J": 35, "h": 21, "A": 36, "F": 40, "E": 31, "C": 36, "X": 23, "D": 19, "U": 35,
    "P": 44, "Q": 40, "B": 19, "I": 50, "N": 20, "O": 48,
}
SIZES = np.zeros(256, np.int64)
for _kind, _size in SIZE_OF_KIND.items():
    SIZES[ord(_kind)] = _size
# Where the stock's name is, from the type on.
PLACE_OF_STOCK = {"R": 11, "H": 11, "Y": 11, "A": 24, "F": 24, "P": 24, "Q": 19, "K": 11, "J": 11, "h": 11, "N": 11, "O": 11, "L": 15}

# other_ref: U the new order, E, C, P and Q the match. code: H the trading state, h the halt's action, S the event. Ids are unsigned in the file; as signed
# numbers those from 2^63 on are below zero, which no rule lets through.
MESSAGE = np.dtype([
    ("offset", "i8"), ("time_ns", "i8"), ("ref", "i8"), ("other_ref", "i8"), ("lots", "i8"), ("price", "i8"),
    ("locate", "u2"), ("tracking", "u2"), ("kind", "u1"), ("side", "i1"), ("is_printable", "u1"), ("code", "u1"),
], align=True)

_S, _H, _h, _A, _F, _E, _C, _X, _D, _U, _P, _Q, _B = (ord(c) for c in "SHhAFECXDUPQB")
_BUY, _SELL, _NO = ord("B"), ord("S"), ord("N")


class Messages:
    """The decoded messages of a Packed.

    names: {locate: stock}, of those met so far; locate 0 is the market as a whole.
    """

    def __init__(self, packed, block_bytes=BLOCK_BYTES):
        self.packed, self.block_bytes, self.names = packed, block_bytes, {}
        self._style = np.full(1, -1, np.int64)  # 0 with a prefix of 00 00, 1 with lengths: that of the first message

    def __iter__(self):
        """Yield MESSAGE[n]; raises FeedError where a message cannot be one."""
        return blocks_of(self.packed, self._split, self.block_bytes)

    def _split(self, offset, block):
        messages = np.zeros(len(block) // (PREFIX_BYTES + min(SIZE_OF_KIND.values())) + 1, MESSAGE)
        count, taken, is_broken = _decode(block, offset, SIZES, self._style, messages)
        rule = None
        if is_broken:
            length, kind = int(block[taken]) * 256 + int(block[taken + 1]), bytes(block[taken + 2:taken + 3])
            rule = f"a message must have a type of ITCH 5.0 and, before it, its length, or 00 00 in a file without lengths, was type {kind!r}, length {length}"
        messages = messages[:count]
        self._note_names(messages, block, offset)
        return messages, taken, rule

    def _note_names(self, messages, block, offset):
        locates, firsts = np.unique(messages["locate"], return_index=True)
        fresh = [(locate, first) for locate, first in zip(locates.tolist(), firsts.tolist(), strict=True) if locate and locate not in self.names]
        for locate, first in fresh:
            of_it = messages[first:][messages["locate"][first:] == locate]
            named = of_it[np.isin(of_it["kind"], [ord(kind) for kind in PLACE_OF_STOCK])]
            if len(named):
                at = int(named["offset"][0]) - offset + PREFIX_BYTES + PLACE_OF_STOCK[chr(named["kind"][0])]
                self.names[locate] = bytes(block[at:at + STOCK_BYTES]).decode("ascii", "backslashreplace").strip()


@jit
def _decode(block, offset, sizes, style, messages):
    """Fill in the messages of a block; return (how many, where the first that is not whole or is broken begins, whether it is broken)."""
    count, i = 0, 0
    while i + PREFIX_BYTES + 1 <= block.size:
        prefix, kind = _number(block, i, 2), block[i + 2]
        size = sizes[kind]
        if style[0] < 0:
            style[0] = int(prefix > 0)
        if size == 0 or prefix != size * style[0]:
            return count, i, True
        if i + PREFIX_BYTES + size > block.size:
            break
        message = messages[count]
        message.offset = offset + i
        _decode_one(block, i + PREFIX_BYTES, kind, message)
        count += 1
        i += PREFIX_BYTES + size
    return count, i, False


@jit
def _number(block, i, size):
    number = np.int64(0)
    for j in range(size):
        number = (number << 8) | np.int64(block[i + j])
    return number


@jit
def _reference(block, i):
    """Return an order's reference number; a simulated file may begin with 0, which is no id here."""
    number = _number(block, i, 8)
    return number if number else ID_OF_ZERO


@jit
def _decode_one(block, at, kind, message):
    message.kind, message.locate, message.tracking, message.time_ns = kind, _number(block, at + 1, 2), _number(block, at + 3, 2), _number(block, at + 5, 6)
    if kind == _A or kind == _F or kind == _P:
        message.ref, message.lots, message.price = _reference(block, at + 11), _number(block, at + 20, 4), _number(block, at + 32, 4)
        message.side = np.int64(block[at + 19] == _BUY) - np.int64(block[at + 19] == _SELL)
        message.other_ref = _number(block, at + 36, 8) if kind == _P else 0
    elif kind == _E or kind == _C:
        message.ref, message.lots, message.other_ref = _reference(block, at + 11), _number(block, at + 19, 4), _number(block, at + 23, 8)
        message.price = _number(block, at + 32, 4) if kind == _C else 0
        message.is_printable = kind == _E or block[at + 31] != _NO
    elif kind == _X or kind == _D:
        message.ref, message.lots = _reference(block, at + 11), _number(block, at + 19, 4) if kind == _X else 0
    elif kind == _U:
        message.ref, message.other_ref = _reference(block, at + 11), _reference(block, at + 19)
        message.lots, message.price = _number(block, at + 27, 4), _number(block, at + 31, 4)
    elif kind == _Q:
        message.lots, message.price, message.other_ref = _number(block, at + 11, 8), _number(block, at + 27, 4), _number(block, at + 31, 8)
    elif kind == _B:
        message.other_ref = _number(block, at + 11, 8)
    elif kind == _S:
        message.code = block[at + 11]
    elif kind == _H:
        message.code = block[at + 19]
    elif kind == _h:
        message.code = block[at + 20]
