"""What each maker quotes, by hand: the formulas of the papers, the levels of a ladder, the sides that a race takes away."""
import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest
from small_market import NEAR, StandingQuotes, crowd, fills_of, first_rows, rows_of, run_of

from agents import GlostenMilgromMaker, GueantLehalleTapiaMaker, LadderMaker, RaceAwareMaker, SymmetricMaker
from lob import Action, Agent, Flag, ReportKind, Side
from lob.simulation.scenario import load
from lob.tape.replay import touches


class AsIfHeld:
    """A market in which an agent believes that it holds so many lots."""

    def __init__(self, market, lots):
        self.market, self.inventory_lots = market, lots

    def __getattr__(self, name):
        return getattr(self.market, name)


def accepted_of(run, kind):
    rows = rows_of(run, kind)
    return rows[(rows["kind"] == ReportKind.ACCEPTED) & (rows["action"] == Action.LIMIT)]


class HoldingGueant(GueantLehalleTapiaMaker):
    """Quotes once, as if it held so many lots."""

    held_lots: int = 0

    def on_quote(self, market):
        if market.best_bid_ticks and market.best_ask_ticks and self.bid_id == 0:
            self.requote(AsIfHeld(market, self.held_lots))


@pytest.mark.parametrize("orders", [-3, -1, 0, 2])
def test_gueant_lehalle_and_tapias_maker_quotes_the_closed_form(orders):
    gamma, k, arrival_hz, sigma = 0.1, 0.8, 1.5, 2.0
    maker = HoldingGueant(held_lots=5 * orders, lots=5, gamma=gamma, k=k, arrival_hz=arrival_hz, sigma_ticks=sigma, inventory_max_lots=100, latency=NEAR)
    quotes = accepted_of(run_of(StandingQuotes(), maker, seconds=1, plain=True), "HoldingGueant")
    c = math.sqrt(sigma**2 * gamma / (2 * k * arrival_hz) * (1 + gamma / k) ** (1 + k / gamma))
    fixed = math.log(1 + gamma / k) / gamma
    delta_bid, delta_ask = fixed + (2 * orders + 1) / 2 * c, fixed - (2 * orders - 1) / 2 * c
    expected = {Side.BUY: math.floor(10_000 - delta_bid), Side.SELL: math.ceil(10_000 + delta_ask)}
    assert {Side(row["side"]): row["price_ticks"] for row in quotes} == expected


def test_a_ladder_stands_at_each_of_its_prices_with_its_lots():
    run = run_of(StandingQuotes(), LadderMaker(levels=3, step_ticks=2, half_spread_ticks=2.0, lots=7, latency=NEAR), seconds=1)
    quotes = accepted_of(run, "LadderMaker")
    assert set(quotes["lots"]) == {7}
    assert sorted(quotes["price_ticks"][quotes["side"] > 0].tolist()) == [9_994, 9_996, 9_998]
    assert sorted(quotes["price_ticks"][quotes["side"] < 0].tolist()) == [10_002, 10_004, 10_006]


def test_a_ladder_keeps_the_orders_whose_price_is_still_wanted():
    run = run_of(crowd(), LadderMaker(levels=4, latency=NEAR), seconds=60)
    rows = rows_of(run, "LadderMaker")
    limits, cancels = (first_rows(rows)["action"] == action for action in (Action.LIMIT, Action.CANCEL))
    # Were it to take off all eight at every change it would send as many as there are changes; it moves its ends only.
    changes = len(touches(run.tape.rows))
    assert limits.sum() > 50
    assert cancels.sum() < 0.5 * changes
    assert ((rows["flags"] & Flag.POST_ONLY != 0) | (rows["action"] != Action.LIMIT)).all()
    taken, given = fills_of(run, "LadderMaker")
    assert len(taken) == 0
    assert len(given) > 20


def test_a_ladder_never_has_two_orders_at_one_price_nor_more_than_its_levels():
    run = run_of(crowd(), LadderMaker(levels=3, latency=NEAR), seconds=30)
    rows = run.tape.rows
    owner = 21
    resting, most = {}, 0
    for row in rows:
        if row["owner"] == owner and row["kind"] == ReportKind.ACCEPTED and row["action"] == Action.LIMIT:
            resting[int(row["order_id"])] = (int(row["side"]), int(row["price_ticks"]))
        elif row["owner"] == owner and row["kind"] == ReportKind.CANCELLED:
            resting.pop(int(row["order_id"]), None)
        elif row["kind"] == ReportKind.FILL and row["resting_owner"] == owner and row["resting_open_lots"] == 0:
            resting.pop(int(row["resting_id"]), None)
        assert len(set(resting.values())) == len(resting)
        most = max(most, len(resting))
    # Those whose cancels are on their way stand beside the new ones.
    assert 6 <= most <= 12


