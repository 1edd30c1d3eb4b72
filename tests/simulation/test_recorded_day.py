"""Agents inside a recorded day: the reference agrees with every row, and a plain loop over the recording finds every fill of a quoter."""
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from joiner import Joiner
from plain_day import DAYS
from random_market import random_requests

from lob import Agent, Feed, Latency, ScenarioError, SelfTrade, Simulation, Venue, compiled, feeds, verify
from lob.exchange.order_book import OrderBook
from lob.exchange.order_history import OrderHistory
from lob.messages import NOBODY, REQUEST, Action, CancelReason, Flag, RejectReason, ReportKind, Side, TimeInForce
from lob.tape.accounts import Account, accounts
from lob.tape.record import Tape
from lob.tape.replay import ReplayedBook, touches

SECOND_NS = 10**9
TOUCH_FACTS = ["time_ns", "best_bid_ticks", "best_ask_ticks", "bid_lots", "ask_lots"]
TEN_OCLOCK_NS = 36_000 * SECOND_NS
MICROSOFT = "MSFT_2012-06-21_34200000_37800000_message_50.csv.gz"
AMAZON = "LOBSTER_SampleFile_AMZN_2012-06-21_5.zip"
FUTURE = "esh4-glbx-mdp3-20231225.mbo.dbn.zst"
OPEN_NS = 23 * 3_600 * SECOND_NS


@compiled
class NaiveQuoter(Agent):
    """Joins both sides of the touch, and again after every step, whatever has become of its quotes."""

    lots: int = 3
    step_ns: int = 2_000_000_000
    inventory_max_lots: int = 5
    bid_id: int = 0
    ask_id: int = 0

    def on_start(self, market):
        market.wake_after(0)

    def on_timer(self, market):
        if self.bid_id:
            market.cancel(self.bid_id)
        if self.ask_id:
            market.cancel(self.ask_id)
        self.bid_id = self.ask_id = 0
        if market.inventory_lots < self.inventory_max_lots and market.best_bid_ticks:
            self.bid_id = market.buy(market.best_bid_ticks, self.lots, post_only=True)
        if market.inventory_lots > -self.inventory_max_lots and market.best_ask_ticks:
            self.ask_id = market.sell(market.best_ask_ticks, self.lots, post_only=True)
        market.wake_after(self.step_ns)


@compiled
class Restless(Agent):
    """Asks for all there is to ask for, at random, and remembers what it believes it has."""

    rate_hz: float = 5.0
    newest_id: int = 0
    inventory_lots: int = 0
    cash: int = 0

    def on_start(self, market):
        market.wake_after(int(market.exponential(1e9 / self.rate_hz)))

    def on_timer(self, market):
        side = 1 if market.uniform() < 0.5 else -1
        touch_ticks = market.best_bid_ticks if side > 0 else market.best_ask_ticks
        choice, lots = market.uniform(), market.integers(1, 400)
        price_ticks = touch_ticks + side * market.integers(-2, 3)
        if choice < 0.5:
            self.newest_id = market.limit(side, price_ticks, lots, tif=market.integers(0, 3))
        elif choice < 0.6:
            self.newest_id = market.limit(side, price_ticks, lots, post_only=True)
        elif choice < 0.7:
            market.market_order(side, lots)
        elif choice < 0.85:
            market.replace(self.newest_id, price_ticks, lots)
        else:
            market.cancel(self.newest_id, market.integers(0, 100))
        market.wake_after(int(market.exponential(1e9 / self.rate_hz)))

    def on_fill(self, market, fill):
        self.inventory_lots, self.cash = market.inventory_lots, market.cash


# A recording of a market that was alive

