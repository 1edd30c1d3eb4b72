"""PlainBook: plain orders in price-time priority, in plain Python: the ground on which ReferenceBook puts the rules of a venue and ReferenceHistory those of a
recorded day. Where the engine and this file differ, this file is the specification.

Owns its own orders and price levels: a sorted dict of levels on each side, a dict of orders in arrival order at each level. Shares nothing
with the engine but the records of `messages`. Knows no clock, no agent and no recorded day. Written to be read: about ten microseconds a request.

A request is a tuple with the fields of REQUEST, a row a tuple with the fields of REPORT. `apply` turns the one into a list of the other.
"""
from collections import OrderedDict, namedtuple

import numpy as np
from sortedcontainers import SortedDict

from lob.exchange.inputs import checked_count, checked_side
from lob.messages import LOTS_MAX, NOBODY, PRICE_MAX_TICKS, REPORT, REQUEST, Action, CancelReason, Flag, RejectReason, ReportKind, Side, TimeInForce

Request = namedtuple("Request", REQUEST.names, defaults=[0] * len(REQUEST.names))
Row = namedtuple("Row", REPORT.names, defaults=[0] * len(REPORT.names))

DEPTH = np.dtype([("price_ticks", "i8"), ("lots", "i8"), ("orders", "i8")])
QUEUED = np.dtype([("order_id", "i8"), ("owner", "i4"), ("lots", "i4")], align=True)

# The worst price that a market order accepts: any.
MARKET_LIMIT_TICKS = {Side.BUY: PRICE_MAX_TICKS, Side.SELL: 1}


def repeated(request, **fields):
    """Return a Row with the fields of a request that a row has too, and others."""
    return Row(**{name: value for name, value in request._asdict().items() if name in Row._fields}, **fields)


class Order:
    """An order that rests, or that is on its way through the book."""

    __slots__ = ("order_id", "owner", "side", "price_ticks", "open_lots")

    def __init__(self, request, side, price_ticks):
        self.order_id = request.order_id
        self.owner = request.owner
        self.side = side
        self.price_ticks = price_ticks
        self.open_lots = request.lots

    @property
    def key(self):
        return self.owner, self.order_id


class Level:
    """The orders at one price, first in line first, and the sum of their lots."""

    __slots__ = ("orders", "lots")

    def __init__(self):
        self.orders = OrderedDict()
        self.lots = 0


