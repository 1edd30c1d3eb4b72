"""Packed: a recorded file as a stream of bytes, whatever it is packed in: plain, gzip, zstd, a member of a zip, or one in the other.

Owns opening, unpacking and cutting into blocks, so that a file need not fit in memory. Knows no meaning of a byte.
"""
import gzip
import zipfile
import zlib
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from lob.errors import FeedError

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZIP_MAGIC = b"PK\x03\x04"
MAGIC_LENGTH = 4
DEPTH_MAX = 3

BLOCK_BYTES = 2**22
# What is unpacked at a time: damage costs no more than this much of what came before it.
STEP_BYTES = 2**14

# What zipfile, gzip, pyarrow and the file system raise on files that are missing, damaged or of an unusual kind (encrypted, LZMA).
UNREADABLE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, ValueError, OverflowError, NotImplementedError)


class Packed:
    """The unpacked bytes of a file.

    choose: a function of a zip's member names that returns the one to read, or raises FeedError; place: the file as errors name it, and the member in a zip;
    offset: how many bytes have been given out. Raises FeedError if the file cannot be opened; `fill` raises it where the packing is damaged.
    """

    def __init__(self, path, choose=None):
        self.place, self.offset, self.failure = str(path), 0, None
        self._choose = choose or self._only
        try:
            with ExitStack() as stack:
                self._stream = self._unpack(stack.enter_context(open(path, "rb")), Path(path).name, stack)
                self._open = stack.pop_all()
        except UNREADABLE as error:
            raise FeedError(f"{self.place}: cannot be read: {error}") from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Close the file and what unpacks it."""
        self._open.close()

    def fill(self, count):
        """Return the next `count` bytes, fewer only at the end: uint8[n].

        Damage in the packing ends the bytes, and stands as a FeedError in `failure`, which the next call raises.
        """
        if self.failure is not None:
            raise self.failure
        parts, wanted = [], count
        while wanted:
            try:
                part = self._stream.read(min(wanted, STEP_BYTES))
            except UNREADABLE as error:
                got = count - wanted
                self.failure = FeedError(f"{self.place}: byte {self.offset + got:,} of the unpacked file: the packing must be whole: {error}")
                break
            if not part:
                break
            parts.append(part)
            wanted -= len(part)
        data = b"".join(parts)
        self.offset += len(data)
        return np.frombuffer(data, np.uint8)

    def _unpack(self, stream, name, stack, depth=0):
        """Return the stream of what is packed in a stream; what is opened on the way is closed with the stack."""
        if depth > DEPTH_MAX:  # there are files that unpack to themselves
            raise FeedError(f"{self.place}: must be packed at most {DEPTH_MAX} times, one in the other")
        magic = stream.read(MAGIC_LENGTH)
        stream.seek(0)
        self.name = name
        if magic.startswith(GZIP_MAGIC):
            return self._unpack(stack.enter_context(gzip.GzipFile(fileobj=stream, mode="rb")), name.removesuffix(".gz"), stack, depth + 1)
        if magic == ZSTD_MAGIC:
            return _unpack_zstd(stream, stack)
        if magic == ZIP_MAGIC:
            archive = stack.enter_context(zipfile.ZipFile(stream))
            member = self._choose([entry for entry in archive.namelist() if not entry.endswith("/") and not entry.startswith("__MACOSX/")])
            self.place = f"{self.place}/{member}"
            return self._unpack(stack.enter_context(archive.open(member)), Path(member).name, stack, depth + 1)
        return stream

    def _only(self, names):
        if len(names) != 1:
            raise FeedError(f"{self.place}: must hold one file, holds {', '.join(names) or 'none'}")
        return names[0]


def _unpack_zstd(stream, stack):
    import pyarrow

    return stack.enter_context(pyarrow.CompressedInputStream(pyarrow.PythonFile(stream, mode="r"), "zstd"))


def blocks_of(packed, split, block_bytes=BLOCK_BYTES):
    """Yield what `split` finds in each block of a Packed, to the end of its bytes.

    split(offset, block uint8[n]) -> (found, how many bytes it took, the rule that the next ones break or None); bytes that it did not take
    come again with more behind them. Raises FeedError naming the byte where a rule is broken, where the packing is damaged, or where the file
    ends within a record; all before it has been given out by then.
    """
    rest, is_last = np.zeros(0, np.uint8), False
    while not is_last:
        new = packed.fill(block_bytes)
        is_last = len(new) < block_bytes
        block = np.concatenate([rest, new]) if len(rest) else new
        offset = packed.offset - len(block)
        found, taken, rule = split(offset, block)
        yield found
        if rule:
            raise FeedError(f"{packed.place}: byte {offset + taken:,}: {rule}")
        rest = block[taken:]
    if packed.failure is not None:
        raise packed.failure
    if len(rest):
        raise FeedError(f"{packed.place}: byte {packed.offset - len(rest):,}: the last record must be whole, the file ends after {len(rest):,} bytes of it")
