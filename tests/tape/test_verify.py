"""A tape that an exchange could not have written is found out, at its first wrong row."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_market import random_requests, random_tape

from lob.exchange.order_book import OrderBook
from lob.exchange.venue import Venue
from lob.messages import REQUEST, Flag, RejectReason, ReportKind, Side
from lob.tape.accounts import accounts
from lob.tape.rebuild import order_book_at
from lob.tape.record import Tape
from lob.tape.verify import verify


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32))
def test_what_the_engine_writes_is_what_the_reference_would_have_said(seed):
    tape = random_tape(300, seed)
    verdict = verify(tape)
    assert verdict.ok, str(verdict)
    assert (verdict.rows, verdict.events, verdict.accounts) == (len(tape), 300, accounts(tape))


@settings(max_examples=50)
@given(garbage=st.binary(min_size=REQUEST.itemsize * 20, max_size=REQUEST.itemsize * 20))
def test_refusals_of_garbage_are_verified_too(garbage):
    requests = np.frombuffer(garbage, REQUEST).copy()
    requests["time_ns"] = np.arange(len(requests))
    verdict = verify(Tape(OrderBook().send_many(requests), {}))
    assert verdict.ok, str(verdict)


def test_a_request_that_carries_the_flag_of_a_last_row_was_refused_for_it():
    request = np.zeros(1, REQUEST)
    request["order_id"], request["owner"], request["price_ticks"], request["lots"], request["side"], request["flags"] = 1, 1, 100, 5, Side.BUY, Flag.LAST
    rows = OrderBook().send_many(request)
    assert rows["reason"].tolist() == [RejectReason.UNKNOWN_FLAG]
    assert verify(Tape(rows, {})).ok


@pytest.mark.parametrize("field", [
    "price_ticks", "lots", "open_lots", "lots_ahead", "resting_id", "resting_owner", "level_lots", "resting_open_lots", "fee", "resting_fee",
])
def test_a_changed_fill_is_found(field):
    tape = random_tape(300, seed=5)
    row = int(np.flatnonzero(tape.rows["kind"] == ReportKind.FILL)[20])
    tape.rows[field][row] += 1
    verdict = verify(tape)
    assert (verdict.ok, verdict.disagreement.row, verdict.disagreement.field) == (False, row, field)
    assert f"row {row}: {field} must be" in str(verdict)


def test_a_missing_row_is_found_by_its_number():
    tape = random_tape(300, seed=5)
    verdict = verify(Tape(np.delete(tape.rows, 40), tape.provenance))
    assert str(verdict.disagreement) == "row 40: sequence must be 40, was 41"


def test_a_row_that_goes_back_in_time_is_found():
    tape = random_tape(300, seed=5)
    tape.rows["time_ns"][40] = 7
    assert (verify(tape).disagreement.row, verify(tape).disagreement.field) == (40, "time_ns")


def test_an_event_that_does_not_end_is_found():
    tape = random_tape(300, seed=5)
    row = int(np.flatnonzero((tape.rows["kind"] == ReportKind.FILL) & (tape.rows["flags"] & Flag.LAST != 0))[0])
    tape.rows["flags"][row] = 0
    assert (verify(tape).disagreement.row, verify(tape).disagreement.field) == (row, "flags")


def test_a_kind_is_called_by_its_name():
    tape = random_tape(300, seed=5)
    row = int(np.flatnonzero(tape.rows["kind"] == ReportKind.FILL)[0])
    tape.rows["kind"][row] = ReportKind.PRINT
    assert str(verify(tape).disagreement) == f"row {row}: kind must be FILL, was PRINT"


def test_the_event_that_a_killed_run_breaks_off_is_left_out():
    tape = random_tape(300, seed=5)
    fill = int(np.flatnonzero((tape.rows["kind"] == ReportKind.FILL) & (tape.rows["flags"] & Flag.LAST == 0))[-1])
    broken = Tape(tape.rows[: fill + 1], tape.provenance | {"complete": False})
    verdict = verify(broken)
    assert verdict.ok, str(verdict)
    assert verdict.rows < len(broken)


def test_an_empty_tape_agrees():
    assert verify(Tape(np.zeros(0, random_tape(1, seed=1).rows.dtype), {})).ok


def test_every_book_of_a_world_is_verified():
    books = [OrderBook(), OrderBook(book=1)]
    requests = np.sort(np.concatenate([random_requests(200, seed=3), random_requests(200, seed=4, book=1)]), order="time_ns")
    rows = np.concatenate([books[request["book"]].send(request) for request in requests])
    rows["sequence"] = np.arange(len(rows))
    verdict = verify(Tape(rows, {}))
    assert verdict.ok, str(verdict)
    assert set(rows["book"]) == {0, 1}


def test_a_book_whose_replaces_lose_their_place_is_verified_by_its_own_rule():
    rows = OrderBook(replace_keeps_place=False).send_many(random_requests(400, seed=6))
    assert verify(Tape(rows, {"replace_keeps_place": False})).ok
    assert not verify(Tape(rows, {})).ok


def test_an_order_that_would_slide_out_of_the_price_band_is_refused_and_verified():
    venue = Venue(reference_ticks=100, price_band_ppm=10_000)
    book = OrderBook(venue=venue)
    asked = book.limit(Side.SELL, 99, 1, order_id=1)
    slides = book.limit(Side.BUY, 99, 1, order_id=2, slide=True)
    assert slides["reason"].tolist() == [RejectReason.PRICE_OUTSIDE_BAND]
    assert verify(Tape(np.concatenate([asked, slides]), {"venue": venue.as_plain()})).ok


def test_a_request_for_book_0_was_for_no_book_where_the_only_one_has_another_number():
    book = OrderBook(book=3)
    rows = [book.limit(Side.BUY, 100, 5, order_id=1)]
    request = np.zeros(1, REQUEST)
    request["side"], request["price_ticks"], request["lots"], request["order_id"] = Side.BUY, 100, 5, 2
    rows.append(book.send(request))
    tape = Tape(np.concatenate(rows), {})
    assert verify(tape).ok
    assert order_book_at(tape, book=3).order_count == 1


def test_progress_is_told_in_rows(monkeypatch):
    monkeypatch.setattr("lob.tape.verify.EVENTS_A_BLOCK", 100)
    told = []
    verify(random_tape(300, seed=5), on_progress=told.append)
    assert len(told) == 3 and told == sorted(told)
