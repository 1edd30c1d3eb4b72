"""Verify: whether a tape says what an exchange would have said.

Owns the way back from rows to requests: the first rows of an event hold all of its request that the exchange looked at. Each request goes
through the reference book, in the plainest Python, and every field of every row must come back; then the book that the rows leave behind
must be the reference's, and the accounts are rebuilt twice, by replay and by a loop over the fills. Knows no engine.

Cost: about 15 microseconds a row.
"""
from dataclasses import dataclass, field

import numpy as np

from lob.exchange.reference import ReferenceBook, Request, Row
from lob.exchange.venue import Venue
from lob.messages import NOBODY, Action, CancelReason, Flag, RejectReason, ReportKind, Side
from lob.tape.accounts import Account, accounts
from lob.tape.record import Tape
from lob.tape.replay import ReplayedBook

LAST = int(Flag.LAST)
EVENTS_A_BLOCK = 2**13

# Refused before the book was looked at: the number in such a row need not be any book's.
_BOOK_UNSEEN = [RejectReason.UNKNOWN_ACTION, RejectReason.UNKNOWN_BOOK, RejectReason.NOT_IN_RECORDED_DAY]
_WORDS = {"kind": ReportKind, "action": Action}


@dataclass(frozen=True)
class Disagreement:
    """Where a tape first says something else than the reference: expected is the reference's word, found the tape's."""

    row: int
    field: str
    expected: object
    found: object

    def __str__(self):
        words = {member.value: member.name for member in _WORDS.get(self.field, ())}
        return f"row {self.row}: {self.field} must be {words.get(self.expected, self.expected)}, was {words.get(self.found, self.found)}"


@dataclass(frozen=True)
class Verdict:
    """What verify found: whether all is well, the rows and events that agree, the first Disagreement if any, the accounts by owner."""

    ok: bool
    rows: int
    events: int
    disagreement: Disagreement | None = None
    accounts: dict = field(default_factory=dict)

    def __str__(self):
        if self.ok:
            return f"{self.rows:,} rows of {self.events:,} events and {len(self.accounts):,} accounts agree with the reference"
        return f"{self.rows:,} rows agree with the reference; {self.disagreement}"


class _Disagrees(Exception):
    def __init__(self, *where):
        self.disagreement = Disagreement(*where)


def verify(tape, on_progress=None):
    """Return the Verdict on a tape.

    on_progress: called now and then with the number of rows checked. Of a tape that was cut short, the event that it breaks off is left out.
    """
    tape = _whole_events(tape)
    first = events = told = 0
    try:
        _check_order(tape.rows)
        books = _reference_books(tape)
        for rows, asked in _answers(_events(tape.rows)):
            _check_answer(books, first, rows, asked)
            first, events = first + len(rows), events + sum(row.flags & LAST > 0 for row in rows)
            if on_progress is not None and events - told >= EVENTS_A_BLOCK:
                told = events
                on_progress(first)
        for number, reference in books.items():
            _check_depth(tape, number, reference)
        rebuilt = _checked_accounts(tape)
    except _Disagrees as error:
        return Verdict(False, first, events, error.disagreement)
    return Verdict(True, first, events, None, rebuilt)


def _whole_events(tape):
    """Return the tape without the event that it breaks off, if it was cut short, and without those that may belong to an answer whose end is not there."""
    if tape.provenance.get("complete", True):
        return tape
    stops = np.flatnonzero(tape.rows["flags"] & LAST) + 1
    firsts = tape.rows[np.concatenate([[0], stops[:-1]]).astype(int)] if len(stops) else tape.rows[:0]
    count = len(stops)
    kinds, reasons = firsts["kind"].tolist(), firsts["reason"].tolist()
    might_go_on = (tape.rows["flags"] & Flag.STOP != 0).any() or bool((tape.rows["kind"] >= ReportKind.PHASE).any()) or bool(tape.provenance.get("venue"))
    begun, asked = 0, None  # the first event of the last answer, and the one that is about its request
    for i in range(count):
        if asked is not None and not _follows(kinds[i], reasons[i]):
            begun, asked = i, None
        if asked is None and _is_asked_for(kinds[i], reasons[i]):
            asked = i
    # More might have followed: the last request is left out with all that it brought about.
    count = begun if might_go_on or asked is None else count
    return Tape(tape.rows[: stops[count - 1] if count else 0], tape.provenance)


def _check_order(rows):
    """Check that rows are numbered from 0 and that time never goes back."""
    wrong = rows["sequence"] != np.arange(len(rows))
    if wrong.any():
        row = int(wrong.argmax())
        raise _Disagrees(row, "sequence", row, int(rows["sequence"][row]))
    times = rows["time_ns"]
    back = times[1:] < times[:-1]
    if back.any():
        row = int(back.argmax()) + 1
        raise _Disagrees(row, "time_ns", f"at least {times[row - 1]}", int(times[row]))


