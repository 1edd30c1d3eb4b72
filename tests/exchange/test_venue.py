"""The settings of a venue: what cannot be used is refused by name, and the plain form comes back as it was."""
import json

import numpy as np
import pytest

from lob import REQUEST, Action, Allocation, FeeTier, LobError, OrderBook, Phase, RejectReason, ReportKind, SelfTrade, Side, Venue
from lob.exchange.rules.state import RulesMemory

WHOLE = Venue(
    self_trade={3: SelfTrade.DECREMENT, 1: SelfTrade.CANCEL_BOTH}, allocation=Allocation(20, 50, 40, 2), fees=(FeeTier(), FeeTier(100, -5, 10, 1, 2)),
    phase=Phase.BATCH, batch_interval_ns=100, reference_ticks=10_000, price_band_ppm=50_000,
    breaker_ppm=20_000, breaker_phase=Phase.BREAKER_AUCTION, breaker_ns=7,
)


@pytest.mark.parametrize("venue", [Venue(), WHOLE])
def test_the_plain_form_comes_back_as_it_was_through_json(venue):
    assert Venue.from_plain(json.loads(json.dumps(venue.as_plain()))) == venue


@pytest.mark.parametrize(("settings", "words"), [
    ({"self_trade": {1: 9}}, "venue.self_trade must be one of NONE, .*, was 9"),
    ({"self_trade": {-1: 1}}, "venue.self_trade owner must be from 0 to"),
    ({"phase": "LUNCH"}, "venue.phase must be one of CONTINUOUS, .*, was 'LUNCH'"),
    ({"breaker_phase": Phase.CLOSED}, "venue.breaker_phase must be HALT or BREAKER_AUCTION, was CLOSED"),
    ({"phase": Phase.BATCH}, "venue.batch_interval_ns must be above 0 in Phase.BATCH, was 0"),
    ({"price_band_ppm": 1.5}, "venue.price_band_ppm must be a whole number, was 1.5"),
    ({"reference_ticks": -1}, "venue.reference_ticks must be from 0 to"),
    ({"fees": (FeeTier(5),)}, r"venue.fees must begin with from_lots 0 and rise, was \[5\]"),
    ({"fees": (FeeTier(), FeeTier(7), FeeTier(7))}, "venue.fees must begin with from_lots 0 and rise"),
    ({"fees": 5}, "venue.fees must be a list, was 5"),
    ({"fees": [5]}, r"venue.fees\[0\] must be a FeeTier, was 5"),
    ({"self_trade": [1]}, r"venue.self_trade must be a table, was \[1\]"),
    ({"allocation": None}, "venue.allocation must be an Allocation, was None"),
])
def test_a_setting_that_cannot_be_used_is_refused_by_name(settings, words):
    with pytest.raises(LobError, match=words):
        Venue(**settings)


@pytest.mark.parametrize(("settings", "words"), [
    ({"fifo_percent": 101}, "allocation.fifo_percent must be from 0 to 100, was 101"),
    ({"minimum_lots": 0}, "allocation.minimum_lots must be from 1 to"),
])
def test_an_allocation_that_cannot_be_used_is_refused_by_name(settings, words):
    with pytest.raises(LobError, match=words):
        Allocation(**settings)


@pytest.mark.parametrize(("plain", "words"), [
    ({"fee": []}, "venue has no setting 'fee'; it has self_trade, "),
    ({"allocation": {"top": 1}}, "venue.allocation has no setting 'top'"),
    ({"fees": [3]}, "venue.fees must be a table, was 3"),
    ({"fees": 3}, "venue.fees must be a list, was 3"),
    ({"self_trade": 3}, "venue.self_trade must be a table, was 3"),
    ({"self_trade": {"me": "NONE"}}, "venue.self_trade owner must be a whole number, was 'me'"),
])
def test_a_plain_form_with_unknown_words_is_refused(plain, words):
    with pytest.raises(LobError, match=words):
        Venue.from_plain(plain)


def test_the_modes_of_many_owners_are_noted_at_once_however_many_there_are(monkeypatch, tmp_path):
    noted, note = [], RulesMemory.set_modes
    monkeypatch.setattr(RulesMemory, "set_modes", lambda memory, modes: noted.append(len(modes)) or note(memory, modes))
    book = OrderBook(venue=Venue(self_trade=dict.fromkeys(range(100), SelfTrade.CANCEL_BOTH)))
    assert noted == [0, 100]
    book.prevent_self_trades(3, SelfTrade.NONE)
    loaded = OrderBook.load(book.save(tmp_path / "book.npz"))
    assert noted == [0, 100, 0, 100, 99]
    assert loaded.memory.rules.owner_modes() == book.memory.rules.owner_modes()


def test_a_mode_is_changed_by_a_request_that_the_tape_tells_of(make_book):
    book, told = make_book(), []
    book.limit(Side.BUY, 100, 5, order_id=1, owner=7)
    for owner in (9, 7, 8, *range(20, 60)):
        told += book.prevent_self_trades(owner, SelfTrade.CANCEL_RESTING, now_ns=owner)[["kind", "owner", "price_ticks", "time_ns", "action"]].tolist()
    assert told == [(ReportKind.MODE, owner, SelfTrade.CANCEL_RESTING, owner, Action.MODE) for owner in (9, 7, 8, *range(20, 60))]
    assert book.limit(Side.SELL, 100, 5, order_id=2, owner=7)["kind"].tolist() == [ReportKind.ACCEPTED, ReportKind.CANCELLED]
    book.prevent_self_trades(7, SelfTrade.NONE)
    assert book.limit(Side.BUY, 100, 5, order_id=3, owner=7)["kind"].tolist() == [ReportKind.ACCEPTED, ReportKind.FILL]
    book.check()


def test_a_mode_that_is_none_is_refused_at_the_door_and_by_the_exchange(make_book):
    book, request = make_book(), np.zeros(1, REQUEST)
    with pytest.raises(LobError, match="mode must be one of SelfTrade.NONE, .*, was 9"):
        book.prevent_self_trades(1, 9)
    request["action"], request["owner"], request["price_ticks"] = Action.MODE, 1, max(SelfTrade) + 1
    assert book.send(request)["reason"].tolist() == [RejectReason.PRICE_OUT_OF_RANGE]
    request["owner"] = -1
    assert book.send(request)["reason"].tolist() == [RejectReason.OWNER_OUT_OF_RANGE]
    assert book.prevent_self_trades(2**31 - 1, SelfTrade.DECREMENT)["kind"].tolist() == [ReportKind.MODE]
