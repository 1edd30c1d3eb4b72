"""What a person asks that is no request is refused at the door, with a LobError that names the argument, its rule and its value."""
import pytest

from lob import LobError, OrderBook, ReferenceBook
from lob.exchange.order_history import OrderHistory
from lob.exchange.reports import ReportBuffer
from lob.messages import Side
from lob.tape.rebuild import order_book_at
from lob.tape.record import Tape


@pytest.mark.parametrize("make", [OrderBook, ReferenceBook, OrderHistory])
@pytest.mark.parametrize(("settings", "words"), [
    ({"book": 2**16}, "book must be from 0 to 65535, was 65536"), ({"book": -1}, "book must be from 0 to 65535, was -1"),
    ({"book": "first"}, "book must be a whole number, was 'first'"), ({"venue": {"phase": "HALT"}}, "venue must be a Venue, was {'phase': 'HALT'}"),
])
def test_a_book_that_cannot_be_set_up_is_refused(make, settings, words):
    with pytest.raises(LobError, match=words):
        make(**settings)


QUESTIONS = {
    "price_ticks must be a whole number, was 100.5": lambda book: book.lots_at(Side.BUY, 100.5),
    "price_ticks must be a whole number, was '100'": lambda book: book.order_count_at(Side.BUY, "100"),
    "price_ticks must be a whole number, was None": lambda book: book.orders_at(Side.BUY, None),
    "low_ticks must be a whole number, was nan": lambda book: book.lots_between(Side.BUY, float("nan"), 5),
    "high_ticks must be a whole number, was inf": lambda book: book.lots_between(Side.BUY, 1, float("inf")),
    "order_id must be a whole number, was 'mine'": lambda book: book.queue_ahead("mine"),
    "owner must be a whole number, was 1.0": lambda book: book.queue_ahead(1, owner=1.0),
}


@pytest.mark.parametrize("words", QUESTIONS)
@pytest.mark.parametrize("make", [OrderBook, OrderHistory])
def test_a_question_about_no_number_is_refused(make, words):
    with pytest.raises(LobError, match=words):
        QUESTIONS[words](make())


def test_an_order_whose_name_is_beyond_all_names_does_not_rest():
    book = OrderBook()
    assert [book.queue_ahead(order_id, owner) for order_id, owner in ((2**70, 0), (-1, 0), (1, -1), (1, 2**40))] == [None] * 4


@pytest.mark.parametrize("peg", ["touch", ["near"], 7])
def test_a_peg_that_follows_nothing_is_refused(peg):
    with pytest.raises(LobError, match="peg must be one of near, mid, far, was"):
        OrderBook().limit(Side.BUY, 100, 5, order_id=1, peg=peg)


def test_an_answer_for_which_there_is_no_memory_is_refused_in_words():
    with pytest.raises(LobError, match=r"no memory for the answer that the next request may have at the worst: 1,125,899,906,842,624 rows"):
        ReportBuffer().grow(2**50)


@pytest.mark.parametrize("when", [{"time_ns": "noon"}, {"row": 0.5}])
def test_a_moment_of_a_tape_that_is_none_is_refused(when):
    tape = Tape(OrderBook().limit(Side.BUY, 100, 5, order_id=1), {})
    with pytest.raises(LobError, match="must be a whole number"):
        order_book_at(tape, **when)
