"""The changes of displayed lots, added up, are the book."""
import numpy as np
import pytest
from random_market import random_tape, ruled_requests

from lob.exchange.order_book import OrderBook
from lob.messages import REPORT, Side
from lob.tape.levels import level_changes
from lob.tape.record import Tape
from lob.tape.replay import book_at


def depth_of(changes):
    """Return {(side, price): lots} after changes."""
    found = {}
    for change in changes:
        found[int(change["side"]), int(change["price_ticks"])] = int(change["lots"])
    return {key: lots for key, lots in found.items() if lots}


def replayed_depth(tape, time_ns):
    book = book_at(tape, time_ns)
    return {(int(side), int(level["price_ticks"])): int(level["lots"]) for side in Side for level in book.depth(side, None)}


TAPES = {
    "plain": lambda: random_tape(2_000, seed=21),
    "every kind of order": lambda: Tape(OrderBook().send_many(ruled_requests(2_000, seed=4)), {}),
}


@pytest.mark.parametrize("name", TAPES)
def test_the_changes_up_to_a_time_are_the_book_at_that_time(name):
    tape = TAPES[name]()
    changes = level_changes(tape)
    assert len(changes) > 1_000
    for time_ns in np.quantile(tape.rows["time_ns"], [0.01, 0.3, 0.5, 0.9, 1]).astype(np.int64):
        assert depth_of(changes[changes["time_ns"] <= time_ns]) == replayed_depth(tape, time_ns)


def test_an_empty_tape_has_no_change():
    assert len(level_changes(Tape(np.zeros(0, REPORT), {}))) == 0
