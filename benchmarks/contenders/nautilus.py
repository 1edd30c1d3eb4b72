"""nautilus_trader's OrderBook: a market-by-order book in Rust.

It keeps a book and does not match the orders in it, so it is given every change of the book that the messages make, as its own objects, made before the clock
starts, a batch a call: the fastest of the ways that it offers.
"""
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import BookOrder, OrderBookDelta, OrderBookDeltas
from nautilus_trader.model.enums import BookAction, BookType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price, Quantity

from contenders import ADD, CHANGE, DELETE, Contender, Outcome, columns, levels_of

INSTRUMENT = InstrumentId.from_str("STREAM.LOB")
ACTIONS = {ADD: BookAction.ADD, CHANGE: BookAction.UPDATE, DELETE: BookAction.DELETE}
SIDES = {1: OrderSide.BUY, -1: OrderSide.SELL}
BATCH = 4_096


def deltas_of(updates):
    deltas = [
        OrderBookDelta(INSTRUMENT, ACTIONS[op], BookOrder(SIDES[side], Price(price_ticks, 0), Quantity(lots, 0), order_id), 0, 0, 0, 0)
        for op, order_id, side, price_ticks, lots in columns(updates, "op", "order_id", "side", "price_ticks", "lots")
    ]
    return [OrderBookDeltas(INSTRUMENT, deltas[start:start + BATCH]) for start in range(0, len(deltas), BATCH)]


class Nautilus(Contender):
    name, package, does = "nautilus_trader OrderBook", "nautilus_trader", "keeps a book"
    how = f"every change of the book that the messages make, {BATCH:,} a call of apply_deltas"

    def __init__(self, stream):
        self.book = OrderBook(INSTRUMENT, BookType.L3_MBO)
        self.batches = deltas_of(stream.warm_updates)
        self.run()
        self.batches = deltas_of(stream.updates)

    def run(self):
        for batch in self.batches:
            self.book.apply_deltas(batch)

    def outcome(self):
        queues = {
            (sign, int(level.price)): [(order.order_id, int(order.size)) for order in level.orders()]
            for sign, levels in ((1, self.book.bids()), (-1, self.book.asks())) for level in levels
        }
        return Outcome(queues=queues, levels=levels_of(queues), touch=(int(self.book.best_bid_price()), int(self.book.best_ask_price())))


CONTENDERS = (Nautilus,)
