"""Maker: what every quoting agent does with the two prices it wants. The prices are the business of its subclasses, in `requote(market)`.

Owns one resting order a side. A quote at a price that is no longer wanted is cancelled, and the new one sent when the exchange has said that it is gone:
for a moment a slow maker does not quote, and a cancel can lose its race to a taker, as in life. One that `requotes_always` replaces its quotes instead, at
every change of the touch; a quote that stays where it was keeps its place in the queue.
"""
from lob import Agent, ReportKind


class Maker(Agent):
    """Quotes `lots` on both sides, one order each, post-only; stops adding to an inventory beyond `inventory_max_lots`.

    requotes_always: send both quotes anew, by a replace, whenever the touch changes, whether the wanted price has changed or not.
    """

    role = "maker"
    positive = ("lots",)

    lots: int = 5
    inventory_max_lots: int = 50
    requotes_always: bool = False
    bid_id: int = 0
    ask_id: int = 0
    bid_ticks: int = 0
    ask_ticks: int = 0

    def on_quote(self, market):
        self.requote(market)

    def on_done(self, market, order):
        # A quote that was refused because it would have crossed waits for the touch to change: sent again at once, it would be refused again.
        if self.is_gone(order.id) and order.kind != ReportKind.REJECTED:
            self.requote(market)

    def quote(self, market, bid_ticks, ask_ticks):
        """Move both quotes to where they are wanted, but no further than a tick from the opposite touch."""
        self.quote_side(market, 1, max(1, min(bid_ticks, market.best_ask_ticks - 1)), self.lots)
        self.quote_side(market, -1, max(ask_ticks, market.best_bid_ticks + 1), self.lots)

    def quote_side(self, market, side, price_ticks, lots):
        """Keep, cancel or send the quote of one side; with 0 lots none is wanted."""
        order_id = self.bid_id if side > 0 else self.ask_id
        resting_ticks = self.bid_ticks if side > 0 else self.ask_ticks
        is_wanted = lots > 0 and side * market.inventory_lots < self.inventory_max_lots
        if order_id == 0:
            if is_wanted:
                self.set_quote(side, market.limit(side, price_ticks, lots, post_only=True), price_ticks)
        elif self.requotes_always and resting_ticks and is_wanted:
            market.replace(order_id, price_ticks, lots, post_only=True)
            self.set_quote(side, order_id, price_ticks)
        elif resting_ticks and (resting_ticks != price_ticks or not is_wanted):
            market.cancel(order_id)
            self.set_quote(side, order_id, 0)

    def set_quote(self, side, order_id, price_ticks):
        """Note the order of one side and its price; price 0 while its cancel is on the way."""
        if side > 0:
            self.bid_id, self.bid_ticks = order_id, price_ticks
        else:
            self.ask_id, self.ask_ticks = order_id, price_ticks

    def is_gone(self, order_id):
        """Note that an order rests no more; return whether it was a quote."""
        side = (order_id == self.bid_id) - (order_id == self.ask_id)
        if side:
            self.set_quote(side, 0, 0)
        return side != 0