def record(rows):
    """Return REQUEST[n]: what a market-by-order recorder would have written of the rows of a live book."""
    recorded, entering = [], None
    for row in rows:
        order_id = name_of(row["owner"], row["order_id"])
        if row["kind"] in (ReportKind.ACCEPTED, ReportKind.REPLACED):
            entering = row["tif"] == TimeInForce.GTC and row["action"] != Action.MARKET
        elif row["kind"] == ReportKind.FILL:
            recorded.append(fact(row, Action.EXECUTE, name_of(row["resting_owner"], row["resting_id"]), row["lots"], -row["side"], row["price_ticks"]))
        elif row["kind"] == ReportKind.REDUCED and row["lots"]:
            recorded.append(fact(row, Action.CANCEL, order_id, row["lots"], row["side"], row["price_ticks"]))
        elif row["reason"] in (CancelReason.ASKED, CancelReason.REPLACED):
            recorded.append(fact(row, Action.CANCEL, order_id, 0, row["side"], row["price_ticks"]))
        if row["flags"] & Flag.LAST and entering and row["open_lots"]:
            recorded.append(fact(row, Action.LIMIT, order_id, row["open_lots"], row["side"], limits_of(rows, row)))
        entering = entering and not row["flags"] & Flag.LAST
    return np.array([one + (0,) * (len(REQUEST) - len(one)) for one in recorded], dtype=REQUEST)


def name_of(owner, order_id):
    return int(order_id) * 100 + int(owner)


def limits_of(rows, row):
    """Return the price at which the order that came in with the event of `row` goes to rest."""
    event = rows[:int(row["sequence"]) + 1]
    return event["price_ticks"][np.flatnonzero(np.isin(event["kind"], (ReportKind.ACCEPTED, ReportKind.REPLACED)))[-1]]


def fact(row, action, order_id, lots, side, price_ticks):
    return row["time_ns"], row["time_ns"], order_id, price_ticks, lots, NOBODY, 0, action, side, 0, 0


def feed_of(rows):
    start_ns, end_ns = int(rows["time_ns"][0]), int(rows["time_ns"][-1])
    return Feed("TEST", "generated", rows, np.arange(1, len(rows) + 1), 0, Decimal("0.01"), Decimal(1), start_ns, end_ns, {})


@pytest.fixture(scope="module", params=range(4))
def live_day(request):
    """Return the book of a live market after 3,000 random requests, about a minute, and its Feed."""
    book = OrderBook()
    rows = book.send_many(random_requests(3_000, seed=request.param))
    return book, feed_of(record(rows))


# What a quoter should get

def fills_of(rows):
    """Return [(time_ns, side, price_ticks, lots)] of the fills of agents' resting orders."""
    fills = rows[(rows["kind"] == ReportKind.FILL) & (rows["resting_owner"] > 0)]
    return list(zip(*(column.tolist() for column in (fills["time_ns"], -fills["side"], fills["price_ticks"], fills["lots"])), strict=True))


def check_fills(feed, execution, **parameters):
    """Assert that the engine gives a quoter the fills of the plain loop; return how many."""
    run = Simulation([NaiveQuoter(**parameters)], feed=feed, execution=execution).run()
    fills = fills_of(run.rows)
    assert fills == DAYS[execution](NaiveQuoter(**parameters)).fills_in(feed)
    print(f"{execution}: {len(fills):,} fills agree")
    return len(fills)


def test_a_recorded_market_replays_to_the_book_that_was_alive(live_day):
    book, feed = live_day
    history = OrderHistory()
    history.send_many(feed.rows)
    for side in Side:
        assert history.depth(side, 1_000).tolist() == book.depth(side, 1_000).tolist()


@pytest.mark.parametrize("execution", DAYS)
@pytest.mark.parametrize("step_ns", [100_000_000, 3_000_000_000, 20_000_000_000])
def test_a_quoter_gets_the_fills_that_its_place_in_the_queue_earns(live_day, step_ns, execution):
    assert check_fills(live_day[1], execution, step_ns=step_ns, inventory_max_lots=1_000) > 5


