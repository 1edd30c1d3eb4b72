"""InformedTrader: takes what is mispriced.

Sources: Glosten and Milgrom, "Bid, ask and transaction prices in a specialist market with heterogeneously informed traders", Journal of Financial
Economics 14 (1985): traders who arrive at random knowing something of the value, and trade only where a quote is on the wrong side of it. Kyle, "Continuous
auctions and insider trading", Econometrica 53 (1985), theorem 1: the informed quantity is linear in the distance of the value from the price.
"""
import math

from lob import Agent, TimeInForce, compiled


@compiled
class InformedTrader(Agent):
    """At Poisson times reads the fundamental, late and with an error, and takes the touch if it is beyond it by more than a threshold.

    rate_hz: looks per second. error_ticks: standard deviation of its reading. delay_ns: how old its reading is. threshold_ticks: the least edge that it
    trades for. conviction: 0 takes what is displayed at the touch (Glosten and Milgrom); above 0 it wants so many lots for each tick of edge, at any price
    that leaves the threshold (Kyle). lots_max: most it takes at once. inventory_max_lots: it buys no more above this, sells no more below its negative.
    """

    role = "informed"
    sees_fundamental = True
    positive = ("rate_hz", "lots_max")

    rate_hz: float = 2.0
    error_ticks: float = 0.5
    delay_ns: int = 0
    threshold_ticks: float = 0.5
    conviction: float = 0.0
    lots_max: int = 10
    inventory_max_lots: int = 1_000_000

    def on_start(self, market):
        market.wake_after(int(market.exponential(1e9 / self.rate_hz)))

    def on_timer(self, market):
        value_ticks = market.fundamental_ticks(self.delay_ns) + self.error_ticks * market.normal()
        if market.best_ask_ticks and value_ticks - market.best_ask_ticks > self.threshold_ticks:
            self.take(market, 1, value_ticks, market.best_ask_ticks, market.best_ask_lots)
        elif market.best_bid_ticks and market.best_bid_ticks - value_ticks > self.threshold_ticks:
            self.take(market, -1, value_ticks, market.best_bid_ticks, market.best_bid_lots)
        market.wake_after(int(market.exponential(1e9 / self.rate_hz)))

    def take(self, market, side, value_ticks, price_ticks, lots):
        """Send an order for what is displayed at a price, or by conviction, which dies if it finds nothing."""
        if side * market.inventory_lots >= self.inventory_max_lots:
            return
        if self.conviction > 0.0:
            lots = max(int(self.conviction * side * (value_ticks - price_ticks)), 1)
            price_ticks = max(1, side * math.floor(side * value_ticks - self.threshold_ticks))
        market.limit(side, price_ticks, min(lots, self.lots_max), tif=TimeInForce.IOC)
