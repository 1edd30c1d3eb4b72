"""ValueTrader: has a belief about the value and trades towards it.

Source: the background traders of Wah, Wright and Wellman, "Welfare effects of market making in continuous double auctions", Journal of Artificial
Intelligence Research 59 (2017), section 4: a mean-reverting value, seen with an error each time a trader arrives; between two looks the belief returns towards
the mean, at a look it is updated as a Kalman filter does; the order asks for a surplus over the belief.
"""
import math

from lob import Agent, compiled


@compiled
class ValueTrader(Agent):
    """At Poisson times takes back the order that still rests, looks at the value, and sends one order towards what it believes.

    rate_hz: looks per second. error_ticks: standard deviation of a look. reversion_hz: how fast it believes that the value returns to its mean, the opening
    price. volatility_ticks: how fast it believes that the value moves, in ticks per square root of a second. surplus_ticks: the most that it asks for; how much
    is drawn each time. lots_max: order sizes are uniform from 1 to this. inventory_max_lots: it buys no more above this, sells no more below its negative.
    """

    role = "value"
    sees_fundamental = True
    positive = ("rate_hz", "error_ticks", "lots_max")

    rate_hz: float = 1.0
    error_ticks: float = 5.0
    reversion_hz: float = 0.01
    volatility_ticks: float = 1.0
    surplus_ticks: float = 4.0
    lots_max: int = 5
    inventory_max_lots: int = 100
    belief_ticks: float = 0.0
    variance: float = 0.0
    looked_ns: int = 0
    order_id: int = 0

    def on_start(self, market):
        self.belief_ticks, self.looked_ns = float(market.opening_ticks), market.now_ns
        market.wake_after(int(market.exponential(1e9 / self.rate_hz)))

    def on_timer(self, market):
        if self.order_id:
            market.cancel(self.order_id)
            self.order_id = 0
        self.update(market)
        side = 1 if market.uniform() < 0.5 else -1
        lots = market.integers(1, self.lots_max + 1)
        # Half of the time it would rather buy, as one who has a use for the asset: it then pays up to its belief less the surplus.
        limit_ticks = int(math.floor(self.belief_ticks - side * market.uniform() * self.surplus_ticks + 0.5))
        if side * market.inventory_lots < self.inventory_max_lots:
            self.order_id = market.limit(side, max(1, limit_ticks), lots)
        market.wake_after(int(market.exponential(1e9 / self.rate_hz)))

    def on_done(self, market, order):
        if order.id == self.order_id:
            self.order_id = 0

    def update(self, market):
        """Let the belief return towards the mean for the time that has passed, then weigh a new look by how sure each of the two is."""
        elapsed_s = (market.now_ns - self.looked_ns) * 1e-9
        keep = math.exp(-self.reversion_hz * elapsed_s)
        self.belief_ticks = market.opening_ticks + keep * (self.belief_ticks - market.opening_ticks)
        self.variance = keep * keep * self.variance + self.volatility_ticks * self.volatility_ticks * elapsed_s
        seen_ticks = market.fundamental_ticks() + self.error_ticks * market.normal()
        gain = self.variance / (self.variance + self.error_ticks * self.error_ticks)
        self.belief_ticks += gain * (seen_ticks - self.belief_ticks)
        self.variance *= 1.0 - gain
        self.looked_ns = market.now_ns