def _reference_books(tape):
    """Return an empty reference for every book that the tape speaks of: {number: reference}."""
    if tape.execution == "passive":
        from lob.exchange.reference_history import ReferenceHistory as Reference
    else:
        Reference = ReferenceBook
    seen = ~np.isin(tape.rows["reason"], _BOOK_UNSEEN)
    numbers = {0, *np.unique(tape.rows["book"][seen]).tolist()}
    keeps_place = tape.provenance.get("replace_keeps_place", True)
    venue = {} if tape.execution == "passive" else {"venue": Venue.from_plain(tape.provenance.get("venue", {}))}
    return {number: Reference(replace_keeps_place=keeps_place, book=number, **venue) for number in sorted(numbers)}


def _events(rows):
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


def _answers(events):
    """Yield all rows that answer one request, and those of the event that is about it.

    Before it orders may expire and a phase end by itself; after it stops may be triggered, the breaker trip, and an auction be indicated.
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


def _follows(kind, reason):
    """Return whether an event belongs to the answer that has begun, by its first row."""
    return kind in (ReportKind.TRIGGERED, ReportKind.INDICATIVE) or (kind == ReportKind.PHASE and reason == RejectReason.PRICE_OUTSIDE_BAND)


def _is_asked_for(kind, reason):
    return reason != CancelReason.EXPIRED and not _follows(kind, reason)


def _check_answer(books, first, rows, asked):
    if asked is None:
        raise _Disagrees(first + len(rows), "rows of the request that let orders expire", 1, 0)
    reference = books.get(rows[0].book, books[0])
    reference.sequence = first
    answer = reference.apply(request_of(asked))
    if answer == rows:
        return
    for i, (expected, found) in enumerate(zip(answer, rows, strict=False)):
        for name, right, wrong in zip(Row._fields, expected, found, strict=True):
            if right != wrong:
                raise _Disagrees(first + i, name, int(right), wrong)
    raise _Disagrees(first + min(len(answer), len(rows)), "rows of this event", len(answer), len(rows))


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
    return {"min_lots": first.lots if rows[-1].reason == CancelReason.MINIMUM else 1}


_ANSWERED = dict.fromkeys(range(256), _as_it_says) | {Action.CANCEL: _cancel, Action.REPLACE: _replace, Action.EXECUTE: _execute, Action.PRINT: _print}
_ANSWERED |= {Action.MASS_CANCEL: _mass_cancel, Action.PHASE: lambda first, rows: {"price_ticks": _first_of(rows, ReportKind.PHASE).price_ticks}}


def _check_depth(tape, number, reference):
    """Check that the rows by themselves leave the reference's book behind."""
    replayed = ReplayedBook(tape.execution, number)
    for _ in replayed.advance(tape.rows):
        pass
    for side in Side:
        found = replayed.depth(side, None).tolist()
        expected = reference.depth(side, len(found) + 1).tolist()
        if found != expected:
            level = next(i for i in range(len(found) + 1) if found[i : i + 1] != expected[i : i + 1])
            raise _Disagrees(len(tape), f"level {level} of the {side.name} side at the end", expected[level : level + 1], found[level : level + 1])


def _checked_accounts(tape):
    """Return the accounts, rebuilt twice and compared; what one owner gained in lots and cash the others gave."""
    rebuilt, naive = accounts(tape), naive_accounts(tape)
    for owner in sorted(rebuilt.keys() | naive.keys()):
        if rebuilt.get(owner) != naive.get(owner):
            raise _Disagrees(len(tape), f"account of owner {owner}", naive.get(owner), rebuilt.get(owner))
    for name in ("inventory_lots", "cash_ticks"):
        total = sum(getattr(account, name) for account in rebuilt.values())
        if total != 0:
            raise _Disagrees(len(tape), f"sum of {name} over all owners", 0, total)
    return rebuilt


def naive_accounts(tape):
    """Return the accounts by a plain loop over the fills, one side of each at a time: {owner: Account}."""
    instrument = tape.instrument
    rebuilt = {}
    fills = tape.rows[tape.rows["kind"] == ReportKind.FILL]
    for fill in zip(*(fills[name].tolist() for name in ("owner", "resting_owner", "side", "price_ticks", "lots")), strict=True):
        taker, maker, side, price_ticks, lots = fill
        for owner, sign, is_maker in ((taker, side, False), (maker, -side, True)):
            fee_microticks = instrument.maker_fee_microticks if is_maker else instrument.taker_fee_microticks
            before = rebuilt.get(owner, Account(owner))
            rebuilt[owner] = Account(
                owner, before.fills + 1, before.maker_lots + lots * is_maker, before.taker_lots + lots * (not is_maker),
                before.inventory_lots + sign * lots, before.cash_ticks - sign * price_ticks * lots, before.fees_microticks + fee_microticks * lots,
            )
    return rebuilt
