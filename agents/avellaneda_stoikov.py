"""AvellanedaStoikovMaker: quotes around a reservation price that leans against its inventory.

Source: Avellaneda and Stoikov, "High-frequency trading in a limit order book", Quantitative Finance 8 (2008), equations (3.17) and (3.18) with a
constant time to go, as is usual for a market that does not close: r = mid - q gamma sigma^2 tau, and the quotes stand gamma sigma^2 tau / 2 +
ln(1 + gamma / k) / gamma from it on both sides.
"""
import math

from agents.volatility import VolatilityMaker
from lob import compiled


@compiled
class AvellanedaStoikovMaker(VolatilityMaker):
    """Skews its quotes against its inventory, and widens them with the volatility it measures.

    gamma: risk aversion, per tick and lot of inventory. k: decay of the arrival rate with the distance from the mid, per tick. horizon_s: the constant time to
    go. The rest is VolatilityMaker's.
    """

    positive = (*VolatilityMaker.positive, "gamma", "k", "horizon_s")

    gamma: float = 0.01
    k: float = 1.0
    horizon_s: float = 1.0

    def requote(self, market):
        """Measure, and quote around the reservation price."""
        if market.best_bid_ticks == 0 or market.best_ask_ticks == 0:
            return
        self.measure(market)
        risk_ticks = self.gamma * self.sigma_ticks * self.sigma_ticks * self.horizon_s
        reservation_ticks = self.mid_before_ticks - market.inventory_lots * risk_ticks
        self.quote_around(market, reservation_ticks, 0.5 * risk_ticks + math.log(1.0 + self.gamma / self.k) / self.gamma)
