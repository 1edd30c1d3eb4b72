"""What each agent of the population does in a market, and that it does the same as native code and as plain Python."""
import numpy as np
import pytest
from small_market import FAR, NEAR, StandingQuotes, crowd, rows_of, run_of, state_of

import agents
from agents import AvellanedaStoikovMaker, InformedTrader, NoiseTrader, SymmetricMaker
from lob import Action, Agent, Flag, Fundamental, ReportKind, Side, TimeInForce
from lob.tape.replay import ReplayedBook, touches

VENUES = {"Arbitrageur": [0, 1]}  # of those that need more than one
JUMPING = Fundamental(jump_rate_hz=5.0, jump_ticks=5.0)


@pytest.mark.parametrize("name", agents.__all__)
def test_an_agent_leaves_the_same_tape_and_state_compiled_and_plain(name):
    venues = VENUES.get(name, [0])
    who = [*map(crowd, venues), SymmetricMaker(latency=NEAR), getattr(agents, name)(name="tested", venues=venues, latency=NEAR)]
    native, plain = (run_of(*who, fundamental=JUMPING, plain=plain, books=len(venues)) for plain in (False, True))
    assert native.tape.rows.tobytes() == plain.tape.rows.tobytes()
    assert [state_of(agent) for agent in native.agents] == [state_of(agent) for agent in plain.agents]
    assert len(rows_of(native, name)) > 10


def test_noise_acts_at_its_rate_in_its_shares_and_keeps_one_order_at_most():
    run = run_of(NoiseTrader(count=40, rate_hz=10.0, market_share=0.2, lots_max=4, latency=FAR), seconds=30)
    first = run.tape.rows[np.flatnonzero(np.r_[True, run.tape.rows["flags"][:-1] & Flag.LAST != 0])]
    # 12,000 actions expected; five deviations of a Poisson number, and of a share.
    assert abs(len(first) - 12_000) < 5 * 12_000**0.5
    assert abs((first["action"] == Action.MARKET).mean() - 0.2) < 5 * (0.2 * 0.8 / 12_000) ** 0.5
    new = first[first["action"] != Action.CANCEL]
    assert set(new["lots"]) == {1, 2, 3, 4}
    assert abs((new["side"] == Side.BUY).mean() - 0.5) < 5 * 0.5 / len(new) ** 0.5
    rests = run.tape.rows
    book = ReplayedBook()
    for _ in book.advance(rests):
        pass
    assert sum(book.depth(side, None)["orders"].sum() for side in Side) <= 40


def test_noise_begins_a_market_from_an_empty_book_around_the_opening_price():
    run = run_of(crowd(), opening_price_ticks=777)
    changes = touches(run.tape.rows)
    both = changes[(changes["best_bid_ticks"] > 0) & (changes["best_ask_ticks"] > 0)]
    assert len(both) > 500
    assert np.abs(both["best_bid_ticks"] - 777).max() < 100
    assert (both["best_bid_ticks"] < both["best_ask_ticks"]).all()


def takes_of(value, **parameters):
    """Return the rows of an informed trader that reads a constant value, between standing quotes at 9,990 and 10,010."""
    trader = InformedTrader(rate_hz=20.0, latency=NEAR, **{"error_ticks": 0.0, **parameters})
    quotes = StandingQuotes(bid_ticks=10_000 - 10 - (value - 10_000), ask_ticks=10_000 + 10 - (value - 10_000))
    return rows_of(run_of(quotes, trader, fundamental=Fundamental(volatility_ticks=0.0), seconds=5), "InformedTrader")


def test_who_knows_the_value_trades_only_where_a_quote_is_on_the_wrong_side_of_it():
    assert len(takes_of(10_000)) == 0
    assert len(takes_of(10_010)) == 0, "the ask stands at the value itself"
    for value, side in ((10_012, Side.BUY), (9_988, Side.SELL)):
        rows = takes_of(value)
        orders = rows[rows["kind"] == ReportKind.ACCEPTED]
        assert len(orders) > 50
        assert set(orders["side"]) == {side}
        assert set(orders["lots"]) == {10}
        assert set(orders["tif"]) == {TimeInForce.IOC}


def test_who_knows_the_value_asks_for_an_edge_and_stops_at_its_limit():
    assert len(takes_of(10_012, threshold_ticks=2.0)) == 0
    assert len(takes_of(10_012, threshold_ticks=1.9)) > 50
    rows = takes_of(10_012, inventory_max_lots=25)
    assert rows[rows["kind"] == ReportKind.FILL]["lots"].sum() == 30, "three times ten lots: the third was sent below the limit"


def resting_spread(maker, **settings):
    """Return the rows that say where a maker quoted beside standing quotes at 9,990 and 10,010: {side: prices}."""
    rows = rows_of(run_of(StandingQuotes(), maker, seconds=1, **settings), type(maker).__name__)
    accepted = rows[rows["kind"] == ReportKind.ACCEPTED]
    return {Side(side): accepted["price_ticks"][accepted["side"] == side].tolist() for side in Side}