@pytest.mark.parametrize("execution", DAYS)
@pytest.mark.parametrize("step_ns, fills_min", [(100_000_000, 20), (10_000_000_000, 20)])
def test_a_quoter_in_microsoft_gets_the_fills_that_its_place_in_the_queue_earns(data_folder, step_ns, fills_min, execution):
    feed = feeds.lobster(data_folder / MICROSOFT, from_ns=TEN_OCLOCK_NS, to_ns=TEN_OCLOCK_NS + 600 * SECOND_NS)
    assert check_fills(feed, execution, step_ns=step_ns, inventory_max_lots=50) > fills_min


@pytest.mark.parametrize("execution", DAYS)
def test_a_quoter_in_a_window_of_five_levels_gets_the_fills_that_its_place_earns(data_folder, execution):
    feed = feeds.lobster(data_folder / AMAZON, from_ns=TEN_OCLOCK_NS, to_ns=TEN_OCLOCK_NS + 1_800 * SECOND_NS)
    assert feed.summary["re_entries"] > 100
    assert check_fills(feed, execution, step_ns=10_000_000_000, inventory_max_lots=50) > 30


@pytest.mark.parametrize("execution", DAYS)
def test_a_quoter_in_the_future_gets_the_fills_that_its_place_earns(data_folder, execution):
    feed = feeds.databento(data_folder / FUTURE, to_ns=OPEN_NS + 120 * SECOND_NS)
    assert check_fills(feed, execution, step_ns=500_000_000, inventory_max_lots=50) > 50


@pytest.mark.long
@pytest.mark.parametrize("execution", DAYS)
def test_a_quoter_in_the_whole_day_of_the_future_gets_the_fills_that_its_place_earns(data_folder, execution):
    feed = feeds.databento(data_folder / FUTURE, from_ns=OPEN_NS)
    assert check_fills(feed, execution, step_ns=500_000_000, inventory_max_lots=50) > 600


@pytest.mark.long
@pytest.mark.parametrize("execution", DAYS)
def test_a_quoter_in_all_of_microsoft_gets_the_fills_that_its_place_in_the_queue_earns(data_folder, execution):
    feed = feeds.lobster(data_folder / MICROSOFT, from_ns=TEN_OCLOCK_NS)
    assert check_fills(feed, execution, step_ns=100_000_000, inventory_max_lots=50) > 100


@pytest.mark.parametrize("phase_ns", [0, 33_000_000, 66_000_000])
def test_a_quoter_that_stays_in_line_in_the_future_gets_what_others_have_counted_over_the_phases_of_its_clock(data_folder, phase_ns):
    feed = feeds.databento(data_folder / FUTURE, from_ns=OPEN_NS + SECOND_NS + phase_ns)
    run = Simulation([Joiner()], feed=feed).run()
    assert 453 <= len(fills_of(run.rows)) <= 463
    assert 870 <= np.count_nonzero((run.rows["kind"] == ReportKind.ACCEPTED) & (run.rows["owner"] > 0)) <= 900


@pytest.mark.parametrize("execution", ["passive", "displace"])
def test_no_order_comes_in_while_the_book_may_be_crossed_before_the_opening(data_folder, execution):
    feed = feeds.databento(data_folder / FUTURE, to_ns=OPEN_NS - SECOND_NS)
    run = Simulation([Joiner(step_ns=60 * SECOND_NS)], feed=feed, execution=execution).run()
    assert set(run.rows["reason"][run.rows["owner"] > 0]) == {RejectReason.WRONG_PHASE}


# Whole runs

def crowd():
    """Return agents of every kind, near and far."""
    near, far = Latency(feed_ns=50_000, order_ns=50_000), Latency(feed_ns=2_000_000, order_ns=1_000_000, feed_jitter_ns=500_000, order_jitter_ns=500_000)
    quoters = [NaiveQuoter(latency=near), NaiveQuoter(step_ns=300_000_000, inventory_max_lots=500)]
    return [*quoters, Restless(count=3, latency=near), Restless(count=2, latency=far)]


