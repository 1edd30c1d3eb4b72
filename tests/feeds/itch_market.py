"""A market of random orders in several stocks that writes down what it does as ITCH 5.0 messages, every kind that moves a book among them."""
import random

from made_files import SECOND_NS, itch

from lob.messages import Side

CENT = 100


class ItchMarket:
    """queues: by stock, side and price {reference: shares}, first in line first."""

    def __init__(self, seed, stocks=("TEST", "OTHER")):
        self.random, self.stocks = random.Random(seed), stocks
        self.queues = {stock: {Side.BUY: {}, Side.SELL: {}} for stock in stocks}
        self.next_ref, self.time_ns = 1, SECOND_NS

    def messages(self, count):
        """Return so many messages, each at a time of its own, after those that open the day."""
        opening = [itch("S", locate=0, event="O")]
        for locate, stock in enumerate(self.stocks, 1):
            opening += [itch("R", locate=locate, stock=stock), itch("H", locate=locate, stock=stock, state="T")]
        return opening + [self.message() for _ in range(count)]

    def message(self):
        self.time_ns += self.random.randint(1, 10**6)
        locate = self.random.randint(1, len(self.stocks))
        stock = self.stocks[locate - 1]
        orders = [order for side in Side for order in self.orders(stock, side)]
        kinds = "AFAFAPQ" if len(orders) < 10 else "AAAFFEEECCXXDDDUUUPQ"
        kind = self.random.choice(kinds)
        return itch(kind, self.time_ns, locate, **getattr(self, f"_{kind}")(stock, orders))

    def orders(self, stock, side):
        """Return [(side, price, reference)] of a side, best first, first in line first."""
        prices = sorted(self.queues[stock][side], reverse=side == Side.BUY)
        return [(side, price, ref) for price in prices for ref in self.queues[stock][side][price]]

    def _new(self, stock, side):
        """Let an order in that does not cross the book; return its reference, shares and price."""
        others = self.queues[stock][-side]
        touch = (min(others) if side == Side.BUY else max(others)) if others else 10_000 * CENT
        ref, shares, price = self.next_ref, self.random.randint(1, 900), touch - side * CENT * self.random.randint(1, 12)
        self.next_ref += 1
        self.queues[stock][side].setdefault(price, {})[ref] = shares
        return ref, shares, price

    def _take(self, stock, order, shares):
        side, price, ref = order
        queue = self.queues[stock][side][price]
        queue[ref] -= shares
        if queue[ref] == 0:
            del queue[ref]
        if not queue:
            del self.queues[stock][side][price]

    def _A(self, stock, orders):
        side = self.random.choice(list(Side))
        ref, shares, price = self._new(stock, side)
        return {"ref": ref, "side": "B" if side == Side.BUY else "S", "shares": shares, "price": price, "stock": stock}

    _F = _A

    def _E(self, stock, orders):
        order = next(order for order in orders if order[0] == self.random.choice(orders)[0])  # the head of the queue at the touch
        side, price, ref = order
        shares = self.random.randint(1, self.queues[stock][side][price][ref])
        self._take(stock, order, shares)
        return {"ref": ref, "shares": shares}

    def _C(self, stock, orders):
        return self._E(stock, orders) | {"price": 9_999 * CENT, "printable": self.random.choice("YN")}

    def _X(self, stock, orders):
        side, price, ref = order = self.random.choice(orders)
        shares = self.random.randint(1, self.queues[stock][side][price][ref])
        self._take(stock, order, shares)
        return {"ref": ref, "shares": shares}

    def _D(self, stock, orders):
        side, price, ref = order = self.random.choice(orders)
        self._take(stock, order, self.queues[stock][side][price][ref])
        return {"ref": ref}

    def _U(self, stock, orders):
        old = self.random.choice(orders)
        self._D(stock, [old])
        ref, shares, price = self._new(stock, old[0])
        return {"ref": old[2], "new_ref": ref, "shares": shares, "price": price}

    def _P(self, stock, orders):
        return {"shares": self.random.randint(1, 900), "price": 10_000 * CENT, "stock": stock}

    _Q = _P
