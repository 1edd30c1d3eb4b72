"""Fees beyond the story in cases/fees.txt: the limits of exactness, many owners, snapshots, for both books; and what agents pay inside a recorded day."""
import numpy as np
import pytest

from lob.errors import TapeError
from lob.exchange.order_book import OrderBook
from lob.exchange.order_history import OrderHistory
from lob.exchange.reference import ReferenceBook
from lob.exchange.reference_history import ReferenceHistory
from lob.exchange.venue import FeeTier, Venue
from lob.messages import LOTS_MAX, PRICE_MAX_TICKS, REQUEST, Action, RejectReason, ReportKind, Side, TimeInForce

BUY, SELL = Side.BUY, Side.SELL
DEAR = Venue(fees=(FeeTier(), FeeTier(10**6, taker_ppm=-100_000, maker_microticks=1)))
# The most lots whose fee at the highest price is sure to be at most 2^62, by the dearest tier, whichever tier the owner is in.
LOTS_EXACT = 2**62 // (PRICE_MAX_TICKS * 100_000 + 1)
TIERS = Venue(fees=(FeeTier(maker_microticks=-2, taker_microticks=3), FeeTier(10, -4, 1), FeeTier(11, -5, 0)))
TOO_DEAR = RejectReason.NOTIONAL_OUT_OF_RANGE


def reasons(rows):
    return rows["reason"].tolist()


@pytest.mark.parametrize("side", [BUY, SELL])
def test_an_order_whose_fee_might_not_fit_is_refused_and_one_lot_less_is_not(make_book, side):
    book = make_book(venue=DEAR)
    assert reasons(book.limit(side, PRICE_MAX_TICKS, LOTS_EXACT + 1, 1)) == [TOO_DEAR]
    assert reasons(book.limit(side, PRICE_MAX_TICKS, LOTS_EXACT, 1)) == [0]
    assert reasons(book.replace(1, PRICE_MAX_TICKS, LOTS_EXACT + 1)) == [TOO_DEAR]
    assert reasons(book.limit(side, PRICE_MAX_TICKS, LOTS_EXACT + 1, 2, trigger_ticks=5)) == [TOO_DEAR]


def test_a_market_order_that_never_rests_may_have_any_lots(make_book):
    book = make_book(venue=DEAR)
    book.limit(SELL, PRICE_MAX_TICKS, LOTS_EXACT, 1)
    assert book.market(BUY, LOTS_MAX, 2)["kind"].tolist() == [ReportKind.ACCEPTED, ReportKind.FILL, ReportKind.CANCELLED]


def test_the_price_that_counts_is_the_one_that_the_book_gives(make_book):
    book = make_book(venue=DEAR)
    book.limit(SELL, PRICE_MAX_TICKS, 1, 1)
    assert reasons(book.market(BUY, LOTS_EXACT + 1, 2, to_limit=True)) == [TOO_DEAR]
    book.cancel(1)
    book.limit(BUY, PRICE_MAX_TICKS - 1, 1, 3)
    assert reasons(book.limit(SELL, 1, LOTS_EXACT + 1, 4, slide=True)) == [TOO_DEAR]
    assert reasons(book.limit(SELL, 1, 5, 4, slide=True)) == [0]


def test_it_is_refused_after_what_cannot_be_read_and_before_the_book_is_looked_at(make_book):
    book = make_book(venue=DEAR)
    book.limit(BUY, 5, 1, 1)
    assert reasons(book.limit(BUY, PRICE_MAX_TICKS, LOTS_MAX, 1)) == [TOO_DEAR]
    assert reasons(book.replace(9, PRICE_MAX_TICKS, LOTS_MAX)) == [TOO_DEAR]
    assert reasons(book.limit(BUY, PRICE_MAX_TICKS, LOTS_MAX, 2, display_lots=0)) == [RejectReason.DISPLAY_OUT_OF_RANGE]
    assert reasons(book.limit(BUY, PRICE_MAX_TICKS, LOTS_MAX + 1, 2)) == [RejectReason.LOTS_OUT_OF_RANGE]


def test_a_tier_begins_with_the_fill_after_its_lots_were_traded(make_book):
    book = make_book(venue=TIERS)
    book.limit(SELL, 100, 30, 1, owner=1)
    fees = [int(book.market(BUY, lots, 1, owner=2)[1]["fee"]) for lots in (9, 1, 1, 1)]
    assert fees == [27, 3, 1, 0]


def test_a_triggered_stop_pays_by_the_tier_of_its_owner(make_book):
    book = make_book(venue=TIERS)
    book.limit(SELL, 100, 10, 1, owner=1)
    book.limit(SELL, 101, 10, 2, owner=3)
    book.market(BUY, 2, 5, owner=2, trigger_ticks=100)
    fills = [row for row in book.market(BUY, 10, 6, owner=4) if row["kind"] == ReportKind.FILL]
    assert [(row["owner"], row["fee"], row["resting_fee"]) for row in fills] == [(4, 30, -20), (2, 6, -4)]


