"""LOBSTER's files: where the messages and the book rows of a day are, and what their names say.

Owns finding them, plain, packed or members of a zip. Knows no meaning of a row.

LOBSTER names its files SYMBOL_DATE_START_END_message_LEVELS.csv and ..._orderbook_LEVELS.csv. An excerpt of the book carries the time of its first
row, in seconds after midnight: SYMBOL_DATE_orderbook_LEVELS_..._from_SECONDS.csv.
"""
import re
import zipfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from lob.errors import FeedError
from lob.feeds.feed import SECOND_NS
from lob.feeds.packed import UNREADABLE, Packed

DAY = re.compile(r"(?P<symbol>[^_/\\]+)_(?P<date>\d{4}-\d{2}-\d{2})_")
LEVELS = re.compile(r"_(?:message|orderbook)_(\d+)")
FIRST_ROW_TIME = re.compile(r"_from_(\d+(?:\.\d{1,9})?)(?!\d)")
BOOK_NAME = re.compile(r"_orderbook_\d+.*\.csv(\.gz|\.zst)?$")
CSV_NAME = re.compile(r"\.csv(\.gz|\.zst)?$")


@dataclass(frozen=True)
class Recording:
    """One CSV file and how to name it."""

    path: Path
    word: str       # 'message' or 'orderbook', which tells the two in a zip apart
    place: str      # the file, and the member in a zip
    name: str       # its own name

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
    def first_row_ns(self):
        """The time of an excerpt's first row, or None for a whole day."""
        match = FIRST_ROW_TIME.search(self.name)
        return int(Decimal(match[1]) * SECOND_NS) if match else None

    def open(self):
        """Return the Packed that gives its bytes. Raises FeedError if it cannot be opened."""
        return _open(self.path, self.word)


def recording_at(path, word):
    """Return the Recording at a path; in a zip, the one CSV file with the word ('message' or 'orderbook') in its name.

    Raises FeedError if there is none or if it cannot be opened.
    """
    with _open(path, word) as packed:
        return Recording(path, word, packed.place, packed.name)


def _open(path, word):
    return Packed(path, lambda names: _member(names, path, word))


def find_book(path):
    """Return the path of the book file that belongs to a message file: the same zip or one beside it, or None.

    Beside it is the file of the same name with 'orderbook' for 'message', else the one of the same symbol, date and level count.
    Raises FeedError if there are several of those, or if the zip is damaged.
    """
    path = Path(path)
    if zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                return path if any("orderbook" in name for name in archive.namelist()) else None
        except UNREADABLE as error:
            raise FeedError(f"{path}: cannot be read: {error}") from error
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
