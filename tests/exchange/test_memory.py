"""Memory is kept for the worst that may come, and for no more: pages in which stops and pegged orders may yet come to rest."""
import numpy as np
import pytest

from lob.exchange.ladder import PAGE_BYTES, PAGE_KEYS
from lob.exchange.memory import map_bits
from lob.exchange.order_book import OrderBook
from lob.exchange.reference import ReferenceBook
from lob.messages import PRICE_MAX_TICKS, Side

BUY, SELL = Side.BUY, Side.SELL
FEW = 10  # pages, of 66 kB each: what a book begins with, and doubled once


def pages_of(book):
    """Return how many pages each ladder has."""
    return [ladder.page_count for ladder in [*book.memory.ladders, *book.memory.rules.ladders]]


def test_many_stops_with_limits_close_together_keep_few_pages_free():
    book = OrderBook()
    for order_id in range(1, 2_001):
        book.limit(BUY, 20_000 + order_id % 900, 1, order_id, trigger_ticks=20_000)
    assert max(pages_of(book)) <= FEW
    assert sum(pages_of(book)) * PAGE_BYTES / 2_000 < 2_500, "bytes a stop"
    book.check()


def test_many_pegged_orders_that_follow_one_price_keep_few_pages_free():
    book = OrderBook()
    book.limit(BUY, 100_000, 1, order_id=1)
    for order_id in range(2, 1_002):
        book.limit(BUY, 200_000, 1, order_id, peg="near", offset_ticks=order_id % 900)
    assert max(pages_of(book)) <= 2 * FEW
    book.check()


@pytest.mark.parametrize("side", [BUY, SELL])
def test_stops_that_all_come_to_rest_far_from_each_other_find_their_pages(side):
    books = [OrderBook(), ReferenceBook()]
    rows = []
    for book in books:
        answered = [book.limit(side, 100_000_000 + side * i * PAGE_KEYS, 1, order_id=i, trigger_ticks=50_000_000) for i in range(1, 301)]
        answered += [book.limit(BUY, 50_000_000, 1, order_id=1_000), book.limit(SELL, 50_000_000, 1, order_id=1_001)]
        rows.append(np.concatenate(answered).tolist())
        assert len(book.depth(side, 1_000)) == 300
    assert rows[0] == rows[1]
    books[0].check()


@pytest.mark.parametrize("side", [BUY, SELL])
def test_pegged_orders_that_all_move_far_from_each_other_find_their_pages(side):
    books = [OrderBook(), ReferenceBook()]
    rows, first, second = [], 2**30, 2**30 + side * 1_000_003
    for book in books:
        answered = [book.limit(side, first, 1, order_id=1_000)]
        answered += [book.limit(side, PRICE_MAX_TICKS if side > 0 else 1, 1, i, peg="near", offset_ticks=3 * PAGE_KEYS * i) for i in range(1, 201)]
        answered.append(book.limit(side, second, 1, order_id=1_001))
        rows.append(np.concatenate(answered).tolist())
    assert rows[0] == rows[1]
    books[0].check()


def test_stops_and_pegged_orders_that_go_need_no_page_any_more():
    book = OrderBook()
    book.limit(BUY, 1_000_000, 1, order_id=1_000)
    for i in range(1, 101):
        book.limit(BUY, 1_000_000 + i * PAGE_KEYS, 1, order_id=i, trigger_ticks=2_000_000)
        book.limit(BUY, 2_000_000, 1, order_id=2_000 + i, peg="near", offset_ticks=i * PAGE_KEYS)
    assert book.memory.rules.pages_needed(BUY) == (100, 100)
    book.mass_cancel(0)
    assert book.memory.rules.pages_needed(BUY) == (0, 0)
    book.check()


@pytest.mark.parametrize("capacity", [3, 4, 1_024, 24_576, 24_577, 2**16, 10_700_000])
def test_the_map_is_at_most_three_eighths_full_and_no_larger_than_that_asks_for(capacity):
    entries = 2 ** map_bits(capacity)
    assert capacity <= entries * 3 / 8
    assert entries == 8 or capacity > entries / 2 * 3 / 8
