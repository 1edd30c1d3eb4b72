"""LOBSTER's day: its two files side by side, in blocks of rows, and what a first pass over them finds.

Owns which rows of the two belong together, and where an excerpt of the book begins. Knows no REQUEST. With a book file of the whole day row k of it follows
message k; where rows are left out only whole pairs count. An excerpt's first row follows a message of the time in its name, the one of which the messages
behind it explain the excerpt best.
"""
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lob.errors import FeedError
from lob.feeds import lobster_rows
from lob.feeds.damage import Damage
from lob.feeds.lobster_files import find_book, recording_at
from lob.feeds.window import Window

UNEXPLAINED_SHARE_MAX = 0.01
NO_ROWS_LEFT = "a recording needs at least one row, none is left of the file that keeps the rules"


class Block(NamedTuple):
    """Some rows of a day, one after the other."""

    numbers: np.ndarray         # int64[n], which rows of the message file
    table: np.ndarray           # int64[n, 6], these rows, times in nanoseconds
    book: np.ndarray | None     # int64[n, L, 2, 2], the book rows after them, if there is one for each message


class Day:
    """The files of a day. Its blocks are read anew each time, or, unless they are streamed, once, and then kept."""

    def __init__(self, path, book_path, keep_going, is_streamed):
        self.messages, self.keep_going = recording_at(path, "message"), keep_going
        book_path = find_book(path) if book_path is None else book_path
        self.book = None if book_path is None else recording_at(book_path, "orderbook")
        self._kept = None if is_streamed else {}

    @property
    def is_full(self):
        """Whether there is a book row for every message."""
        return self.book is not None and self.book.first_row_ns is None

    def blocks(self, damage=None):
        """Yield the Blocks; `damage` is told of what is left out."""
        return self._once("day", self._blocks(damage or Damage(self.keep_going)))

    def excerpt(self, damage=None):
        """Yield the rows of an excerpt of the book as `book_blocks` does."""
        return self._once("excerpt", lobster_rows.book_blocks(self.book, damage or Damage(self.keep_going)))

    def _once(self, name, blocks):
        if self._kept is None:
            return blocks
        return iter(self._kept[name]) if name in self._kept else self._keep(name, blocks)

    def _keep(self, name, blocks):
        kept = []
        for block in blocks:
            kept.append(block)
            yield block
        self._kept[name] = kept

    def _blocks(self, damage):
        messages = lobster_rows.message_blocks(self.messages, damage)
        if not self.is_full:
            yield from (Block(numbers, table, None) for numbers, table in messages)
            return
        counts = {"messages": 0, "books": 0}
        messages = _counted(messages, counts, "messages")
        books = _counted(lobster_rows.book_blocks(self.book, damage), counts, "books")
        yield from (Block(*pair) for pair in _pairs(messages, books))
        for rest in (messages, books):
            for _ in rest:
                pass
        if counts["messages"] != counts["books"] and not damage.texts:
            rule = f"a book file without _from_SECONDS in its name must have a row for each of the {counts['messages']} messages"
            raise FeedError(f"{self.book.place}: {rule}, has {counts['books']}")


def _counted(blocks, counts, name):
    for numbers, values in blocks:
        counts[name] += len(numbers)
        yield numbers, values


def _pairs(some, others):
    """Yield (numbers, values, other values) of the rows whose number is in both of two sequences of (numbers, values), which rise."""
    ones = twos = (np.zeros(0, np.int64), None)
    while ones is not None and twos is not None:
        if len(ones[0]) == 0:
            ones = next(some, None)
        elif len(twos[0]) == 0:
            twos = next(others, None)
        else:
            last = min(ones[0][-1], twos[0][-1])
            i, j = (int(np.searchsorted(numbers, last, "right")) for numbers, _ in (ones, twos))
            yield _matched(ones[0][:i], ones[1][:i], twos[0][:j], twos[1][:j])
            ones, twos = (ones[0][i:], ones[1][i:]), (twos[0][j:], twos[1][j:])


def _matched(numbers, values, other_numbers, other_values):
    if np.array_equal(numbers, other_numbers):
        return numbers, values, other_values
    common, i, j = np.intersect1d(numbers, other_numbers, assume_unique=True, return_indices=True)
    return common, values[i], other_values[j]


