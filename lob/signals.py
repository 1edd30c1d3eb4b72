"""Signals: what an agent can read from its feed while it trades, the same numbers that `analytics` finds on the tape afterwards.

Owns three classes to derive an agent from, one for each thing that is heard: the touch, trades, own fills. Each keeps a few numbers as fields, is fed by one
method, and is read by others; all of it compiles. A class derived from one of them alone is fed by its hooks; who has hooks of its own, or several of the
three, calls the feeding methods there:

    class MyMaker(QueueSignals):
        def on_quote(self, market):
            self.read_touch(market)
            if self.p_up(market) > 0.7: ...

Signals are as of the newest change that the agent has heard of, and roll on with its clock from there: an agent far away has them late, not other ones. Sums
are over the last window_ns and hold 4,096 changes at most; where more happen, the window is shorter.
"""
import math

from lob.analytics.microprice import IMBALANCES, SPREADS, state
from lob.analytics.ofi import NO_ASK, contribution
from lob.messages import ReportKind
from lob.simulation.agent import Agent
from lob.simulation.fields import Array

CHANGES, FILLS = 4_096, 256
LOOKS_BACK = 64  # so many touches back an agent can look
STATES = IMBALANCES * SPREADS
PRINT = int(ReportKind.PRINT)


class QueueSignals(Agent):
    """What the touch tells: imbalance, microprice, order flow imbalance, pressure and p_up. Fed by `read_touch`, in on_quote.

    window_ns: of order flow imbalance and pressure. correction_ticks: of the microprice by state, as `run.race().microprice` has it; 0: the mid.

    Equal to `analytics.race` (imbalance, microprice), `analytics.ofi` and `analytics.pressure` on the same tape. A feed of the touch does not show that a
    replace took an order from the best price to a better one: its lots count as added there and, unlike on the tape, not as pulled before.
    """

    window_ns: int = 1_000_000_000
    correction_ticks: Array[float, STATES] = 0.0
    touches_heard: int = 0
    touch_first_ns: int = -1
    touch_ns: int = 0
    touch_delay_ns: int = 0
    touch_bid_ticks: int = 0
    touch_ask_ticks: int = 0
    touch_bid_lots: int = 0
    touch_ask_lots: int = 0
    bid_sum_lots: int = 0
    ask_sum_lots: int = 0
    change_first: int = 0
    change_next: int = 0
    change_ns: Array[int, CHANGES] = 0
    bid_change_lots: Array[int, CHANGES] = 0
    ask_change_lots: Array[int, CHANGES] = 0

    def on_quote(self, market):
        self.read_touch(market)

    def read_touch(self, market):
        """Take in every change of the touch that has arrived since the last call; of more than 64, the last 64."""
        for back in range(min(market.touch_count - self.touches_heard, LOOKS_BACK) - 1, -1, -1):
            touch = market.touch(back)
            self.note_touch(touch.time_ns, touch.best_bid_ticks, touch.best_ask_ticks, touch.best_bid_lots, touch.best_ask_lots)
            self.touch_delay_ns = market.now_ns - touch.time_ns
        self.touches_heard = market.touch_count

    def note_touch(self, time_ns, bid_ticks, ask_ticks, bid_lots, ask_lots):
        """Add what each side contributes, as in `analytics.ofi`: for the ask, of prices turned upside down."""
        if self.touch_first_ns < 0:
            self.touch_first_ns = time_ns
        else:
            bid = contribution(self.touch_bid_ticks, self.touch_bid_lots, bid_ticks, bid_lots)
            self.push_change(time_ns, bid, contribution(-(self.touch_ask_ticks or NO_ASK), self.touch_ask_lots, -(ask_ticks or NO_ASK), ask_lots))
        self.touch_ns, self.touch_bid_ticks, self.touch_ask_ticks = time_ns, bid_ticks, ask_ticks
        self.touch_bid_lots, self.touch_ask_lots = bid_lots, ask_lots

    def push_change(self, time_ns, bid_lots, ask_lots):
        """Add a change to the window; the oldest goes where there is no room."""
        if self.change_next - self.change_first == CHANGES:
            self.drop_change()
        at = self.change_next % CHANGES
        self.change_ns[at], self.bid_change_lots[at], self.ask_change_lots[at] = time_ns, bid_lots, ask_lots
        self.bid_sum_lots += bid_lots
        self.ask_sum_lots += ask_lots
        self.change_next += 1

    def drop_change(self):
        """Take the oldest change out of the window."""
        at = self.change_first % CHANGES
        self.bid_sum_lots -= int(self.bid_change_lots[at])
        self.ask_sum_lots -= int(self.ask_change_lots[at])
        self.change_first += 1

    def roll_touches(self, market):
        """Drop what is older than the window."""
        from_ns = market.now_ns - self.touch_delay_ns - self.window_ns
        while self.change_first < self.change_next and self.change_ns[self.change_first % CHANGES] <= from_ns:
            self.drop_change()

    def is_warm(self, market):
        """Return whether a whole window has passed since the first touch."""
        return self.touch_first_ns >= 0 and market.now_ns - self.touch_delay_ns - self.window_ns >= self.touch_first_ns

    def imbalance(self, market):
        """Return the share of the bid in both queues, one half where both are empty."""
        both = market.best_bid_lots + market.best_ask_lots
        return market.best_bid_lots / both if both > 0 else 0.5

    def microprice_ticks(self, market):
        """Return the mid with the correction of its state; nan where a side is empty."""
        if market.best_bid_lots == 0 or market.best_ask_lots == 0:
            return math.nan
        at = state(market.best_ask_ticks - market.best_bid_ticks, market.best_bid_lots, market.best_ask_lots)
        return market.mid_ticks + self.correction_ticks[at]

    def ofi_lots(self, market):
        """Return the order flow imbalance of the window."""
        self.roll_touches(market)
        return self.bid_sum_lots - self.ask_sum_lots

    def pressure(self, market, side):
        """Return what was eaten and pulled less what was added at a side's touch, in lots per second of the window."""
        self.roll_touches(market)
        return -(self.bid_sum_lots if side > 0 else self.ask_sum_lots) / (self.window_ns / 1e9)

    def hazard(self, market, side):
        """Return how likely a side's queue empties, per second: its pressure, if above zero, over its lots."""
        lots = market.best_bid_lots if side > 0 else market.best_ask_lots
        return max(self.pressure(market, side), 0.0) / max(lots, 1)

    def p_up(self, market):
        """Return the probability that the ask empties first; one half where neither side is threatened."""
        bid, ask = self.hazard(market, 1), self.hazard(market, -1)
        return ask / (bid + ask) if bid + ask > 0.0 else 0.5


