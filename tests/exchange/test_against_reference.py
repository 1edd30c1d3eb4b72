"""The engine against the reference: the same requests, the same rows in every field, the same book after each."""
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lob.exchange.order_book import OrderBook
from lob.exchange.reference import ReferenceBook, Request
from lob.exchange.venue import Allocation, FeeTier, Venue
from lob.messages import ANONYMOUS_ID_FIRST, LOTS_MAX, PRICE_MAX_TICKS, REPORT, REQUEST, Action, Flag, Phase, SelfTrade, Side
from lob.tape.record import Tape
from lob.tape.replay import ReplayedBook
from lob.tape.verify import verify

BOOK = 2

# Few prices, few names and few lots, so that much trades, many names are in use and many queues are long.
sides = st.sampled_from([int(Side.BUY), int(Side.SELL)])
prices = st.integers(98, 103)
lots = st.integers(1, 12)
owners = st.integers(0, 2)
order_ids = st.integers(1, 12)
post_only = st.sampled_from([0, 0, 0, int(Flag.POST_ONLY)])
tifs = st.sampled_from([0, 0, 0, 1, 2, 4])
phases = st.sampled_from([*Phase, *[Phase.CONTINUOUS] * 3])
# A venue of each kind: plain, one with ranges around the prices that trade, a breaker that ends by itself or not, batches.
ranges = {"reference_ticks": st.sampled_from([0, 95, 100, 101]), "price_band_ppm": st.sampled_from([0, 0, 20_000, 10_000])}
breakers = {
    "breaker_ppm": st.sampled_from([0, 10_000, 20_000]), "breaker_phase": st.sampled_from([Phase.HALT, Phase.BREAKER_AUCTION]),
    "breaker_ns": st.sampled_from([0, 35, 100]),
}

def whole_range(name):
    return st.integers(np.iinfo(REQUEST[name]).min, np.iinfo(REQUEST[name]).max)


EDGES = {
    "order_id": [-(2**63), -1, 0, 2**62, ANONYMOUS_ID_FIRST + 201, 2**63 - 1],
    "price_ticks": [-(2**63), -1, 0, 1, 20_000_000, PRICE_MAX_TICKS, PRICE_MAX_TICKS + 1, 2**32 + 100, 2**63 - 1],
    "lots": [-(2**63), -1, 0, LOTS_MAX, LOTS_MAX + 1, 2**32 + 1, 2**63 - 1],
    "owner": [-(2**31), -1, 2**31 - 1],
    "book": [0, 2**16 - 1],
    "side": [-128, -2, 0, 2, 127],
    "tif": [1, 2, 3, 4, 5, 255],
    "flags": [4096, 32_768, 512, 1024, 36, 544, 1536, 33, 1, 2, 3, 4, 8, 12, 16, 20, 32, 64, 65, 128, 129, 255, 256, 272, 2**16 - 1],
    "action": range(13),
    "offset_ticks": [-(2**31), -1, 0, 1, 2**31 - 1],
    "display_lots": [-(2**31), -1, 0, 1, 2**31 - 1],
    "min_lots": [-(2**31), -1, 0, 1, 2**31 - 1],
    "trigger_ticks": [-(2**63), -1, 0, 1, PRICE_MAX_TICKS, PRICE_MAX_TICKS + 1, 2**63 - 1],
    "expiry_ns": [-(2**63), -1, 0, 1, 2**63 - 1],
}
# Every kind of limit order alone, and those that go together.
POST, SLIDE, HIDDEN, ICEBERG, STOP = (int(flag) for flag in (Flag.POST_ONLY, Flag.SLIDE, Flag.HIDDEN, Flag.ICEBERG, Flag.STOP))
MINIMUM, TO_LIMIT = int(Flag.MINIMUM), int(Flag.TO_LIMIT)
PEGS = [int(Flag.PEG_NEAR), int(Flag.PEG_MID), int(Flag.PEG_FAR)]
KINDS = [*PEGS, SLIDE | POST, HIDDEN, HIDDEN | POST, ICEBERG, ICEBERG | POST, STOP, MINIMUM, MINIMUM | HIDDEN, MINIMUM | ICEBERG, SLIDE | POST | HIDDEN]
kinds = st.sampled_from(KINDS)
terms = {
    "display_lots": st.integers(1, 6), "min_lots": st.integers(1, 12), "trigger_ticks": prices, "expiry_ns": st.integers(-20, 400),
    "offset_ticks": st.integers(0, 3),
}
live_requests = st.builds(
    Request, order_id=order_ids, price_ticks=prices, lots=lots, owner=owners, book=st.just(BOOK),
    action=st.sampled_from([0, 0, 0, 1, 2, 3, int(Action.MASS_CANCEL)]), side=sides, tif=tifs | st.just(3), flags=post_only | kinds, **terms,
)
# A volume in this market is soon a few dozen lots; some fees pass 64 bits at the prices far away.
FEES = [
    (),
    (FeeTier(0, -200, 300, 0, 0),),
    (FeeTier(0, -200, 300, -5, 10), FeeTier(8, -250, 250, -6, 9), FeeTier(30, 1, 0, 0, -7), FeeTier(31, 4, 3, 2, 1)),
    (FeeTier(0, -(10**9), 10**9, 0, 0), FeeTier(20, 0, 0, -100_000, 100_000)),
]
ALLOCATIONS = [
    Allocation.price_time(), Allocation.pro_rata(), Allocation.pro_rata(3), Allocation.pro_rata(2, 40, 3), Allocation.split(40), Allocation.split(30, 2),
    Allocation(100, 2, 99, 5),
]
modes = st.dictionaries(owners, st.sampled_from(SelfTrade), max_size=2)
trading = {"self_trade": st.just({}) | modes, "allocation": st.sampled_from(ALLOCATIONS), "fees": st.sampled_from(FEES)}
days = {**ranges, **breakers, **trading}
venues = st.one_of(
    st.just(Venue()), st.builds(Venue, **trading), st.builds(Venue, **days), st.builds(Venue, phase=st.sampled_from([Phase.PRE_OPEN, Phase.HALT]), **days),
    st.builds(Venue, phase=st.just(Phase.BATCH), batch_interval_ns=st.sampled_from([7, 30, 100]), **days),
)
edge_fields = st.sampled_from(sorted(EDGES)).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(EDGES[name]) | whole_range(name)))
garbage_requests = st.builds(Request, **{name: whole_range(name) for name in REQUEST.names})


