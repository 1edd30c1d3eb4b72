"""WorthMaker: a maker that measures what a fill has turned out to be worth. What it reads, and what it does with the worth, is the business of its subclasses.

Sources: the worth of a fill is its realised spread, Huang and Stoll, "Dealer versus auction markets", Journal of Financial Economics 41 (1996); the line is
that of least squares whose weights fade with time, Ljung, "System Identification" (1999), section 11.2.
"""
import math

from agents.maker import Maker
from lob import Array

PENDING = 256


class WorthMaker(Maker):
    """Fits a line to what resting lots earned until horizon_s after they traded, in ticks, against a number that was read just before.

    Every public trade counts, not its own alone: whoever rests in that queue is paid alike, and so it goes on learning about a queue that it keeps away from.
    Of trades that wait for their horizon, the 256 oldest are kept; a trade is valued at the first look after it.
    memory_s: after which a trade counts 1 / e. prior_lots: the weight with which it begins in the belief that every lot earns prior_ticks, whatever is read.
    moments: weight, and weighted sums of reading, worth, reading squared, reading x worth; those of an earlier run may be given.
    """

    positive = (*Maker.positive, "horizon_s", "memory_s", "prior_lots")

    horizon_s: float = 1.0
    memory_s: float = 300.0
    prior_lots: float = 1_000.0
    prior_ticks: float = 0.5
    moments: Array[float, 5] = 0.0
    moments_ns: int = 0
    pending_first: int = 0
    pending_next: int = 0
    pending_ns: Array[int, PENDING] = 0
    pending_ticks: Array[int, PENDING] = 0
    pending_signed_lots: Array[int, PENDING] = 0
    pending_reading: Array[float, PENDING] = 0.0

    def on_start(self, market):
        if self.moments[0] == 0.0:
            # A reading that is as likely anywhere between 0 and 1: one half on average, its square one third.
            self.weigh(self.prior_lots, 0.5, self.prior_ticks)
            self.moments[3] = self.prior_lots / 3.0

    def note_trade(self, trade, reading):
        """Take in a trade, and what was read of the side that rested before it."""
        if self.pending_next - self.pending_first < PENDING:
            at = self.pending_next % PENDING
            self.pending_ns[at], self.pending_ticks[at], self.pending_signed_lots[at] = trade.time_ns, trade.price_ticks, -trade.side * trade.lots
            self.pending_reading[at] = reading
            self.pending_next += 1

    def value_trades(self, market):
        """Value by the mid those trades whose horizon has passed."""
        due_ns = market.now_ns - int(self.horizon_s * 1e9)
        if self.pending_first < self.pending_next and self.pending_ns[self.pending_first % PENDING] <= due_ns:
            fade = math.exp(-(market.now_ns - self.moments_ns) * 1e-9 / self.memory_s)
            self.moments_ns = market.now_ns
            for i in range(5):
                self.moments[i] *= fade
        while self.pending_first < self.pending_next and self.pending_ns[self.pending_first % PENDING] <= due_ns:
            at = self.pending_first % PENDING
            signed_lots = int(self.pending_signed_lots[at])
            side = 1 if signed_lots > 0 else -1
            self.weigh(float(side * signed_lots), float(self.pending_reading[at]), side * (market.mid_ticks - self.pending_ticks[at]))
            self.pending_first += 1

    def weigh(self, lots, reading, worth_ticks):
        """Add lots to the sums of the line."""
        self.moments[0] += lots
        self.moments[1] += lots * reading
        self.moments[2] += lots * worth_ticks
        self.moments[3] += lots * reading * reading
        self.moments[4] += lots * reading * worth_ticks

    def worth_ticks(self, reading):
        """Return what a lot that trades now can be expected to earn by its horizon, given what is read."""
        mean_reading, mean_ticks = self.moments[1] / self.moments[0], self.moments[2] / self.moments[0]
        variance = self.moments[3] / self.moments[0] - mean_reading * mean_reading
        covariance = self.moments[4] / self.moments[0] - mean_reading * mean_ticks
        return mean_ticks + (covariance / variance * (reading - mean_reading) if variance > 1e-9 else 0.0)