def check_run(feed, execution="passive"):
    """Assert that the reference agrees with a run of the crowd, and that all agents have what they believe; return the run."""
    run = Simulation(crowd(), feed=feed, seed=7, execution=execution).run(until_ns=feed.end_ns + SECOND_NS)
    verdict = verify(run.tape)
    assert verdict.ok, str(verdict)
    rebuilt = accounts(run.tape)
    restless = [(owner, agent) for owner, agent in enumerate(run.agents, 1) if isinstance(agent, Restless)]
    for owner, agent in restless:
        account = rebuilt.get(owner, Account(owner))
        assert (agent.inventory_lots, agent.cash) == (account.inventory_lots, account.cash_ticks)
    assert sum(account.inventory_lots for account in rebuilt.values()) == 0
    assert sum(account.cash_ticks for account in rebuilt.values()) == 0
    return run


@pytest.mark.parametrize("execution", DAYS)
def test_the_reference_agrees_with_agents_in_a_recorded_market_and_they_have_what_they_believe(live_day, execution):
    run = check_run(live_day[1], execution)
    assert run.feed_unknown == 0 or execution != "passive"
    assert run.provenance["execution"] == run.tape.execution == execution
    assert all(agent.inventory_lots != 0 for agent in run.agents if isinstance(agent, Restless))


@pytest.mark.parametrize("execution", DAYS)
def test_the_reference_agrees_with_agents_in_microsoft_and_they_have_what_they_believe(data_folder, execution):
    feed = feeds.lobster(data_folder / MICROSOFT, from_ns=TEN_OCLOCK_NS, to_ns=TEN_OCLOCK_NS + 120 * SECOND_NS)
    run = check_run(feed, execution)
    assert execution != "passive" or (run.feed_rows, run.feed_unknown) == (len(feed.rows), feed.summary["unknown_references"])


@pytest.mark.parametrize("execution", DAYS)
def test_the_reference_agrees_with_agents_in_a_window_of_five_levels(data_folder, execution):
    check_run(feeds.lobster(data_folder / AMAZON, from_ns=TEN_OCLOCK_NS, to_ns=TEN_OCLOCK_NS + 120 * SECOND_NS), execution)


@pytest.mark.parametrize("execution", ["displace", "reactive"])
def test_a_day_without_agents_is_the_recording(live_day, execution):
    quiet, passive = (Simulation([], feed=live_day[1], execution=rule).run().tape for rule in (execution, "passive"))
    assert touches(quiet.rows, execution)[TOUCH_FACTS].tolist() == touches(passive.rows, "passive")[TOUCH_FACTS].tolist()


def test_the_next_clip_of_an_iceberg_comes_in_though_some_of_the_last_one_still_rests():
    """Under `reactive` its execution out of turn has met the order in front of it."""
    asked = [(1, 1, Action.LIMIT, 4), (2, 2, Action.LIMIT, 4), (3, 2, Action.EXECUTE, 4), (3, 2, Action.LIMIT, 5), (4, 2, Action.CANCEL, 0)]
    facts = [(at_ns, at_ns, order_id, 100, lots, NOBODY, 0, action, Side.BUY, 0, 0) for at_ns, order_id, action, lots in asked]
    feed = feed_of(np.array([fact + (0,) * (len(REQUEST) - len(fact)) for fact in facts], dtype=REQUEST))
    run = Simulation([], feed=feed, execution="reactive").run(progress=False)
    told = run.rows[["kind", "lots", "resting_id"]].tolist()
    assert [row for row in told if row[0] == ReportKind.FILL] == [(ReportKind.FILL, 4, 1)]
    assert run.feed_unknown == 0 and [row[1] for row in told if row[0] == ReportKind.CANCELLED] == [5]


