"""A quoter that joins both sides of the touch and stays in line for as long as the touch does not move."""
from lob import Agent, compiled


@compiled
class Joiner(Agent):
    """Looks at the touch every step; a quote that is not at the touch any more is cancelled, and one lot is sent to where it is."""

    step_ns: int = 100_000_000
    inventory_max_lots: int = 5
    bid_id: int = 0
    ask_id: int = 0
    bid_ticks: int = 0
    ask_ticks: int = 0

    def on_start(self, market):
        market.wake_after(0)

    def on_timer(self, market):
        if self.bid_id and self.bid_ticks != market.best_bid_ticks:
            market.cancel(self.bid_id)
            self.bid_id = 0
        if self.ask_id and self.ask_ticks != market.best_ask_ticks:
            market.cancel(self.ask_id)
            self.ask_id = 0
        if self.bid_id == 0 and market.inventory_lots < self.inventory_max_lots and market.best_bid_ticks:
            self.bid_ticks = market.best_bid_ticks
            self.bid_id = market.buy(self.bid_ticks, 1, post_only=True)
        if self.ask_id == 0 and market.inventory_lots > -self.inventory_max_lots and market.best_ask_ticks:
            self.ask_ticks = market.best_ask_ticks
            self.ask_id = market.sell(self.ask_ticks, 1, post_only=True)
        market.wake_after(self.step_ns)

    def on_done(self, market, order):
        if order.id == self.bid_id:
            self.bid_id = 0
        if order.id == self.ask_id:
            self.ask_id = 0
