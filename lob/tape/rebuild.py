"""Rebuild: the book itself, with every order in its place, as it stood at any time of a tape; it goes on to the rows that the tape goes on with.

Owns the way from a tape to an engine: the requests that are read back from the rows are sent again, and must be answered by the same rows. Replay is for who
needs the lots at the prices only. Cost: about 10 microseconds a row.
"""
from itertools import islice

import numpy as np

from lob.errors import TapeError
from lob.exchange.inputs import checked_whole
from lob.exchange.order_book import OrderBook
from lob.exchange.venue import Venue
from lob.messages import REPORT, REQUEST
from lob.tape.requests import answers, book_of, books_in, events_of, request_of, whole_events

REQUESTS_AT_ONCE = 2**12


def order_book_at(tape, time_ns=None, row=None, book=0):
    """Return a book of a tape as it stands when everything up to and including `time_ns` has happened: an OrderBook, or an OrderHistory of a recorded day.

    row: instead of a time, how many rows of the tape to go by; of the last answer all rows must be among them, or none of it counts. Without either, the whole
    tape. The next row of the book has the number that it has on the tape. What no row says must be in the provenance: the venue's settings before the first
    request, and `replace_keeps_place`.
    Raises TapeError if the tape has no such book, or rows that a book of its provenance does not answer with.
    """
    time_ns, row = (None if number is None else checked_whole(name, number) for name, number in (("time_ns", time_ns), ("row", row)))
    numbers = books_in(tape.rows)
    if book not in numbers:
        raise TapeError(f"book must be one of those on the tape, {', '.join(map(str, numbers))}, was {book}")
    if row is not None and (time_ns is not None or not 0 <= row <= len(tape)):
        raise TapeError(f"row must be from 0 to {len(tape)} and without time_ns, was {row}" + ("" if time_ns is None else f" with {time_ns}"))
    row_count = len(tape.rows_until(time_ns)) if row is None else row
    rebuilt, done = _empty_book(tape, book), 0
    # One answer more than counts is read: whether rows are all of an answer is seen by those behind it.
    told = ((rows, asked) for rows, asked in answers(events_of(whole_events(tape).rows)) if asked is not None)
    while batch := list(islice(told, REQUESTS_AT_ONCE)):
        whole = []
        for rows, asked in batch:
            done = done if rows[-1].sequence >= row_count else rows[-1].sequence + 1
            if done > rows[-1].sequence and book_of(rows, numbers) == book:
                whole.append((request_of(asked), rows))
        if whole:
            _send(rebuilt, whole, tape.provenance)
        if batch[-1][0][-1].sequence >= row_count:
            break
    rebuilt.reports.record["sequence"] = done
    return rebuilt


def _empty_book(tape, number):
    keeps_place = tape.provenance.get("replace_keeps_place", True)
    venue = Venue.from_plain(tape.venue_settings(number))
    if tape.execution in ("passive", "displace"):
        from lob.exchange.order_history import OrderHistory

        return OrderHistory(keeps_place, number, venue, tape.execution)
    return OrderBook(keeps_place, number, venue)


def _send(book, answered, provenance):
    """Send requests to a book, which must answer as the tape does but for the numbers of its rows; answered: [(Request, its rows)]."""
    told = np.array([row for _, rows in answered for row in rows], REPORT)
    try:
        rows = book.send_many(np.array([request for request, _ in answered], REQUEST))
    except OverflowError as error:
        raise TapeError(f"a row of the tape says what cannot have been asked: {error}") from None
    both = min(len(rows), len(told))
    rows["sequence"][:both] = told["sequence"][:both]
    if rows.tobytes() != told.tobytes():
        venue = "no venue" if provenance.keys().isdisjoint(("venue", "venues")) else "another venue than the exchange had"
        raise TapeError(f"{_difference(told, rows, both)} of this provenance; perhaps it has {venue}, or another replace_keeps_place")


def _difference(told, rows, both):
    """Return in words where the rows of a tape first differ from those of a book; both: how many both have."""
    different = np.flatnonzero(told[:both] != rows[:both])
    if len(different) == 0:
        return f"row {told['sequence'][-1]}: so far this answer and those before have {len(told)} rows on the tape, and {len(rows)}"
    i = different[0]
    name = next(name for name in ("kind", *REPORT.names) if told[name][i] != rows[name][i])
    return f"row {told['sequence'][i]}: {name} is {told[name][i]} on the tape, and {rows[name][i]} in that of a book"
