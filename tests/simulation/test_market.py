"""What `market` offers: the same as native code and as plain Python, and each thing what it says, with the tape as witness."""
from functools import cache

import numpy as np
import pytest
from crowd import FAR, MS_NS, crowd

from lob import Action, Agent, Array, CancelReason, FeeTier, Flag, Latency, RejectReason, ReportKind, Side, Simulation, TimeInForce, Venue, compiled

FEES = Venue(fees=(FeeTier(maker_microticks=-2_000, taker_microticks=3_000),))


def both_ways(*agents, seed=3, seconds=2, **settings):
    """Return the native run, having seen that the plain one leaves the same tape and the same fields."""
    native, plain = (Simulation(list(agents), seed=seed, plain=plain, **settings).run(seconds=seconds) for plain in (False, True))
    assert native.tape.rows.tobytes() == plain.tape.rows.tobytes()
    for left, right in zip(native.agents, plain.agents, strict=True):
        assert {k: np.asarray(v).tolist() for k, v in left._parameters.items()} == {k: np.asarray(v).tolist() for k, v in right._parameters.items()}
        for name in left._kinds:
            assert np.array_equal(getattr(left, name), getattr(right, name), equal_nan=True), f"{type(left).__name__}.{name}"
    return native


def rows_of(run, agent):
    """Return the rows that an agent's own requests led to."""
    return run.tape.rows[run.tape.rows["owner"] == run.agents.index(agent) + 1]


# Requests of every kind.

@compiled
class SendsEveryKind(Agent):
    """Sends one order of each kind, its numbers from fields and constants, to an empty book."""

    shown_lots: int = 2
    is_hidden: bool = True

    def on_start(self, market):
        market.buy(100, 10)
        market.buy(101, 10, display_lots=self.shown_lots)
        market.sell(200, 10, hidden=self.is_hidden)
        market.sell(201, 10, expiry_ns=market.now_ns + 1_000_000)
        market.limit(-1, 202, 10, True)
        market.limit(1, 300, 3, post_only=True, slide=True)
        market.buy(210, 4, trigger_ticks=205)
        market.market_order(-1, 3, trigger_ticks=50)
        market.buy(150, 5, min_lots=5)
        market.buy(150, 5, tif=TimeInForce.FOK)
        market.market_order(1, 1, to_limit=True)
        market.limit(1, 120, 4, expiry_ns=None, display_lots=None, hidden=False)
        market.limit(-1, 400, 9, False, TimeInForce.GTC, False, None, 3)
        market.buy(102, 10, display_lots=2**40)
        market.cancel_all(1, 120, 130)
        market.cancel_all(side=5)


def test_orders_of_every_kind_arrive_as_they_were_meant():
    run = both_ways(SendsEveryKind(latency=Latency(order_ns=10)))
    rows = run.tape.rows
    accepted = rows[rows["kind"] == ReportKind.ACCEPTED]
    by_id = {int(row["order_id"]) % 1000: row for row in accepted}
    assert by_id[1]["flags"] == by_id[12]["flags"] == Flag.LAST
    assert (by_id[2]["flags"] & Flag.ICEBERG, by_id[2]["display_lots"]) == (Flag.ICEBERG, 2)
    assert by_id[3]["flags"] & Flag.HIDDEN
    assert (by_id[4]["tif"], by_id[4]["expiry_ns"]) == (TimeInForce.GTT, 1_000_000)
    assert by_id[5]["flags"] & Flag.POST_ONLY
    assert by_id[6]["price_ticks"] == 200, "slid below the displayed ask"
    assert (by_id[7]["flags"] & Flag.STOP, by_id[7]["trigger_ticks"]) == (Flag.STOP, 205)
    assert (by_id[8]["action"], by_id[8]["trigger_ticks"]) == (Action.MARKET, 50)
    assert by_id[11]["flags"] & Flag.TO_LIMIT
    assert by_id[13]["display_lots"] == 3
    refused = rows[rows["kind"] == ReportKind.REJECTED]
    assert refused["reason"].tolist() == [RejectReason.DISPLAY_OUT_OF_RANGE, RejectReason.UNKNOWN_SIDE]
    gone = rows[rows["kind"] == ReportKind.CANCELLED]
    reasons = {int(row["order_id"]) % 1000: row["reason"] for row in gone}
    assert (reasons[9], reasons[10], reasons[12]) == (CancelReason.MINIMUM, CancelReason.FILL_OR_KILL, CancelReason.MASS)