@dataclass
class Scan:
    """What a first pass over a day finds. Times are nanoseconds after midnight, None before a first message."""

    from_ns: int | None
    to_ns: int | None
    units: int = lobster_rows.CENT_UNITS    # the price step, in file units
    count: int = 0                          # of messages
    last_ns: int | None = None              # of the last message
    seed: int = 0                           # the message that the replay starts at
    seed_ns: int | None = None              # its time
    seed_book: np.ndarray | None = None     # int64[L, 2, 2], the book row after it, in file units
    stop: int = 0                           # so many messages are not after to_ns
    stop_ns: int | None = None              # the time of the last of these

    def add(self, block, may_seed_later):
        """Add a Block; may_seed_later: whether the seed is the last message before from_ns, not the first of all."""
        times_ns = block.table[:, 0]
        early = int(np.searchsorted(times_ns, self.from_ns)) if may_seed_later and self.from_ns is not None else 0
        if early or self.count == 0:
            i = max(early - 1, 0)
            self.seed, self.seed_ns = self.count + i, int(times_ns[i])
            self.seed_book = None if block.book is None else block.book[i].copy()
        until = len(times_ns) if self.to_ns is None else int(np.searchsorted(times_ns, self.to_ns, "right"))
        self.stop += until
        self.stop_ns = int(times_ns[until - 1]) if until else self.stop_ns
        self.count, self.last_ns = self.count + len(times_ns), int(times_ns[-1])
        self.look_at_prices(block.table, block.book)

    def look_at_prices(self, table, book):
        """Make the price step one unit if a displayed price is not in whole cents."""
        if self.units > 1 and not lobster_rows.is_in_cents(table, book):
            self.units = 1


def scan_of(day, from_ns, to_ns, damage):
    """Return the Scan of a Day; `damage` is told of what is left out of it. Raises FeedError if nothing is left, or if the files do not fit."""
    scan, first_ns = Scan(from_ns, to_ns), day.book.first_row_ns if day.book else None
    found, times = 0, 0  # messages of the time of an excerpt's first row: the first, and how many
    for block in day.blocks(damage):
        if not len(block.table):
            continue
        if first_ns is not None:
            i, j = (int(np.searchsorted(block.table[:, 0], first_ns, side)) for side in ("left", "right"))
            found, times = found if times else scan.count + i, times + j - i
        scan.add(block, day.is_full)
    if scan.count == 0:
        raise FeedError(f"{day.messages.place}: {NO_ROWS_LEFT}")
    if first_ns is not None:
        _fit(day, scan, range(found, found + times), damage)
        scan.seed_ns = first_ns
    return scan


def _fit(day, scan, found, damage):
    """Let a Scan seed at the first row of the excerpt, after the one of some messages that explains it."""
    row_count = 0
    for _, book in day.excerpt(damage):
        scan.look_at_prices(np.zeros((0, 6), np.int64), book)
        scan.seed_book = book[0].copy() if scan.seed_book is None and len(book) else scan.seed_book
        row_count += len(book)
    place = day.book.place
    if row_count == 0:
        raise FeedError(f"{place}: {NO_ROWS_LEFT}")
    found = [first for first in found if first + row_count <= scan.count]
    if not found:
        raise FeedError(f"{place}: its first row must follow a message of that time, with {row_count - 1} messages after it: there is none")
    unexplained = [_count_unexplained(day, scan.units, first, row_count) for first in found]
    fewest = min(unexplained)
    if fewest > UNEXPLAINED_SHARE_MAX * row_count:
        raise FeedError(f"{place}: the messages from its first row's time on must explain its {row_count} rows, {fewest} are left unexplained")
    if unexplained.count(fewest) > 1:
        raise FeedError(f"{place}: must fit one message only, fits those of rows {', '.join(str(first + 1) for first in found)}")
    scan.seed = found[unexplained.index(fewest)]


def _count_unexplained(day, units, first, row_count):
    """Return how many rows of the excerpt do not follow from the row before and their message, if its first row follows message `first`."""
    window, faults = None, []
    for _, table, book in _pairs(_by_place(((block.numbers, block.table) for block in day.blocks()), first), _by_place(day.excerpt(), 0)):
        messages, book = lobster_rows.to_messages(table, units), lobster_rows.to_ticks(book, units)
        if window is None:
            window = Window(book.shape[1], True)
            window.seed(messages[:1], book[0])
            messages, book = messages[1:], book[1:]
        window.follow(messages, book, lambda k, fault: faults.append(k))
    return row_count if faults else window["unexplained"]


def _by_place(blocks, first):
    """Yield blocks of (numbers, values) from the row at place `first` on, numbered by their place from there."""
    place = -first
    for _, values in blocks:
        numbers = np.arange(place, place + len(values))
        yield numbers[numbers >= 0], values[numbers >= 0]
        place += len(values)
