"""The window: the market as plain Python sees it, over the same memory and through the same functions as native code.

Owns the public faces of the market, of a report, of a trade and of a touch; what each number means is `market`'s.
"""
from operator import index

import numpy as np

from lob.jit import jit
from lob.messages import limit_fields, market_fields
from lob.simulation import inbox, outbox, own_orders
from lob.simulation import market as native
from lob.simulation.arguments import peg_flag
from lob.simulation.market import BUY, CANCEL, GTC, LIMIT, MARKET, MARKET_FIELDS, NOTICE_FIELDS, REPLACE, SELL, TOUCH_FIELDS, TRADE_FIELDS
from lob.simulation.world import AGENT, NOTICE, TOUCH, TOUCHES, TRADE, TRADES, touch_at, trade_at


def _whole(name, value):
    """Return a number as an integer; TypeError if it is none, OverflowError if 64 bits do not hold it."""
    try:
        number = index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, was {value!r}") from None
    if not -(2**63) <= number < 2**63:
        raise OverflowError(f"{name} must fit 64 bits, was {value!r}")
    return number


@jit
def _trade_words(address, i):
    trade = trade_at(native.entry_back(address, TRADES, i), 0)
    return trade.time_ns, trade.price_ticks, trade.lots, trade.side, trade.kind


@jit
def _touch_words(address, i):
    touch = touch_at(native.entry_back(address, TOUCHES, i), 0)
    return touch.time_ns, touch.best_bid_ticks, touch.best_ask_ticks, touch.best_bid_lots, touch.best_ask_lots


class _Window:
    """Read-only words of a record at an address."""

    __slots__ = ("_words",)

    def __init__(self, words):
        self._words = words


def _word_property(record, name):
    i = record.fields[name][1] // 8
    return property(lambda window: window._words[i])


class Notice(_Window):
    """A report that has reached an agent: of an order (on_accepted, on_done, on_rejected) or of a fill (on_fill).

    id: the agent's own order. time_ns: when it happened at the exchange. lots: traded, accepted or taken off. open_lots: left of the order.
    lots_ahead: in front of it when it was accepted. reason: RejectReason or CancelReason. is_maker: whether its order rested and another came to it; in a
    call auction nobody is a maker. kind: ReportKind. action: what was asked. fee_microticks: of a fill, what the agent pays; below zero it is paid.
    """

    __slots__ = ()


class Trade(_Window):
    """A public trade: time_ns, price_ticks, lots, side (of the aggressor), kind (FILL, or PRINT for a recorded one off the displayed book)."""

    __slots__ = ()


class Touch(_Window):
    """The touch from time_ns on: best_bid_ticks, best_ask_ticks, best_bid_lots, best_ask_lots."""

    __slots__ = ()


