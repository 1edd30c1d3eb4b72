"""LOBSTER: a recorded day of Nasdaq order messages as a Feed, with or without the book rows that belong to it.

Owns the start, the end and the fit of the two files. With the book file of the whole day the visible window is right after every message
(see window.py). With an excerpt of it the day is seeded at the excerpt's first row and goes on from messages alone. With no book file it starts
blind, from an empty book: orders that were there before are missing, references to them are counted, and with few levels the touch is mostly
wrong.
"""
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from lob.errors import FeedError
from lob.feeds import lobster_rows, window
from lob.feeds.damage import Damage
from lob.feeds.feed import LAST, Feed
from lob.feeds.lobster_files import Recording, find_book, read_recording
from lob.feeds.lobster_rows import SECOND_NS
from lob.feeds.table import line_at

UNITS_PER_DOLLAR = 10_000
UNEXPLAINED_SHARE_MAX = 0.01
CONTRADICTIONS_MAX = 1_000

NAME_OF_TYPE = {
    lobster_rows.NEW: "limit_orders", lobster_rows.REDUCED: "partial_cancels", lobster_rows.DELETED: "deletes", lobster_rows.EXECUTED: "executions",
    lobster_rows.HIDDEN: "hidden_executions", lobster_rows.AUCTION: "auction_prints", lobster_rows.HALT: "status_changes",
}
RULE_OF_FAULT = {
    window.DUPLICATE_ORDER: "a new order's id must not be that of an order with lots open",
    window.ORDER_ELSEWHERE: "a message must have the price and direction of the order it names",
    window.MORE_THAN_OPEN: "a message must not take more than its order has open",
}


@dataclass(frozen=True, eq=False)
class _Day:
    """Both files in ticks."""

    recording: Recording            # of the messages
    book_recording: Recording | None
    table: np.ndarray               # int64[n, 6], the message file as it is
    messages: np.ndarray            # MESSAGE[n]
    book: np.ndarray                # int64[m, L, 2, 2], m = 0 when there is none
    rows: np.ndarray                # int64[n], where in the message file a message is
    damage: Damage
    first: int                      # the message that the first book row follows
    tick_units: int

    @property
    def is_full(self):
        """Whether there is a book row for every message."""
        return len(self.book) == len(self.messages)


def lobster(path, book=None, from_ns=None, to_ns=None, keep_going=False):
    """Return the Feed of a LOBSTER message file: plain CSV, gzip, zstd, or the zip that holds both files.

    book: its book file; None takes the one in the zip or beside the message file, if there is one. from_ns, to_ns: nanoseconds after midnight. The
    replay starts at the last book row before from_ns (an excerpt: at its first row, which must not be later; no book: at the first
    message); messages after to_ns are left out.
    Ticks are cents if every displayed price is in whole cents, else $0.0001. A hidden execution between two ticks is rounded towards the side it
    came from, so that it never reaches further than it did.
    keep_going: leave out rows that cannot be read or that contradict others, and say so in the summary.
    Raises FeedError naming file, row (from 1), rule and value. References to unknown orders are only counted, in the summary.
    """
    day = _read_day(path, book, Damage(keep_going))
    seed, stop, start_ns, end_ns = _cut(day, from_ns, to_ns)
    rows, event_ends, counts = _requests(day, seed, stop)
    _mark_events(rows, event_ends, lobster_rows.sweeps(day.messages[seed:stop]))
    return Feed(
        name=day.recording.symbol, source=day.recording.place, rows=rows, event_ends=event_ends,
        seed_count=int(event_ends[0]) if len(day.book) else 0,
        tick_size=Decimal(day.tick_units) / UNITS_PER_DOLLAR, lot_size=Decimal(1), start_ns=start_ns, end_ns=end_ns,
        summary=_summary(day, seed, stop, counts),
    )


