"""A stream of requests gets the answers that each would have got alone, however far the book looks ahead."""
import numpy as np

from lob import REQUEST, Action, OrderBook, Side
from lob.exchange.reports import copied
from lob.exchange.stream import ORDERS_IN_CACHE


def stream_of(count, resting, seed=1):
    """Return limit orders that rest, then adds, cancels, replaces and market orders among them: REQUEST[resting + count]."""
    rng = np.random.default_rng(seed)
    requests = np.zeros(resting + count, REQUEST)
    requests["action"][resting:] = rng.choice([Action.LIMIT, Action.CANCEL, Action.REPLACE, Action.MARKET], count)
    is_new = requests["action"] <= Action.MARKET
    requests["order_id"] = np.where(is_new, np.arange(len(requests)) + 1, rng.integers(1, resting, len(requests)))
    requests["owner"] = requests["order_id"] % 3
    requests["side"] = rng.choice([Side.BUY, Side.SELL], len(requests))
    requests["price_ticks"] = 10_000 - requests["side"] * rng.integers(1, 300, len(requests))
    requests["lots"] = np.where(requests["action"] == Action.CANCEL, 0, rng.integers(1, 10, len(requests)))
    return requests


def one_by_one(book, requests):
    return np.concatenate([copied(book.send(request)) for request in requests])


def test_a_large_book_answers_a_stream_as_it_answers_each_request_alone():
    resting, count = ORDERS_IN_CACHE + 1_000, 3_000
    requests = stream_of(count, resting)
    together, alone = OrderBook(), OrderBook()
    together.send_many(requests[:resting])
    alone.send_many(requests[:resting])
    assert together.send_many(requests[resting:]).tobytes() == one_by_one(alone, requests[resting:]).tobytes()


def test_a_book_that_outgrows_the_cache_in_the_middle_of_a_stream_goes_on_with_its_answers():
    requests = stream_of(count=2_000, resting=ORDERS_IN_CACHE + 100)
    together, in_parts = OrderBook(), OrderBook()
    rows = together.send_many(requests)
    parts = [in_parts.send_many(part) for part in np.array_split(requests, 777)]
    assert rows.tobytes() == b"".join(part.tobytes() for part in parts)
    together.check()
