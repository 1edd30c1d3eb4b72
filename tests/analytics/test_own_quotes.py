"""An owner's best quotes are those that the book has of it, with every order in its place."""
import numpy as np
import pytest
from random_market import OWNERS, random_tape, ruled_requests

from lob.analytics.own_quotes import own_quotes
from lob.exchange.order_book import OrderBook
from lob.exchange.snapshot import resting_orders
from lob.messages import REPORT, Flag, Side
from lob.tape.rebuild import order_book_at
from lob.tape.record import Tape

TAPES = {
    "plain": lambda: random_tape(1_500, seed=21),
    "every kind of order": lambda: Tape(OrderBook().send_many(ruled_requests(1_500, seed=4)), {}),
}


def best_in_book(book, owner, side):
    """Return (price, lots) of an owner's best orders of a side, the hidden ones too; waiting stops do not count."""
    stops = {int(order["id"]) for order in book.memory.orders if order["owner"] == owner and order["kind"] & Flag.STOP}
    mine = [order for order in resting_orders(book.memory) if order["owner"] == owner and order["side"] == side and int(order["order_id"]) not in stops]
    best = max((side * int(order["price_ticks"]) for order in mine), default=0)
    return side * best, sum(int(order["lots"]) for order in mine if side * order["price_ticks"] == best)


@pytest.mark.parametrize("name", TAPES)
def test_the_quotes_at_a_time_are_the_owners_best_orders_in_the_book(name):
    tape = TAPES[name]()
    for time_ns in np.quantile(tape.rows["time_ns"], [0.2, 0.5, 0.8, 1]).astype(np.int64):
        book = order_book_at(tape, time_ns)
        for owner in range(1, OWNERS + 1):
            found = own_quotes(tape, owner)
            last = found[found["time_ns"] <= time_ns][-1]
            for side, word in ((Side.BUY, "bid"), (Side.SELL, "ask")):
                price, lots = best_in_book(book, owner, side)
                # The book tells what an iceberg shows, the quotes all that is open of it.
                assert (last[f"{word}_ticks"], last[f"{word}_lots"] >= lots) == (price, True)
                assert name != "plain" or last[f"{word}_lots"] == lots


def test_a_change_is_listed_once():
    found = own_quotes(random_tape(1_500, seed=21), 3)
    fields = found[["bid_ticks", "ask_ticks", "bid_lots", "ask_lots"]]
    assert (fields[1:] != fields[:-1]).all()


def test_who_never_sent_an_order_has_no_quotes():
    assert len(own_quotes(random_tape(300, seed=21), 99)) == 0
    assert len(own_quotes(Tape(np.zeros(0, REPORT), {}), 1)) == 0
