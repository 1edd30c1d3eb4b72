"""Signals: what an agent reads while it trades is what the analytics find on the tape afterwards, plain and compiled, near and far."""
import numpy as np
import polars as pl
import pytest

from agents import NoiseTrader, SymmetricMaker
from lob import Array, FlowSignals, Latency, MarkoutSignal, QueueSignals, Simulation, check_agent, compiled
from lob.analytics.hawkes import intensity
from lob.analytics.markouts import fill_markouts
from lob.analytics.microprice import Microprice
from lob.analytics.ofi import imbalance_between
from lob.analytics.pressure import hazards, p_up
from lob.analytics.quotes import quotes
from lob.analytics.trades import trades

WINDOW_NS, HORIZON_NS, READ_MAX = 400_000_000, 300_000_000, 6_000
CORRECTIONS = [0.01 * i for i in range(30)]


@compiled
class Watcher(QueueSignals, FlowSignals):
    """Writes down what its signals say at each change of the touch, and then at each trade."""

    reading_count: int = 0
    now_ns: Array[int, READ_MAX] = 0
    values: Array[float, 9 * READ_MAX] = 0.0
    trade_count: int = 0
    heard_ns: Array[int, READ_MAX] = 0
    flows: Array[float, 2 * READ_MAX] = 0.0

    def on_quote(self, market):
        self.read_touch(market)
        if self.reading_count < READ_MAX:
            at = 9 * self.reading_count
            self.now_ns[self.reading_count] = self.touch_ns
            self.values[at], self.values[at + 1] = self.imbalance(market), self.microprice_ticks(market)
            self.values[at + 2], self.values[at + 3] = float(self.ofi_lots(market)), self.p_up(market)
            self.values[at + 4], self.values[at + 5] = self.hazard(market, 1), self.hazard(market, -1)
            self.values[at + 6] = 1.0 if self.is_warm(market) else 0.0
            self.reading_count += 1

    def on_trade(self, market, trade):
        self.read_trade(market, trade)
        if self.trade_count < READ_MAX:
            self.heard_ns[self.trade_count] = trade.time_ns
            at = 2 * self.trade_count
            self.flows[at], self.flows[at + 1] = self.intensity_hz(market), float(self.signed_lots(market))
            self.trade_count += 1


@compiled
class ValuedMaker(MarkoutSignal):
    """Joins both sides and writes down its live markout as often as the touch changes."""

    bid_id: int = 0
    ask_id: int = 0
    reading_count: int = 0
    settled: Array[int, READ_MAX] = 0
    values: Array[float, READ_MAX] = 0.0

    def on_quote(self, market):
        self.settle(market)
        if self.reading_count < READ_MAX:
            self.settled[self.reading_count], self.values[self.reading_count] = self.fill_settled, self.markout_ticks(market)
            self.reading_count += 1
        if self.bid_id == 0 and market.best_bid_ticks:
            self.bid_id = market.buy(market.best_bid_ticks, 2, post_only=True)
        if self.ask_id == 0 and market.best_ask_ticks:
            self.ask_id = market.sell(market.best_ask_ticks, 2, post_only=True)

    def on_done(self, market, order):
        self.bid_id = 0 if order.id == self.bid_id else self.bid_id
        self.ask_id = 0 if order.id == self.ask_id else self.ask_id


def watched(latency, plain=False, seconds=200):
    watcher = Watcher(
        latency=latency, window_ns=WINDOW_NS, flow_window_ns=WINDOW_NS, correction_ticks=CORRECTIONS, baseline_hz=0.5, branching=0.6, decay_hz=7.0,
    )
    run = Simulation([NoiseTrader(count=30), SymmetricMaker(), watcher], seed=8, plain=plain).run(seconds=seconds)
    return run.tape, run.agents[-1]


@pytest.fixture(scope="module", params=[Latency(), Latency(feed_ns=3_000_000)], ids=["near", "far"])
def seen(request):
    return watched(request.param)