def belief_of(trades, **parameters):
    """Return a maker of Glosten and Milgrom's kind after a list of (side, price): plain calls, no market."""
    maker = GlostenMilgromMaker(**parameters)

    class Window:
        now_ns, mid_ticks = 0, 10_000.0

    maker.begin(Window())
    for side, price_ticks in trades:
        maker.learn(side, price_ticks)
    return maker


def test_a_glosten_milgrom_maker_asks_what_the_value_would_be_if_somebody_bought():
    maker = belief_of([])
    ask, bid = maker.fair_ticks(1), maker.fair_ticks(-1)
    assert ask == pytest.approx(maker.mean_given(1, ask), abs=0.01)
    assert ask - 10_000.0 == pytest.approx(10_000.0 - bid, abs=0.01)
    # Directly: the mean of the belief weighed by Bayes' rule over the grid.
    values = np.arange(-20, 21)
    prior = np.exp(-0.5 * values**2 / 4.0)
    informed = np.array([0.5 * math.erfc(-(v + 10_000.0 - ask) / math.sqrt(2.0)) for v in values])
    weights = prior * (0.7 * 0.5 + 0.3 * informed)
    assert maker.mean_given(1, ask) == pytest.approx(10_000.0 + (weights * values).sum() / weights.sum(), abs=1e-9)


def test_a_glosten_milgrom_maker_asks_more_the_more_are_informed_and_nothing_when_nobody_is():
    spreads = [belief_of([], informed_share=share).fair_ticks(1) - belief_of([], informed_share=share).fair_ticks(-1) for share in (0.0, 0.2, 0.4, 0.8)]
    assert spreads[0] == pytest.approx(0.0, abs=1e-9)
    assert spreads == sorted(spreads)
    assert spreads[-1] > 4 * spreads[1] > 0.4


