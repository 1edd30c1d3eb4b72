"""A book that is rebuilt from a tape has every order in its place, and goes on to the rows of the one that was never interrupted."""
import numpy as np
import pytest
from random_market import random_requests, ruled_requests

from lob.errors import TapeError
from lob.exchange.order_book import OrderBook
from lob.exchange.order_history import OrderHistory
from lob.exchange.snapshot import resting_orders
from lob.exchange.venue import Venue
from lob.messages import REQUEST, Action, Flag, SelfTrade, Side
from lob.tape.rebuild import order_book_at
from lob.tape.record import Tape

VENUE = Venue(self_trade={owner: SelfTrade(owner % len(SelfTrade)) for owner in range(1, 7)})


def answers_to(book, requests):
    """Return the rows of each request."""
    return [book.send(request) for request in requests]


@pytest.mark.parametrize("seed", range(6))
def test_a_book_rebuilt_between_any_two_requests_goes_on_to_the_same_rows(seed):
    requests, keeps_place = ruled_requests(1_500, seed), seed % 2 == 0
    answered = answers_to(OrderBook(keeps_place, venue=VENUE), requests)
    rows = np.concatenate(answered)
    tape = Tape(rows, {"venue": VENUE.as_plain(), "replace_keeps_place": keeps_place})
    ends = np.cumsum([len(answer) for answer in answered])
    for cut in np.random.default_rng(seed).integers(0, len(requests), 12).tolist():
        book = order_book_at(tape, row=int(ends[cut]))
        book.check()
        assert book.send_many(requests[cut + 1:]).tolist() == rows[ends[cut]:].tolist()


def test_a_time_takes_all_rows_up_to_and_including_it():
    requests = ruled_requests(400, seed=3)
    whole, until = OrderBook(venue=VENUE), OrderBook(venue=VENUE)
    tape = Tape(whole.send_many(requests), {"venue": VENUE.as_plain()})
    until.send_many(requests[:201])
    book = order_book_at(tape, time_ns=int(requests["time_ns"][200]))
    assert np.array_equal(resting_orders(book), resting_orders(until))
    assert book.order_count > 0
    assert np.array_equal(resting_orders(order_book_at(tape)), resting_orders(whole))


def test_an_answer_that_is_not_all_there_does_not_count():
    book = OrderBook()
    first = np.concatenate([book.limit(Side.SELL, price, 5, order_id=price) for price in (101, 102)])
    tape = Tape(np.concatenate([first, book.limit(Side.BUY, 102, 12, order_id=1)]), {})
    assert len(tape) == 5
    for row in (2, 3, 4):
        rebuilt = order_book_at(tape, row=row)
        assert rebuilt.depth(Side.SELL).tolist() == [(101, 5, 1), (102, 5, 1)]
        assert rebuilt.limit(Side.BUY, 102, 12, order_id=1).tolist() == tape.rows[2:].tolist()
    assert order_book_at(tape, row=5).depth(Side.BUY).tolist() == [(102, 2, 1)]


def test_a_pegged_order_that_moves_belongs_to_the_answer_of_the_request_that_moved_the_touch():
    book = OrderBook()
    rows = np.concatenate([
        book.limit(Side.BUY, 100, 5, order_id=1), book.limit(Side.BUY, 110, 5, order_id=2, peg="near"), book.limit(Side.BUY, 101, 5, order_id=3),
    ])
    rebuilt = order_book_at(Tape(rows, {}), row=len(rows) - 1)
    assert rebuilt.best_bid_ticks == 100
    assert rebuilt.limit(Side.BUY, 101, 5, order_id=3).tolist() == rows[-2:].tolist()


def test_each_book_of_a_world_is_rebuilt_alone():
    requests = np.sort(np.concatenate([ruled_requests(300, seed=3), ruled_requests(300, seed=4, book=1)]), order="time_ns")
    books = [OrderBook(), OrderBook(book=1)]
    tape = Tape(np.concatenate([books[request["book"]].send(request) for request in requests]), {})
    tape.rows["sequence"] = np.arange(len(tape))
    for number in (0, 1):
        assert np.array_equal(resting_orders(order_book_at(tape, book=number)), resting_orders(books[number]))


def test_a_recorded_day_with_agents_is_rebuilt_and_goes_on():
    requests = random_requests(600, seed=2)
    requests["owner"][requests["order_id"] % 3 > 0] = 0
    recorded = requests["owner"] == 0
    requests["action"][recorded & np.isin(requests["action"], [Action.REPLACE, Action.MARKET])] = Action.EXECUTE
    whole = OrderHistory()
    answered = answers_to(whole, requests)
    tape = Tape(np.concatenate(answered), {"execution": "passive"})
    end = sum(len(answer) for answer in answered[:300])
    rebuilt = order_book_at(tape, row=end)
    assert rebuilt.send_many(requests[300:]).tolist() == tape.rows[end:].tolist()


def test_a_book_that_is_not_on_the_tape_or_a_row_beyond_it_is_refused():
    tape = Tape(OrderBook().limit(Side.BUY, 100, 5, order_id=1), {})
    with pytest.raises(TapeError, match="book must be one of those on the tape, 0, was 7"):
        order_book_at(tape, book=7)
    with pytest.raises(TapeError, match="row must be from 0 to 1 and without time_ns, was 2"):
        order_book_at(tape, row=2)
    with pytest.raises(TapeError, match="was 1 with 5"):
        order_book_at(tape, time_ns=5, row=1)


def test_a_request_that_was_for_no_book_but_made_time_pass_is_sent_to_the_book_that_answered():
    book = OrderBook(book=3)
    rows = [book.limit(Side.BUY, 100, 5, order_id=1, expiry_ns=10)]
    request = np.zeros(1, REQUEST)
    request["time_ns"], request["book"], request["flags"] = 10, 9, Flag.POST_ONLY
    rows.append(book.send(request))
    assert order_book_at(Tape(np.concatenate(rows), {}), book=3).order_count == 0