def read(watcher):
    """Return (the last reading of each time, its time): what came at the very same time was not all heard before it."""
    now_ns, values = watcher.now_ns[: watcher.reading_count], watcher.values.reshape(-1, 9)[: watcher.reading_count]
    last = np.append(now_ns[1:] != now_ns[:-1], True)
    return values[last], now_ns[last]


def test_queue_signals_are_those_of_the_tape(seen):
    tape, watcher = seen
    values, now_ns = read(watcher)
    touches = quotes(tape)
    now = touches[np.searchsorted(touches["time_ns"], now_ns, "right") - 1]
    whole = (now["bid_lots"] > 0) & (now["ask_lots"] > 0)
    assert whole.sum() > 1_000
    assert values[whole, 0].tolist() == (now["bid_lots"] / (now["bid_lots"] + now["ask_lots"]))[whole].tolist()
    chain = Microprice(np.array(CORRECTIONS), np.full(30, 0.5), np.ones(30))
    assert values[whole, 1].tolist() == chain.of(now[whole])[0].tolist()
    assert values[:, 2].tolist() == imbalance_between(tape, now_ns - WINDOW_NS, now_ns)[0].tolist()


def test_hazards_and_p_up_are_those_of_the_tape(seen):
    tape, watcher = seen
    values, now_ns = read(watcher)
    bid, ask, is_known = hazards(tape, now_ns, WINDOW_NS)
    assert is_known.sum() > 1_000
    assert (values[is_known, 6] == 1).all() and (bid[is_known] > 0).any() and (ask[is_known] > 0).any()
    assert values[is_known, 4].tolist() == bid[is_known].tolist()
    assert values[is_known, 5].tolist() == ask[is_known].tolist()
    assert values[is_known, 3].tolist() == p_up(bid, ask)[is_known].tolist()


def test_flow_signals_are_those_of_the_tape(seen):
    tape, watcher = seen
    heard_ns, flows = watcher.heard_ns[: watcher.trade_count], watcher.flows.reshape(-1, 2)[: watcher.trade_count]
    last = np.append(heard_ns[1:] != heard_ns[:-1], True)
    heard_ns, flows = heard_ns[last], flows[last]
    traded = trades(tape)
    times_s = np.unique(traded["time_ns"]) / 1e9
    assert len(heard_ns) > 200
    assert flows[:, 0] == pytest.approx(intensity(times_s, heard_ns / 1e9, 0.5, 0.6, 7.0), rel=1e-6)
    assert flows[:, 1].tolist() == imbalance_between(tape, heard_ns - WINDOW_NS, heard_ns)[1].tolist()


@pytest.mark.parametrize("feed_ns", [0, 5_000_000])
def test_the_live_markout_is_the_mean_of_the_last_valued_fills(feed_ns):
    maker = ValuedMaker(markout_horizon_ns=HORIZON_NS, markout_fills=20, latency=Latency(feed_ns=feed_ns, order_ns=100_000))
    run = Simulation([NoiseTrader(count=30), SymmetricMaker(latency=Latency(order_ns=50_000)), maker], seed=9).run(seconds=200)
    fills = fill_markouts(run.tape, [HORIZON_NS]).filter(pl.col("agent") == "ValuedMaker").sort("sequence")
    realised, lots = fills["realised_half_ticks"].to_numpy(), fills["lots"].to_numpy()
    found = run.agents[-1]
    assert found.fill_settled > 50
    for settled, value in zip(found.settled[: found.reading_count], found.values[: found.reading_count], strict=True):
        last = slice(max(settled - 20, 0), settled)
        assert value == (pytest.approx((realised[last] * lots[last]).sum() / lots[last].sum() / 2) if settled else 0.0)


def test_a_window_of_too_many_changes_is_shorter():
    signals = QueueSignals(window_ns=10**12)
    lots = [1 + i * i % 97 for i in range(4_200)]
    for i in range(4_200):
        signals.note_touch(i, 100, 101, lots[i], 5)
    assert signals.change_next - signals.change_first == 4_096
    assert signals.bid_sum_lots == lots[-1] - lots[-1 - 4_096]


@pytest.mark.parametrize("kind", [Watcher, ValuedMaker])
def test_plain_and_compiled_agree(kind):
    check_agent(kind)