def test_a_glosten_milgrom_maker_follows_the_flow_and_moves_its_grid_with_it():
    buys, sells = belief_of([(1, 10_001)] * 3), belief_of([(-1, 9_999)] * 3)
    assert buys.mean_ticks() - 10_000.0 == pytest.approx(10_000.0 - sells.mean_ticks(), abs=1e-9)
    assert buys.mean_ticks() > 10_000.5
    climbing = belief_of([])
    for _ in range(200):
        climbing.learn(1, -int(-climbing.fair_ticks(1) // 1))
        climbing.variance_ticks += 1.0
        climbing.widen(0)
    assert climbing.center_ticks > 10_020
    assert sum(climbing.belief) == pytest.approx(1.0)


class Race(Agent):
    """Rests a bid and an ask of a hundred lots a tick apart, and then eats or pulls one of them, ten lots every 50 ms."""

    losing_side: int = -1
    is_eaten: bool = True
    order_id: int = 0
    steps: int = 0

    def on_start(self, market):
        for side in (1, -1):
            order_id = market.limit(side, market.opening_ticks - (side > 0), 100)
            market.limit(side, market.opening_ticks - (side > 0) - side, 1_000)
            if side == self.losing_side:
                self.order_id = order_id
        market.wake_after(2_000_000_000)

    def on_timer(self, market):
        self.steps += 1
        if self.is_eaten:
            market.market_order(-self.losing_side, 10)
        else:
            market.cancel(self.order_id, 10)
        if self.steps < 8:
            market.wake_after(50_000_000)


def learned(at_zero_ticks, at_one_ticks, lots=1e6):
    """Return the moments of one who has seen fills earn this at a chance to lose of 0, and that at one of 1."""
    return [lots, lots / 2, lots * (at_zero_ticks + at_one_ticks) / 2, lots / 2, lots * at_one_ticks / 2]


@pytest.mark.parametrize("is_eaten", [True, False])
@pytest.mark.parametrize("losing_side", [1, -1])
def test_a_race_aware_maker_leaves_the_side_that_loses_and_stays_on_the_other(losing_side, is_eaten):
    maker = RaceAwareMaker(pulled_weight=1.0, half_spread_ticks=0.5, latency=NEAR, moments=learned(1.0, -0.5))
    run = run_of(Race(losing_side=losing_side, is_eaten=is_eaten), maker, seconds=2.41, plain=True)
    rows = rows_of(run, "RaceAwareMaker")
    cancelled = rows[(rows["kind"] == ReportKind.CANCELLED) & (rows["time_ns"] > 2_000_000_000)]
    assert set(cancelled["side"]) == {losing_side}
    assert (run.agents[1].p_up > 0.7) == (losing_side < 0)
    assert (run.agents[1].bid_id if losing_side < 0 else run.agents[1].ask_id) != 0
    assert (run.agents[1].bid_id if losing_side > 0 else run.agents[1].ask_id) == 0


@pytest.mark.parametrize("losing_side", [1, -1])
def test_a_race_aware_maker_stays_where_fills_have_paid_whoever_loses_the_race(losing_side):
    run = run_of(Race(losing_side=losing_side), RaceAwareMaker(latency=NEAR, moments=learned(1.0, 0.1)), seconds=2.41)
    assert abs(run.agents[1].p_up - 0.5) > 0.2
    assert not (rows_of(run, "RaceAwareMaker")["kind"] == ReportKind.CANCELLED).any()


def test_a_race_aware_maker_widens_with_half_of_its_lots_where_fills_cost_little():
    maker = RaceAwareMaker(lots=5, latency=NEAR, moments=learned(1.0, 1.0), widen_below_ticks=2.0)
    rows = rows_of(run_of(Race(), maker, seconds=1), "RaceAwareMaker")
    accepted = rows[rows["kind"] == ReportKind.ACCEPTED]
    assert sorted(zip(accepted["price_ticks"].tolist(), accepted["lots"].tolist(), strict=True)) == [(9_998, 3), (10_001, 3)]


def test_the_worth_of_fills_is_the_line_of_least_squares_whose_weights_fade():
    random = np.random.default_rng(5)
    readings, worths, lots = random.uniform(0.0, 1.0, 60), random.normal(0.0, 2.0, 60).round(), random.integers(1, 9, 60)
    sides, ages_s = random.choice([1, -1], 60), np.arange(60)[::-1]
    maker = RaceAwareMaker(horizon_s=1.0, memory_s=20.0, prior_lots=1e-9)
    maker.on_start(None)
    for second in range(60):
        # A trade at 100, whose mid a second later is what it must be for the resting side to have earned its worth.
        trade = SimpleNamespace(time_ns=second * 10**9, price_ticks=100, lots=int(lots[second]), side=-int(sides[second]))
        maker.note_trade(trade, float(readings[second]))
        maker.value_trades(SimpleNamespace(now_ns=second * 10**9 + 999_999_999, mid_ticks=1e9))
        maker.value_trades(SimpleNamespace(now_ns=(second + 1) * 10**9, mid_ticks=100.0 + sides[second] * worths[second]))
    slope, level = np.polyfit(readings, worths, 1, w=np.sqrt(lots * np.exp(-ages_s / 20.0)))
    for reading in (0.0, 0.4, 1.0):
        assert maker.worth_ticks(reading) == pytest.approx(level + slope * reading, rel=1e-6)


def test_before_it_has_seen_anything_a_fill_is_worth_what_it_is_believed_to_be():
    maker = RaceAwareMaker(prior_ticks=0.7)
    maker.on_start(None)
    assert [maker.worth_ticks(reading) for reading in (0.0, 1.0)] == pytest.approx([0.7, 0.7])


@pytest.mark.parametrize(("scenario", "pays"), [("calm", True), ("toxic", False)])
def test_a_race_aware_maker_learns_whether_the_fills_of_a_lost_race_pay(scenario, pays):
    # Over seeds 101 to 112 it comes to 0.28 with a deviation of 0.05 in calm, to -0.61 with one of 0.11 in toxic; at a chance of 0.05 to 0.6 or more in both.
    agents = [agent for agent in load(scenario).agents if not isinstance(agent, SymmetricMaker)]
    world = dataclasses.replace(load(scenario), agents=(*agents, RaceAwareMaker(name="maker", latency=NEAR)))
    maker = world.simulation(seed=109).run(minutes=3).agents[-1]
    assert 0.05 < (maker.worth_ticks(0.95) if pays else -maker.worth_ticks(0.95)) < 1.0
    assert maker.worth_ticks(0.05) > 0.3


def test_a_race_aware_maker_reads_the_queues_where_nothing_moves():
    class Uneven(Agent):
        def on_start(self, market):
            market.buy(9_999, 300)
            market.sell(10_000, 100)

    # It watches and does not quote.
    run = run_of(Uneven(), RaceAwareMaker(inventory_max_lots=0, latency=NEAR), seconds=1)
    assert run.agents[1].p_up == pytest.approx(math.atan2(300, 100) * 2 / math.pi)
