"""MetaorderTrader: splits large orders whose lengths have no typical size.

Source: Lillo, Mike and Farmer, "Theory for long memory in supply and demand", Physical Review E 71 (2005), the model with a fixed number of hidden orders:
lengths P(L) ~ L^-(alpha + 1), each child of the same size, a new metaorder of a random side when one is done. Traders who all act at one Poisson rate take
turns at random, as there. Its result, equation (20): the signs are correlated as tau^-gamma with gamma = alpha - 1.
"""
from lob import Agent, compiled


@compiled
class MetaorderTrader(Agent):
    """Sends the children of one metaorder after the other as market orders, at Poisson times.

    rate_hz: children per second. alpha: tail of the number of children, P(L >= n) = n^-alpha. length_max: no metaorder is longer. child_lots: lots of a child.
    """

    positive = ("rate_hz", "alpha", "length_max", "child_lots")

    rate_hz: float = 1.0
    alpha: float = 1.5
    length_max: int = 1_000_000
    child_lots: int = 1
    side: int = 0
    children_left: int = 0

    def on_start(self, market):
        market.wake_after(int(market.exponential(1e9 / self.rate_hz)))

    def on_timer(self, market):
        if self.children_left == 0:
            self.side = 1 if market.uniform() < 0.5 else -1
            self.children_left = int(min(market.power_law(self.alpha), float(self.length_max)))
        market.market_order(self.side, self.child_lots)
        self.children_left -= 1
        market.wake_after(int(market.exponential(1e9 / self.rate_hz)))