class PlainBook:
    """A price-time book with the face of OrderBook, slow and plain, that refuses whatever is not a plain request.

    replace_keeps_place: whether a replace at the same price that does not add lots keeps its place in the queue. Without it every replace goes to the back.
    book: the number that a request must carry to be meant for this book.
    """

    def __init__(self, replace_keeps_place=True, book=0):
        self.replace_keeps_place = replace_keeps_place
        self.number = book
        self.sequence = 0  # of the next row
        self.orders = {}   # (owner, order_id) -> Order that rests
        # Keyed by -side * price, so that the first level of either side is its best.
        self.levels = {Side.BUY: SortedDict(), Side.SELL: SortedDict()}

    # Requests

    def limit(self, side, price_ticks, lots, order_id, owner=NOBODY, tif=TimeInForce.GTC, post_only=False):
        """Send a limit order; return its rows, REPORT[n]."""
        flags = Flag.POST_ONLY if post_only else 0
        return self._ask(action=Action.LIMIT, side=side, price_ticks=price_ticks, lots=lots, order_id=order_id, owner=owner, tif=tif, flags=flags)

    def market(self, side, lots, order_id, owner=NOBODY):
        """Send a market order; return its rows, REPORT[n]."""
        return self._ask(action=Action.MARKET, side=side, lots=lots, order_id=order_id, owner=owner)

    def cancel(self, order_id, owner=NOBODY, lots=0):
        """Take the order off, or at most `lots` of it if given; return the rows, REPORT[n]."""
        return self._ask(action=Action.CANCEL, lots=lots, order_id=order_id, owner=owner)

    def replace(self, order_id, price_ticks, lots, owner=NOBODY, post_only=False):
        """Give the order a new price and new open lots; return the rows, REPORT[n]."""
        flags = Flag.POST_ONLY if post_only else 0
        return self._ask(action=Action.REPLACE, price_ticks=price_ticks, lots=lots, order_id=order_id, owner=owner, flags=flags)

    def send(self, request):
        """Return the rows, REPORT[n], that answer one request (a REQUEST record, or an array that holds one)."""
        return self.send_many(np.asarray(request, dtype=REQUEST).reshape(1))

    def send_many(self, requests):
        """Return the rows, REPORT[m], that answer REQUEST[n], each applied after the one before it."""
        rows = []
        for request in np.asarray(requests, dtype=REQUEST).tolist():
            rows += self.apply(request)
        return np.array(rows, dtype=REPORT)

    def apply(self, request):
        """Return the list of rows (tuples in REPORT order) that answer one request (a tuple in REQUEST order)."""
        request = Request._make(request)
        reason = self._refusal(request)
        if reason:
            rows = [self._rejected(request, reason)]
        elif request.action == Action.LIMIT:
            rows = self._limit(request)
        elif request.action == Action.MARKET:
            rows = self._market(request)
        elif request.action == Action.CANCEL:
            rows = self._cancel(request)
        else:
            rows = self._replace(request)
        rows[-1] = rows[-1]._replace(flags=rows[-1].flags | Flag.LAST)
        return rows

    def _ask(self, **fields):
        return self.send(np.array(Request(book=self.number, **fields), dtype=REQUEST))

    # The rules

    def _refusal(self, request):
        """Return the first RejectReason that holds, NONE for a valid request. A field that the action does not use is never looked at."""
        action, is_post_only = request.action, request.flags == Flag.POST_ONLY
        is_limit = action == Action.LIMIT
        is_new = is_limit or action == Action.MARKET
        has_price = is_limit or action == Action.REPLACE
        if action > Action.STATUS:
            return RejectReason.UNKNOWN_ACTION
        if action > Action.REPLACE:
            return RejectReason.NOT_IN_RECORDED_DAY
        if request.book != self.number:
            return RejectReason.UNKNOWN_BOOK
        if request.owner < 0:
            return RejectReason.OWNER_OUT_OF_RANGE
        if request.order_id < 1:
            return RejectReason.ORDER_ID_OUT_OF_RANGE
        if is_new and request.side not in (1, -1):
            return RejectReason.UNKNOWN_SIDE
        if is_limit and request.tif > TimeInForce.FOK:
            return RejectReason.UNKNOWN_TIME_IN_FORCE
        if action == Action.MARKET and request.flags & (Flag.STOP | Flag.TO_LIMIT):
            return RejectReason.UNKNOWN_FLAG
        if has_price and request.flags not in (0, Flag.POST_ONLY):
            return RejectReason.UNKNOWN_FLAG
        if is_limit and is_post_only and request.tif != TimeInForce.GTC:
            return RejectReason.UNKNOWN_FLAG
        if has_price and not 1 <= request.price_ticks <= PRICE_MAX_TICKS:
            return RejectReason.PRICE_OUT_OF_RANGE
        lots_min = 0 if action == Action.CANCEL else 1
        if not lots_min <= request.lots <= LOTS_MAX:
            return RejectReason.LOTS_OUT_OF_RANGE
        order = self.orders.get((request.owner, request.order_id))
        if is_new and order is not None:
            return RejectReason.DUPLICATE_ORDER_ID
        if not is_new and order is None:
            return RejectReason.UNKNOWN_ORDER
        side = request.side if is_new else order.side
        if has_price and is_post_only and self._crosses(side, request.price_ticks):
            return RejectReason.WOULD_CROSS
        return RejectReason.NONE

    def _limit(self, request):
        order = Order(request, request.side, request.price_ticks)
        lots_ahead = self.lots_at(order.side, order.price_ticks) if request.tif == TimeInForce.GTC else 0
        rows = [self._row(request, ReportKind.ACCEPTED, order, lots=order.open_lots, lots_ahead=lots_ahead, flags=request.flags)]
        if request.tif == TimeInForce.FOK and not self._can_fill_whole(order):
            return rows + [self._cancelled(request, order, CancelReason.FILL_OR_KILL)]
        rows += self._match(request, order, order.price_ticks)
        if order.open_lots and request.tif == TimeInForce.GTC:
            self._rest(order)
        elif order.open_lots:
            rows.append(self._cancelled(request, order, CancelReason.UNFILLED))
        return rows

    def _market(self, request):
        order = Order(request, request.side, 0)
        rows = [self._row(request, ReportKind.ACCEPTED, order, lots=order.open_lots)]
        rows += self._match(request, order, MARKET_LIMIT_TICKS[order.side])
        if order.open_lots:
            rows.append(self._cancelled(request, order, CancelReason.UNFILLED))
        return rows

    def _cancel(self, request):
        order = self.orders[request.owner, request.order_id]
        if 0 < request.lots < order.open_lots:
            self._take_lots(order, request.lots)
            return [self._row(request, ReportKind.REDUCED, order, lots=request.lots)]
        self._take_off(order)
        return [self._cancelled(request, order, CancelReason.ASKED)]

    def _replace(self, request):
        order = self.orders[request.owner, request.order_id]
        # A replace that only shrinks keeps its place in the queue; any other change goes to the back.
        if self.replace_keeps_place and request.price_ticks == order.price_ticks and request.lots <= order.open_lots:
            lots = order.open_lots - request.lots
            self._take_lots(order, lots)
            return [self._row(request, ReportKind.REDUCED, order, lots=lots)]
        self._take_off(order)
        rows = [self._cancelled(request, order, CancelReason.REPLACED)]
        order = Order(request, order.side, request.price_ticks)
        lots_ahead = self.lots_at(order.side, order.price_ticks)
        rows.append(self._row(request, ReportKind.REPLACED, order, lots=order.open_lots, lots_ahead=lots_ahead, flags=request.flags))
        rows += self._match(request, order, order.price_ticks)
        if order.open_lots:
            self._rest(order)
        return rows

    def _match(self, request, taker, limit_ticks):
        """Trade the taker with the other side, best price first and first in line first, and return the FILL rows."""
        rows = []
        while taker.open_lots and self._crosses(taker.side, limit_ticks):
            _, level = self.levels[-taker.side].peekitem(0)
            maker = next(iter(level.orders.values()))
            lots = min(taker.open_lots, maker.open_lots)
            taker.open_lots -= lots
            self._take_lots(maker, lots)
            rows.append(self._fill(request, taker, maker, lots, level.lots))
        return rows

    def _crosses(self, side, price_ticks):
        """Whether an order at this price would trade with the best order of the other side."""
        best_ticks = self._best_ticks(-side)
        return best_ticks is not None and side * (price_ticks - best_ticks) >= 0

    def _can_fill_whole(self, order):
        reachable_lots = 0
        for key, level in self.levels[-order.side].items():
            price_ticks = order.side * key
            if reachable_lots >= order.open_lots or order.side * (order.price_ticks - price_ticks) < 0:
                break
            reachable_lots += level.lots
        return reachable_lots >= order.open_lots

    # Who rests where

    def _rest(self, order):
        """Put the order at the back of the queue of its price."""
        level = self.levels[order.side].setdefault(-order.side * order.price_ticks, Level())
        level.orders[order.key] = order
        level.lots += order.open_lots
        self.orders[order.key] = order

    def _take_lots(self, order, lots):
        """Take lots from an order that rests; it leaves when none are left."""
        level = self._level(order.side, order.price_ticks)
        order.open_lots -= lots
        level.lots -= lots
        if order.open_lots == 0:
            del self.orders[order.key]
            del level.orders[order.key]
        if not level.orders:
            del self.levels[order.side][-order.side * order.price_ticks]

    def _take_off(self, order):
        """Take the order off the book. It remembers how many lots it had."""
        open_lots = order.open_lots
        self._take_lots(order, open_lots)
        order.open_lots = open_lots

    def _level(self, side, price_ticks):
        return self.levels[side].get(-side * price_ticks)

    def _best_ticks(self, side):
        levels = self.levels[side]
        return -side * levels.peekitem(0)[0] if levels else None

    # Rows

    def _row(self, request, kind, order, **fields):
        """Return the next row of the tape. Price and open lots are those of the order unless a field says otherwise."""
        fields = {"price_ticks": order.price_ticks, "open_lots": order.open_lots} | fields
        tif = request.tif if request.action == Action.LIMIT else 0
        return Row(
            time_ns=request.time_ns, sequence=self._next_sequence(), sent_ns=request.sent_ns, order_id=order.order_id, owner=order.owner,
            book=self.number, kind=kind, action=request.action, side=order.side, tif=tif, **fields,
        )

    def _fill(self, request, taker, maker, lots, level_lots):
        """Return the row of a trade at the resting order's price, after it has happened."""
        return self._row(
            request, ReportKind.FILL, taker, price_ticks=maker.price_ticks, lots=lots, level_lots=level_lots,
            resting_id=maker.order_id, resting_owner=maker.owner, resting_open_lots=maker.open_lots,
        )

    def _cancelled(self, request, order, reason):
        """Return the row that says that what was open of the order is gone."""
        return self._row(request, ReportKind.CANCELLED, order, lots=order.open_lots, open_lots=0, reason=reason)

    def _rejected(self, request, reason):
        """Return the row that says that nothing happened; it repeats the request."""
        return repeated(request, sequence=self._next_sequence(), kind=ReportKind.REJECTED, reason=reason)

    def _next_sequence(self):
        self.sequence += 1
        return self.sequence - 1

    # What can be seen

    @property
    def best_bid_ticks(self):
        """The highest price that someone bids, None when nobody does."""
        return self._best_ticks(Side.BUY)

    @property
    def best_ask_ticks(self):
        """The lowest price that someone asks, None when nobody does."""
        return self._best_ticks(Side.SELL)

    @property
    def order_count(self):
        """How many orders rest."""
        return len(self.orders)

    def depth(self, side, levels=10):
        """Return the best levels of a side, best first: DEPTH[n], n <= levels."""
        first = list(self.levels[checked_side(side)].items())[:checked_count("levels", levels)]
        return np.array([(-side * key, level.lots, len(level.orders)) for key, level in first], dtype=DEPTH)

    def lots_at(self, side, price_ticks):
        """Return how many lots rest at a price."""
        level = self._level(checked_side(side), price_ticks)
        return level.lots if level else 0

    def lots_between(self, side, low_ticks, high_ticks):
        """Return the lots of one side at prices from low to high, both included; none if high is below low."""
        return sum(level.lots for key, level in self.levels[checked_side(side)].items() if low_ticks <= -side * key <= high_ticks)

    def order_count_at(self, side, price_ticks):
        """Return how many orders of one side are displayed at a price."""
        return len(self.orders_at(side, price_ticks))

    def level(self, side, n):
        """Return (price_ticks, lots) of a side's n-th occupied price, 0 being the best; None if there are not so many."""
        found = list(self.levels[checked_side(side)].items())[checked_count("n", n):][:1]
        return (-side * found[0][0], found[0][1].lots) if found else None

    def queue_ahead(self, order_id, owner=NOBODY):
        """Return how many lots are in front of an order at its price, None if it does not rest."""
        order = self.orders.get((owner, order_id))
        if order is None:
            return None
        queue = list(self._level(order.side, order.price_ticks).orders.values())
        return sum(ahead.open_lots for ahead in queue[:queue.index(order)])

    def orders_at(self, side, price_ticks):
        """Return the orders of one side at a price, first in line first: QUEUED[n]."""
        level = self._level(checked_side(side), price_ticks)
        queue = level.orders.values() if level else []
        return np.array([(order.order_id, order.owner, order.open_lots) for order in queue], dtype=QUEUED)

    def check(self):
        """Assert what must hold after every request: no empty order or level, sums that add up, a book that is not crossed."""
        resting = {}
        for side, levels in self.levels.items():
            for key, level in levels.items():
                assert level.orders and level.lots == sum(order.open_lots for order in level.orders.values())
                for order in level.orders.values():
                    assert order.open_lots > 0 and order.side == side and order.price_ticks == -side * key
                resting.update(level.orders)
        assert resting == self.orders
        assert not self.levels[Side.BUY] or not self._crosses(Side.BUY, self.best_bid_ticks)