@compiled
class PlainAgain(Agent):
    """Sends plain orders after one of every kind: nothing of that must be left in what carries them."""

    def on_start(self, market):
        market.buy(10, 5, display_lots=2, expiry_ns=market.now_ns + 5)
        market.wake_after(1_000)

    def on_timer(self, market):
        market.buy(0, 5)
        market.wake_after(1_000_000_000)


def test_a_plain_order_carries_nothing_of_an_earlier_one():
    rows = both_ways(PlainAgain()).tape.rows
    refused = rows[rows["kind"] == ReportKind.REJECTED]
    assert len(refused) == 2
    assert refused[["display_lots", "trigger_ticks", "expiry_ns"]].tolist() == [(0, 0, 0)] * 2


@compiled
class Follows(Agent):
    """Pegs orders to a touch of its own making."""

    def on_start(self, market):
        market.buy(100, 10)
        market.sell(110, 10)
        market.buy(107, 1, peg="near", offset_ticks=2)
        market.sell(90, 1, peg="mid")
        market.limit(1, 109, 1, peg="far", offset_ticks=4)


def test_pegged_orders_follow_what_they_were_told_to():
    rows = both_ways(Follows()).tape.rows
    flags = rows["flags"][rows["kind"] == ReportKind.ACCEPTED]
    assert [flag & (Flag.PEG_NEAR | Flag.PEG_MID | Flag.PEG_FAR) for flag in flags.tolist()] == [0, 0, Flag.PEG_NEAR, Flag.PEG_MID, Flag.PEG_FAR]
    assert rows["offset_ticks"][rows["kind"] == ReportKind.ACCEPTED].tolist() == [0, 0, 2, 0, 4]


@pytest.mark.parametrize("plain", [False, True])
def test_what_is_no_peg_is_an_error(plain):
    @compiled
    class Strays(Agent):
        def on_start(self, market):
            market.buy(107, 1, peg="nowhere")

    with pytest.raises(Exception, match="peg must be 'near', 'mid' or 'far'"):
        Simulation([Strays()], plain=plain).run(seconds=1)


# Refusals, stops and icebergs reach their owner.

@compiled
class Hears(Agent):
    """Rests an iceberg and a stop, asks for what cannot be done, and counts what it hears."""

    counts: Array[int, 16] = 0
    rejected_action: int = -1
    rejected_reason: int = 0
    done_reason: int = 0
    stop_id: int = 0

    def on_start(self, market):
        market.sell(10_000, 4, display_lots=2)
        self.stop_id = market.buy(10_001, 1, trigger_ticks=10_000)
        market.buy(9_990, 1)
        market.wake_after(1_000_000)

    def on_timer(self, market):
        market.market_order(1, 3)
        market.cancel(77)

    def on_accepted(self, market, order):
        self.counts[order.kind] += 1

    def on_done(self, market, order):
        self.done_reason = order.reason

    def on_rejected(self, market, order):
        self.rejected_action, self.rejected_reason = order.action, order.reason


def test_what_becomes_of_stops_icebergs_and_refused_changes_reaches_their_owner():
    hears = both_ways(Hears(latency=Latency(1_000, 1_000))).agents[0]
    assert hears.counts[ReportKind.ACCEPTED] == 4
    assert hears.counts[ReportKind.TRIGGERED] == 1
    assert hears.counts[ReportKind.REFRESHED] == 1
    assert (hears.rejected_action, hears.rejected_reason) == (Action.CANCEL, RejectReason.UNKNOWN_ORDER)


def test_a_refused_new_order_is_done_and_a_refused_replace_is_rejected():
    @compiled
    class Replaces(Agent):
        bid_id: int = 0
        done: int = 0
        rejected: int = 0

        def on_start(self, market):
            market.sell(110, 5)
            self.bid_id = market.buy(100, 5)
            market.replace(self.bid_id, 115, 5, post_only=True)
            market.buy(0, 5)

        def on_done(self, market, order):
            self.done += 1

        def on_rejected(self, market, order):
            self.rejected += order.id == self.bid_id

    agent = both_ways(Replaces()).agents[0]
    assert (agent.done, agent.rejected) == (1, 1)


