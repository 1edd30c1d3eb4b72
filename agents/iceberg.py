"""IcebergTrader: rests large orders and shows little of them.

Source: Esser and Moench, "The navigation of an iceberg: the optimal use of hidden orders", Finance Research Letters 4 (2007); Frey and Sandas, "The impact of
iceberg orders in limit order books", Quarterly Journal of Finance 7 (2017).
"""
from lob import Agent, compiled


@compiled
class IcebergTrader(Agent):
    """At Poisson times places an iceberg at the touch of a random side; takes it off when it has waited for long enough, and begins again.

    rate_hz: icebergs per second while it has none. total_lots: of one. display_lots: what it shows at a time. patience_s: mean time after which it takes
    off what is left.
    """

    positive = ("rate_hz", "total_lots", "display_lots", "patience_s")

    rate_hz: float = 1.0
    total_lots: int = 60
    display_lots: int = 5
    patience_s: float = 20.0
    order_id: int = 0

    def on_start(self, market):
        market.wake_after(int(market.exponential(1e9 / self.rate_hz)))

    def on_timer(self, market):
        side = 1 if market.uniform() < 0.5 else -1
        touch_ticks = market.best_bid_ticks if side > 0 else market.best_ask_ticks
        if self.order_id:
            market.cancel(self.order_id)
        elif touch_ticks == 0:
            market.wake_after(int(market.exponential(1e9 / self.rate_hz)))
        else:
            self.order_id = market.limit(side, touch_ticks, self.total_lots, display_lots=self.display_lots)
            market.wake_after(int(market.exponential(1e9 * self.patience_s)))

    def on_done(self, market, order):
        if order.id == self.order_id:
            self.order_id = 0
            market.wake_after(int(market.exponential(1e9 / self.rate_hz)))
