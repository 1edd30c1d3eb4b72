"""InformedTrader: takes what is mispriced.

Source: Glosten and Milgrom, "Bid, ask and transaction prices in a specialist market with heterogeneously informed traders", Journal of Financial
Economics 14 (1985): traders who arrive at random knowing something of the value, and trade only where a quote is on the wrong side of it.
"""
from lob import Agent, TimeInForce, compiled


@compiled
class InformedTrader(Agent):
    """At Poisson times reads the fundamental, late and with an error, and takes the touch if it is beyond it by more than a threshold.

    rate_hz: looks per second. error_ticks: standard deviation of its reading. delay_ns: how old its reading is. threshold_ticks: the least edge that it
    trades for. lots_max: most it takes at once. inventory_max_lots: it buys no more above this, sells no more below its negative.
    """

    role = "informed"
    sees_fundamental = True
    positive = ("rate_hz", "lots_max")

    rate_hz: float = 2.0
    error_ticks: float = 0.5
    delay_ns: int = 0
    threshold_ticks: float = 0.5
    lots_max: int = 10
    inventory_max_lots: int = 1_000_000

    def on_start(self, market):
        market.wake_after(int(market.exponential(1e9 / self.rate_hz)))

    def on_timer(self, market):
        value_ticks = market.fundamental_ticks(self.delay_ns) + self.error_ticks * market.normal()
        if market.best_ask_ticks and value_ticks - market.best_ask_ticks > self.threshold_ticks:
            self.take(market, 1, market.best_ask_ticks, market.best_ask_lots)
        elif market.best_bid_ticks and market.best_bid_ticks - value_ticks > self.threshold_ticks:
            self.take(market, -1, market.best_bid_ticks, market.best_bid_lots)
        market.wake_after(int(market.exponential(1e9 / self.rate_hz)))

    def take(self, market, side, price_ticks, lots):
        """Send an order for what is displayed at a price, which dies if that is gone."""
        if side * market.inventory_lots < self.inventory_max_lots:
            market.limit(side, price_ticks, min(lots, self.lots_max), tif=TimeInForce.IOC)