# The account and the draws.

@compiled
class Accountant(Agent):
    """Trades and notes what it has."""

    marked: float = 0.0
    fees: int = 0
    heard_fees: int = 0
    cash: int = 0
    inventory: int = 0
    flat_mark: float = -1.0

    def on_start(self, market):
        self.flat_mark = market.mark_to_mid
        market.wake_after(300_000_000)

    def on_timer(self, market):
        self.marked, self.fees, self.cash, self.inventory = market.mark_to_mid, market.fees_microticks, market.cash, market.inventory_lots
        if market.now_ns < 1_500_000_000:
            market.market_order(2 * market.integers(0, 2) - 1, 3)
            market.buy(market.best_bid_ticks, 2)
        market.wake_after(50_000_000)

    def on_fill(self, market, fill):
        self.heard_fees += fill.fee_microticks


def test_the_account_is_that_of_the_tape_fees_included():
    run = both_ways(*crowd(), Accountant(latency=FAR), venue=FEES)
    agent, owner = run.agents[-1], len(run.agents)
    fills = run.tape.rows[run.tape.rows["kind"] == ReportKind.FILL]
    took, made = fills[fills["owner"] == owner], fills[fills["resting_owner"] == owner]
    assert agent.fees == agent.heard_fees == took["fee"].sum() + made["resting_fee"].sum() != 0
    assert len(took) > 10
    assert len(made) > 3
    assert agent.cash == -(took["side"] * took["lots"] * took["price_ticks"]).sum() + (made["side"] * made["lots"] * made["price_ticks"]).sum()
    assert abs(agent.marked - agent.cash) == pytest.approx(abs(agent.inventory) * 10_000, rel=0.01)
    assert agent.flat_mark == 0.0


@compiled
class Draws(Agent):
    """Draws a thousand numbers of each kind."""

    alphas: Array[float, 1000] = 0.0
    uniforms: Array[float, 1000] = 0.0
    normals: Array[float, 1000] = 0.0
    wholes: Array[int, 1000] = 0

    def on_start(self, market):
        for i in range(1000):
            self.alphas[i] = market.power_law(1.5, 2.0)
            self.uniforms[i] = market.uniform(5.0, 7.0)
            self.normals[i] = market.normal(3.0, 0.5)
            self.wholes[i] = market.integers(1, 7)


def test_draws_follow_their_laws_both_ways():
    agent = both_ways(Draws(), seconds=0.001).agents[0]
    # P(X > 4) = (2 / 4)^1.5 = 0.354; a thousand draws have a deviation of 0.015: five of them.
    assert abs((agent.alphas > 4.0).mean() - 0.354) < 0.076
    assert agent.alphas.min() >= 2.0
    assert 5.0 <= agent.uniforms.min() < 5.05
    assert 6.95 < agent.uniforms.max() < 7.0
    assert abs(agent.normals.mean() - 3.0) < 5 * 0.5 / 1000**0.5
    assert set(agent.wholes.tolist()) == {1, 2, 3, 4, 5, 6}


# Times.

FAR_NS = 2**55 + 1  # a double has no place for it


@compiled
class Sleeper(Agent):
    woken_ns: int = 0

    def on_start(self, market):
        market.wake_at(np.uint64(FAR_NS))

    def on_timer(self, market):
        self.woken_ns = market.now_ns


@pytest.mark.parametrize("plain", [False, True])
def test_a_time_without_a_sign_is_the_time_that_it_says(plain):
    assert Simulation([Sleeper()], plain=plain).run(until_ns=FAR_NS + 1, progress=False).agents[0].woken_ns == FAR_NS

# The recent tape through the feed.

