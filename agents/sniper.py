"""Sniper: takes the quotes that public news has made stale, if it is there before they are gone.

Source: Budish, Cramton and Shim, "The high-frequency trading arms race: frequent batch auctions as a market design response", Quarterly Journal of Economics
130 (2015), section VI: everybody sees the value jump at the same time; whoever is first gets the quote, the maker by a cancel or the sniper by a trade.
"""
import math

from lob import Agent, TimeInForce, compiled


@compiled
class Sniper(Agent):
    """Looks at the public value at every tick of a clock, and when it has jumped takes everything that is displayed beyond it.

    look_ns: the clock, that of the fundamental. delay_ns: how long the news is on its way to it; its order takes its order latency more. jump_min_ticks: the
    least jump that it reacts to. threshold_ticks: the least edge. lots_max: most it takes at once.
    """

    role = "sniper"
    sees_fundamental = True
    positive = ("look_ns", "delay_ns", "jump_min_ticks", "lots_max")

    look_ns: int = 10_000_000
    delay_ns: int = 1_000
    jump_min_ticks: float = 1.0
    threshold_ticks: float = 0.5
    lots_max: int = 100
    value_before_ticks: float = 0.0

    def on_start(self, market):
        self.value_before_ticks = market.fundamental_ticks(0)
        market.wake_after(self.look_ns + self.delay_ns)

    def on_timer(self, market):
        value_ticks = market.fundamental_ticks(self.delay_ns)
        jump_ticks = value_ticks - self.value_before_ticks
        self.value_before_ticks = value_ticks
        if abs(jump_ticks) >= self.jump_min_ticks:
            self.snipe(market, 1 if jump_ticks > 0.0 else -1, value_ticks)
        market.wake_after(self.look_ns)

    def snipe(self, market, side, value_ticks):
        """Send an order for everything that is better than the value by more than the threshold, which dies if it comes too late."""
        price_ticks = side * math.floor(side * value_ticks - self.threshold_ticks)
        touch_ticks = market.best_ask_ticks if side > 0 else market.best_bid_ticks
        if touch_ticks and price_ticks > 0 and side * (price_ticks - touch_ticks) >= 0:
            market.limit(side, price_ticks, self.lots_max, tif=TimeInForce.IOC)
