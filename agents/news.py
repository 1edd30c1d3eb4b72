"""NewsMaker: quotes around a value that is public, and must be quick when that jumps.

Source: the liquidity provider of Budish, Cramton and Shim, "The high-frequency trading arms race: frequent batch auctions as a market design response",
Quarterly Journal of Economics 130 (2015), section VI: it learns nothing from trades; all that it loses, it loses to those who take its stale quotes.
"""
from agents.maker import Maker
from lob import compiled


@compiled
class NewsMaker(Maker):
    """Looks at the public value at every tick of a clock and quotes half_spread_ticks from it on both sides.

    look_ns: the clock, that of the fundamental. delay_ns: how long the news is on its way to it; its cancel takes its order latency more.
    """

    sees_fundamental = True
    positive = (*Maker.positive, "look_ns", "delay_ns", "half_spread_ticks")

    look_ns: int = 10_000_000
    delay_ns: int = 1_000
    half_spread_ticks: float = 1.5
    value_ticks: float = 0.0

    def on_start(self, market):
        self.value_ticks = market.fundamental_ticks(0)
        self.requote(market)
        market.wake_after(self.look_ns + self.delay_ns)

    def on_timer(self, market):
        value_ticks = market.fundamental_ticks(self.delay_ns)
        if value_ticks != self.value_ticks:
            self.value_ticks = value_ticks
            self.requote(market)
        market.wake_after(self.look_ns)

    def requote(self, market):
        """Quote around the value, behind the touch that would be crossed."""
        bid_ticks = max(1, int((self.value_ticks - self.half_spread_ticks) // 1))
        ask_ticks = -int(-(self.value_ticks + self.half_spread_ticks) // 1)
        self.quote_side(market, 1, min(bid_ticks, market.best_ask_ticks - 1) if market.best_ask_ticks > 1 else bid_ticks, self.lots)
        self.quote_side(market, -1, max(ask_ticks, market.best_bid_ticks + 1), self.lots)