@compiled
class LooksBack(Agent):
    """Notes the last trades and touches, with the number of them that it has seen."""

    seen_count: int = 0
    trades: Array[int, 320] = 0
    touches: Array[int, 320] = 0
    touch_count: int = 0

    def on_start(self, market):
        market.wake_at(1_900_000_007)

    def on_timer(self, market):
        self.seen_count, self.touch_count = market.trade_count, market.touch_count
        for i in range(64):
            trade, touch = market.trade(i), market.touch(i)
            self.trades[5 * i] = trade.time_ns
            self.trades[5 * i + 1] = trade.price_ticks
            self.trades[5 * i + 2] = trade.lots
            self.trades[5 * i + 3] = trade.side
            self.trades[5 * i + 4] = trade.kind
            self.touches[5 * i] = touch.time_ns
            self.touches[5 * i + 1] = touch.best_bid_ticks
            self.touches[5 * i + 2] = touch.best_ask_ticks
            self.touches[5 * i + 3] = touch.best_bid_lots
            self.touches[5 * i + 4] = touch.best_ask_lots


def test_the_last_trades_are_those_of_the_tape_a_delay_ago():
    run = both_ways(*crowd(), LooksBack(latency=Latency(feed_ns=100 * MS_NS)))
    agent = run.agents[-1]
    fills = run.tape.rows[(run.tape.rows["kind"] == ReportKind.FILL) & (run.tape.rows["time_ns"] <= 1_800_000_007)]
    wanted = fills[["time_ns", "price_ticks", "lots", "side", "kind"]][::-1][:64].tolist()
    assert agent.seen_count == len(fills) > 64
    assert list(map(tuple, agent.trades.reshape(64, 5).tolist())) == wanted
    assert agent.touch_count > 64
    touches = agent.touches.reshape(64, 5)
    assert (np.diff(touches[:, 0]) <= 0).all()
    assert (touches[:, 1] < touches[:, 2]).all()


@pytest.mark.parametrize("plain", [False, True])
def test_before_the_first_trade_there_are_zeros_and_beyond_the_memory_an_error(plain):
    @compiled
    class LooksTooFar(Agent):
        sum: int = -1

        def on_start(self, market):
            self.sum = market.trade(0).time_ns + market.trade(63).lots + market.touch(5).best_bid_ticks
            market.trade(64)

    with pytest.raises(Exception, match="one can look from 0 to 63 back") as failure:
        Simulation([LooksTooFar()], plain=plain).run(seconds=1)
    assert failure.value.run.agents[0].sum == 0


# Own orders.

@compiled
class InLine(Agent):
    """Keeps three bids in the book and notes at each step what it believes of them."""

    steps: int = 0
    noted: Array[int, 9000] = -5
    known: int = 0

    def on_start(self, market):
        market.wake_after(5_000_000)

    def on_timer(self, market):
        if market.open_order_count < 3 and market.best_bid_ticks:
            market.buy(market.best_bid_ticks - market.integers(0, 2), 2, post_only=True)
        for i in range(3):
            order_id = market.open_order_id(i)
            at = 15 * self.steps + 5 * i
            if order_id and at + 5 <= 9000:
                self.noted[at] = market.now_ns
                self.noted[at + 1] = order_id
                self.noted[at + 2] = market.open_order_ticks(order_id) * market.open_order_side(order_id)
                self.noted[at + 3] = market.open_order_lots(order_id)
                self.noted[at + 4] = market.order_lots_ahead(order_id)
                self.known += 1
        self.steps += 1
        market.wake_after(5_000_000)


class Queues:
    """Every order of a tape of plain orders, in the order in which they came: {(owner, id): [side, price, open lots]}."""

    def __init__(self):
        self.orders = {}

    def advance(self, rows):
        for row in rows:
            name, resting = (int(row["owner"]), int(row["order_id"])), (int(row["resting_owner"]), int(row["resting_id"]))
            if row["kind"] == ReportKind.ACCEPTED:
                self.orders[name] = [int(row["side"]), int(row["price_ticks"]), int(row["open_lots"])]
            elif row["kind"] != ReportKind.REJECTED:
                self.orders[name][2] = int(row["open_lots"])
            if row["kind"] == ReportKind.FILL:
                self.orders[resting][2] = int(row["resting_open_lots"])
            for gone in (name, resting):
                if gone in self.orders and self.orders[gone][2] == 0:
                    del self.orders[gone]

    def ahead_of(self, owner, order_id):
        """Return the lots before an order at its price, None if it does not rest."""
        if (owner, order_id) not in self.orders:
            return None
        side, price_ticks, _ = self.orders[owner, order_id]
        names = list(self.orders)
        before = [self.orders[name] for name in names[:names.index((owner, order_id))]]
        return sum(lots for other, ticks, lots in before if (other, ticks) == (side, price_ticks))


