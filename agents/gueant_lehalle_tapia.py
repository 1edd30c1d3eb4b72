"""GueantLehalleTapiaMaker: the quotes that are optimal when nobody knows the end.

Source: Gueant, Lehalle and Fernandez-Tapia, "Dealing with the inventory risk: a solution to the market making problem", Mathematics and Financial Economics 7
(2013), the closed-form approximation of the asymptotic quotes (section 4). With arrivals A exp(-k delta) and an inventory of q orders,
delta_bid = ln(1 + gamma / k) / gamma + (2 q + 1) / 2 c, delta_ask = ln(1 + gamma / k) / gamma - (2 q - 1) / 2 c, where
c = sqrt(sigma^2 gamma / (2 k A) (1 + gamma / k)^(1 + k / gamma)).
"""
import math

from agents.volatility import VolatilityMaker
from lob import compiled


@compiled
class GueantLehalleTapiaMaker(VolatilityMaker):
    """Quotes a fixed term and a term for the risk of its inventory, which grows with the volatility it measures.

    gamma: risk aversion, per tick and order of inventory. k: decay of the arrival rate with the distance from the mid, per tick. arrival_hz: A, fills per
    second of a quote at the mid. An order is `lots`, the unit in which it counts its inventory.
    """

    positive = (*VolatilityMaker.positive, "gamma", "k", "arrival_hz")

    gamma: float = 0.05
    k: float = 1.0
    arrival_hz: float = 2.0

    def requote(self, market):
        """Measure, and quote both sides around the price at which the inventory's risk is paid for."""
        if market.best_bid_ticks == 0 or market.best_ask_ticks == 0:
            return
        self.measure(market)
        ratio = 1.0 + self.gamma / self.k
        power = ratio ** (1.0 + self.k / self.gamma)
        step_ticks = self.sigma_ticks * math.sqrt(self.gamma / (2.0 * self.k * self.arrival_hz) * power)
        # delta_bid and delta_ask are a half-spread of ln(ratio) / gamma + c / 2 around mid - q c.
        orders = market.inventory_lots / self.lots
        self.quote_around(market, self.mid_before_ticks - orders * step_ticks, math.log(ratio) / self.gamma + 0.5 * step_ticks)
