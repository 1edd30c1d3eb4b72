"""RaceAwareMaker: reads which best queue is about to empty, and is not there when that has turned out to cost.

Sources: the race as competing hazards, h = max(d, 0) / Q with d = (traded + cancelled - added) / window at the best level of a side; where little has
happened, the chance that two balanced queues give: p_up = 2 / pi arctan(Q_bid / Q_ask), Cont and de Larrard, "Order book dynamics in liquid markets: limit
theorems and diffusion approximations" (2012), the probability of a price increase for uncorrelated queues; their discrete form is in "Price dynamics in a
Markovian limit order market", SIAM Journal on Financial Mathematics 4 (2013).
"""
import math

from agents.worth import WorthMaker
from lob import Array, compiled

BID, ASK = 0, 1


@compiled
class RaceAwareMaker(WorthMaker):
    """Quotes at mid -/+ half_spread_ticks as SymmetricMaker does, but widens, shrinks or pulls a side whose fills cost when its race stands as it does.

    Where nobody knows anything a queue that empties is no bad news: who is filled there is paid, and it stays. Where some know the value such fills lose. It
    cannot see in which market it is; it measures what a fill is worth at each chance to lose the race (WorthMaker), and acts where that is below zero.
    window_s: of the pressure, an exponential average. prior_hz: the hazard that stands for the queues alone; the larger, the less the flow counts.
    pulled_weight: of lots that are cancelled or added beside lots that are eaten (1). widen_below_ticks, pull_below_ticks: the worth of a fill below which a
    quote is widened by widen_ticks with half of the lots, or pulled. p_up: what it reads now. The race is that of the touch, and so it quotes there.
    """

    positive = (*WorthMaker.positive, "window_s", "prior_hz")

    half_spread_ticks: float = 0.5
    window_s: float = 1.0
    prior_hz: float = 1.0
    pulled_weight: float = 0.5
    widen_below_ticks: float = 0.0
    pull_below_ticks: float = -0.1
    widen_ticks: int = 1
    p_up: float = 0.5
    eaten: Array[float, 2] = 0.0
    pulled: Array[float, 2] = 0.0
    before_ticks: Array[int, 2] = 0
    before_lots: Array[int, 2] = 0
    trades_seen: int = 0
    time_before_ns: int = 0

    def on_timer(self, market):
        self.requote(market)

    def requote(self, market):
        """Read the race, and quote what it allows."""
        if market.best_bid_ticks == 0 or market.best_ask_ticks == 0:
            return
        self.read_race(market)
        self.value_trades(market)
        bid_ticks = int((market.mid_ticks - self.half_spread_ticks) // 1)
        ask_ticks = -int(-(market.mid_ticks + self.half_spread_ticks) // 1)
        self.quote_race(market, 1, max(1, min(bid_ticks, market.best_ask_ticks - 1)), 1.0 - self.p_up)
        self.quote_race(market, -1, max(ask_ticks, market.best_bid_ticks + 1), self.p_up)

    def quote_race(self, market, side, price_ticks, lose_chance):
        """Quote one side by what a fill is worth at the chance that its queue is the one that empties."""
        worth_ticks = self.worth_ticks(lose_chance)
        if worth_ticks < self.pull_below_ticks:
            self.quote_side(market, side, price_ticks, 0)
            # The pressure fades also while nothing happens.
            market.wake_after(int(self.window_s * 0.5e9))
        elif worth_ticks < self.widen_below_ticks:
            self.quote_side(market, side, max(1, price_ticks - side * self.widen_ticks), (self.lots + 1) // 2)
        else:
            self.quote_side(market, side, price_ticks, self.lots)

    def read_race(self, market):
        """Update the pressure on both best queues by what has changed since the last look, and p_up from it."""
        fade = math.exp(-(market.now_ns - self.time_before_ns) * 1e-9 / self.window_s)
        self.time_before_ns = market.now_ns
        for i in range(2):
            self.eaten[i] *= fade
            self.pulled[i] *= fade
        self.note_trades(market)
        self.note_queue(BID, 1, market.best_bid_ticks, self.others_lots(market, self.bid_id, market.best_bid_ticks, market.best_bid_lots))
        self.note_queue(ASK, -1, market.best_ask_ticks, self.others_lots(market, self.ask_id, market.best_ask_ticks, market.best_ask_lots))
        hazard_down, hazard_up = self.hazard(BID), self.hazard(ASK)
        balanced = math.atan2(float(self.before_lots[BID]), float(self.before_lots[ASK])) * 2.0 / math.pi if self.before_lots[ASK] else 0.5
        self.p_up = (hazard_up + self.prior_hz * balanced) / (hazard_up + hazard_down + self.prior_hz)

    def others_lots(self, market, order_id, price_ticks, lots):
        """Return the lots of a best queue without its own: what it adds and pulls itself is no news."""
        if order_id and market.open_order_ticks(order_id) == price_ticks:
            return lots - market.open_order_lots(order_id)
        return lots

    def note_trades(self, market):
        """Count the lots that trades have eaten, each from the side that rested, oldest first."""
        count = min(market.trade_count - self.trades_seen, 63)
        self.trades_seen = market.trade_count
        for i in range(count - 1, -1, -1):
            trade = market.trade(i)
            eaten = ASK if trade.side > 0 else BID
            self.note_trade(trade, self.p_up if eaten == ASK else 1.0 - self.p_up)
            self.eaten[eaten] += trade.lots
            # The queue's change will show them too.
            self.pulled[eaten] -= trade.lots

    def note_queue(self, i, side, price_ticks, lots):
        """Count the lots that have left a best queue, less those that have joined it; one that has vanished has left whole, a new one has joined."""
        better_ticks = side * (price_ticks - self.before_ticks[i])
        if self.before_ticks[i]:
            gone_lots = self.before_lots[i] if better_ticks < 0 else 0
            joined_lots = lots if better_ticks > 0 else 0
            self.pulled[i] += self.before_lots[i] - lots if better_ticks == 0 else gone_lots - joined_lots
        self.before_ticks[i], self.before_lots[i] = price_ticks, lots

    def hazard(self, i):
        """Return at which rate a best queue is being used up, per second."""
        pressure = (self.eaten[i] + self.pulled_weight * self.pulled[i]) / self.window_s
        return max(pressure, 0.0) / max(self.before_lots[i], 1)