def _read_day(path, book_path, damage):
    recording = read_recording(path, "message", damage)
    table, numbers = lobster_rows.read_messages(recording, damage)
    _need_rows(recording, table)
    book_path = find_book(path) if book_path is None else book_path
    if book_path is None:
        units = lobster_rows.tick_units(table, None)
        return _Day(recording, None, table, lobster_rows.to_messages(table, units), np.zeros((0, 1, 2, 2), np.int64), numbers, damage, 0, units)
    book_recording = read_recording(book_path, "orderbook", damage)
    book, book_numbers = lobster_rows.read_book(book_recording, damage)
    if damage.texts and book_recording.first_row_time is None:  # only whole pairs of rows count
        table, book, numbers = table[np.isin(numbers, book_numbers)], book[np.isin(book_numbers, numbers)], np.intersect1d(numbers, book_numbers)
        _need_rows(recording, table)
    units = lobster_rows.tick_units(table, book)
    messages, book = lobster_rows.to_messages(table, units), lobster_rows.to_ticks(book, units)
    return _Day(recording, book_recording, table, messages, book, numbers, damage, _first_message(book_recording, messages, book), units)


def _need_rows(recording, table):
    if len(table) == 0:
        raise FeedError(f"{recording.place}: a recording needs at least one row, none is left of the file that keeps the rules")


def _first_message(recording, messages, book):
    """Return the message that the first book row follows: by the time in the file's name, and by what the messages explain."""
    if recording.first_row_time is None:
        if len(book) != len(messages):
            rule = f"a book file without _from_SECONDS in its name must have a row for each of the {len(messages)} messages"
            raise FeedError(f"{recording.place}: {rule}, has {len(book)}")
        return 0
    first_ns = int(Decimal(recording.first_row_time) * SECOND_NS)
    found = np.flatnonzero(messages["time_ns"] == first_ns)
    found = found[found + len(book) <= len(messages)]
    if not found.size:
        raise FeedError(f"{recording.place}: its first row must follow a message of that time, with {len(book) - 1} messages after it: there is none")
    unexplained = [window.count_unexplained(messages[first:first + len(book)], book) for first in found]
    fewest = min(unexplained)
    if fewest > UNEXPLAINED_SHARE_MAX * len(book):
        raise FeedError(f"{recording.place}: the messages from its first row's time on must explain its {len(book)} rows, {fewest} are left unexplained")
    if unexplained.count(fewest) > 1:
        raise FeedError(f"{recording.place}: must fit one message only, fits those of rows {', '.join(str(first + 1) for first in found)}")
    return int(found[unexplained.index(fewest)])


def _cut(day, from_ns, to_ns):
    """Return (seed, stop, start_ns, end_ns): messages seed to stop are replayed, agents act from start_ns to end_ns."""
    times_ns, place = day.messages["time_ns"], day.recording.place
    first_ns, last_ns = int(times_ns[day.first]), int(times_ns[-1])
    if from_ns is not None and from_ns > last_ns:
        raise FeedError(f"{place}: from must not be after the last message at {_seconds(last_ns)} s, was {_seconds(from_ns)} s")
    if from_ns is not None and from_ns < first_ns and not day.is_full and len(day.book):
        raise FeedError(f"{day.book_recording.place}: from must not be before its first row at {_seconds(first_ns)} s, was {_seconds(from_ns)} s")
    seed = day.first
    if day.is_full and from_ns is not None:
        seed = max(int(np.searchsorted(times_ns, from_ns)) - 1, 0)
    start_ns = int(times_ns[seed]) if from_ns is None else max(int(from_ns), int(times_ns[seed]))
    if to_ns is None:
        return seed, times_ns.size, start_ns, last_ns
    if to_ns < start_ns:
        raise FeedError(f"{place}: to must not be before the start at {_seconds(start_ns)} s, was {_seconds(to_ns)} s")
    return seed, int(np.searchsorted(times_ns, to_ns, "right")), start_ns, min(int(to_ns), last_ns)


def _seconds(time_ns):
    """Return a time as LOBSTER writes it."""
    return f"{time_ns // SECOND_NS}.{time_ns % SECOND_NS:09d}"


