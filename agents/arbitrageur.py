"""Arbitrageur: buys where it is cheap and sells where it is dear, at the same time, if it is fast enough.

Sources: Wah and Wellman, "Latency arbitrage, market fragmentation, and efficiency: a two-market model", ACM Conference on Electronic Commerce (2013), section
3: whoever sees both markets first trades when the bid of one is above the ask of the other. Foucault, Kozhan and Tham, "Toxic arbitrage", Review of Financial
Studies 30 (2017): where the price has moved for good, this is at the cost of those who quoted at the slower venue.
"""
from lob import Agent, TimeInForce, compiled


@compiled
class Arbitrageur(Agent):
    """Takes the best bid and the best ask of its venues when the bid is higher, with orders that rest nowhere; what one leg has missed it closes at once.

    edge_min_ticks: by how much the bid must be higher; the fees of two fills should be in it. lots_max: the most it trades at once.
    """

    role = "arbitrageur"
    positive = ("lots_max",)

    edge_min_ticks: int = 1
    lots_max: int = 10
    order_count: int = 0
    bid_ticks: int = 0
    ask_ticks: int = 0
    bid_venue: int = 0
    ask_venue: int = 0

    def on_quote(self, market):
        self.compare(market)

    def on_done(self, market, order):
        self.order_count -= 1
        self.compare(market)

    def compare(self, market):
        """Trade if there is something to gain, or to close; not while an order is on its way, since what it holds is not known then."""
        if self.order_count:
            return
        held_lots = self.find_best(market)
        if held_lots > 0 and self.bid_ticks:
            self.take(market.at(self.bid_venue), -1, self.bid_ticks, held_lots)
        elif held_lots < 0 and self.ask_ticks:
            self.take(market.at(self.ask_venue), 1, self.ask_ticks, -held_lots)
        elif held_lots == 0 and self.bid_ticks and self.ask_ticks and self.bid_ticks - self.ask_ticks >= self.edge_min_ticks:
            dear, cheap = market.at(self.bid_venue), market.at(self.ask_venue)
            lots = min(dear.best_bid_lots, cheap.best_ask_lots, self.lots_max)
            self.take(dear, -1, self.bid_ticks, lots)
            self.take(cheap, 1, self.ask_ticks, lots)

    def find_best(self, market):
        """Note the best bid and the best ask among its venues; return what it holds at all of them."""
        held_lots = 0
        self.bid_ticks, self.ask_ticks = 0, 0
        for venue in range(market.venue_count):
            there = market.at(venue)
            held_lots += there.inventory_lots
            if there.best_bid_ticks > self.bid_ticks:
                self.bid_ticks, self.bid_venue = there.best_bid_ticks, venue
            if there.best_ask_ticks and (self.ask_ticks == 0 or there.best_ask_ticks < self.ask_ticks):
                self.ask_ticks, self.ask_venue = there.best_ask_ticks, venue
        return held_lots

    def take(self, market, side, price_ticks, lots):
        """Send an order for what is there at a price, which dies if that is gone."""
        market.limit(side, price_ticks, lots, tif=TimeInForce.IOC)
        self.order_count += 1
