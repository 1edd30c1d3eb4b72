"""A book that is saved and loaded goes on as if nothing had happened, and a damaged file is no book."""
import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_market import ruled_requests

from lob.bench import mixed
from lob.errors import LobError, TapeError
from lob.exchange.order_book import OrderBook
from lob.exchange.snapshot import HEADER, resting_orders
from lob.exchange.venue import Allocation, FeeTier, Venue
from lob.messages import REQUEST, Phase, SelfTrade

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
    assert np.array_equal(resting_orders(second.memory), resting_orders(whole.memory))


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


@settings(max_examples=60)
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
    assert np.array_equal(resting_orders(book.memory), resting_orders(OrderBook.load(saved).memory))


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
    before = resting_orders(book.memory)
    other.send_many(FLOW.timed)
    other.check()
    book.check()
    assert np.array_equal(resting_orders(book.memory), before)


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


def loaded_with(book, path, changed):
    """Return the book of a file in which `changed` has altered the arrays that a book was saved as: {name: array}."""
    with np.load(book.save(path / "book.npz")) as archive:
        arrays = dict(archive)
    changed(arrays)
    np.savez(path / "other.npz", **arrays)
    return OrderBook.load(path / "other.npz")


@pytest.mark.parametrize(("index", "price_ticks"), [(0, 105), (1, 99), (2, 104), (3, 98)], ids=["bid", "ask", "hidden bid", "hidden ask"])
def test_a_crossed_book_is_refused_whether_its_orders_are_displayed_or_not(tmp_path, index, price_ticks):
    book = OrderBook()
    for order_id, (side, ticks, hidden) in enumerate([(1, 99, False), (-1, 105, False), (1, 98, True), (-1, 104, True)], 1):
        book.limit(side, ticks, 5, order_id, hidden=hidden)
    loaded_with(book, tmp_path, lambda arrays: None).check()

    def cross(arrays):
        arrays["orders"]["price_ticks"][index] = price_ticks

    with pytest.raises(TapeError, match="the book is crossed, .* bid and .* asked"):
        loaded_with(book, tmp_path, cross)


def test_two_orders_that_entered_at_once_are_refused(tmp_path):
    book = OrderBook()
    for order_id in (1, 2):
        book.limit(1, 100, 50, order_id, display_lots=5)
    with pytest.raises(TapeError, match="the same entry number"):
        loaded_with(book, tmp_path, lambda arrays: arrays["rules"]["entry"].fill(1))


STOP_FIELDS = [("price_ticks", 101), ("price_ticks", 2**40), ("price_ticks", -1), ("trigger_ticks", 0), ("action", 2), ("tif", 5)]


@pytest.mark.parametrize(("field", "value"), STOP_FIELDS, ids=[f"{field} {value}" for field, value in STOP_FIELDS])
def test_a_stop_that_no_book_can_hold_is_refused(tmp_path, field, value):
    book = OrderBook()
    book.limit(1, 100, 5, order_id=1, trigger_ticks=110)
    with pytest.raises(TapeError, match="no book can hold"):
        loaded_with(book, tmp_path, lambda arrays: arrays["rules"][field].fill(value))


def test_a_stop_that_a_trade_has_reached_waits_in_no_book(tmp_path):
    book = OrderBook()
    book.limit(1, 100, 5, order_id=1)
    book.limit(-1, 100, 5, order_id=2)
    book.limit(1, 120, 5, order_id=3, trigger_ticks=110)
    with pytest.raises(TapeError, match="a stop waits that the last trade, at 100, has reached"):
        loaded_with(book, tmp_path, lambda arrays: arrays["rules"]["trigger_ticks"].fill(100))


def test_a_phase_that_ends_by_itself_is_a_batch_or_the_breakers(tmp_path):
    book = OrderBook(venue=Venue(phase=Phase.PRE_OPEN))

    def end(arrays):
        arrays["header"][HEADER.index("phase_end_ns")] = 5

    with pytest.raises(TapeError, match="the phase PRE_OPEN has no end of its own"):
        loaded_with(book, tmp_path, end)


def test_an_order_whose_fee_would_be_no_exact_number_is_refused(tmp_path):
    book = OrderBook(venue=Venue(fees=(FeeTier(taker_ppm=100_000),)))
    book.limit(1, 100, 10**9, order_id=1)

    def raise_price(arrays):
        arrays["orders"]["price_ticks"][0] = 2**31

    with pytest.raises(TapeError, match="an order costs more than an exact fee can be"):
        loaded_with(book, tmp_path, raise_price)


@pytest.mark.parametrize("name", ["header", "orders", "rules", "modes", "volumes"])
def test_whatever_numbers_a_file_holds_it_is_refused_or_makes_a_sound_book(tmp_path, name):
    """A field of every array is set to a number at random, many times over; what is loaded must be sound, and go on to be."""
    random, requests = np.random.default_rng(len(name)), ruled_requests(160, seed=1)
    venue = Venue(self_trade={1: SelfTrade.CANCEL_BOTH}, fees=(FeeTier(0, 1, 2, 3, 4), FeeTier(9, 1, 1, 1, 1)), allocation=Allocation.pro_rata())
    book = OrderBook(venue=venue)
    book.send_many(requests[:120])
    requests["time_ns"] += 10**9
    loaded = 0
    for _ in range(25):
        def spoil(arrays):
            array = arrays[name]
            field = array if array.dtype.names is None else array[str(random.choice(array.dtype.names))]
            limits = np.iinfo(field.dtype)
            some = [0, 1, 2, 3, 5, 16, 100, 10_001, 2**31, limits.min, limits.max]
            field[random.integers(len(field))] = int(random.choice([number for number in some if limits.min <= number <= limits.max]))

        try:
            other = loaded_with(book, tmp_path, spoil)
        except TapeError:
            continue
        loaded += 1
        other.check()
        other.send_many(requests)
        other.check()
    assert 0 < loaded < 25