def in_line(latency):
    """Return the believed lots ahead of each order that rested, and the true ones at the newest time of which the feed can have told: int64[n, 2]."""
    run = both_ways(*crowd(), InLine(latency=latency), seconds=3)
    notes = run.agents[-1].noted.reshape(-1, 5)
    notes = notes[notes[:, 0] >= 0]
    queues, read, pairs = Queues(), 0, []
    for now_ns, order_id, price_ticks, lots, ahead in notes.tolist():
        rows = run.tape.rows_until(now_ns - latency.feed_ns)
        queues.advance(rows[read:])
        read = max(read, len(rows))
        assert price_ticks > 0
        assert 0 < lots <= 2
        truth = queues.ahead_of(len(run.agents), order_id)
        pairs += [(ahead, truth)] if truth is not None else []
    return np.array(pairs)


@cache
def places(name):
    return in_line({"constant": Latency(3 * MS_NS, MS_NS), "jittered": Latency(2 * MS_NS, MS_NS, 6 * MS_NS)}[name])


@pytest.mark.parametrize("name", ["constant", "jittered"])
def test_the_lots_ahead_are_never_fewer_than_there_were(name):
    pairs = places(name)
    assert len(pairs) > 500
    assert (pairs[:, 0] >= pairs[:, 1]).all(), "a bound"


@pytest.mark.parametrize("name", ["constant", "jittered"])
def test_the_lots_ahead_are_often_those_there_were(name):
    """Noise cancels as much as it trades, so a third of the numbers are exact; the rest count what was cancelled in front as if behind."""
    pairs = places(name)
    assert (pairs[:, 0] == pairs[:, 1]).mean() > 0.2
    assert (pairs[:, 1] > 0).sum() > 50
    assert len(set(pairs[:, 0].tolist())) > 5


@compiled
class Alone(Agent):
    """Joins two standing orders; a taker takes the first and some of the second; none cancels."""

    ahead: Array[int, 4] = -9
    asked: int = 0
    bid_id: int = 0

    def on_start(self, market):
        self.bid_id = market.buy(9_999, 5)
        market.wake_after(10_000_000)

    def on_timer(self, market):
        self.ahead[self.asked] = market.order_lots_ahead(self.bid_id)
        self.asked += 1
        if self.asked < 4:
            market.wake_after(10_000_000)


class Others(Agent):
    def on_start(self, market):
        market.buy(9_999, 4)
        market.buy(9_999, 4)
        market.wake_after(15_000_000)

    def on_timer(self, market):
        market.market_order(-1, 3)
        if market.now_ns < 20_000_000:
            market.wake_after(10_000_000)


def test_where_nobody_cancels_the_lots_ahead_are_exact():
    agent = both_ways(Others(), Alone(latency=Latency(order_ns=5))).agents[-1]
    assert agent.ahead.tolist() == [8, 5, 2, 2]


@pytest.mark.parametrize("plain", [False, True])
def test_who_asks_for_orders_through_another_function_must_say_so(plain):
    def ask(market):
        return market.open_order_count

    class Silent(Agent):
        def on_start(self, market):
            ask(market)

    class Declared(Silent):
        reads_orders = True

    with pytest.raises(Exception, match="must declare reads_orders = True"):
        Simulation([Silent()], plain=plain).run(seconds=1)
    assert Simulation([Declared()], plain=plain).run(seconds=1).is_complete


def test_thousands_of_open_orders_find_room():
    @compiled
    class Hoards(Agent):
        most: int = 0

        def on_start(self, market):
            market.wake_after(1_000)

        def on_timer(self, market):
            for i in range(900):
                market.buy(1 + i, 1)
            self.most = market.open_order_count
            if market.now_ns < 30_000:
                market.wake_after(1_000)

    run = both_ways(Hoards(), seconds=0.001)
    assert run.agents[0].most == 900 * 29
    assert Side.BUY == 1