class FlowSignals(Agent):
    """What trades tell: the intensity of a Hawkes process and the signed flow. Fed by `read_trade`, in on_trade.

    baseline_hz, branching, decay_hz: of the process, as `run.flow().kernels` has them for the model "trades". flow_window_ns: of the signed flow.
    Equal to `analytics.hawkes.intensity` and `analytics.ofi` on the same tape: trades of one time are one event of the process, prints are none.
    """

    baseline_hz: float = 0.0
    branching: float = 0.0
    decay_hz: float = 1.0
    flow_window_ns: int = 1_000_000_000
    excitement: float = 0.0
    excited_ns: int = -1
    trade_delay_ns: int = 0
    signed_sum_lots: int = 0
    trade_first: int = 0
    trade_next: int = 0
    trade_ns: Array[int, CHANGES] = 0
    trade_signed_lots: Array[int, CHANGES] = 0

    def on_trade(self, market, trade):
        self.read_trade(market, trade)

    def read_trade(self, market, trade):
        """Take in a trade."""
        if trade.kind == PRINT:
            return
        if self.excited_ns < 0:
            self.excitement, self.excited_ns = 1.0, trade.time_ns
        elif trade.time_ns > self.excited_ns:
            self.excitement = self.excitement * math.exp(-self.decay_hz * ((trade.time_ns - self.excited_ns) / 1e9)) + 1.0
            self.excited_ns = trade.time_ns
        self.trade_delay_ns = market.now_ns - trade.time_ns
        if self.trade_next - self.trade_first == CHANGES:
            self.drop_trade()
        at = self.trade_next % CHANGES
        self.trade_ns[at], self.trade_signed_lots[at] = trade.time_ns, trade.side * trade.lots
        self.signed_sum_lots += trade.side * trade.lots
        self.trade_next += 1

    def drop_trade(self):
        """Take the oldest trade out of the window."""
        self.signed_sum_lots -= int(self.trade_signed_lots[self.trade_first % CHANGES])
        self.trade_first += 1

    def intensity_hz(self, market):
        """Return how many trades a second the process expects now, the last one heard included."""
        if self.excited_ns < 0:
            return self.baseline_hz
        passed_s = (market.now_ns - self.trade_delay_ns - self.excited_ns) / 1e9
        return self.baseline_hz + self.branching * self.decay_hz * self.excitement * math.exp(-self.decay_hz * passed_s)

    def signed_lots(self, market):
        """Return the lots of the window's buyers less those of its sellers, as aggressors."""
        from_ns = market.now_ns - self.trade_delay_ns - self.flow_window_ns
        while self.trade_first < self.trade_next and self.trade_ns[self.trade_first % CHANGES] <= from_ns:
            self.drop_trade()
        return self.signed_sum_lots


