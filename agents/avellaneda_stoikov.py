"""AvellanedaStoikovMaker: quotes around a reservation price that leans against its inventory.

Source: Avellaneda and Stoikov, "High-frequency trading in a limit order book", Quantitative Finance 8 (2008), equations (3.17) and (3.18) with a
constant time to go, as is usual for a market that does not close: r = mid - q gamma sigma^2 tau, and the quotes stand gamma sigma^2 tau / 2 +
ln(1 + gamma / k) / gamma from it on both sides.
"""
import math

from agents.maker import Maker
from lob import compiled


@compiled
class AvellanedaStoikovMaker(Maker):
    """Skews its quotes against its inventory, and widens them with the volatility it measures.

    gamma: risk aversion, per tick and lot of inventory. k: decay of the arrival rate with the distance from the mid, per tick. horizon_s: the constant time to
    go. half_life_s: of the moving average that estimates sigma from the mid's moves, in ticks per square root of a second. sigma_ticks: where it starts.
    """

    positive = (*Maker.positive, "gamma", "k", "horizon_s", "half_life_s")

    gamma: float = 0.01
    k: float = 1.0
    horizon_s: float = 1.0
    half_life_s: float = 30.0
    sigma_ticks: float = 1.0
    mid_before_ticks: float = 0.0
    time_before_ns: int = 0

    def measure(self, market):
        """Update sigma by the square of the mid's move since the last look, weighted by the time that passed."""
        mid_ticks = market.mid_ticks
        if self.mid_before_ticks > 0.0 and market.now_ns > self.time_before_ns:
            elapsed_s = (market.now_ns - self.time_before_ns) * 1e-9
            weight = 1.0 - math.exp(-elapsed_s * 0.6931471805599453 / self.half_life_s)
            move_ticks = mid_ticks - self.mid_before_ticks
            variance = self.sigma_ticks * self.sigma_ticks
            self.sigma_ticks = math.sqrt(variance + weight * (move_ticks * move_ticks / elapsed_s - variance))
        self.mid_before_ticks, self.time_before_ns = mid_ticks, market.now_ns

    def requote(self, market):
        """Measure, and quote around the reservation price."""
        if market.best_bid_ticks == 0 or market.best_ask_ticks == 0:
            return
        self.measure(market)
        risk_ticks = self.gamma * self.sigma_ticks * self.sigma_ticks * self.horizon_s
        reservation_ticks = self.mid_before_ticks - market.inventory_lots * risk_ticks
        half_spread_ticks = 0.5 * risk_ticks + math.log(1.0 + self.gamma / self.k) / self.gamma
        bid_ticks = int((reservation_ticks - half_spread_ticks) // 1)
        ask_ticks = -int(-(reservation_ticks + half_spread_ticks) // 1)
        self.quote(market, bid_ticks, ask_ticks)
