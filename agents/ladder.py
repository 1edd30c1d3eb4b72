"""LadderMaker: rests orders at several prices a side, as those do who are paid for depth.

A ladder keeps the place in the queue of every order whose price is still wanted; only the ends move with the touch. Source of the shape: the levels of a
matching grid in Huang, Lehalle and Rosenbaum, "Simulating and analyzing order book data: the queue-reactive model", Journal of the American Statistical
Association 110 (2015).
"""
from lob import Agent, Array, ReportKind, compiled

LEVELS_MAX = 8
SLOTS = 2 * LEVELS_MAX


@compiled
class LadderMaker(Agent):
    """Keeps an order of `lots` at each of `levels` prices a side, step_ticks apart, the first at half_spread_ticks from the mid.

    levels: at most 8 are used. inventory_max_lots: a side that would add to an inventory beyond it is taken off.
    """

    role = "maker"
    positive = ("lots", "levels", "step_ticks")

    lots: int = 5
    levels: int = 4
    step_ticks: int = 1
    half_spread_ticks: float = 1.0
    inventory_max_lots: int = 100
    order_ids: Array[int, SLOTS] = 0
    order_sides: Array[int, SLOTS] = 0
    order_ticks: Array[int, SLOTS] = 0

    def on_quote(self, market):
        self.requote(market)

    def on_done(self, market, order):
        for i in range(SLOTS):
            if self.order_ids[i] == order.id:
                self.order_ids[i] = 0
        # A quote that was refused because it would have crossed waits for the touch to change: sent again at once, it would be refused again.
        if order.kind != ReportKind.REJECTED:
            self.requote(market)

    def requote(self, market):
        """Cancel what stands where nothing is wanted, and fill the wanted prices that are empty."""
        if market.best_bid_ticks and market.best_ask_ticks:
            bid_ticks = int((market.mid_ticks - self.half_spread_ticks) // 1)
            ask_ticks = -int(-(market.mid_ticks + self.half_spread_ticks) // 1)
            self.requote_side(market, 1, max(1, min(bid_ticks, market.best_ask_ticks - 1)))
            self.requote_side(market, -1, max(ask_ticks, market.best_bid_ticks + 1))

    def requote_side(self, market, side, first_ticks):
        """Bring one side to its prices: first_ticks, and those behind it."""
        count = min(self.levels, LEVELS_MAX) if side * market.inventory_lots < self.inventory_max_lots else 0
        for i in range(SLOTS):
            if self.order_ids[i] and self.order_sides[i] == side and self.order_ticks[i]:
                behind_ticks = side * (first_ticks - self.order_ticks[i])
                if behind_ticks < 0 or behind_ticks % self.step_ticks or behind_ticks >= count * self.step_ticks:
                    market.cancel(self.order_ids[i])
                    self.order_ticks[i] = 0
        for level in range(count):
            price_ticks = first_ticks - side * level * self.step_ticks
            if price_ticks > 0 and not self.has_order(side, price_ticks):
                self.place(market, side, price_ticks)

    def has_order(self, side, price_ticks):
        """Return whether an order of a side stands, or is on its way, at a price."""
        found = 0
        for i in range(SLOTS):
            found += self.order_ids[i] != 0 and self.order_sides[i] == side and self.order_ticks[i] == price_ticks
        return found > 0

    def place(self, market, side, price_ticks):
        """Send an order if there is a free place to note it; those that are being cancelled hold theirs until they are gone."""
        for i in range(SLOTS):
            if self.order_ids[i] == 0:
                self.order_ids[i] = market.limit(side, price_ticks, self.lots, post_only=True)
                self.order_sides[i], self.order_ticks[i] = side, price_ticks
                return