# What a call auction is made of: names of its own, so that all of it collects.
auction_orders = st.builds(
    Request, order_id=st.integers(20, 60), price_ticks=prices, lots=lots, owner=owners, book=st.just(BOOK), action=st.sampled_from([0, 0, 0, 0, 0, 1]),
    side=sides, tif=st.sampled_from([0, 0, 4, 3]), flags=st.sampled_from([0, 0, 0, 0, HIDDEN, ICEBERG, STOP]), **terms,
)


class EngineAgainstReference(RuleBasedStateMachine):
    """Every rule asks both books for the same thing."""

    steps = 0  # of all examples, so that a long run can prove its length

    @initialize(replace_keeps_place=st.booleans(), venue=venues)
    def open_the_books(self, replace_keeps_place, venue):
        self.engine = OrderBook(replace_keeps_place, BOOK, venue)
        self.reference = ReferenceBook(replace_keeps_place, BOOK, venue)
        self.time_ns = 0
        self.rows, self.replayed = [np.zeros(0, REPORT)], ReplayedBook(book=BOOK)

    def ask(self, *requests):
        type(self).steps += 1
        batch = np.array([tuple(request) for request in requests], dtype=REQUEST)
        self.rows.append(self.engine.send_many(batch))
        assert self.rows[-1].tolist() == self.reference.send_many(batch).tolist()

    def ask_now(self, action, expiry_ns=0, **fields):
        self.time_ns += 10
        fields |= {"time_ns": self.time_ns, "sent_ns": self.time_ns - 3, "book": BOOK, "expiry_ns": self.time_ns + expiry_ns}
        self.ask(Request(action=int(action), **fields))

    @rule(side=sides, price_ticks=prices, lots=lots, order_id=order_ids, owner=owners, tif=tifs)
    def limit(self, **fields):
        self.ask_now(Action.LIMIT, **fields)

    @rule(side=sides, price_ticks=prices, lots=lots, order_id=order_ids, owner=owners)
    def post_only_limit(self, **fields):
        self.ask_now(Action.LIMIT, flags=int(Flag.POST_ONLY), **fields)

    @rule(side=sides, price_ticks=st.sampled_from([1, 2, 1_000, 4_097, 20_000_000, 2**30, PRICE_MAX_TICKS - 1, PRICE_MAX_TICKS]), lots=lots | st.just(LOTS_MAX),
          order_id=order_ids)
    def limit_far_away(self, **fields):
        self.ask_now(Action.LIMIT, **fields)

    @rule(side=sides, lots=lots | st.just(LOTS_MAX), order_id=order_ids, owner=owners)
    def market(self, **fields):
        self.ask_now(Action.MARKET, **fields)

    @rule(order_id=order_ids, owner=owners, lots=st.integers(0, 12))
    def cancel(self, **fields):
        self.ask_now(Action.CANCEL, **fields)

    @rule(order_id=order_ids, owner=owners, price_ticks=prices, lots=lots, flags=post_only)
    def replace(self, **fields):
        self.ask_now(Action.REPLACE, **fields)

    @rule(side=sides, price_ticks=prices, lots=lots, order_id=order_ids, owner=owners, tif=st.sampled_from([0, 0, 3, 4]), flags=kinds, **terms)
    def limit_of_a_kind(self, **fields):
        self.ask_now(Action.LIMIT, **fields)

    @rule(
        side=sides, price_ticks=prices | st.sampled_from([1, 90, 110]), lots=lots, order_id=order_ids, owner=owners, tif=st.sampled_from([0, 0, 3]),
        flags=st.sampled_from(PEGS), offset_ticks=st.sampled_from([0, 0, 1, 3, 200]), expiry_ns=st.integers(1, 400),
    )
    def pegged_limit(self, **fields):
        self.ask_now(Action.LIMIT, **fields)

    @rule(side=sides, price_ticks=prices, lots=lots, order_id=order_ids, owner=owners, tif=st.just(3), expiry_ns=st.integers(-20, 400))
    def limit_until_a_time(self, **fields):
        self.ask_now(Action.LIMIT, **fields)

    @rule(side=sides, lots=lots | st.just(LOTS_MAX), order_id=order_ids, owner=owners, flags=st.sampled_from([0, STOP, TO_LIMIT]), trigger_ticks=prices)
    def market_of_a_kind(self, **fields):
        self.ask_now(Action.MARKET, **fields)

    @rule(owner=owners, side=st.integers(-1, 1), price_ticks=st.sampled_from([0, 0, 99]), trigger_ticks=st.sampled_from([0, 0, 101]))
    def mass_cancel(self, **fields):
        self.ask_now(Action.MASS_CANCEL, **fields)

    @rule(price_ticks=phases, order_id=st.sampled_from([0, 5]))
    def set_phase(self, **fields):
        self.ask_now(Action.PHASE, **fields)

    @rule(
        orders=st.lists(auction_orders, min_size=3, max_size=8), collecting=st.sampled_from([Phase.PRE_OPEN, Phase.BREAKER_AUCTION, Phase.BATCH]),
        after=st.sampled_from([Phase.CONTINUOUS, Phase.CONTINUOUS, Phase.CLOSED, Phase.HALT]),
    )
    def auction(self, orders, collecting, after):
        self.ask_now(Action.PHASE, price_ticks=collecting)
        for order in orders:
            self.ask_now(**order._replace(flags=order.flags & STOP if order.action else order.flags)._asdict())
        self.ask_now(Action.PHASE, price_ticks=after)

    @rule(wait_ns=st.sampled_from([0, 1, 50]))
    def clock(self, wait_ns):
        self.time_ns += wait_ns
        self.ask_now(Action.CLOCK)

    @rule(owner=owners, mode=st.sampled_from(SelfTrade))
    def prevent_self_trades(self, owner, mode):
        self.ask_now(Action.MODE, owner=owner, price_ticks=int(mode))

    @rule()
    def save_and_load(self):
        with TemporaryDirectory() as folder:
            self.engine = OrderBook.load(self.engine.save(Path(folder) / "book.npz"))

    @rule(request=live_requests, edge=edge_fields)
    def almost_valid(self, request, edge):
        name, value = edge
        self.ask(request._replace(**{name: value}))

    @rule(request=garbage_requests)
    def garbage(self, request):
        self.ask(request)

    @rule(requests=st.lists(live_requests, min_size=2, max_size=8))
    def many_at_once(self, requests):
        self.ask(*requests)

    @invariant()
    def they_show_the_same_book(self):
        assert self.engine.best_bid_ticks == self.reference.best_bid_ticks
        assert self.engine.best_ask_ticks == self.reference.best_ask_ticks
        assert self.engine.order_count == self.reference.order_count
        assert self.engine.phase == self.reference.phase
        for side in Side:
            depth = self.reference.depth(side, levels=100)
            assert self.engine.depth(side, levels=100).tolist() == depth.tolist()
            for price_ticks in depth["price_ticks"].tolist():
                assert self.engine.lots_at(side, price_ticks) == self.reference.lots_at(side, price_ticks)
                assert self.engine.order_count_at(side, price_ticks) == self.reference.order_count_at(side, price_ticks)
                assert self.engine.orders_at(side, price_ticks).tolist() == self.reference.orders_at(side, price_ticks).tolist()

            for n in range(len(depth) + 2):
                assert self.engine.level(side, n) == self.reference.level(side, n)
            for low_ticks, high_ticks in ((1, PRICE_MAX_TICKS), (99, 101), (100, 100), (101, 100), (2, 20_000_000), (-5, 2**40)):
                assert self.engine.lots_between(side, low_ticks, high_ticks) == self.reference.lots_between(side, low_ticks, high_ticks)

    @invariant()
    def every_order_has_the_same_lots_ahead(self):
        for owner, order_id in self.reference.orders:
            assert self.engine.queue_ahead(order_id, owner) == self.reference.queue_ahead(order_id, owner)

    @invariant()
    def the_rows_show_the_same_book(self):
        for _ in self.replayed.advance(np.concatenate(self.rows)):
            pass
        self.rows = [np.zeros(0, REPORT)]
        for side in Side:
            assert self.replayed.depth(side, None).tolist() == self.engine.depth(side, levels=100).tolist()

    @invariant()
    def both_books_are_sound(self):
        self.engine.check()
        self.reference.check()


