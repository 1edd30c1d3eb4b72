"""order-book: two sorted dicts in C, price to whatever one keeps there; here the orders of a price, as its users keep a market-by-order book.

It keeps a book and does not match the orders in it, so it is given every change of the book that the messages make. It sorts when it is read, so a book that
nobody looks at is two plain dicts: it is timed never read, and with the touch read after every change, as whoever trades on it must.
"""
from order_book import OrderBook

from contenders import ADD, CHANGE, Contender, Outcome, columns, levels_of

FIELDS = ("op", "order_id", "side", "price_ticks", "lots")


class NeverRead(Contender):
    name, package, does = "order-book, never read", "order-book", "keeps a book"
    how = "every change of the book that the messages make, one at a time; never sorted"
    is_read = False

    def __init__(self, stream):
        self.book = OrderBook()
        self._apply(columns(stream.warm_updates, *FIELDS), is_read=False)
        self.updates = columns(stream.updates, *FIELDS)

    def run(self):
        self._apply(self.updates, self.is_read)

    def _apply(self, updates, is_read):
        bids, asks = self.book.bids, self.book.asks
        for op, order_id, side, price_ticks, lots in updates:
            levels = bids if side > 0 else asks
            if op == ADD and price_ticks not in levels:
                levels[price_ticks] = {order_id: lots}
            elif op == ADD or op == CHANGE:
                levels[price_ticks][order_id] = lots
            else:
                orders = levels[price_ticks]
                del orders[order_id]
                if not orders:
                    del levels[price_ticks]
            if is_read:
                bids.index(0), asks.index(0)

    def outcome(self):
        sides = {1: self.book.bids, -1: self.book.asks}
        queues = {(side, price_ticks): list(orders.items()) for side, levels in sides.items() for price_ticks, orders in levels.to_dict().items()}
        return Outcome(queues=queues, levels=levels_of(queues), touch=tuple(levels.index(0)[0] for levels in sides.values()))


class TouchRead(NeverRead):
    name = "order-book, touch read"
    how = "every change of the book that the messages make, one at a time; best bid and ask read after each"
    is_read = True


CONTENDERS = (NeverRead, TouchRead)
