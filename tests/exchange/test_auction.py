"""The price of a call auction: the walk of the engine against every single price."""
import numpy as np
import pytest

from lob.exchange.order_book import OrderBook
from lob.exchange.reference_auction import auction_price, nearest
from lob.exchange.venue import Venue
from lob.messages import LOTS_MAX, PRICE_MAX_TICKS, Flag, Phase, ReportKind

PRICES = range(1, 31)  # more than any limit drawn


def drawn_sides(random):
    """Return bids and asks as lists of (limit, lots), limit None at the market: few prices and lots, so that ties are common."""
    low, high = sorted(random.integers(8, 20, 2))
    return [
        [
            (None if random.random() < share else int(random.integers(low, high + 1)), int(random.integers(1, 5)))
            for _ in range(random.integers(0, 6))
        ]
        for share in random.choice([0, 0.3], 2)
    ]


def every_price(bids, asks, reference_ticks):
    """Return (price, lots, surplus) by the four steps over every price of PRICES, in the words of docs/rules.md."""
    demand = {p: sum(lots for limit, lots in bids if limit is None or limit >= p) for p in PRICES}
    supply = {p: sum(lots for limit, lots in asks if limit is None or limit <= p) for p in PRICES}
    volume = max(min(demand[p], supply[p]) for p in PRICES)
    left = [p for p in PRICES if volume and min(demand[p], supply[p]) == volume]
    free_up, free_down = (sum(lots for limit, lots in side if limit is None) >= volume for side in (bids, asks))
    bid_limits, ask_limits = ([limit for limit, _ in side if limit is not None] for side in (bids, asks))
    if left and free_up and free_down:
        inside = [p for p in PRICES if max(bid_limits, default=1) <= p <= min(ask_limits, default=PRICES[-1])]
        left = [nearest(inside, reference_ticks)] if reference_ticks else []
    elif free_up:
        left = [p for p in left if p <= max([left[0], *bid_limits])]
    elif free_down:
        left = [p for p in left if p >= min([left[-1], *ask_limits])]
    if not left:
        return 0, 0, 0
    surplus = {p: demand[p] - supply[p] for p in left}
    left = [p for p in left if abs(surplus[p]) == min(map(abs, surplus.values()))]
    if all(surplus[p] > 0 for p in left):
        price = max(left)
    elif all(surplus[p] < 0 for p in left):
        price = min(left)
    else:
        price = nearest(left, reference_ticks)
    return price, volume, surplus[price]


def collected(bids, asks, reference_ticks, random):
    """Return an OrderBook in which these orders have collected: some hidden, some icebergs."""
    book = OrderBook(venue=Venue(phase=Phase.PRE_OPEN, reference_ticks=reference_ticks))
    for order_id, (side, limit, lots) in enumerate([(1, *bid) for bid in bids] + [(-1, *ask) for ask in asks], 1):
        kind = random.choice([{}, {}, {"hidden": True}, {"display_lots": 1}]) if lots > 1 else {}
        book.market(side, lots, order_id) if limit is None else book.limit(side, limit, lots, order_id, **kind)
    return book


def test_the_price_is_that_of_trying_every_price():
    random = np.random.default_rng(7)
    for _ in range(1_500):
        bids, asks = drawn_sides(random)
        reference_ticks = int(random.choice([0, 0, 9, 14, 25]))
        expected = every_price(bids, asks, reference_ticks)
        assert auction_price(bids, asks, reference_ticks) == expected
        book = collected(bids, asks, reference_ticks, random)
        rows = book.set_phase(Phase.CONTINUOUS)
        assert rows[["price_ticks", "lots", "level_lots"]][0].tolist() == expected
        fills = rows[rows["kind"] == ReportKind.FILL]
        assert fills["lots"].sum() == expected[1] and (fills["price_ticks"] == expected[0]).all()
        book.check()


@pytest.mark.parametrize(("price_ticks", "side"), [(1, 1), (PRICE_MAX_TICKS, -1)])
def test_an_auction_at_the_edge_of_all_prices(price_ticks, side):
    book = OrderBook(venue=Venue(phase=Phase.PRE_OPEN))
    book.limit(side, price_ticks, LOTS_MAX, order_id=1)
    book.market(-side, LOTS_MAX, order_id=2)
    rows = book.set_phase(Phase.CONTINUOUS)
    assert rows["price_ticks"].tolist() == [price_ticks, price_ticks, Phase.CONTINUOUS] and rows["lots"].tolist() == [LOTS_MAX, LOTS_MAX, 0]
    assert book.order_count == 0


def test_an_uncrossing_of_many_orders_makes_room_for_its_rows():
    book = OrderBook(venue=Venue(phase=Phase.PRE_OPEN))
    for order_id in range(1, 4_001):
        book.limit(1 if order_id % 2 else -1, 100, 1 + order_id % 7, order_id, display_lots=1 if order_id % 7 else None)
    rows = book.set_phase(Phase.CLOSED)
    fills = rows[rows["kind"] == ReportKind.FILL]
    assert len(fills) > 1_999 and (fills["flags"] & Flag.AUCTION != 0).all()
    book.check()
