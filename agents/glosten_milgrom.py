"""GlostenMilgromMaker: sets its prices by what a trade would tell it.

Sources: Glosten and Milgrom, "Bid, ask and transaction prices in a specialist market with heterogeneously informed traders", Journal of Financial Economics 14
(1985): the ask is the expected value given that somebody buys at it, the bid given that somebody sells; the belief as a distribution over prices, updated by
Bayes' rule after every trade, after Das, "A learning market-maker in the Glosten-Milgrom model", Quantitative Finance 5 (2005), sections 2 and 3.
"""
import math

from agents.maker import Maker
from lob import Array, compiled

VALUES = 41
MIDDLE = VALUES // 2


@compiled
class GlostenMilgromMaker(Maker):
    """Believes that a trader is informed with a probability, and quotes what makes a trade with such a crowd fair.

    informed_share: that probability. error_ticks: standard deviation of an informed trader's reading. volatility_ticks: of the value, in ticks per square root
    of a second, by which the belief widens in time. noise_share: how many uninformed traders buy when asked, and how many sell. markup_ticks: what it earns
    on a lot beyond what is fair. The belief lies on 41 prices, a tick apart; `center_ticks` is the middle one.
    """

    positive = (*Maker.positive, "error_ticks", "noise_share")

    informed_share: float = 0.3
    error_ticks: float = 1.0
    volatility_ticks: float = 1.0
    noise_share: float = 0.5
    markup_ticks: float = 0.0
    center_ticks: int = 0
    belief: Array[float, VALUES] = 0.0
    variance_ticks: float = 0.0
    time_before_ns: int = 0
    trade_before_ns: int = 0

    def on_trade(self, market, trade):
        # One order that meets several is one trade: its rows bear the same time.
        if trade.time_ns != self.trade_before_ns and self.center_ticks:
            self.trade_before_ns = trade.time_ns
            self.widen(market.now_ns)
            self.learn(trade.side, trade.price_ticks)
            self.requote(market)

    def requote(self, market):
        """Quote the fair prices of the belief, which begins around the first mid."""
        if market.best_bid_ticks == 0 or market.best_ask_ticks == 0:
            return
        if self.center_ticks == 0:
            self.begin(market)
        self.widen(market.now_ns)
        bid_ticks = int((self.fair_ticks(-1) - self.markup_ticks) // 1)
        ask_ticks = -int(-(self.fair_ticks(1) + self.markup_ticks) // 1)
        self.quote(market, bid_ticks, ask_ticks)

    def begin(self, market):
        """Start from a normal belief around the mid."""
        self.center_ticks, self.time_before_ns = int(market.mid_ticks), market.now_ns
        for i in range(VALUES):
            self.belief[i] = math.exp(-0.5 * (i - MIDDLE) ** 2 / 4.0)
        self.normalise()

    def widen(self, now_ns):
        """Let the value have moved since the last look: steps of a tick either way, of the variance that belongs to the time."""
        self.variance_ticks += self.volatility_ticks * self.volatility_ticks * (now_ns - self.time_before_ns) * 1e-9
        self.time_before_ns = now_ns
        # Half a tick squared at a time keeps every weight positive; what is less waits until it is worth a pass.
        while self.variance_ticks >= 0.05:
            step = min(self.variance_ticks, 0.5)
            self.variance_ticks -= step
            before = self.belief[0]
            for i in range(VALUES):
                here, after = self.belief[i], self.belief[min(i + 1, VALUES - 1)]
                self.belief[i] = (1.0 - step) * here + 0.5 * step * (before + after)
                before = here

    def learn(self, side, price_ticks):
        """Weigh every value by how likely an order of this side at this price would be if it were true."""
        for i in range(VALUES):
            self.belief[i] *= self.likelihood(side, price_ticks, float(self.center_ticks + i - MIDDLE))
        self.normalise()
        self.recenter()

    def likelihood(self, side, price_ticks, value_ticks):
        """Return the probability that the next trader takes this side at a price if this is the value."""
        edge = side * (value_ticks - price_ticks) / (self.error_ticks * math.sqrt(2.0))
        return (1.0 - self.informed_share) * self.noise_share + self.informed_share * 0.5 * math.erfc(-edge)

    def fair_ticks(self, side):
        """Return the first price, seen from the mean, at which the expected value given a trade is no worse than the price."""
        price_ticks = self.mean_ticks()
        for _ in range(VALUES):
            value_ticks = self.mean_given(side, price_ticks)
            if side * (value_ticks - price_ticks) < 0.01:
                break
            price_ticks = value_ticks
        return price_ticks

    def mean_given(self, side, price_ticks):
        """Return the expected value given that somebody takes this side at a price."""
        total, moment = 0.0, 0.0
        for i in range(VALUES):
            weight = self.belief[i] * self.likelihood(side, price_ticks, float(self.center_ticks + i - MIDDLE))
            total += weight
            moment += weight * (i - MIDDLE)
        return self.center_ticks + moment / total

    def mean_ticks(self):
        """Return the expected value."""
        moment = 0.0
        for i in range(VALUES):
            moment += self.belief[i] * (i - MIDDLE)
        return self.center_ticks + moment

    def normalise(self):
        """Bring the weights to a sum of one."""
        total = 0.0
        for i in range(VALUES):
            total += self.belief[i]
        for i in range(VALUES):
            self.belief[i] /= total

    def recenter(self):
        """Move the grid when the mean has left its middle half; what falls off the end is spread by the normalisation."""
        shift = int(self.mean_ticks() - self.center_ticks)
        if abs(shift) <= MIDDLE // 2:
            return
        step = 1 if shift > 0 else -1
        for j in range(VALUES):
            i = j if step > 0 else VALUES - 1 - j
            source = i + shift
            self.belief[i] = self.belief[source] if 0 <= source < VALUES else 0.0
        self.center_ticks += shift
        self.normalise()