class MarkoutSignal(Agent):
    """What the agent's own fills turned out to be worth: its live markout. Fed by `read_fill`, in on_fill, and by `settle`, in on_quote.

    markout_horizon_ns: how long after a fill it is valued. markout_fills: how many of the last valued fills count, 256 at most.
    Equal to the mean of `realised_half_ticks` / 2 in `analytics.markouts.fill_markouts` over these fills, weighted by lots. A fill is valued when the feed
    shows a change of the touch later than its horizon; it is left out if no mid is known by then.
    """

    markout_horizon_ns: int = 1_000_000_000
    markout_fills: int = 100
    markout_sum: int = 0
    markout_lots: int = 0
    fill_first: int = 0
    fill_settled: int = 0
    fill_next: int = 0
    fill_ns: Array[int, FILLS] = 0
    fill_double_ticks: Array[int, FILLS] = 0
    fill_signed_lots: Array[int, FILLS] = 0
    fill_half_ticks: Array[int, FILLS] = 0

    def on_quote(self, market):
        self.settle(market)

    def on_fill(self, market, fill):
        self.read_fill(market, fill)

    def read_fill(self, market, fill):
        """Take in an own fill, if the order rested; the oldest goes where there is no room, valued or not."""
        if not fill.is_maker:
            return
        if self.fill_next - self.fill_first == FILLS:
            self.fill_settled = max(self.fill_settled, self.fill_first + 1)
            self.drop_fill()
        at = self.fill_next % FILLS
        self.fill_ns[at], self.fill_double_ticks[at] = fill.time_ns, 2 * fill.price_ticks
        self.fill_signed_lots[at], self.fill_half_ticks[at] = fill.side * fill.lots, 0
        self.fill_next += 1

    def drop_fill(self):
        """Take the oldest fill out of the mean."""
        at = self.fill_first % FILLS
        # What was not valued counts no lots.
        if self.fill_double_ticks[at] == 0:
            self.markout_sum -= int(self.fill_half_ticks[at])
            self.markout_lots -= abs(int(self.fill_signed_lots[at]))
        self.fill_first += 1

    def settle(self, market):
        """Value the fills whose horizon lies before the newest change of the touch."""
        newest_ns = market.touch(0).time_ns
        while self.fill_settled < self.fill_next and self.fill_ns[self.fill_settled % FILLS] + self.markout_horizon_ns < newest_ns:
            at = self.fill_settled % FILLS
            mid = self.mid_half_ticks_at(market, int(self.fill_ns[at]) + self.markout_horizon_ns)
            if mid > 0:
                self.fill_half_ticks[at] = int(self.fill_signed_lots[at]) * (mid - int(self.fill_double_ticks[at]))
                self.fill_double_ticks[at] = 0
                self.markout_sum += int(self.fill_half_ticks[at])
                self.markout_lots += abs(int(self.fill_signed_lots[at]))
            self.fill_settled += 1
        while self.fill_settled - self.fill_first > self.markout_fills:
            self.drop_fill()

    def mid_half_ticks_at(self, market, time_ns):
        """Return best bid + best ask at a time, 0 where it lies further back than an agent can look."""
        for back in range(min(market.touch_count, LOOKS_BACK)):
            touch = market.touch(back)
            if touch.time_ns <= time_ns and 0 < touch.best_bid_ticks < touch.best_ask_ticks:
                return touch.best_bid_ticks + touch.best_ask_ticks
        return 0

    def markout_ticks(self, market):
        """Return the mean realised spread of the last valued fills, in ticks per lot; 0 where none is valued yet."""
        self.settle(market)
        return self.markout_sum / (2 * self.markout_lots) if self.markout_lots > 0 else 0.0
