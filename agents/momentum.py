"""MomentumTrader: follows the trend of the mid.

Source: the variable-length moving average rule in Brock, Lakonishok and LeBaron, "Simple technical trading rules and the stochastic properties of stock
returns", Journal of Finance 47 (1992), section I.A: long while a short moving average is above a long one by more than a band, short while it is below. The
averages here are exponential ones.
"""
import math

from lob import Agent, TimeInForce, compiled


@compiled
class MomentumTrader(Agent):
    """At regular times looks at the mid, and takes the touch in the direction of the trend until it holds its position.

    interval_ns: between two looks. fast_s, slow_s: mean ages of the two averages. band_ticks: the least difference of the two that is a trend.
    lots: of one order. inventory_max_lots: the position it wants in a trend.
    """

    role = "momentum"
    positive = ("interval_ns", "fast_s", "slow_s", "lots")

    interval_ns: int = 200_000_000
    fast_s: float = 2.0
    slow_s: float = 10.0
    band_ticks: float = 0.5
    lots: int = 2
    inventory_max_lots: int = 50
    fast_ticks: float = 0.0
    slow_ticks: float = 0.0

    def on_start(self, market):
        # Each begins somewhere in its interval, so that not all of them act at one moment.
        market.wake_after(market.integers(1, self.interval_ns + 1))

    def on_timer(self, market):
        if market.best_bid_ticks and market.best_ask_ticks:
            self.measure(market.mid_ticks)
            trend_ticks = self.fast_ticks - self.slow_ticks
            if abs(trend_ticks) > self.band_ticks:
                self.follow(market, 1 if trend_ticks > 0.0 else -1)
        market.wake_after(self.interval_ns)

    def measure(self, mid_ticks):
        """Move both averages towards the mid; both begin at the first one."""
        if self.slow_ticks == 0.0:
            self.fast_ticks, self.slow_ticks = mid_ticks, mid_ticks
        self.fast_ticks += (1.0 - math.exp(-self.interval_ns * 1e-9 / self.fast_s)) * (mid_ticks - self.fast_ticks)
        self.slow_ticks += (1.0 - math.exp(-self.interval_ns * 1e-9 / self.slow_s)) * (mid_ticks - self.slow_ticks)

    def follow(self, market, side):
        """Take the opposite touch, at its price or not at all."""
        if side * market.inventory_lots < self.inventory_max_lots:
            market.limit(side, market.best_ask_ticks if side > 0 else market.best_bid_ticks, self.lots, tif=TimeInForce.IOC)
