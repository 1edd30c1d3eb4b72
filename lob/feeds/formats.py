"""Formats: which one a recorded file is in, told from its content, and the reader that belongs to it. Knows no message."""
from pathlib import Path

from lob.errors import FeedError
from lob.feeds import dbn
from lob.feeds.databento import databento
from lob.feeds.fast import fast
from lob.feeds.itch import itch
from lob.feeds.itch_messages import PREFIX_BYTES, SIZE_OF_KIND
from lob.feeds.lobster import lobster
from lob.feeds.lobster_files import LEVELS
from lob.feeds.packed import Packed

PARQUET_MAGIC = b"PAR1"
LOOK_BYTES = 64


def format_of(path):
    """Return "dbn", "itch", "lobster" or "fast": what a file holds by its first bytes, unpacked.

    Raises FeedError if it cannot be opened or is none of these.
    """
    with Packed(path, lambda names: next((name for name in names if "message" in Path(name).name), names[0] if names else "")) as packed:
        head = packed.fill(LOOK_BYTES).tobytes()
        if packed.failure is not None:
            raise packed.failure
        place = packed.place
    if head.startswith(dbn.MAGIC):
        return "dbn"
    if head.startswith(PARQUET_MAGIC):
        return "fast"
    size = SIZE_OF_KIND.get(chr(head[PREFIX_BYTES])) if len(head) > PREFIX_BYTES else None
    if size and int.from_bytes(head[:PREFIX_BYTES], "big") in (0, size):
        return "itch"
    if head[:1].isdigit() and b"," in head:
        return "lobster"
    raise FeedError(f"{place}: byte 0: a recording must be DBN, ITCH 5.0, LOBSTER or what `lob convert` made, begins with {head[:8]!r}")


def read(path, symbol=None, book=None, from_ns=None, to_ns=None, keep_going=False, stream=False):
    """Return the Feed of a recorded file in any format, as `databento`, `itch`, `lobster` or `fast` does.

    path: the file, or the folder of one LOBSTER day, as `write_lobster` makes it. symbol: which one of a DBN or ITCH file. book: the book file of a LOBSTER
    day. Raises FeedError also if one of these two is given for a format that has none.
    """
    path = _messages_in(Path(path)) if Path(path).is_dir() else path
    kind = format_of(path)
    if symbol is not None and kind not in ("dbn", "itch"):
        raise FeedError(f"{path}: symbol must be left out, a file of this format holds one, was {symbol!r}")
    if book is not None and kind != "lobster":
        raise FeedError(f"{path}: book must be left out, only a LOBSTER day has a book file, was {book}")
    if kind == "dbn":
        return databento(path, symbol, from_ns, to_ns, keep_going=keep_going, stream=stream)
    if kind == "itch":
        return itch(path, symbol, from_ns, to_ns, keep_going=keep_going, stream=stream)
    if kind == "lobster":
        return lobster(path, book, from_ns, to_ns, keep_going, stream)
    return fast(path, from_ns, to_ns)


def _messages_in(folder):
    """Return the path of the message file of the LOBSTER day in a folder."""
    found = [path for path in sorted(folder.iterdir()) if LEVELS.search(path.name) and "message" in path.name]
    if len(found) != 1:
        raise FeedError(f"{folder}: a folder must have the message file of one LOBSTER day, has {', '.join(path.name for path in found) or 'none'}")
    return found[0]
