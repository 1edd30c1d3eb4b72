"""ExecutionTrader: works one large order by a schedule, with market orders.

Sources: TWAP is the optimal schedule of a trader without risk aversion in Almgren and Chriss, "Optimal execution of portfolio transactions", Journal of Risk 3
(2001), equation (20) in the limit of lambda = 0; VWAP after Berkowitz, Logue and Noser, "The total cost of transactions on the NYSE", Journal of Finance 43
(1988), its profile after Konishi, "Optimal slice of a VWAP trade", Journal of Financial Markets 5 (2002).
"""
from lob import Agent, Array, ReportKind, compiled

TWAP, VWAP, PARTICIPATION = 0, 1, 2
PARTS = 8


@compiled
class ExecutionTrader(Agent):
    """Every slice_s seconds sends what its schedule is ahead of it, until total_lots are done.

    schedule: 0 TWAP, the same in every second of duration_s; 1 VWAP, in proportion to `profile`, the share of the volume expected in each eighth of the
    duration; 2 participation, a share of what others have traded since it began. side: 1 buys, -1 sells. start_s: when it begins. participation: its lots per
    lot of others. slice_s: seconds between orders.
    """

    role = "execution"
    positive = ("total_lots", "duration_s", "slice_s", "participation")

    schedule: int = TWAP
    side: int = 1
    total_lots: int = 1_000
    start_s: float = 0.0
    duration_s: float = 600.0
    slice_s: float = 1.0
    participation: float = 0.1
    profile: Array[float, PARTS] = [1.5, 1.1, 0.9, 0.8, 0.8, 0.9, 1.1, 1.5]
    begin_ns: int = 0
    sent_lots: int = 0
    done_lots: int = 0
    market_lots: int = 0

    def on_start(self, market):
        self.begin_ns = market.now_ns + int(self.start_s * 1e9)
        market.wake_at(self.begin_ns + int(self.slice_s * 1e9))

    def on_trade(self, market, trade):
        if trade.time_ns >= self.begin_ns:
            self.market_lots += trade.lots

    def on_fill(self, market, fill):
        self.done_lots += fill.lots

    def on_done(self, market, order):
        # What a slice did not find goes with a later one.
        if order.kind != ReportKind.FILL:
            self.sent_lots -= order.lots

    def on_timer(self, market):
        lots = min(int(self.wanted_lots(market)), self.total_lots) - self.sent_lots
        if lots > 0:
            market.market_order(self.side, lots)
            self.sent_lots += lots
        if self.done_lots < self.total_lots:
            market.wake_after(int(self.slice_s * 1e9))

    def wanted_lots(self, market):
        """Return how many lots the schedule wants done by now."""
        if self.schedule == PARTICIPATION:
            return self.participation * (self.market_lots - self.done_lots)
        share = min((market.now_ns - self.begin_ns) / (self.duration_s * 1e9), 1.0)
        # A billionth of a lot is added so that a whole number of lots is not cut below itself.
        return self.total_lots * (share if self.schedule == TWAP else self.profile_share(share)) + 1e-9

    def profile_share(self, share_of_time):
        """Return the share of the day's volume that the profile expects in a share of the duration."""
        total, passed = 0.0, 0.0
        for i in range(PARTS):
            total += self.profile[i]
            passed += self.profile[i] * min(max(share_of_time * PARTS - i, 0.0), 1.0)
        return passed / total