@pytest.mark.parametrize("last", [Flag.LAST, 0])
def test_an_order_that_self_match_prevention_takes_away_leaves_before_what_came_in_trades(monkeypatch, last):
    """The recording tells of it behind the trades; only where nothing else of its order is told before, and within its event, flagged or not."""
    asked = [
        (1, 1, Action.LIMIT, 1, True), (1, 2, Action.LIMIT, 1, True), (1, 3, Action.LIMIT, 2, True), (1, 4, Action.LIMIT, 3, True),
        (2, 2, Action.EXECUTE, 1, False), (2, 3, Action.EXECUTE, 1, False), (2, 3, Action.CANCEL, 0, False), (2, 1, Action.CANCEL, 0, True),
        (3, 4, Action.EXECUTE, 1, True), (3, 4, Action.CANCEL, 0, True),
    ]
    facts = [(at, at, order_id, 100, lots, NOBODY, 0, action, Side.SELL, 0, last * ends) for at, order_id, action, lots, ends in asked]
    feed = feed_of(np.array([fact + (0,) * (len(REQUEST) - len(fact)) for fact in facts], dtype=REQUEST))
    for rows_at_once in (3, 4, 5, 7, 100):
        monkeypatch.setattr("lob.simulation.execution.ROWS_AT_ONCE", rows_at_once)
        run = Simulation([], feed=feed, execution="reactive").run(progress=False)
        told = [(row["kind"], row["resting_id"] or row["order_id"]) for row in run.rows if row["kind"] in (ReportKind.FILL, ReportKind.CANCELLED)]
        fill, cancelled = ReportKind.FILL, ReportKind.CANCELLED
        assert told == [(cancelled, 1), (fill, 2), (fill, 3), (cancelled, 3), (fill, 4), (cancelled, 4)]


def test_recorded_arrivals_without_agents_bring_the_touch_of_the_future_back_lot_by_lot(data_folder):
    feed = feeds.databento(data_folder / FUTURE, from_ns=OPEN_NS)
    live, recorded = (Simulation([], feed=feed, execution=rule).run(progress=False) for rule in ("reactive", "passive"))
    assert live.feed_unknown == 0
    told = [touches(live.rows, "reactive")[TOUCH_FACTS], touches(recorded.rows, "passive")[TOUCH_FACTS]]
    # The rows of one time come in another order, so it is the last touch of each that can be the same.
    last = [rows[np.append(np.diff(rows["time_ns"]) > 0, True)] for rows in told]
    changes = [rows[np.append(True, rows[1:] != rows[:-1])] for rows in ([row[row["time_ns"] > OPEN_NS] for row in last])]
    assert len(changes[0]) > 20_000 and changes[0].tolist() == changes[1].tolist()


def test_displaced_lots_trade_once(live_day):
    """What recorded orders brought is what traded, was cancelled, or rests: nothing is there twice."""
    run = Simulation([NaiveQuoter(lots=5, step_ns=100_000_000, inventory_max_lots=10_000)], feed=live_day[1], execution="displace").run()
    rows = run.rows
    brought = rows["lots"][(rows["kind"] == ReportKind.ACCEPTED) & (rows["owner"] == NOBODY)].sum()
    fills = rows[rows["kind"] == ReportKind.FILL]
    resting = fills["lots"][fills["resting_owner"] == NOBODY].sum()
    arriving = fills["lots"][(fills["owner"] == NOBODY) & (fills["action"] == Action.LIMIT)].sum()
    gone = rows["lots"][np.isin(rows["kind"], (ReportKind.CANCELLED, ReportKind.REDUCED)) & (rows["owner"] == NOBODY)].sum()
    replayed = ReplayedBook("displace")
    for _ in replayed.advance(rows):
        pass
    rests = sum(replayed.depth(side, None)["lots"].sum() for side in Side)
    assert brought == resting + arriving + gone + rests
    recorded = live_day[1].rows
    flow = recorded["lots"][recorded["action"] == Action.EXECUTE].sum()
    assert fills["lots"][fills["action"] == Action.EXECUTE].sum() <= flow


