"""NoiseTrader: flow without information.

Sources: zero-intelligence flow after Smith, Farmer, Gillemot and Krishnamurthy, "Statistical theory of the continuous double auction", Quantitative Finance 3
(2003): limit orders, market orders and cancels at Poisson times, whatever the price does; placement by a power law of the distance after Bouchaud, Mezard and
Potters, "Statistical properties of stock order books", Quantitative Finance 2 (2002), equation (2). Each trader keeps at most one order in the book; many of
them make the flow.
"""
from lob import Agent, compiled


@compiled
class NoiseTrader(Agent):
    """At Poisson times sends a market order, or cancels its resting order, or if it has none places one.

    rate_hz: actions per second. market_share: how many of them are market orders. distance_ticks: mean distance of a limit order from the opposite touch,
    geometric, at least one tick. placement_alpha: above 0, the distance follows P(distance >= d) = d^-alpha instead. distance_max_ticks: none is further away.
    lots_max: order sizes are uniform from 1 to this.
    """

    positive = ("rate_hz", "lots_max", "distance_max_ticks")

    rate_hz: float = 1.0
    market_share: float = 0.15
    distance_ticks: float = 4.0
    placement_alpha: float = 0.0
    distance_max_ticks: int = 1_000
    lots_max: int = 5
    order_id: int = 0

    def on_start(self, market):
        market.wake_after(int(market.exponential(1e9 / self.rate_hz)))

    def on_timer(self, market):
        side = 1 if market.uniform() < 0.5 else -1
        lots = market.integers(1, self.lots_max + 1)
        if market.uniform() < self.market_share:
            market.market_order(side, lots)
        elif self.order_id:
            market.cancel(self.order_id)
        else:
            self.order_id = market.limit(side, max(1, self.opposite_ticks(market, side) - side * self.distance(market)), lots)
        market.wake_after(int(market.exponential(1e9 / self.rate_hz)))

    def on_done(self, market, order):
        if order.id == self.order_id:
            self.order_id = 0

    def distance(self, market):
        """Draw the distance of a limit order from the opposite touch, in ticks."""
        if self.placement_alpha > 0.0:
            return int(min(market.power_law(self.placement_alpha), float(self.distance_max_ticks)))
        return min(1 + int(market.exponential(max(self.distance_ticks - 0.5, 0.0))), self.distance_max_ticks)

    def opposite_ticks(self, market, side):
        """Return the opposite touch; where that side is empty, the best guess at it."""
        opposite_ticks = market.best_ask_ticks if side > 0 else market.best_bid_ticks
        if opposite_ticks:
            return opposite_ticks
        return market.last_trade_ticks if market.last_trade_ticks else market.opening_ticks
