"""LOBSTER: a recorded day of Nasdaq order messages as a Feed, with or without the book rows that belong to it.

Owns the start and the end of the replay, and its summary. With the book file of the whole day the visible window is right after every message
(see window.py). With an excerpt of it the day is seeded at the excerpt's first row and goes on from messages alone. With no book file it starts
blind, from an empty book: orders that were there before are missing, references to them are counted, and with few levels the touch is mostly
wrong.
"""
from decimal import Decimal

import numpy as np

from lob.errors import FeedError
from lob.feeds import lobster_rows, window
from lob.feeds.damage import Damage
from lob.feeds.feed import UNITS_PER_DOLLAR, Feed, joined
from lob.feeds.lobster_day import UNEXPLAINED_SHARE_MAX, Day, scan_of
from lob.feeds.lobster_rows import line_of, seconds
from lob.feeds.window import Window

NAME_OF_TYPE = {
    lobster_rows.NEW: "limit_orders", lobster_rows.REDUCED: "partial_cancels", lobster_rows.DELETED: "deletes", lobster_rows.EXECUTED: "executions",
    lobster_rows.HIDDEN: "hidden_executions", lobster_rows.AUCTION: "auction_prints", lobster_rows.HALT: "status_changes",
}
RULE_OF_FAULT = {
    window.DUPLICATE_ORDER: "a new order's id must not be that of an order with lots open",
    window.ORDER_ELSEWHERE: "a message must have the price and direction of the order it names",
    window.MORE_THAN_OPEN: "a message must not take more than its order has open",
}



def lobster(path, book=None, from_ns=None, to_ns=None, keep_going=False, stream=False):
    """Return the Feed of a LOBSTER message file: plain CSV, gzip, zstd, or the zip that holds both files.

    book: its book file; None takes the one in the zip or beside the message file, if there is one. from_ns, to_ns: nanoseconds after midnight. The
    replay starts at the last book row before from_ns (an excerpt: at its first row, which must not be later; no book: at the first
    message); messages after to_ns are left out.
    Ticks are cents if every displayed price is in whole cents, else $0.0001. A hidden execution between two ticks is rounded towards the side it
    came from, so that it never reaches further than it did.
    keep_going: leave out rows that cannot be read or that contradict others, and say so in the summary. stream: read the rows when they are asked for, for
    files larger than memory; which messages contradict others, and whether the book follows from them, is said then, and event_ends are Flag.LAST's, where
    they are otherwise the ends of messages.
    Raises FeedError naming file, row (from 1), rule and value. References to unknown orders are only counted, in the summary.
    """
    damage = Damage(keep_going)
    day = Day(path, book, keep_going, stream)
    scan = scan_of(day, from_ns, to_ns, damage)
    start_ns, end_ns = _span(day, scan)
    summary = _summary(day, scan, damage)

    def read():
        replay = _Replay(day, scan, damage.again())
        yield from replay.blocks()
        summary.update(replay.summary())

    seed_count = 0 if scan.seed_book is None else int(np.count_nonzero(scan.seed_book[:, :, 0]))
    sizes = Decimal(scan.units) / UNITS_PER_DOLLAR, Decimal(1)
    if stream:
        return Feed(day.messages.symbol, day.messages.place, lambda: (rows for rows, _ in read()), None, seed_count, *sizes, start_ns, end_ns, summary)
    rows, event_ends = zip(*read(), strict=True)
    return Feed(day.messages.symbol, day.messages.place, joined(rows), np.concatenate(event_ends), seed_count, *sizes, start_ns, end_ns, summary)


def _span(day, scan):
    """Return (start_ns, end_ns), between which agents act."""
    place, from_ns, to_ns = day.messages.place, scan.from_ns, scan.to_ns
    if from_ns is not None and from_ns > scan.last_ns:
        raise FeedError(f"{place}: from must not be after the last message at {seconds(scan.last_ns)} s, was {seconds(from_ns)} s")
    if from_ns is not None and from_ns < scan.seed_ns and day.book is not None and not day.is_full:
        raise FeedError(f"{day.book.place}: from must not be before its first row at {seconds(scan.seed_ns)} s, was {seconds(from_ns)} s")
    start_ns = scan.seed_ns if from_ns is None else max(int(from_ns), scan.seed_ns)
    if to_ns is not None and to_ns < start_ns:
        raise FeedError(f"{place}: to must not be before the start at {seconds(start_ns)} s, was {seconds(to_ns)} s")
    return start_ns, scan.last_ns if to_ns is None else min(int(to_ns), scan.last_ns)