def test_a_recording_that_begins_long_before_midnight_and_ends_soon_after_it_takes_no_more_steps_than_another(monkeypatch):
    """How long a step may be was a matter of when the run ends, and of this one that is a second after midnight."""
    row = (-10**16, -10**16, 1, 100, 1, NOBODY, 0, Action.LIMIT, Side.BUY, 0, Flag.LAST)
    rows = np.array([row + (0,) * (len(REQUEST) - len(row))], dtype=REQUEST)
    feed = Feed("TEST", "generated", rows, None, 0, Decimal("0.01"), Decimal(1), -10**16, SECOND_NS, {})
    steps, advance_slice = [], Simulation._advance_slice
    monkeypatch.setattr(Simulation, "_advance_slice", lambda self, *args: (steps.append(1), advance_slice(self, *args)))
    run = Simulation([], feed=feed).run(progress=False)
    assert (run.feed_rows, run.is_complete) == (1, True)
    assert len(steps) < 100


def test_the_price_at_which_a_day_opens_is_the_first_that_can_be_one():
    facts = [(at, at, at, price, 1, NOBODY, 0, Action.LIMIT, Side.BUY, 0, Flag.LAST) for at, price in ((1, 25 * 10**9), (2, 0), (3, 70), (4, 71))]
    feed = feed_of(np.array([fact + (0,) * (len(REQUEST) - len(fact)) for fact in facts], dtype=REQUEST))
    run = Simulation([], feed=feed).run(progress=False)
    assert (run.provenance["opening_price_ticks"], run.feed_unknown) == (70, 2)


def test_an_unknown_execution_rule_is_refused(live_day):
    with pytest.raises(ScenarioError, match="execution must be one of passive, displace, reactive, was 'optimist'"):
        Simulation([], feed=live_day[1], execution="optimist")


def test_an_owner_may_be_kept_from_trading_with_itself_inside_a_recorded_day(live_day):
    modes = {1: SelfTrade.CANCEL_RESTING, 2: SelfTrade.CANCEL_BOTH, 3: SelfTrade.DECREMENT, 4: SelfTrade.CANCEL_INCOMING}
    crossers = [Restless(rate_hz=50.0, name=f"r{i}") for i in range(4)]
    for execution in DAYS:
        run = Simulation(crossers, feed=live_day[1], seed=3, execution=execution, venue=Venue(self_trade=modes)).run()
        fills = run.rows[run.rows["kind"] == ReportKind.FILL]
        assert (run.rows["reason"] == CancelReason.SELF_TRADE).any()
        assert not ((fills["owner"] > 0) & (fills["owner"] == fills["resting_owner"])).any()
        assert verify(run.tape).ok


def test_agents_leave_the_recording_as_it_is(live_day):
    feed = live_day[1]
    runs = [Simulation(agents, feed=feed, seed=7).run() for agents in (crowd(), [NaiveQuoter(lots=1, step_ns=10**15)])]
    facts = ["time_ns", "order_id", "resting_id", "kind", "side", "price_ticks", "lots", "open_lots", "resting_open_lots", "lots_ahead", "level_lots"]
    recorded = [run.rows[(run.rows["owner"] == NOBODY) & (run.rows["resting_owner"] == NOBODY)][facts].tolist() for run in runs]
    assert recorded[0] == recorded[1]
    assert len(recorded[0]) == len(feed.rows)


def test_plain_and_native_agents_write_the_same_tape_of_a_recorded_day(live_day):
    native, plain = (Simulation(crowd(), feed=live_day[1], seed=7, plain=plain).run() for plain in (False, True))
    assert native.tape_sha256 == plain.tape_sha256


def test_a_tape_that_gives_an_agent_a_fill_too_many_is_found_out(live_day):
    run = Simulation([NaiveQuoter()], feed=live_day[1]).run()
    rows = run.rows.copy()
    fill = int(np.flatnonzero((rows["kind"] == ReportKind.FILL) & (rows["resting_owner"] > 0))[3])
    rows["lots"][fill] += 1
    assert verify(Tape(rows, run.provenance)).disagreement.row == fill
