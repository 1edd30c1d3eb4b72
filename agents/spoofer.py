"""Spoofer: shows a large order that it does not want filled, to be filled on the other side.

Source: Cartea, Jaimungal and Wang, "Spoofing and price manipulation in order-driven markets", Applied Mathematical Finance 27 (2020): a large order away from
the touch, a small one that is meant on the other side, and a cancel before the large one is reached.
"""
from lob import Agent, ReportKind, compiled


@compiled
class Spoofer(Agent):
    """At Poisson times joins the touch of one side with a small order and shows a large one behind the touch of the other, which it pulls in time.

    rate_hz: attempts per second. lots: of the order that is meant. spoof_lots: of the other. distance_ticks: how far behind its touch that one stands when it
    is sent. flee_ticks: it is pulled when it stands no further than this behind the touch. hold_s: how long an attempt lasts. Its inventory turns the next
    attempt: it sells what it has bought.
    """

    role = "adversary"
    positive = ("rate_hz", "lots", "spoof_lots", "distance_ticks", "hold_s")

    rate_hz: float = 0.5
    lots: int = 3
    spoof_lots: int = 60
    distance_ticks: int = 3
    flee_ticks: int = 1
    hold_s: float = 1.0
    side: int = 0
    order_id: int = 0
    spoof_id: int = 0
    spoof_ticks: int = 0

    def on_start(self, market):
        market.wake_after(int(market.exponential(1e9 / self.rate_hz)))

    def on_timer(self, market):
        if self.side:
            self.end(market)
        elif market.best_bid_ticks > self.distance_ticks and market.best_ask_ticks:
            self.begin(market)
        else:
            market.wake_after(int(market.exponential(1e9 / self.rate_hz)))

    def on_quote(self, market):
        if self.spoof_id and self.spoof_ticks:
            touch_ticks = market.best_ask_ticks if self.side > 0 else market.best_bid_ticks
            if self.side * (self.spoof_ticks - touch_ticks) <= self.flee_ticks:
                self.pull(market)

    def on_done(self, market, order):
        if order.id == self.spoof_id:
            self.spoof_id = 0
        elif order.id == self.order_id:
            self.order_id = 0
            if order.kind == ReportKind.FILL:
                self.pull(market)

    def begin(self, market):
        """Send both orders: the one that is meant on `side`, the large one on the other."""
        held_lots = market.inventory_lots
        self.side = (-1 if held_lots > 0 else 1) if held_lots else (1 if market.uniform() < 0.5 else -1)
        own_ticks = market.best_bid_ticks if self.side > 0 else market.best_ask_ticks
        other_ticks = market.best_ask_ticks if self.side > 0 else market.best_bid_ticks
        self.order_id = market.limit(self.side, own_ticks, self.lots, post_only=True)
        self.spoof_ticks = other_ticks + self.side * self.distance_ticks
        self.spoof_id = market.limit(-self.side, self.spoof_ticks, self.spoof_lots, post_only=True)
        market.wake_after(int(1e9 * self.hold_s))

    def pull(self, market):
        """Cancel the large order, once."""
        if self.spoof_id and self.spoof_ticks:
            market.cancel(self.spoof_id)
            self.spoof_ticks = 0

    def end(self, market):
        """Take off what is left of an attempt and wait for the next."""
        self.pull(market)
        if self.order_id:
            market.cancel(self.order_id)
        self.side = 0
        market.wake_after(int(market.exponential(1e9 / self.rate_hz)))
