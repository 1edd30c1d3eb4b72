"""Verify: whether a tape says what an exchange would have said.

Owns the comparison. Each request, as it is read back from its rows, goes through the reference book, in the plainest Python, and every field of every row
must come back; then the book that the rows leave behind must be the reference's, and the accounts are rebuilt twice, by replay and by a loop over the fills.
Knows no engine.

Cost: about 15 microseconds a row.
"""
from dataclasses import dataclass, field

import numpy as np

from lob.exchange.reference import ReferenceBook, Row
from lob.exchange.venue import Venue
from lob.messages import Action, Flag, ReportKind, Side
from lob.tape.accounts import Account, accounts
from lob.tape.replay import ReplayedBook
from lob.tape.requests import EVENTS_A_BLOCK, answers, book_of, books_in, events_of, request_of, whole_events

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
    tape = whole_events(tape)
    first = events = told = 0
    try:
        _check_order(tape.rows)
        books = _reference_books(tape)
        for rows, asked in answers(events_of(tape.rows)):
            _check_answer(books, first, rows, asked)
            first, events = first + len(rows), events + sum(row.flags & Flag.LAST > 0 for row in rows)
            if on_progress is not None and events - told >= EVENTS_A_BLOCK:
                told = events
                on_progress(first)
        for number, reference in books.items():
            _check_depth(tape, number, reference)
        rebuilt = _checked_accounts(tape)
    except _Disagrees as error:
        return Verdict(False, first, events, error.disagreement)
    return Verdict(True, first, events, None, rebuilt)


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
    elif tape.execution == "displace":
        from lob.exchange.reference_displaced import DisplacedHistory as Reference
    else:
        Reference = ReferenceBook
    keeps_place = tape.provenance.get("replace_keeps_place", True)
    return {
        number: Reference(replace_keeps_place=keeps_place, book=number, venue=Venue.from_plain(tape.venue_settings(number))) for number in books_in(tape.rows)
    }


def _check_answer(books, first, rows, asked):
    if asked is None:
        raise _Disagrees(first + len(rows), "rows of the request that let orders expire", 1, 0)
    reference = books[book_of(rows, books)]
    reference.sequence = first
    answer = reference.apply(request_of(asked))
    if answer == rows:
        return
    for i, (expected, found) in enumerate(zip(answer, rows, strict=False)):
        for name, right, wrong in zip(Row._fields, expected, found, strict=True):
            if right != wrong:
                raise _Disagrees(first + i, name, int(right), wrong)
    raise _Disagrees(first + min(len(answer), len(rows)), "rows of this event", len(answer), len(rows))


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
    rebuilt = {}
    fills = tape.rows[tape.rows["kind"] == ReportKind.FILL]
    for fill in zip(*(fills[name].tolist() for name in ("owner", "resting_owner", "side", "price_ticks", "lots", "fee", "resting_fee", "flags")), strict=True):
        incoming, resting, side, price_ticks, lots, fee, resting_fee, flags = fill
        is_made = not flags & Flag.AUCTION
        for owner, sign, is_maker, microticks in ((incoming, side, False, fee), (resting, -side, is_made, resting_fee)):
            before = rebuilt.get(owner, Account(owner))
            rebuilt[owner] = Account(
                owner, before.fills + 1, before.maker_lots + lots * is_maker, before.taker_lots + lots * (not is_maker),
                before.inventory_lots + sign * lots, before.cash_ticks - sign * price_ticks * lots, before.fees_microticks + microticks,
            )
    return rebuilt
