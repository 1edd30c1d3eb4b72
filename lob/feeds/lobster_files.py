"""LOBSTER's files: where the messages and the book rows of a day are, and what their names say.

Owns finding them, plain, packed or members of a zip. Knows no meaning of a row.

LOBSTER names its files SYMBOL_DATE_START_END_message_LEVELS.csv and ..._orderbook_LEVELS.csv. An excerpt of the book carries the time of its first
row, in seconds after midnight: SYMBOL_DATE_orderbook_LEVELS_..._from_SECONDS.csv.
"""
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lob.errors import FeedError
from lob.feeds.packed import BLOCK_BYTES, Packed
from lob.feeds.table import line_at

DAY = re.compile(r"(?P<symbol>[^_/\\]+)_(?P<date>\d{4}-\d{2}-\d{2})_")
LEVELS = re.compile(r"_(?:message|orderbook)_(\d+)")
FIRST_ROW_TIME = re.compile(r"_from_(\d+(?:\.\d{1,9})?)(?!\d)")
BOOK_NAME = re.compile(r"_orderbook_\d+.*\.csv(\.gz|\.zst)?$")

CSV_NAME = re.compile(r"\.csv(\.gz|\.zst)?$")


@dataclass(frozen=True, eq=False)
class Recording:
    """One unpacked CSV file and how to name it."""

    place: str          # the file, and the member in a zip
    name: str           # its own name
    text: np.ndarray    # uint8[n]

    @property
    def symbol(self):
        """The symbol in the name, or the name up to its first point."""
        match = DAY.match(self.name)
        return match["symbol"] if match else self.name.partition(".")[0]

    @property
    def level_count(self):
        """The levels that the name promises, or None."""
        match = LEVELS.search(self.name)
        return int(match[1]) if match else None

    @property
    def first_line(self):
        """The first row as text."""
        return line_at(self.text, 0)

    @property
    def first_row_time(self):
        """The time of an excerpt's first row, as the text of seconds after midnight, or None for a whole day."""
        match = FIRST_ROW_TIME.search(self.name)
        return match[1] if match else None


def read_recording(path, word, damage=None):
    """Return the Recording at a path; in a zip, the one CSV file with the word ('message' or 'orderbook') in its name.

    Raises FeedError if there is none or if it cannot be read or unpacked.
    """
    with Packed(path, lambda names: _member(names, path, word)) as packed:
        blocks = [packed.fill(BLOCK_BYTES)]
        while len(blocks[-1]) == BLOCK_BYTES:
            blocks.append(packed.fill(BLOCK_BYTES))
        if packed.failure is not None and (damage is None or not damage.keep_going):
            raise packed.failure
        return Recording(packed.place, packed.name, np.concatenate(blocks))


def find_book(path):
    """Return the path of the book file that belongs to a message file: the same zip or one beside it, or None.

    Beside it is the file of the same name with 'orderbook' for 'message', else the one of the same symbol, date and level count.
    Raises FeedError if there are several of those.
    """
    path = Path(path)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return path if any("orderbook" in name for name in archive.namelist()) else None
    twin = path.with_name(path.name.replace("message", "orderbook"))
    if twin != path and twin.exists():
        return twin
    day, levels = DAY.match(path.name), LEVELS.search(path.name)
    if not (day and levels):
        return None
    beside = [other for other in path.parent.iterdir() if other.name.startswith(day[0]) and BOOK_NAME.search(other.name)]
    found = [other for other in sorted(beside) if LEVELS.search(other.name)[1] == levels[1]]
    if len(found) > 1:
        raise FeedError(f"{path}: one book file must belong to it, found {', '.join(other.name for other in found)}: name one")
    return found[0] if found else None


def _member(names, path, word):
    found = [name for name in names if word in Path(name).name and CSV_NAME.search(name)]
    if len(found) != 1:
        raise FeedError(f"{path}: must hold one CSV file with '{word}' in its name, holds {', '.join(found) or 'none'}")
    return found[0]