def test_hundreds_of_owners_have_each_its_own_volume_also_after_a_snapshot(tmp_path):
    random = np.random.default_rng(4)
    requests = np.zeros(6_000, REQUEST)
    requests["order_id"], requests["owner"] = np.arange(1, 6_001), random.integers(0, 900, 6_000) * 2_000_003 % (2**31)
    requests["side"], requests["price_ticks"], requests["lots"] = random.choice([-1, 1], 6_000), random.integers(99, 102, 6_000), random.integers(1, 6, 6_000)
    engine, reference = OrderBook(venue=TIERS), ReferenceBook(venue=TIERS)
    for number, part in enumerate(np.split(requests, 6)):
        rows = engine.send_many(part)
        assert rows.tolist() == reference.send_many(part).tolist()
        engine.check()
        engine = OrderBook.load(engine.save(tmp_path / f"{number}.npz"))
        engine.check()
    assert len(np.unique(rows["fee"][rows["kind"] == ReportKind.FILL] // rows["lots"][rows["kind"] == ReportKind.FILL])) == 3


@pytest.mark.parametrize(("field", "value"), [("lots", 0), ("lots", 2**62 + 1), ("owner", -1), ("owner", 1)])
def test_a_snapshot_with_volumes_that_nobody_can_have_is_refused(tmp_path, field, value):
    book = OrderBook(venue=TIERS)
    book.limit(SELL, 100, 3, 1, owner=1)
    book.market(BUY, 3, 1, owner=2)
    with np.load(book.save(tmp_path / "book.npz")) as archive:
        arrays = dict(archive)
    arrays["volumes"][field][1] = value
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(TapeError, match="volumes must be"):
        OrderBook.load(tmp_path / "other.npz")


@pytest.mark.parametrize("make_day", [OrderHistory, ReferenceHistory])
def test_inside_a_recorded_day_an_agent_pays_by_its_tier_and_nobody_else_anything(make_day):
    day = make_day(venue=TIERS)
    day.limit(SELL, 101, 20, 11)
    day.limit(BUY, 100, 10, 1, owner=1)
    bought = day.market(BUY, 9, 2, owner=1)
    also = day.market(BUY, 1, 3, owner=1)
    sold = day.limit(SELL, 100, 4, 12)
    assert [(row["fee"], row["resting_fee"]) for row in (bought[1], also[1], sold[1])] == [(27, 0), (3, 0), (0, -16)]
    between = day.market(SELL, 2, 4, owner=2)
    assert (between[1]["fee"], between[1]["resting_fee"]) == (6, -10)


@pytest.mark.parametrize("make_day", [OrderHistory, ReferenceHistory])
@pytest.mark.parametrize("owner", [0, 1])
def test_inside_a_recorded_day_an_order_whose_fee_might_not_fit_is_refused(make_day, owner):
    day = make_day(venue=DEAR)
    assert reasons(day.limit(BUY, PRICE_MAX_TICKS, LOTS_EXACT + 1, 1, owner=owner)) == [TOO_DEAR]
    assert reasons(day.limit(BUY, PRICE_MAX_TICKS, LOTS_EXACT, 1, owner=owner)) == [0]
    assert reasons(day.limit(BUY, PRICE_MAX_TICKS, LOTS_EXACT + 1, 1, owner=owner)) == [TOO_DEAR]
    if owner:
        assert reasons(day.replace(1, PRICE_MAX_TICKS, LOTS_EXACT + 1, owner=owner)) == [TOO_DEAR]
        assert reasons(day.limit(BUY, 5, LOTS_MAX, 2, owner=owner, tif=TimeInForce.IOC))[0] == 0


def test_many_agents_inside_a_recorded_day_have_each_its_own_volume():
    requests = np.zeros(1_000, REQUEST)
    random = np.random.default_rng(2)
    requests["order_id"], requests["lots"] = np.arange(1, 1_001), random.integers(1, 9, 1_000)
    requests["owner"] = np.where(random.random(1_000) < 0.5, 0, random.integers(1, 200, 1_000))
    requests["action"] = np.where(requests["owner"] == 0, Action.LIMIT, random.choice([Action.LIMIT, Action.MARKET], 1_000))
    requests["side"] = random.choice([-1, 1], 1_000)
    requests["price_ticks"] = 100 - requests["side"] * np.where(requests["owner"] == 0, 1, random.integers(-2, 2, 1_000))
    engine, reference = OrderHistory(venue=TIERS), ReferenceHistory(venue=TIERS)
    rows = engine.send_many(requests)
    assert rows.tolist() == reference.send_many(requests).tolist()
    assert {0, 1, 3} <= set((rows["fee"][rows["kind"] == ReportKind.FILL] // rows["lots"][rows["kind"] == ReportKind.FILL]).tolist())
    engine.check()