TestEngineAgainstReference = EngineAgainstReference.TestCase
TestEngineAgainstReference.settings = settings(max_examples=40, stateful_step_count=50)


@pytest.mark.long
def test_the_engine_is_the_reference_for_a_hundred_thousand_steps():
    EngineAgainstReference.steps = 0
    many = settings(max_examples=1_100, stateful_step_count=100, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(EngineAgainstReference, settings=many)
    assert EngineAgainstReference.steps >= 100_000


def ruled_requests(seed, count):
    """Return REQUEST[count] for book 0: few prices and names, every kind of order, orders that expire, mass cancels."""
    random = np.random.default_rng(seed)
    requests = random_requests(seed, count, 10, 40)
    is_limit, is_market, is_mass = (requests["action"] == action for action in (Action.LIMIT, Action.MARKET, Action.MASS_CANCEL))
    requests["tif"][is_limit] = random.choice([0, 1, 2, 3, 4], is_limit.sum(), p=[0.5, 0.05, 0.05, 0.3, 0.1])
    requests["flags"][is_limit] = random.choice([0, 0, POST, *KINDS], is_limit.sum())
    requests["flags"][is_market] = random.choice([0, STOP, TO_LIMIT], is_market.sum())
    requests["action"][random.random(count) < 0.01] = Action.MASS_CANCEL
    changes = random.random(count) < 0.005
    requests["action"][changes], requests["price_ticks"][changes] = Action.MODE, random.choice([*SelfTrade, 9], changes.sum())
    requests["trigger_ticks"] = np.where(is_mass, 0, 10_000 + random.integers(-8, 9, count))
    requests["display_lots"], requests["min_lots"] = random.integers(1, 6, count), random.integers(1, 8, count)
    requests["offset_ticks"] = random.choice([0, 0, 1, 5], count)
    requests["expiry_ns"] = requests["time_ns"] + random.integers(0, 100_000, count)
    requests["book"] = 0
    return requests


# What opens the day, and what it meets on its way; the prices of ruled_requests are around 10,000 ticks.
DAYS = [
    Venue(), Venue(breaker_ppm=500, breaker_ns=20_000, breaker_phase=Phase.BREAKER_AUCTION), Venue(phase=Phase.PRE_OPEN, price_band_ppm=600),
    Venue(phase=Phase.BATCH, batch_interval_ns=5_000), Venue(breaker_ppm=400, breaker_ns=9_000, reference_ticks=10_000, price_band_ppm=900),
]


def let_phases_move(requests, random, share):
    """Make a share of the requests the venue's own, for one phase or another, most often for continuous trading."""
    moves = random.random(len(requests)) < share
    for name, values in (("action", Action.PHASE), ("owner", 0), ("price_ticks", random.choice([*Phase, 0, 0, 0], len(requests)))):
        requests[name] = np.where(moves, values, requests[name])


@pytest.mark.parametrize("seed", range(2 * len(DAYS)))
def test_a_stream_of_every_rule_has_the_same_rows_in_both_books_and_its_tape_is_verified(seed):
    requests = ruled_requests(seed, 4_000)
    let_phases_move(requests, np.random.default_rng(seed), 0.02 * (seed % 2))
    modes = {owner: (owner + seed) % len(SelfTrade) for owner in range(4)}
    venue = replace(DAYS[seed // 2], self_trade=modes, allocation=ALLOCATIONS[seed % len(ALLOCATIONS)], fees=FEES[seed % len(FEES)])
    engine, reference = OrderBook(seed % 2 == 0, venue=venue), ReferenceBook(seed % 2 == 0, venue=venue)
    rows = engine.send_many(requests)
    assert rows.tolist() == reference.send_many(requests).tolist()
    engine.check()
    provenance = {"venue": venue.as_plain(), "replace_keeps_place": seed % 2 == 0}
    whole = verify(Tape(rows, provenance))
    assert whole.ok, str(whole)
    for cut in np.random.default_rng(seed).integers(0, len(rows), 20):
        broken_off = verify(Tape(rows[:cut], provenance | {"complete": False}))
        assert broken_off.ok, str(broken_off)


def random_requests(seed, count, width_ticks, name_count):
    """Return REQUEST[count] for book BOOK: mostly limits and cancels around 10,000 ticks; one in fifty has garbage in one field."""
    random = np.random.default_rng(seed)
    requests = np.zeros(count, dtype=REQUEST)
    requests["time_ns"] = np.cumsum(random.integers(0, 1_000, count))
    requests["sent_ns"] = requests["time_ns"] - 500
    requests["action"] = random.choice(4, count, p=[0.5, 0.05, 0.3, 0.15])
    requests["order_id"] = random.integers(1, name_count, count)
    requests["owner"] = random.integers(0, 4, count)
    requests["side"] = random.choice([-1, 1], count)
    requests["price_ticks"] = 10_000 - requests["side"] * random.integers(-width_ticks // 10, width_ticks, count)
    requests["lots"] = random.integers(1, 20, count)
    requests["tif"] = random.choice(3, count, p=[0.9, 0.05, 0.05])
    requests["flags"] = (random.random(count) < 0.1) & (requests["tif"] == 0)
    requests["book"] = BOOK
    for index in np.flatnonzero(random.random(count) < 0.02):
        name = random.choice(sorted(EDGES))
        requests[name][index] = random.choice(np.array(EDGES[name], dtype=REQUEST[name]))
    return requests


@pytest.mark.parametrize("replace_keeps_place", [True, False])
@pytest.mark.parametrize("width_ticks, name_count", [(10, 50), (60, 3_000), (3_000, 6_000)])
def test_a_long_random_stream_has_the_same_rows_in_both_books(width_ticks, name_count, replace_keeps_place):
    requests = random_requests(width_ticks, 20_000, width_ticks, name_count)
    engine, reference = OrderBook(replace_keeps_place, BOOK), ReferenceBook(replace_keeps_place, BOOK)
    engine_rows, reference_rows = engine.send_many(requests), reference.send_many(requests)
    first_difference = next(iter(np.flatnonzero(engine_rows[:len(reference_rows)] != reference_rows[:len(engine_rows)])), None)
    assert first_difference is None, f"row {first_difference}: {engine_rows[first_difference]} should be {reference_rows[first_difference]}"
    assert len(engine_rows) == len(reference_rows)
    assert engine.depth(Side.BUY, 10_000).tolist() == reference.depth(Side.BUY, 10_000).tolist()
    assert engine.depth(Side.SELL, 10_000).tolist() == reference.depth(Side.SELL, 10_000).tolist()
    engine.check()


def test_requests_sent_one_by_one_have_the_rows_of_those_sent_together():
    requests = random_requests(seed=5, count=2_000, width_ticks=20, name_count=200)
    together, one_by_one = OrderBook(book=BOOK), OrderBook(book=BOOK)
    rows = np.concatenate([one_by_one.send(request) for request in requests])
    assert together.send_many(requests).tolist() == rows.tolist()