@pytest.mark.parametrize(("half_spread_ticks", "distance"), [(1.0, 1), (2.5, 3), (4.0, 4)])
def test_the_symmetric_maker_quotes_at_its_distance_from_the_mid_rounded_away_from_it(half_spread_ticks, distance):
    # Its own quotes become the touch; the mid stays where it is.
    quotes = resting_spread(SymmetricMaker(half_spread_ticks=half_spread_ticks, latency=NEAR))
    assert (quotes[Side.BUY], quotes[Side.SELL]) == ([10_000 - distance], [10_000 + distance])


def test_a_maker_sends_post_only_orders_and_never_crosses():
    for cls in (SymmetricMaker, AvellanedaStoikovMaker):
        rows = rows_of(run_of(crowd(), cls(latency=NEAR), seconds=20), cls.__name__)
        limits = rows[(rows["action"] == Action.LIMIT)]
        assert len(limits) > 100
        assert (limits["flags"] & Flag.POST_ONLY != 0).all()
        assert (rows["kind"] != ReportKind.FILL).all(), "it is never the aggressor"


@pytest.mark.parametrize("cls", [SymmetricMaker, AvellanedaStoikovMaker])
def test_a_maker_holds_at_most_its_limit_and_the_quote_that_was_on_its_way(cls):
    run = run_of(crowd(), cls(latency=NEAR, lots=5, inventory_max_lots=12), seconds=60)
    fills = run.tape.rows[(run.tape.rows["kind"] == ReportKind.FILL) & (run.tape.rows["resting_owner"] == 21)]
    inventory = np.cumsum(-fills["side"].astype(int) * fills["lots"])
    assert 12 <= np.abs(inventory).max() <= 11 + 5


def test_avellaneda_and_stoikovs_maker_leans_against_its_inventory_and_widens_with_risk():
    """Equations (3.17) and (3.18) by hand: r = 10,000 - q gamma sigma^2 tau; half-spread = gamma sigma^2 tau / 2 + ln(1 + gamma / k) / gamma."""
    class Holding(AvellanedaStoikovMaker):
        """Quotes once, as if it held so many lots."""

        held_lots: int = 0

        def on_quote(self, market):
            if market.best_bid_ticks and market.best_ask_ticks and self.bid_id == 0:
                self.requote(_AsIfHeld(market, self.held_lots))

    class _AsIfHeld:
        def __init__(self, market, lots):
            self.market, self.inventory_lots = market, lots

        def __getattr__(self, name):
            return getattr(self.market, name)

    def quotes(held_lots, sigma_ticks=2.0, gamma=0.1, k=0.5):
        maker = Holding(held_lots=held_lots, sigma_ticks=sigma_ticks, gamma=gamma, k=k, inventory_max_lots=100, latency=NEAR)
        found = resting_spread(maker, plain=True)
        return found[Side.BUY][0], found[Side.SELL][0]

    half_spread_ticks = 0.1 * 4 / 2 + np.log(1 + 0.1 / 0.5) / 0.1
    assert quotes(0) == (int(np.floor(10_000 - half_spread_ticks)), int(np.ceil(10_000 + half_spread_ticks))) == (9_997, 10_003)
    assert quotes(10) == (int(np.floor(10_000 - 4 - half_spread_ticks)), int(np.ceil(10_000 - 4 + half_spread_ticks))) == (9_993, 9_999)
    assert quotes(-10) == (10_001, 10_007)
    assert quotes(0, sigma_ticks=6.0) == (9_996, 10_004)


def test_avellaneda_and_stoikovs_maker_measures_the_volatility_that_there_is():
    """Sigma of a market whose mid moves by two ticks up or down every 100 ms is 2 / sqrt(0.1) ticks in the square root of a second."""
    class Mover(Agent):
        def on_start(self, market):
            self.center_ticks = market.opening_ticks
            self.ids = []
            market.wake_after(100_000_000)

        def on_timer(self, market):
            for order_id in self.ids:
                market.cancel(order_id)
            self.center_ticks += 2 * (2 * market.integers(0, 2) - 1)
            self.ids = [market.limit(side, self.center_ticks - 3 * side, 1_000) for side in (1, -1)]
            market.wake_after(100_000_000)

    # It watches and does not quote: its limit is nothing.
    maker = AvellanedaStoikovMaker(inventory_max_lots=0, half_life_s=5.0, sigma_ticks=1.0)
    run = run_of(Mover(), maker, seconds=60)
    assert run.agents[1].sigma_ticks == pytest.approx(2 / 0.1**0.5, rel=0.25)
    assert len(rows_of(run, "AvellanedaStoikovMaker")) == 0
