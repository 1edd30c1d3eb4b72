"""Requests: what was asked, read back from what was answered.

Owns the way back from rows to requests. The first rows of an event hold all of its request that the exchange looked at. What they do not hold exactly
(the least lots of an order with a minimum, the range of prices of a mass cancel) comes back as something to which the exchange gives the same answer and
after which it goes on in the same way. Knows no engine and no reference.
"""
import numpy as np

from lob.exchange.reference_plain import Request, Row
from lob.messages import NOBODY, Action, CancelReason, Flag, RejectReason, ReportKind
from lob.tape.record import Tape

LAST = int(Flag.LAST)
EVENTS_A_BLOCK = 2**13
PEGS = Flag.PEG_NEAR | Flag.PEG_MID | Flag.PEG_FAR

# Refused before the book was looked at: the number in such a row need not be any book's.
BOOK_UNSEEN = [RejectReason.UNKNOWN_ACTION, RejectReason.UNKNOWN_BOOK, RejectReason.NOT_IN_RECORDED_DAY]
# An event that begins with such a row is no request's own: after that of a request a stop is triggered, a pegged order moves, an auction is indicated.
_AFTER_A_REQUEST = [ReportKind.TRIGGERED, ReportKind.REPLACED, ReportKind.INDICATIVE]


def whole_events(tape):
    """Return the tape without the event that it breaks off, if it was cut short, and without those that may belong to an answer whose end is not there."""
    if tape.provenance.get("complete", True):
        return tape
    stops = np.flatnonzero(tape.rows["flags"] & LAST) + 1
    firsts = tape.rows[np.concatenate([[0], stops[:-1]]).astype(int)] if len(stops) else tape.rows[:0]
    count = len(stops)
    kinds, reasons = firsts["kind"].tolist(), firsts["reason"].tolist()
    begun, asked = 0, None  # the first event of the last answer, and the one that is about its request
    for i in range(count):
        if asked is not None and not _follows(kinds[i], reasons[i]):
            begun, asked = i, None
        if asked is None and _is_asked_for(kinds[i], reasons[i]):
            asked = i
    # More might have followed: the last request is left out with all that it brought about.
    count = begun if _might_go_on(tape) or asked is None else count
    return Tape(tape.rows[: stops[count - 1] if count else 0], tape.provenance)


def _might_go_on(tape):
    """Return whether more events than one may answer a request: there are stops, pegged orders, phases or a venue of its own."""
    return bool((tape.rows["flags"] & (Flag.STOP | PEGS)).any() or (tape.rows["kind"] >= ReportKind.PHASE).any() or _has_settings(tape))


def _has_settings(tape):
    return tape.provenance.get("venue") or tape.provenance.get("venues")


def _follows(kind, reason):
    """Return whether an event belongs to the answer that has begun, by its first row."""
    return kind in _AFTER_A_REQUEST or (kind == ReportKind.PHASE and reason == RejectReason.PRICE_OUTSIDE_BAND)


def _is_asked_for(kind, reason):
    return reason != CancelReason.EXPIRED and not _follows(kind, reason)


def events_of(rows):
    """Yield the rows of each event as a list of Row; an event ends with Flag.LAST."""
    stops = np.flatnonzero(rows["flags"] & LAST) + 1
    if len(rows) and (len(stops) == 0 or stops[-1] < len(rows)):
        stops = np.append(stops, len(rows))
    begin = 0
    for i in range(0, len(stops), EVENTS_A_BLOCK):
        block = stops[i : i + EVENTS_A_BLOCK]
        named = [Row._make(values) for values in rows[begin : block[-1]].tolist()]
        first = 0
        for stop in (block - begin).tolist():
            yield named[first:stop]
            first = stop
        begin = int(block[-1])


def answers(events):
    """Yield all rows that answer one request, and those of the event that is about it.

    Before it orders may expire and a phase end by itself; after it stops may be triggered, the breaker trip, pegged orders move, and an auction be indicated.
    """
    rows, asked = [], None
    for event in events:
        if asked is not None and not _follows(event[0].kind, event[0].reason):
            yield rows, asked
            rows, asked = [], None
        rows = rows + event
        if asked is None and _is_asked_for(event[0].kind, event[0].reason):
            asked = event
    if rows:
        yield rows, asked


