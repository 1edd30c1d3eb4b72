"""SymmetricMaker: a fixed distance on both sides of the mid, whatever it holds. The plainest maker, and the one that others are compared with."""
from agents.maker import Maker
from lob import compiled


@compiled
class SymmetricMaker(Maker):
    """Quotes at mid -/+ half_spread_ticks, anew whenever the touch changes.

    half_spread_ticks: distance from the mid; prices are rounded away from it, and are never inside one tick.
    """

    half_spread_ticks: float = 1.0

    def requote(self, market):
        """Quote around the mid, if there is one."""
        if market.best_bid_ticks and market.best_ask_ticks:
            bid_ticks = int((market.mid_ticks - self.half_spread_ticks) // 1)
            ask_ticks = -int(-(market.mid_ticks + self.half_spread_ticks) // 1)
            self.quote(market, bid_ticks, ask_ticks)
