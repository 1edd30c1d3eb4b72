"""What a tape shows, as a recorded day: the displayed book is the same after every event."""
import numpy as np
import pytest
from random_market import random_requests, random_tape, ruled_requests

from lob import Simulation
from lob.errors import TapeError
from lob.exchange.order_book import OrderBook
from lob.exchange.order_history import OrderHistory
from lob.exchange.venue import Venue
from lob.messages import Action, Flag, Phase, Side
from lob.tape.record import Tape
from lob.tape.recorded import feed_of


def levels_of(book):
    return {side: [(level["price_ticks"], level["lots"]) for level in book.depth(side, 10_000)[["price_ticks", "lots"]]] for side in Side}


@pytest.mark.parametrize(("requests_of", "seed"), [(random_requests, 1), (random_requests, 2), (ruled_requests, 1), (ruled_requests, 2)])
def test_the_recorded_day_shows_the_book_that_the_tape_shows(requests_of, seed):
    requests, book, day, done = requests_of(4_000, seed), OrderBook(), OrderHistory(), 0
    reports = np.concatenate([book.send_many(requests[first:first + 500]) for first in range(0, len(requests), 500)])
    feed, again = feed_of(Tape(reports, {})), OrderBook()
    for first in range(0, len(requests), 500):
        again.send_many(requests[first:first + 500])
        until = requests["time_ns"][first + 499]
        end = np.searchsorted(feed.rows["time_ns"], until, "right")
        day.send_many(feed.rows[done:end])
        done = end
        assert levels_of(day) == levels_of(again)
    day.check()
    assert done == len(feed.rows) and len(feed.rows) > 2_000


def test_orders_keep_their_places_in_the_queue():
    book, day = OrderBook(), OrderHistory()
    reports = book.send_many(random_requests(3_000, 3))
    day.send_many(feed_of(Tape(reports, {})).rows)
    price = int(book.best_bid_ticks)
    assert book.orders_at(Side.BUY, price)["lots"].tolist() == day.orders_at(Side.BUY, price)["lots"].tolist()


def test_the_rows_of_a_trade_are_one_event_of_executions_and_what_is_left_of_the_aggressor():
    book = OrderBook()
    reports = [book.limit(Side.SELL, price_ticks=101, lots=5, order_id=7, owner=1), book.limit(Side.SELL, price_ticks=101, lots=5, order_id=7, owner=2)]
    reports.append(book.limit(Side.BUY, price_ticks=102, lots=12, order_id=9, owner=3))
    rows = feed_of(Tape(np.concatenate(reports), {})).rows
    assert rows[["action", "order_id", "side", "price_ticks", "lots", "flags"]].tolist() == [
        (Action.LIMIT, 1, -1, 101, 5, Flag.LAST), (Action.LIMIT, 2, -1, 101, 5, Flag.LAST),
        (Action.EXECUTE, 1, -1, 101, 5, 0), (Action.EXECUTE, 2, -1, 101, 5, 0), (Action.LIMIT, 3, 1, 102, 2, Flag.LAST)]


def test_an_auction_is_a_print_and_its_orders_go():
    book = OrderBook(venue=Venue(phase=Phase.OPENING_AUCTION))
    reports = [book.limit(Side.BUY, price_ticks=102, lots=7, order_id=1), book.limit(Side.SELL, price_ticks=100, lots=5, order_id=2)]
    rows = feed_of(Tape(np.concatenate([*reports, book.set_phase(Phase.CONTINUOUS)]), {})).rows
    told = rows[["action", "side", "lots"]].tolist()
    assert (Action.CANCEL, 1, 5) in told and (Action.CANCEL, -1, 5) in told and (Action.PRINT, 0, 5) in told
    day = OrderHistory()
    day.send_many(rows)
    assert levels_of(day) == levels_of(book) == {Side.BUY: [(102, 2)], Side.SELL: []}


def test_a_simulated_day_can_be_traded_in():
    feed = feed_of(random_tape(2_000, 4))
    run = Simulation([], feed=feed).run(progress=False)
    assert run.feed_rows == len(feed.rows) and run.feed_unknown == 0


def test_a_tape_of_two_markets_at_once_is_refused():
    with pytest.raises(TapeError, match="execution must be live or passive for a tape that is to become a recording, was displace"):
        feed_of(Tape(random_tape(10, 1).rows, {"execution": "displace"}))