def _summary(day, scan, damage):
    """Return what a first pass says, in plain numbers and strings."""
    has_book, is_full = day.book is not None, day.is_full
    return {
        "format": "LOBSTER",
        "message_file": day.messages.place,
        "book_file": day.book.place if has_book else None,
        "levels": len(scan.seed_book) if has_book else day.messages.level_count,
        "seeding": "book row of every message" if is_full else "first row of the book file" if has_book else "blind",
        "seed_row": scan.seed + 1 if has_book else None,
        "messages": scan.stop - scan.seed - has_book,
        "first_ns": scan.seed_ns,
        "last_ns": scan.stop_ns,
        "tick_units": scan.units,
        **damage.summary(),
    }


class _Replay:
    """One pass over the messages that are replayed. damage: told of those that contradict others."""

    def __init__(self, day, scan, damage):
        self._day, self._scan, self._damage = day, scan, damage
        self._window = Window(1 if scan.seed_book is None else len(scan.seed_book), day.is_full)
        self._kinds, self._prints_off_tick, self._crossed, self._unexplained_row = np.zeros(8, np.int64), 0, 0, None

    def blocks(self):
        """Yield (rows, row_ends): REQUEST[m], and int64[n], how many rows there are in all up to and including each message."""
        first, scan = 0, self._scan
        for block in self._day.blocks():
            begin, end = (min(max(place - first, 0), len(block.table)) for place in (scan.seed, scan.stop))
            if begin < end:
                yield self._follow(*(part if part is None else part[begin:end] for part in block), first + begin == scan.seed)
            first += len(block.table)
            if first >= scan.stop:
                break
        yield self._window.end(), np.zeros(0, np.int64)
        self._check_book()

    def _follow(self, numbers, table, book, is_first):
        scan, messages = self._scan, lobster_rows.to_messages(table, self._scan.units)
        book = np.zeros((0, 1, 2, 2), np.int64) if book is None else lobster_rows.to_ticks(book, scan.units)
        self._crossed += _count_crossed(book)
        seed_ends = []
        if is_first and scan.seed_book is not None:
            self._window.seed(messages[:1], lobster_rows.to_ticks(scan.seed_book, scan.units))
            numbers, table, messages, book, seed_ends = numbers[1:], table[1:], messages[1:], book[1:], [self._window["count"]]
        self._count(table)

        def contradicted(k, fault):
            text = f"{RULE_OF_FAULT[fault]}, was {line_of(table[k])!r}"
            self._damage.note(f"{self._day.messages.place}: row {numbers[k] + 1}: {text}")

        before = self._window["messages"]
        rows, row_ends = self._window.follow(messages, book, contradicted)
        if self._window["unexplained"] and self._unexplained_row is None:
            self._unexplained_row = int(numbers[self._window["unexplained_first"] - before])
        return rows, np.concatenate([np.array(seed_ends, np.int64), row_ends])

    def _count(self, table):
        kinds = table[:, 1]
        self._kinds += np.bincount(kinds, minlength=8)
        is_print = (kinds == lobster_rows.HIDDEN) | (kinds == lobster_rows.AUCTION)
        self._prints_off_tick += int(np.count_nonzero(table[is_print, 4] % self._scan.units))

    def _check_book(self):
        """Raise FeedError if the two files do not belong together."""
        unexplained, count = self._window["unexplained"], self._scan.stop - self._scan.seed
        if unexplained > UNEXPLAINED_SHARE_MAX * count:
            rule = f"must follow from the row before and its message; {unexplained} of {count} rows do not"
            raise FeedError(f"{self._day.book.place}: row {self._unexplained_row + 1}: {rule}")

    def summary(self):
        """Return what was counted, in plain numbers and strings."""
        return {
            "rows": self._window["total"],
            **{name: int(self._kinds[kind]) for kind, name in NAME_OF_TYPE.items()},
            "prints_off_tick": self._prints_off_tick,
            "re_entries": self._window["entries"],
            "levels_dropped": self._window["drops"],
            "anonymous_references": self._window["anonymous_references"],
            "unknown_references": self._window["unknown_references"],
            "unexplained_messages": self._window["unexplained"],
            **({"crossed_events": self._crossed} if self._day.is_full else {}),
            **self._damage.summary(),
        }


def _count_crossed(book):
    """Return in how many book rows the best bid is at or above the best ask."""
    ask_ticks, bid_ticks = book[:, 0, 0, 0], book[:, 0, 1, 0]
    return int(np.count_nonzero((bid_ticks >= ask_ticks) & (ask_ticks > 0)))
