"""Whole stories of a market as text: cases/*.txt, each told to both books.

A line that begins at the margin is a request, or a look at one side: `bids 100: #1 3, #2 5` is the queue at a price, a bare `bids` says that nothing rests
there. The indented lines below a request are the rows that answer it, all of them. `#` alone begins a comment.
"""
import re
from pathlib import Path

import pytest

from lob.messages import CancelReason, RejectReason, ReportKind, Side, TimeInForce

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))
SIDES = {"buy": Side.BUY, "sell": Side.SELL, "bids": Side.BUY, "asks": Side.SELL}
ROW_TEXTS = {
    ReportKind.ACCEPTED: "accepted #{order_id} {side} {lots} @ {price_ticks}, {lots_ahead} ahead",
    ReportKind.FILL: "fill #{order_id} with #{resting_id} {lots} @ {price_ticks}, {open_lots} open, {resting_open_lots} open there, {level_lots} left",
    ReportKind.CANCELLED: "cancelled #{order_id} {side} {lots} @ {price_ticks}, {cancel_reason}",
    ReportKind.REDUCED: "reduced #{order_id} by {lots}, {open_lots} open",
    ReportKind.REPLACED: "replaced #{order_id} {side} {lots} @ {price_ticks}, {lots_ahead} ahead",
    ReportKind.REJECTED: "rejected #{order_id}, {reject_reason}",
}
REQUESTS = [
    (r"(buy|sell) (\d+) @ market #(\d+)", lambda book, side, lots, order_id: book.market(SIDES[side], int(lots), int(order_id))),
    (r"(buy|sell) (\d+) @ (\d+) #(\d+) ?(\w*)", lambda book, *words: limit(book, *words)),
    (r"cancel #(\d+)", lambda book, order_id: book.cancel(int(order_id))),
    (r"cancel (\d+) of #(\d+)", lambda book, lots, order_id: book.cancel(int(order_id), lots=int(lots))),
    (
        r"replace #(\d+) to (\d+) @ (\d+) ?(post_only)?",
        lambda book, order_id, lots, price_ticks, word: book.replace(int(order_id), int(price_ticks), int(lots), post_only=word == "post_only"),
    ),
]


def limit(book, side, lots, price_ticks, order_id, word):
    tif = {"ioc": TimeInForce.IOC, "fok": TimeInForce.FOK}.get(word, TimeInForce.GTC)
    return book.limit(SIDES[side], int(price_ticks), int(lots), int(order_id), tif=tif, post_only=word == "post_only")


def row_text(row):
    fields = {name: int(row[name]) for name in row.dtype.names}
    side = Side(fields["side"]).name.lower() if fields["side"] else ""
    reasons = {reason.value: reason.name.lower() for reason in [*RejectReason, *CancelReason]}
    reason = reasons[fields["reason"]]
    return ROW_TEXTS[fields["kind"]].format(**fields | {"side": side, "cancel_reason": reason, "reject_reason": reason})


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
    for pattern, ask in REQUESTS:
        words = re.fullmatch(pattern, line)
        if words:
            return [line] + [f"    {row_text(row)}" for row in ask(book, *words.groups())]
    raise ValueError(f"not a line of a case: {line!r}")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_market_answers_as_the_story_says(book, path):
    story = [line for line in path.read_text().splitlines() if line and not line.startswith("# ")]
    told = [text for line in story if not line.startswith(" ") for text in answer(book, line)]
    assert told == story