def books_in(rows):
    """Return the numbers of the books that gave rows of their own among REPORT[n], in order; 0 if none did."""
    return np.unique(rows["book"][~np.isin(rows["reason"], BOOK_UNSEEN)]).tolist() or [0]


def book_of(rows, numbers):
    """Return which of the books that there are answered with these rows; one that gave no row of its own may be any, and is the first."""
    number = next((row.book for row in rows if row.reason not in BOOK_UNSEEN), rows[0].book)
    return number if number in numbers else min(numbers)


def request_of(rows):
    """Return the Request behind the rows of one event, as far as the exchange looked at it.

    rows: list of Row, all rows of the event.
    """
    first = rows[0]
    flags = first.flags & ~LAST
    if first.kind == ReportKind.REJECTED:
        # LAST in a request is itself an unknown flag; in any other refusal the bit only ends the event.
        flags = first.flags if first.reason == RejectReason.UNKNOWN_FLAG else flags
        answered = {"min_lots": int(first.reason != RejectReason.MINIMUM_OUT_OF_RANGE)}
    else:
        answered = _ANSWERED[first.action](first, rows)
    request = Request(
        time_ns=first.time_ns, sent_ns=first.sent_ns, order_id=first.order_id, price_ticks=first.price_ticks, lots=first.lots,
        owner=first.owner, book=first.book, action=first.action, side=first.side, tif=first.tif, flags=flags,
        display_lots=first.display_lots, trigger_ticks=first.trigger_ticks, expiry_ns=first.expiry_ns, offset_ticks=first.offset_ticks,
    )
    return request._replace(**answered)


def _cancel(first, rows):
    # Without lots a cancel takes what is open, and so does any number at or above it.
    return {"lots": first.lots if first.kind == ReportKind.REDUCED else 0}


def _replace(first, rows):
    if first.kind == ReportKind.REDUCED:
        return {"lots": first.open_lots, "flags": 0}
    renewed = _first_of(rows, ReportKind.REPLACED)
    return {"price_ticks": renewed.price_ticks, "lots": renewed.lots, "flags": renewed.flags & Flag.POST_ONLY}


def _mass_cancel(first, rows):
    # What went lies in these bounds, and whatever of the owner's lay in them went.
    prices = [row.price_ticks or row.trigger_ticks for row in rows]
    sides = {row.side for row in rows}
    if 0 in prices:
        # A market order that collects: no range of prices has it.
        prices = [0]
    return {"side": first.side if len(sides) == 1 else 0, "price_ticks": min(prices), "trigger_ticks": max(prices)}


def _execute(first, rows):
    if first.kind == ReportKind.DISPLACED:
        return {}
    # Agents may have stood before the recorded order: its own row is the one in which no agent rests.
    recorded = next((row for row in rows if row.resting_owner == NOBODY), first)
    return {"order_id": recorded.resting_id, "side": -recorded.side, "price_ticks": recorded.price_ticks, "lots": recorded.lots}


def _print(first, rows):
    printed = _first_of(rows, ReportKind.PRINT)
    return {"side": printed.side, "price_ticks": printed.price_ticks, "lots": printed.lots}


def _first_of(rows, kind):
    return next((row for row in rows if row.kind == kind), rows[0])


def _as_it_says(first, rows):
    # That a minimum was met says no more than that something traded; that it was not, that all the lots would not have been had.
    # A pegged order is hidden without being asked to be.
    flags = first.flags & ~(LAST | (int(Flag.HIDDEN) if first.flags & PEGS else 0))
    return {"min_lots": first.lots if rows[-1].reason == CancelReason.MINIMUM else 1, "flags": flags}


_ANSWERED = dict.fromkeys(range(256), _as_it_says) | {Action.CANCEL: _cancel, Action.REPLACE: _replace, Action.EXECUTE: _execute, Action.PRINT: _print}
_ANSWERED |= {Action.MASS_CANCEL: _mass_cancel, Action.PHASE: lambda first, rows: {"price_ticks": _first_of(rows, ReportKind.PHASE).price_ticks}}