class Market(_Window):
    """What an agent can see and do.

    Read: now_ns; the touch and the last trade as the agent's feed shows them (best_bid_ticks, best_ask_ticks, best_bid_lots, best_ask_lots, last_trade_ticks,
    last_trade_lots, last_trade_side; 0 where there is none), mid_ticks (nan without both sides), opening_ticks; inventory_lots, cash (ticks x lots) and
    fees_microticks (paid), as far as its reports have arrived; venue and venue_count: which of the agent's venues this is, 0 the first, and how many it has.
    All is of this one venue but the timer, the random stream and the fundamental, which are the agent's.
    Order prices are ticks, order sizes lots, times nanoseconds.
    """

    __slots__ = ("_address", "_markets")

    def __init__(self, record, markets):
        super().__init__(memoryview(record.view(np.int64)))
        self._address, self._markets = record.ctypes.data, markets

    @classmethod
    def _each(cls, records):
        """Return the markets of one agent, from its AGENT records in the order of its venues."""
        markets = []
        markets += [cls(record, markets) for record in records]
        return markets

    def at(self, venue):
        """Return the market of one of the agent's venues, 0 being the first, as it has reached the agent by now. Ask for it anew in each hook."""
        venue = _whole("venue", venue)
        inbox.at_venue(self._address, venue)
        return self._markets[venue]

    def _of_order(self, order_id):
        """Return the address of the agent's record at the venue of an order, and its id as a whole number."""
        order_id = _whole("order_id", order_id)
        return outbox.at_order(self._address, order_id), order_id

    @property
    def mid_ticks(self):
        """The mid of the touch as the feed shows it, nan where a side is empty."""
        bid, ask = self.best_bid_ticks, self.best_ask_ticks
        return (bid + ask) * 0.5 if bid and ask else np.nan

    @property
    def mark_to_mid(self):
        """Cash and inventory at the mid, in ticks x lots, before fees; nan with an inventory and no mid."""
        return self.cash + self.inventory_lots * self.mid_ticks if self.inventory_lots else float(self.cash)

    @property
    def trade_count(self):
        """How many trades the feed has shown since the beginning."""
        return native.seen_count(self._address, TRADES)

    @property
    def touch_count(self):
        """How many changes of the touch the feed has shown since the beginning."""
        return native.seen_count(self._address, TOUCHES)

    @property
    def open_order_count(self):
        """How many of its orders are open: accepted and not done, as far as reports have arrived."""
        return own_orders.open_order_count(self._address)

    def _enter(self, action, side, price_ticks, lots, post_only, tif):
        return outbox.enter(
            self._address, action, _whole("side", side), _whole("price_ticks", price_ticks), _whole("lots", lots), bool(post_only), _whole("tif", tif),
        )

    def _enter_ruled(self, action, side, price_ticks, lots, kind):
        names = ("expiry_ns", "display_lots", "trigger_ticks", "min_lots", "offset_ticks")
        numbers = [_whole(name, kind.get(name, 0)) for name in names]
        tif, flags = _whole("tif", kind.get("tif", GTC)), int(kind["flags"])
        return outbox.enter_ruled(self._address, action, _whole("side", side), _whole("price_ticks", price_ticks), _whole("lots", lots), tif, flags, *numbers)

    def limit(self, side, price_ticks, lots, post_only=False, tif=GTC, slide=False, expiry_ns=None, display_lots=None, hidden=False, trigger_ticks=None,
              min_lots=None, peg=None, offset_ticks=0):
        """Send a limit order; return its id at once. What becomes of it arrives by reports. The kinds are those of docs/rules.md."""
        if slide or hidden or offset_ticks or not (expiry_ns is display_lots is trigger_ticks is min_lots is peg is None):
            peg_flag(peg)  # raises for what is none
            kind = limit_fields(tif, post_only, slide, expiry_ns, display_lots, hidden, trigger_ticks, min_lots, peg, offset_ticks)
            return self._enter_ruled(LIMIT, side, price_ticks, lots, kind)
        return self._enter(LIMIT, side, price_ticks, lots, post_only, tif)

    def buy(self, price_ticks, lots, post_only=False, tif=GTC, slide=False, expiry_ns=None, display_lots=None, hidden=False, trigger_ticks=None,
            min_lots=None, peg=None, offset_ticks=0):
        """Send a limit order to buy; return its id. As `limit`."""
        return self.limit(BUY, price_ticks, lots, post_only, tif, slide, expiry_ns, display_lots, hidden, trigger_ticks, min_lots, peg, offset_ticks)

    def sell(self, price_ticks, lots, post_only=False, tif=GTC, slide=False, expiry_ns=None, display_lots=None, hidden=False, trigger_ticks=None,
             min_lots=None, peg=None, offset_ticks=0):
        """Send a limit order to sell; return its id. As `limit`."""
        return self.limit(SELL, price_ticks, lots, post_only, tif, slide, expiry_ns, display_lots, hidden, trigger_ticks, min_lots, peg, offset_ticks)

    def market_order(self, side, lots, to_limit=False, trigger_ticks=None):
        """Send a market order; return its id."""
        if to_limit or trigger_ticks is not None:
            return self._enter_ruled(MARKET, side, 0, lots, market_fields(to_limit, trigger_ticks))
        return self._enter(MARKET, side, 0, lots, False, GTC)

    def cancel(self, order_id, lots=0):
        """Send a cancel of an order, or of at most so many of its lots."""
        outbox.change(self._address, CANCEL, _whole("order_id", order_id), 0, _whole("lots", lots), False)

    def cancel_all(self, side=0, low_ticks=0, high_ticks=0):
        """Send a mass cancel: of all own orders of a side or of both (0), with prices from low_ticks to high_ticks (0 and 0: at any)."""
        outbox.cancel_all(self._address, _whole("side", side), _whole("low_ticks", low_ticks), _whole("high_ticks", high_ticks))

    def replace(self, order_id, price_ticks, lots, post_only=False):
        """Send a replace: a new price and new open lots."""
        outbox.change(
            self._address, REPLACE, _whole("order_id", order_id), _whole("price_ticks", price_ticks), _whole("lots", lots), bool(post_only),
        )

    def wake_at(self, time_ns):
        """Set the agent's one timer: on_timer comes at time_ns, and not at a time set before."""
        outbox.set_timer(self._address, int(time_ns))

    def wake_after(self, delay_ns):
        """Set the agent's one timer to delay_ns from now."""
        outbox.set_timer(self._address, int(self.now_ns + delay_ns))

    def fundamental_ticks(self, delay_ns=0):
        """Return the fundamental value as it stood delay_ns ago; only for a class with sees_fundamental = True."""
        return native.fundamental_ticks(self._address, delay_ns)

    def trade(self, i=0):
        """Return the i-th last Trade that the feed has shown, 0 being the last one, 63 at most; all zeros where there is none."""
        return Trade(_trade_words(self._address, _whole("i", i)))

    def touch(self, i=0):
        """Return the Touch i changes ago as the feed shows it, 0 being the one now, 63 at most; all zeros where there is none."""
        return Touch(_touch_words(self._address, _whole("i", i)))

    def depth_ticks(self, side, level=0):
        """Return the price of a side's level-th occupied price as the feed shows it, 0 being the best; 0 where there is none."""
        return native.depth_ticks(self._address, _whole("side", side), _whole("level", level))

    def depth_lots(self, side, level=0):
        """Return the lots at a side's level-th occupied price as the feed shows them."""
        return native.depth_lots(self._address, _whole("side", side), _whole("level", level))

    def lots_at(self, side, price_ticks):
        """Return the lots of a side at a price as the feed shows them."""
        return native.lots_at(self._address, _whole("side", side), _whole("price_ticks", price_ticks))

    def open_order_id(self, i):
        """Return the id of the i-th of its open orders, 0 being the oldest; 0 where there is none."""
        return own_orders.order_id_at(self._address, _whole("i", i))

    def open_order_side(self, order_id):
        """Return the side of an open order; 0 if it is not known to be open."""
        return own_orders.order_fact(*self._of_order(order_id), 0)

    def open_order_ticks(self, order_id):
        """Return the price of an open order; 0 if it is not known to be open."""
        return own_orders.order_fact(*self._of_order(order_id), 1)

    def open_order_lots(self, order_id):
        """Return the open lots of an open order; 0 if it is not known to be open."""
        return own_orders.order_fact(*self._of_order(order_id), 2)

    def order_lots_ahead(self, order_id):
        """Return the most lots that can be ahead of an open order, as of the feed's time; -1 where nothing is known. docs/agents.md has the rule."""
        return own_orders.order_lots_ahead(*self._of_order(order_id))

    def uniform(self, low=0.0, high=1.0):
        """Draw a float in [low, high)."""
        return low + (high - low) * native.uniform(self._address)

    def normal(self, mean=0.0, deviation=1.0):
        """Draw a normal number."""
        return mean + deviation * native.normal(self._address)

    def exponential(self, mean=1.0):
        """Draw an exponential number with a mean."""
        return native.exponential(self._address, mean)

    def integers(self, low, high):
        """Draw an integer in [low, high)."""
        return native.integers(self._address, _whole("low", low), _whole("high", high))

    def power_law(self, alpha, minimum=1.0):
        """Draw a float x >= minimum with P(X > x) = (minimum / x)^alpha."""
        return native.power_law(self._address, alpha, minimum)


for _window, _record, _fields in (
    (Market, AGENT, MARKET_FIELDS), (Notice, NOTICE, NOTICE_FIELDS), (Trade, TRADE, TRADE_FIELDS), (Touch, TOUCH, TOUCH_FIELDS),
):
    for _name in _fields:
        setattr(_window, _name, _word_property(_record, _name))