def _book_rows(day, seed, stop):
    """Return the book rows that belong to messages seed to stop, or only the first of an excerpt, or none."""
    return day.book[seed:stop] if day.is_full else day.book[:1]


def _requests(day, seed, stop):
    """Return the rows, their event_ends and counts; a message that contradicts the ones before it is told to the day's damage."""
    rows, event_ends, counts = window.requests_of(day.messages[seed:stop], _book_rows(day, seed, stop))
    while counts["fault"] != window.FINE:
        k = seed + int(counts["fault_message"])
        text = f"{RULE_OF_FAULT[int(counts['fault'])]}, was {line_at(day.recording.text, int(day.rows[k]))!r}"
        day.damage.note(f"{day.recording.place}: row {day.rows[k] + 1}: {text}")
        if day.damage.count > CONTRADICTIONS_MAX:
            raise FeedError(f"{day.recording.place}: at most {CONTRADICTIONS_MAX} rows can be left out, the last was row {day.rows[k] + 1}: {text}")
        day.messages["action"][k] = window.NO_ACTION
        rows, event_ends, counts = window.requests_of(day.messages[seed:stop], _book_rows(day, seed, stop))
    _check_book(day, seed, stop, counts)
    return rows, event_ends, counts


def _mark_events(rows, event_ends, follows):
    """Mark the last row of each event."""
    ends = event_ends[np.append(~follows[1:], True)]
    rows["flags"][ends[ends > 0] - 1] = LAST


def _check_book(day, seed, stop, counts):
    """Raise FeedError if the two files do not belong together."""
    unexplained = int(counts["unexplained"])
    if unexplained > UNEXPLAINED_SHARE_MAX * (stop - seed):
        row = int(day.rows[seed + int(counts["unexplained_first"])])
        rule = f"must follow from the row before and its message; {unexplained} of {stop - seed} rows do not"
        raise FeedError(f"{day.book_recording.place}: row {row + 1}: {rule}")


def _summary(day, seed, stop, counts):
    """Return what was read and done, in plain numbers and strings."""
    replayed = day.table[seed + (len(day.book) > 0):stop]
    kinds = np.bincount(replayed[:, 1], minlength=8)
    is_print = (replayed[:, 1] == lobster_rows.HIDDEN) | (replayed[:, 1] == lobster_rows.AUCTION)
    seeding = "blind" if not len(day.book) else "book row of every message" if day.is_full else "first row of the book file"
    return {
        "format": "LOBSTER",
        "message_file": day.recording.place,
        "book_file": day.book_recording.place if day.book_recording else None,
        "levels": day.book.shape[1] if len(day.book) else day.recording.level_count,
        "seeding": seeding,
        "seed_row": seed + 1 if len(day.book) else None,
        "messages": len(replayed),
        "rows": int(counts["rows"]),
        "first_ns": int(day.messages["time_ns"][seed]),
        "last_ns": int(day.messages["time_ns"][stop - 1]),
        "tick_units": day.tick_units,
        **{name: int(kinds[kind]) for kind, name in NAME_OF_TYPE.items()},
        "prints_off_tick": int(np.count_nonzero(replayed[is_print, 4] % day.tick_units)),
        "re_entries": int(counts["entries"]),
        "levels_dropped": int(counts["drops"]),
        "anonymous_references": int(counts["anonymous_references"]),
        "unknown_references": int(counts["unknown_references"]),
        "unexplained_messages": int(counts["unexplained"]),
        **({"crossed_events": _count_crossed(day.book[seed:stop])} if day.is_full else {}),
        **day.damage.summary(),
    }


def _count_crossed(book):
    """Return in how many book rows the best bid is at or above the best ask."""
    ask_ticks, bid_ticks = book[:, 0, 0, 0], book[:, 0, 1, 0]
    return int(np.count_nonzero((bid_ticks >= ask_ticks) & (ask_ticks > 0)))
