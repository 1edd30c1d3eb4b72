"""hftbacktest: a backtester that replays market-by-order rows through a book of its own in Rust, with its queue model for the orders of a strategy, here none.

It replays a book and does not match the orders in it, so it is given every change of the book that the messages make. It keeps two books, the exchange's and
the one that the strategy sees; of the latter it shows the lots at each price.
"""
import numpy as np
from hftbacktest import BacktestAsset, ROIVectorMarketDepthBacktest
from hftbacktest.types import ADD_ORDER_EVENT, BUY_EVENT, CANCEL_ORDER_EVENT, EXCH_EVENT, LOCAL_EVENT, MODIFY_ORDER_EVENT, SELL_EVENT, event_dtype

from contenders import ADD, CHANGE, DELETE, Contender, Outcome

EVENTS = np.zeros(3, np.uint64)
EVENTS[[ADD, CHANGE, DELETE]] = ADD_ORDER_EVENT, MODIFY_ORDER_EVENT, CANCEL_ORDER_EVENT
TIMED_FROM_NS = 10**12


def events_of(updates, start_ns):
    """Return updates as rows of a feed, a nanosecond apart, that exchange and strategy see at once."""
    events = np.zeros(len(updates), event_dtype)
    events["ev"] = EVENTS[updates["op"]] | np.where(updates["side"] > 0, BUY_EVENT, SELL_EVENT).astype(np.uint64) | np.uint64(EXCH_EVENT | LOCAL_EVENT)
    events["exch_ts"] = events["local_ts"] = start_ns + np.arange(len(updates))
    events["px"], events["qty"], events["order_id"] = updates["price_ticks"], updates["lots"], updates["order_id"]
    return events


class HftBacktest(Contender):
    name, package, does = "hftbacktest, L3 replay", "hftbacktest", "keeps a book"
    how = "every change of the book that the messages make, one call of elapse; compiled before"

    def __init__(self, stream):
        prices = np.concatenate([stream.warm_updates["price_ticks"], stream.updates["price_ticks"]])
        self.prices = range(int(prices.min()), int(prices.max()) + 1)
        self.events = np.concatenate([events_of(stream.warm_updates, 1), events_of(stream.updates, TIMED_FROM_NS)])
        asset = BacktestAsset().data([self.events]).linear_asset(1.0).constant_order_latency(0, 0).l3_fifo_queue_model().no_partial_fill_exchange()
        asset = asset.trading_value_fee_model(0, 0).tick_size(1.0).lot_size(1.0).roi_lb(float(self.prices[0] - 1)).roi_ub(float(self.prices[-1] + 1))
        self.backtest = ROIVectorMarketDepthBacktest([asset])
        self.backtest.elapse(TIMED_FROM_NS - 1)

    def run(self):
        self.backtest.elapse(2 * len(self.events))

    def outcome(self):
        depth = self.backtest.depth(0)
        lots = {(side, price): int(of(price)) for side, of in ((1, depth.bid_qty_at_tick), (-1, depth.ask_qty_at_tick)) for price in self.prices}
        seen = Outcome(levels={place: count for place, count in lots.items() if count}, touch=(int(depth.best_bid_tick), int(depth.best_ask_tick)))
        self.backtest.close()
        return seen


CONTENDERS = (HftBacktest,)
