"""Whole stories of a market as text: cases/*.txt, each told to both books.

A line that begins at the margin is a request, or a look at one side: `bids 100: #1 3, #2 5` is the queue at a price, a bare `bids` says that nothing rests
there. `at 50:` before a request is the time of it, `by 2` behind it its owner. Lines `venue ...` come first and set the book up: each is a line of the [venue]
table of a scenario. The indented lines below a request are the rows that answer it, all of them. `#` alone begins a comment.
"""
import re
import tomllib
from pathlib import Path

import pytest

from lob.exchange.venue import Venue
from lob.messages import CancelReason, Flag, Phase, RejectReason, ReportKind, SelfTrade, Side, TimeInForce

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))
SIDES = {"buy": Side.BUY, "sell": Side.SELL, "bids": Side.BUY, "asks": Side.SELL}
ROW_TEXTS = {
    ReportKind.ACCEPTED: "accepted #{order_id} {side} {lots} @ {price_ticks}, {lots_ahead} ahead",
    ReportKind.FILL: "fill #{order_id} with #{resting_id} {lots} @ {price_ticks}, {open_lots} open, {resting_open_lots} open there, {level_lots} left",
    ReportKind.CANCELLED: "cancelled #{order_id} {side} {lots} @ {price_ticks}, {cancel_reason}",
    ReportKind.REDUCED: "reduced #{order_id} by {lots}, {open_lots} open",
    ReportKind.REPLACED: "replaced #{order_id} {side} {lots} @ {price_ticks}, {lots_ahead} ahead",
    ReportKind.REFRESHED: "refreshed #{order_id} {side} {lots} of {open_lots} @ {price_ticks}, {lots_ahead} ahead",
    ReportKind.TRIGGERED: "triggered #{order_id} {side} {lots} @ {price_ticks}, {lots_ahead} ahead",
    ReportKind.REJECTED: "rejected #{order_id}, {reject_reason}",
    ReportKind.PHASE: "phase {phase}",
    ReportKind.INDICATIVE: "indicative {lots} @ {price_ticks}, surplus {level_lots}",
    ReportKind.AUCTION: "auction {lots} @ {price_ticks}, surplus {level_lots}",
}
AUCTION_FILL = (
    "auction fill #{order_id} with #{resting_id} {lots} @ {price_ticks}, {open_lots} open, {resting_open_lots} open there, "
    "{lots_ahead} left at {trigger_ticks}, {level_lots} left at {offset_ticks}"
)
REQUESTS = [
    (r"(buy|sell) (\d+) @ market #(\d+) ?(.*)", lambda book, time_ns, *words: market(book, time_ns, *words)),
    (r"(buy|sell) (\d+) @ (\d+) #(\d+) ?(.*)", lambda book, time_ns, *words: limit(book, time_ns, *words)),
    (r"cancel #(\d+)", lambda book, time_ns, order_id: book.cancel(int(order_id), now_ns=time_ns)),
    (r"cancel (\d+) of #(\d+)", lambda book, time_ns, lots, order_id: book.cancel(int(order_id), lots=int(lots), now_ns=time_ns)),
    (
        r"replace #(\d+) to (\d+) @ (\d+) ?(post_only)?",
        lambda book, time_ns, order_id, lots, price_ticks, word: book.replace(int(order_id), int(price_ticks), int(lots), post_only=word == "post_only"),
    ),
    (r"cancel all", lambda book, time_ns: book.mass_cancel(0)),
    (r"cancel all (buy|sell)", lambda book, time_ns, side: book.mass_cancel(0, SIDES[side])),
    (r"cancel all from (\d+) to (\d+)", lambda book, time_ns, low, high: book.mass_cancel(0, 0, int(low), int(high))),
    (r"phase (\w+)", lambda book, time_ns, phase: book.set_phase(Phase[phase.upper()], now_ns=time_ns)),
    (r"clock", lambda book, time_ns: book.clock(time_ns)),
    (r"prevent (\w+)", lambda book, time_ns, mode: book.prevent_self_trades(0, SelfTrade[mode.upper()]) or []),
]
# What follows an order's name: the argument that it stands for, and whether a number follows; `peg_near 1` is a peg and its offset.
KINDS = {"by": "owner", "until": "expiry_ns", "showing": "display_lots", "stop": "trigger_ticks", "at_least": "min_lots"}
CLAIMS = ("post_only", "slide", "hidden", "to_limit")


def kind_of(words):
    """Return the arguments that the words behind an order's name stand for."""
    word, _, number = words.partition(" ")
    if word in KINDS:
        return {KINDS[word]: int(number)}
    if word.startswith("peg_"):
        return {"peg": word.removeprefix("peg_"), "offset_ticks": int(number)}
    return {word: True} if word in CLAIMS else {"tif": TimeInForce[word.upper()]} if word else {}


def limit(book, time_ns, side, lots, price_ticks, order_id, words):
    return book.limit(SIDES[side], int(price_ticks), int(lots), int(order_id), now_ns=time_ns, **kind_of(words))


def market(book, time_ns, side, lots, order_id, words):
    return book.market(SIDES[side], int(lots), int(order_id), now_ns=time_ns, **kind_of(words))


def row_text(row):
    fields = {name: int(row[name]) for name in row.dtype.names}
    side = Side(fields["side"]).name.lower() if fields["side"] else ""
    reasons = {reason.value: reason.name.lower() for reason in [*RejectReason, *CancelReason]}
    reason = reasons[fields["reason"]]
    text = AUCTION_FILL if fields["flags"] & Flag.AUCTION else ROW_TEXTS[fields["kind"]]
    phase = Phase(fields["price_ticks"]).name.lower() + f", {reason}" * (fields["reason"] > 0) if fields["kind"] == ReportKind.PHASE else ""
    paid = f"; pays {fields['fee']}, there {fields['resting_fee']}" if fields["fee"] or fields["resting_fee"] else ""
    return text.format(**fields | {"side": side, "cancel_reason": reason, "reject_reason": reason, "phase": phase}) + paid


def look(book, word, price_ticks):
    """Return the queue at a price as the cases write it, or the bare word if the side is empty."""
    side = SIDES[word]
    if price_ticks is None:
        return word if not len(book.depth(side)) else f"{word} of {len(book.depth(side))} prices"
    queue = ", ".join(f"#{order_id} {lots}" for order_id, _, lots in book.orders_at(side, int(price_ticks)).tolist())
    return f"{word} {price_ticks}: {queue}"


def answer(book, line):
    """Return the lines that a book makes of one line of a case."""
    seen = re.fullmatch(r"(bids|asks)(?: (\d+):.*)?", line)
    if seen:
        return [look(book, *seen.groups())]
    time, asked = re.fullmatch(r"(?:at (\d+): )?(.*)", line).groups()
    for pattern, ask in REQUESTS:
        words = re.fullmatch(pattern, asked)
        if words:
            return [line] + [f"    {row_text(row)}" for row in ask(book, int(time or 0), *words.groups())]
    raise ValueError(f"not a line of a case: {line!r}")


def venue_of(story):
    """Return the Venue that the first lines of a case set up, the default if there are none."""
    settings = [line.removeprefix("venue ") for line in story if line.startswith("venue ")]
    return Venue.from_plain(tomllib.loads("\n".join(settings)))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_market_answers_as_the_story_says(make_book, path):
    story = [line for line in path.read_text().splitlines() if line and not line.startswith("# ")]
    book = make_book(venue=venue_of(story))
    told = [line for line in story if line.startswith("venue ")]
    told += [text for line in story if not line.startswith((" ", "venue ")) for text in answer(book, line)]
    assert told == story
