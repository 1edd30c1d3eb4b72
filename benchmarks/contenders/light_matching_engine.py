"""lightmatchingengine: a matching engine in pure Python, price levels in dicts of lists.

It numbers orders itself, one by one, so a cancel's number is known before the clock starts.
"""
import numpy as np
from lightmatchingengine.lightmatchingengine import LightMatchingEngine, Side

from contenders import Contender, Outcome, columns, levels_of
from lob.messages import Action

BOOK = "stream"
MARKET_PRICE = 0


class LightMatching(Contender):
    name, package, does = "lightmatchingengine", "lightmatchingengine", "matches"
    how = "add_order or cancel_order for each message, all trades kept"

    def __init__(self, stream):
        self.engine, self.trades = LightMatchingEngine(), []
        requests = np.concatenate([stream.warm, stream.timed])
        is_order = requests["action"] != Action.CANCEL
        self.ids = dict(zip(np.cumsum(is_order)[is_order].tolist(), requests["order_id"][is_order].tolist(), strict=True))
        numbers = {order_id: number for number, order_id in self.ids.items()}
        side = {1: Side.BUY, -1: Side.SELL, 0: None}
        messages = [
            (numbers[order_id], None, None) if action == Action.CANCEL else (price_ticks if action == Action.LIMIT else MARKET_PRICE, lots, side[of])
            for action, price_ticks, lots, of, order_id in columns(requests, "action", "price_ticks", "lots", "side", "order_id")
        ]
        self._send(messages[:len(stream.warm)])
        self.trades, self.messages = [], messages[len(stream.warm):]

    def run(self):
        self._send(self.messages)

    def _send(self, messages):
        add, cancel, keep = self.engine.add_order, self.engine.cancel_order, self.trades.append
        for price_or_id, lots, side in messages:
            if side is None:
                cancel(price_or_id, BOOK)
            else:
                order, trades = add(BOOK, price_or_id, lots, side)
                if trades:
                    keep((order.order_id, trades))

    def outcome(self):
        # Of each match it tells both sides: the aggressor once a level, and every resting order.
        fills = [trade for order_id, trades in self.trades for trade in trades if trade.order_id != order_id]
        book = self.engine.order_books[BOOK]
        queues = {
            (sign, price_ticks): [(self.ids[order.order_id], order.leaves_qty) for order in queue]
            for sign, levels in ((1, book.bids), (-1, book.asks)) for price_ticks, queue in levels.items()
        }
        touch = max(book.bids, default=None), min(book.asks, default=None)
        return Outcome(len(fills), sum(trade.trade_qty for trade in fills), queues, levels_of(queues), touch)


CONTENDERS = (LightMatching,)
