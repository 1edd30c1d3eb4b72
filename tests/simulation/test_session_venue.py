"""A simulation at a venue with settings: its rules hold in every book, fees are on the tape, and the tape says by which settings it came about."""
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from crowd import MS_NS
from random_market import random_requests

from agents import NoiseTrader, SymmetricMaker
from lob import Agent, Allocation, Feed, FeeTier, Instrument, Latency, LobError, Phase, ScenarioError, SelfTrade, Simulation, Tape, Venue, verify
from lob.messages import NOBODY, Action, ReportKind
from lob.simulation.scenario import load
from lob.tape.accounts import accounts

NEAR = Latency(feed_ns=MS_NS, order_ns=MS_NS)
TIERS = (FeeTier(maker_microticks=-2_000, taker_microticks=3_000, taker_ppm=5), FeeTier(from_lots=10, maker_microticks=-2_500, taker_ppm=4))
SCENARIO = """
minutes = 0.2

[venue]
self_trade = { 3 = "CANCEL_BOTH" }
allocation = { top_percent = 20, fifo_percent = 10 }
fees = [{ maker_microticks = -2_000, taker_microticks = 3_000, taker_ppm = 5 }, { from_lots = 10, maker_microticks = -2_500, taker_ppm = 4 }]

[[agents]]
class = "agents:NoiseTrader"
count = 20
latency = { feed_ns = 1_000_000, order_ns = 1_000_000 }

[[agents]]
class = "agents:SymmetricMaker"
lots = 12
count = 8
latency = { feed_ns = 1_000_000, order_ns = 1_000_000 }
"""


def crowd(venue=0):
    return [NoiseTrader(name=f"noise {venue}", count=20, venue=venue, latency=NEAR), SymmetricMaker(name=f"maker {venue}", venue=venue, latency=NEAR)]


def fills_of(tape):
    return tape.rows[tape.rows["kind"] == ReportKind.FILL]


class AuctionTrader(Agent):
    """Bids or asks at one price once, and keeps what it hears of its fill."""

    side: int = 1

    def on_start(self, market):
        self.heard = []
        market.limit(self.side, 10_000, 5)

    def on_fill(self, market, fill):
        self.heard.append((fill.is_maker, fill.lots, fill.fee_microticks))


def test_in_an_auction_neither_side_is_told_that_it_is_the_maker_and_each_pays_as_the_row_says():
    venue = Venue(phase=Phase.BATCH, batch_interval_ns=100 * MS_NS, fees=(FeeTier(maker_microticks=-2, taker_microticks=3, taker_ppm=1),))
    run = Simulation([AuctionTrader(), AuctionTrader(side=-1), *crowd()], seed=1, venue=venue).run(seconds=2)
    paid = 5 * (3 + 10_000)
    assert [agent.heard for agent in run.agents[:2]] == [[(0, 5, paid)], [(0, 5, paid)]]


def test_the_table_of_a_scenario_is_the_venue_of_its_tape_which_is_verified(tmp_path):
    path = tmp_path / "tiers.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    scenario = load(path)
    assert scenario.venues["venue"] == Venue(self_trade={3: SelfTrade.CANCEL_BOTH}, allocation=Allocation(20, 0, 10), fees=TIERS)
    tape = scenario.simulation(out=tmp_path / "tape").run(seconds=60).tape
    assert Venue.from_plain(tape.provenance["venue"]) == scenario.venues["venue"]
    assert verify(tape).ok
    fills = fills_of(tape)
    assert len(np.unique(fills["resting_fee"] // fills["lots"])) == 2
    ahead_of_others = replace(scenario.venues["venue"], allocation=Allocation.price_time())
    assert not verify(Tape(tape.rows, tape.provenance | {"venue": ahead_of_others.as_plain()})).ok


@pytest.mark.parametrize("table", ["[venue]\nfee = 3\n", "[venue]\nphase = 'LUNCH'\n"])
def test_a_setting_that_no_venue_has_is_refused_with_the_files_name(tmp_path, table):
    path = tmp_path / "bad.toml"
    path.write_text(SCENARIO.split("[venue]")[0] + table + "[[agents]]\nclass = 'agents:NoiseTrader'\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match="bad.toml: venue"):
        load(path)


def test_every_book_of_a_simulation_is_set_up_alike_and_counts_its_own_volume():
    run = Simulation([*crowd(0), *crowd(1)], seed=3, books=2, venue=Venue(fees=TIERS)).run(seconds=10)
    assert verify(run.tape).ok
    first = fills_of(run.tape)
    for book in (0, 1):
        assert first[first["book"] == book]["resting_fee"][0] == -2_000 * first[first["book"] == book]["lots"][0]


def test_the_fees_of_an_instrument_are_on_the_tape_and_in_the_accounts():
    instrument = Instrument(maker_fee="-0.002", taker_fee="0.003")
    run = Simulation(crowd(), seed=3, instrument=instrument).run(seconds=10)
    fills = fills_of(run.tape)
    assert np.array_equal(fills["fee"], 300_000 * fills["lots"].astype(int)) and np.array_equal(fills["resting_fee"], -200_000 * fills["lots"].astype(int))
    for account in accounts(run.tape).values():
        assert account.fees_microticks == 300_000 * account.taker_lots - 200_000 * account.maker_lots
    assert verify(run.tape).ok


def test_a_simulation_without_settings_says_nothing_of_a_venue_and_its_fills_cost_nothing():
    tape = Simulation(crowd(), seed=3).run(seconds=5).tape
    assert "venue" not in tape.provenance and not tape.rows["fee"].any() and not tape.rows["resting_fee"].any()


def recorded_day():
    rows = random_requests(2_000, seed=4)
    rows = rows[rows["action"] == Action.LIMIT]
    rows["owner"] = rows["tif"] = rows["flags"] = 0
    rows["price_ticks"] = 10_000 - rows["side"] * (abs(10_000 - rows["price_ticks"]) + 1)
    return Feed("TEST", "generated", rows, np.arange(1, len(rows) + 1), 0, Decimal("0.01"), Decimal(1), int(rows["time_ns"][0]), int(rows["time_ns"][-1]), {})


def test_agents_inside_a_recorded_day_pay_by_tier_and_the_recorded_flow_pays_nothing():
    run = Simulation(crowd(), feed=recorded_day(), seed=3, venue=Venue(fees=TIERS)).run()
    fills = fills_of(run.tape)
    assert verify(run.tape).ok
    assert not fills["fee"][fills["owner"] == NOBODY].any() and not fills["resting_fee"][fills["resting_owner"] == NOBODY].any()
    a_lot = fills["fee"][fills["owner"] != NOBODY] // fills["lots"][fills["owner"] != NOBODY]
    prices = fills["price_ticks"][fills["owner"] != NOBODY]
    assert set((a_lot - 5 * prices).tolist()) & {3_000} and set((a_lot - 4 * prices).tolist()) & {0}


@pytest.mark.parametrize(("settings", "words"), [
    ({"venue": Venue(fees=TIERS), "instrument": Instrument(taker_fee="0.001")}, "fees must be the instrument's or the venue's, not both"),
    ({"venue": {"fees": []}}, "venue must be a Venue"),
    ({"venue": Venue(allocation=Allocation.pro_rata()), "feed": recorded_day()}, "a recorded day can have no setting of a venue but its fees"),
])
def test_a_venue_that_cannot_be_is_refused(settings, words):
    with pytest.raises(LobError, match=words):
        Simulation(crowd(), **settings)
