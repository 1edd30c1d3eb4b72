"""A book that is saved and loaded goes on as if nothing had happened, and a damaged file is no book."""
import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lob.bench import mixed
from lob.errors import LobError, TapeError
from lob.exchange.order_book import OrderBook
from lob.exchange.snapshot import resting_orders
from lob.messages import REQUEST

FLOW = mixed(messages=20_000, live_orders=2_000)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    book = OrderBook()
    book.send_many(FLOW.warm)
    return book.save(tmp_path_factory.mktemp("snapshot") / "book.npz")


@pytest.mark.parametrize("cut", [0, 1, 7_777, 19_999])
def test_a_loaded_book_continues_to_the_same_tape(tmp_path, cut):
    whole, first = OrderBook(), OrderBook()
    whole.send_many(FLOW.warm)
    first.send_many(FLOW.warm)
    rows = whole.send_many(FLOW.timed)
    before = first.send_many(FLOW.timed[:cut])
    second = OrderBook.load(first.save(tmp_path / "book.npz"))
    second.check()
    assert np.array_equal(np.concatenate([before, second.send_many(FLOW.timed[cut:])]), rows)
    assert np.array_equal(resting_orders(second), resting_orders(whole))


def test_an_empty_book_with_its_own_rules_can_be_saved(tmp_path):
    book = OrderBook.load(OrderBook(replace_keeps_place=False, book=3).save(tmp_path / "book.npz"))
    book.limit(1, 100, 5, order_id=1)
    book.limit(1, 100, 5, order_id=2)
    book.replace(1, 100, 4)
    assert [order["order_id"] for order in book.orders_at(1, 100)] == [2, 1]
    assert book.number == 3


def test_a_saved_file_executes_nothing_when_it_is_read(saved):
    with np.load(saved, allow_pickle=False) as archive:
        assert archive["header"].tolist()[0] == 3
        assert archive["orders"].dtype.names == ("order_id", "price_ticks", "owner", "lots", "side")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_or_is_the_book_it_was(saved, tmp_path_factory, data):
    content = bytearray(saved.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("damaged") / "book.npz"
    path.write_bytes(content)
    try:
        book = OrderBook.load(path)
    except TapeError:
        return
    book.check()
    assert np.array_equal(resting_orders(book), resting_orders(OrderBook.load(saved)))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [*((field, value, "no book can hold") for field, value in (("price_ticks", 0), ("lots", 0), ("side", 0), ("owner", -1))), ("order_id", 2, "rests twice")],
)
def test_orders_that_no_book_can_hold_are_refused(tmp_path, field, value, words):
    book = OrderBook()
    for order_id in (1, 2):
        book.limit(1, 100, 5, order_id=order_id)
    with np.load(book.save(tmp_path / "book.npz")) as archive:
        arrays = dict(archive)
    arrays["orders"][field][0] = value
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(TapeError, match=words):
        OrderBook.load(tmp_path / "other.npz")


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda book: pickle.loads(pickle.dumps(book))], ids=["copy", "deepcopy", "pickle"])
def test_a_copy_of_a_book_is_another_book(copied):
    book = OrderBook()
    book.send_many(FLOW.warm)
    other = copied(book)
    before = resting_orders(book)
    other.send_many(FLOW.timed)
    other.check()
    book.check()
    assert np.array_equal(resting_orders(book), before)


@pytest.mark.parametrize(
    "requests", [np.zeros((2, 3), REQUEST), np.arange(5), np.zeros(2, [(name, "f8") for name in REQUEST.names])], ids=["2-D", "numbers", "floats"],
)
def test_an_array_that_is_no_line_of_requests_is_refused(requests):
    with pytest.raises(LobError, match="requests must be REQUEST"):
        OrderBook().send_many(requests)


@pytest.mark.parametrize(("field", "value"), [("display", 0), ("reserve", -1), ("kind", 12), ("entry", 0), ("entry", 9)])
def test_an_iceberg_that_no_book_can_hold_is_refused(tmp_path, field, value):
    book = OrderBook()
    book.limit(1, 100, 50, order_id=1, display_lots=5)
    with np.load(book.save(tmp_path / "book.npz")) as archive:
        arrays = dict(archive)
    arrays["rules"][field][0] = value
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(TapeError, match="no book can hold"):
        OrderBook.load(tmp_path / "other.npz")
