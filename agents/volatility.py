"""VolatilityMaker: a maker that measures how much the mid moves. What it does with sigma is the business of its subclasses."""
import math

from agents.maker import Maker


class VolatilityMaker(Maker):
    """Estimates sigma, in ticks per square root of a second, from the squares of the mid's moves, by a moving average in time.

    half_life_s: of that average. sigma_ticks: where it starts.
    """

    positive = (*Maker.positive, "half_life_s")

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

    def quote_around(self, market, reservation_ticks, half_spread_ticks):
        """Quote at a distance from a price, rounded away from it."""
        self.quote(market, int((reservation_ticks - half_spread_ticks) // 1), -int(-(reservation_ticks + half_spread_ticks) // 1))
