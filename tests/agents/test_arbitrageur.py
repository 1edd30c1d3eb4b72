"""The arbitrageur trades where the bid of one venue is above the ask of another, closes what it has missed, and ties the prices of two venues together."""
from functools import cache

import numpy as np
import pytest
from small_market import NEAR, StandingQuotes

from agents import Arbitrageur
from lob import Latency, ReportKind, Side, Simulation
from lob.analytics.profit import profit_everywhere
from lob.analytics.quotes import Mids
from lob.simulation.scenario import load
from lob.tape.accounts import accounts


def between(bid_ticks, ask_ticks, links=NEAR, seconds=1, **parameters):
    """Return the rows of an arbitrageur between a first venue that bids so much and a second that asks so much."""
    quotes = [StandingQuotes(bid_ticks=bid_ticks, ask_ticks=bid_ticks + 100), StandingQuotes(bid_ticks=ask_ticks - 100, ask_ticks=ask_ticks, venue=1)]
    run = Simulation([*quotes, Arbitrageur(venues=[0, 1], latency=links, **parameters)], books=2, seed=2).run(seconds=seconds)
    return run.tape.rows[run.tape.rows["owner"] == 3], run


@pytest.mark.parametrize(("bid_ticks", "edge_min_ticks", "trades"), [(999, 1, False), (1_000, 1, False), (1_001, 1, True), (1_002, 3, False), (1_003, 3, True)])
def test_it_trades_when_the_bid_of_one_venue_is_above_the_ask_of_the_other_by_its_edge(bid_ticks, edge_min_ticks, trades):
    rows, run = between(bid_ticks, 1_000, edge_min_ticks=edge_min_ticks, lots_max=7)
    fills = rows[rows["kind"] == ReportKind.FILL]
    assert (len(rows) > 0) == (len(fills) > 0) == trades
    assert {(book, side, price) for book, side, price in fills[["book", "side", "price_ticks"]].tolist()} == (
        {(0, Side.SELL, bid_ticks), (1, Side.BUY, 1_000)} if trades else set())
    if trades:
        held = [accounts(run.tape, book=book)[3].inventory_lots for book in range(2)]
        assert held[0] == -held[1] < 0
        assert accounts(run.tape)[3].cash_ticks == held[1] * (bid_ticks - 1_000)


class Withdraws(StandingQuotes):
    """Shows an ask for a moment."""

    def on_start(self, market):
        self.id = market.sell(self.ask_ticks, 5)
        market.buy(self.bid_ticks, 5)
        market.wake_after(1_000_000)

    def on_timer(self, market):
        market.cancel(self.id)


def test_a_leg_that_comes_too_late_is_closed_where_it_costs_least():
    quotes = [StandingQuotes(bid_ticks=1_010, ask_ticks=1_012), Withdraws(bid_ticks=900, ask_ticks=1_000, venue=1)]
    links = [Latency(feed_ns=1_000, order_ns=1_000), Latency(feed_ns=100_000, order_ns=5_000_000)]
    run = Simulation([*quotes, Arbitrageur(venues=[0, 1], latency=links, lots_max=5)], books=2, seed=2).run(seconds=1)
    fills = run.tape.rows[(run.tape.rows["kind"] == ReportKind.FILL) & (run.tape.rows["owner"] == 3)]
    assert fills[["book", "side", "price_ticks", "lots"]].tolist() == [(0, Side.SELL, 1_010, 5), (0, Side.BUY, 1_012, 5)]
    assert run.agents[-1].order_count == 0


@cache
def scenario(has_arbitrageur):
    world = load("venues")
    agents = [agent for agent in world.agents if has_arbitrageur or not isinstance(agent, Arbitrageur)]
    return Simulation(agents, seed=1, fundamental=world.fundamental, **world.venues).run(minutes=3)


def gap_ticks(run):
    """Return how far apart the mids of the two venues are, on average over every tenth of a second of the last two minutes."""
    times_ns = np.arange(60_000_000_000, 180_000_000_000, 100_000_000)
    mids = [Mids.of(run.tape, book).at_times(times_ns)[0] for book in range(2)]
    return np.abs(mids[0] - mids[1]).mean() / 2


def test_it_ties_the_prices_of_two_venues_together_and_is_paid_for_it():
    with_it, without = scenario(True), scenario(False)
    # Without it nothing leads from one to the other, and the second walks by itself.
    assert gap_ticks(with_it) < 3.0
    assert gap_ticks(without) > 3 * gap_ticks(with_it)
    line = profit_everywhere(with_it.tape).row(-1, named=True)
    assert line["agent"] == "arbitrageur"
    assert line["pnl_ticks"] > 0
    assert abs(sum(line["inventory_lots"])) <= 10


def test_money_adds_up_over_venues_and_lots_within_each():
    run = scenario(True)
    for book in range(2):
        held = accounts(run.tape, book=book).values()
        assert sum(account.inventory_lots for account in held) == sum(account.cash_ticks for account in held) == 0
    lines = profit_everywhere(run.tape)
    assert lines["total_half_ticks"].sum() == lines["cash_ticks"].sum() == 0
    assert np.array(lines["inventory_lots"].to_list()).sum(axis=0).tolist() == [0, 0]
    whole = accounts(run.tape)
    assert {line["owner"]: line["cash_ticks"] for line in lines.iter_rows(named=True)} == {
        owner: whole[owner].cash_ticks if owner in whole else 0 for owner in run.tape.agents}
