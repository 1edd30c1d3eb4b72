"""What can be asked of a book: levels, ranges of prices, queues; by both books alike, and refused where no book could answer."""
import numpy as np
import pytest

from lob.errors import LobError
from lob.exchange.order_book import OrderBook
from lob.messages import PRICE_MAX_TICKS, Side

BUY, SELL = Side.BUY, Side.SELL
SPREAD_OUT = [1, 2, 63, 64, 65, 127, 128, 4_095, 4_096, 4_097, 8_192, 300_000, 20_000_000, 2**30, PRICE_MAX_TICKS - 1, PRICE_MAX_TICKS]


def two_orders_at(book, side, prices):
    for i, price_ticks in enumerate(prices):
        book.limit(side, price_ticks, i + 1, order_id=2 * i + 1)
        book.limit(side, price_ticks, 100, order_id=2 * i + 2)


@pytest.mark.parametrize("side", list(Side))
def test_the_nth_level_is_that_of_the_depth_wherever_the_prices_are(book, side):
    two_orders_at(book, side, SPREAD_OUT)
    levels = [book.level(side, n) for n in range(len(SPREAD_OUT))]
    assert [price for price, _ in levels] == sorted(SPREAD_OUT, reverse=side == BUY)
    assert levels == [(price, lots) for price, lots, _ in book.depth(side, 100).tolist()]
    assert book.level(side, len(SPREAD_OUT)) is None
    assert book.level(side, 10**12) is None
    assert book.level(-side, 0) is None


@pytest.mark.parametrize("side", list(Side))
def test_the_nth_of_many_neighbouring_levels(book, side):
    prices = [price for price in range(4_000, 4_300) if price % 7]
    two_orders_at(book, side, prices)
    ordered = sorted(prices, reverse=side == BUY)
    for n in (0, 1, 50, 51, 54, 55, 56, 110, len(prices) - 1):
        assert book.level(side, n)[0] == ordered[n]
    assert book.depth(side, 120)["price_ticks"].tolist() == ordered[:120]


@pytest.mark.parametrize("side", list(Side))
def test_lots_between_two_prices_count_both_ends(book, side):
    two_orders_at(book, side, SPREAD_OUT)
    lots = dict(zip(SPREAD_OUT, range(101, 101 + len(SPREAD_OUT)), strict=True))
    last = PRICE_MAX_TICKS
    for low, high in ((1, 1), (2, 64), (3, 62), (64, 4_096), (4_096, last), (1, last), (-7, 2**40), (5, 4), (last, last)):
        assert book.lots_between(side, low, high) == sum(lots[price] for price in SPREAD_OUT if low <= price <= high)
    assert book.lots_between(-side, 1, PRICE_MAX_TICKS) == 0


@pytest.mark.parametrize("count", range(7))
def test_orders_at_a_price_are_counted_and_listed_in_line(book, count):
    for order_id in range(1, count + 1):
        book.limit(BUY, 100, order_id, order_id=order_id, owner=7)
    assert book.order_count_at(BUY, 100) == count
    assert book.orders_at(BUY, 100).tolist() == [(order_id, 7, order_id) for order_id in range(1, count + 1)]
    assert (book.order_count_at(SELL, 100), book.order_count_at(BUY, 0), book.order_count_at(BUY, 2**40)) == (0, 0, 0)


def test_every_order_of_a_queue_knows_what_is_ahead_of_it_from_whichever_end_it_is_counted(book):
    for order_id in range(1, 10):
        book.limit(SELL, 100, order_id, order_id=order_id)
    assert [book.queue_ahead(order_id) for order_id in range(1, 10)] == [order_id * (order_id - 1) // 2 for order_id in range(1, 10)]


def test_hidden_and_pegged_orders_have_a_queue_of_their_own(book):
    book.limit(BUY, 100, 5, order_id=1)
    for order_id in (2, 3, 4):
        book.limit(BUY, 100, order_id, order_id=order_id, hidden=True)
    book.limit(BUY, 110, 7, order_id=5, peg="near")
    assert [book.queue_ahead(order_id) for order_id in range(1, 6)] == [0, 0, 2, 5, 9]
    assert (book.order_count_at(BUY, 100), book.lots_between(BUY, 1, 200), book.level(BUY, 0)) == (1, 5, (100, 5))


def test_a_depth_of_a_billion_levels_takes_no_more_memory_than_there_are_levels(book):
    two_orders_at(book, BUY, SPREAD_OUT)
    assert len(book.depth(BUY, 10**9)) == len(SPREAD_OUT)
    assert len(book.depth(BUY, 10**18)) == len(SPREAD_OUT)
    assert len(book.depth(BUY, 0)) == len(book.depth(SELL)) == 0


@pytest.mark.parametrize("side", [0, 9, -2, 1.0, "buy", None])
@pytest.mark.parametrize("ask", [
    lambda book, side: book.lots_at(side, 100), lambda book, side: book.lots_between(side, 1, 2), lambda book, side: book.order_count_at(side, 100),
    lambda book, side: book.orders_at(side, 100), lambda book, side: book.depth(side), lambda book, side: book.level(side, 0),
])
def test_a_side_that_is_none_is_refused(book, ask, side):
    with pytest.raises(LobError, match="side must be 1 .buy. or -1 .sell., was"):
        ask(book, side)


def test_a_number_of_levels_that_is_none_and_an_unknown_peg_are_refused(book):
    with pytest.raises(LobError, match="levels must be a whole number from 0 on, was -1"):
        book.depth(BUY, -1)
    with pytest.raises(LobError, match="n must be a whole number from 0 on, was 1.5"):
        book.level(BUY, 1.5)
    with pytest.raises(LobError, match="peg must be one of near, mid, far, was 'primary'"):
        book.limit(BUY, 100, 5, order_id=1, peg="primary")


def test_the_answers_are_those_of_a_scan_of_a_random_book():
    random, book = np.random.default_rng(1), OrderBook()
    prices = random.integers(1, 20_000, 3_000)
    for i, price in enumerate(prices.tolist()):
        book.limit(SELL, price, i + 1, order_id=i + 1)
    for low, high in random.integers(1, 20_000, (200, 2)).tolist():
        assert book.lots_between(SELL, low, high) == int((np.flatnonzero((prices >= low) & (prices <= high)) + 1).sum())
    found = np.unique(prices)
    assert [book.level(SELL, n)[0] for n in range(len(found))] == found.tolist()
