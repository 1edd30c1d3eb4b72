"""ReferenceHistory: the rules of a recorded day that agents trade in (the execution rule `passive`), in plain Python; the specification of history.py.

Owns what recorded rows do, what they do to agents' orders, and how agents trade inside the day. The rules that are those of the living market are
PlainBook's: the history is a PlainBook that only recorded rows change, and the agents' orders rest in another. Shares nothing with
the engine but the records of `messages`. Knows no clock and no agent.

A row of the recording is a request of owner 0. Its time in force and flags mean nothing and are never repeated.
"""
from itertools import takewhile

import numpy as np

from lob.exchange.reference_fees import Fees
from lob.exchange.reference_plain import QUEUED, Order, PlainBook, Request, repeated
from lob.messages import LOTS_MAX, NOBODY, PRICE_MAX_TICKS, Action, CancelReason, Flag, RejectReason, ReportKind, SelfTrade, anonymous_id

STATUSES = range(3)
TRADES = 2  # the status in which orders trade
ALWAYS = 0  # the stamp of anonymous volume: it was there before anyone
RECORDED_ACTIONS = (Action.LIMIT, Action.CANCEL, Action.EXECUTE, Action.DROP_LEVEL, Action.PRINT, Action.STATUS)


def in_line(book, side):
    """Return the orders of one side of a book, best price first and first in line first."""
    return [order for level in book.levels[side].values() for order in level.orders.values()]


def is_place(side, price_ticks):
    """Return whether a side and a price are such that an order can rest there."""
    return side in (1, -1) and 1 <= price_ticks <= PRICE_MAX_TICKS


def is_read(reason):
    """Return whether a request could be read: what is wrong with it, if anything, is seen in the book."""
    return reason in (RejectReason.NONE, RejectReason.DUPLICATE_ORDER_ID, RejectReason.UNKNOWN_ORDER, RejectReason.WOULD_CROSS)


class AgentsBook(PlainBook):
    """The agents' orders inside a recorded day: the living market's rules, and the displayed orders are there to trade with."""

    def __init__(self, history, replace_keeps_place):
        super().__init__(replace_keeps_place, history.number)
        self.history = history

    def lots_at(self, side, price_ticks):
        """Return how many lots rest at a price, the displayed ones included."""
        return super().lots_at(side, price_ticks) + self.history.lots_at(side, price_ticks)

    def _next_sequence(self):
        return self.history._next_sequence()

    def _rest(self, order):
        super()._rest(order)
        self.history.give_stamp(order)

    def _refusal(self, request):
        reason = super()._refusal(request)
        if self.history.is_halted and request.action != Action.CANCEL and is_read(reason):
            return RejectReason.WRONG_PHASE
        if request.action in (Action.LIMIT, Action.REPLACE) and self.history.is_too_dear(request, reason):
            return RejectReason.NOTIONAL_OUT_OF_RANGE
        is_post_only = request.action in (Action.LIMIT, Action.REPLACE) and request.flags == Flag.POST_ONLY
        if reason or not is_post_only:
            return reason
        side = request.side if request.action == Action.LIMIT else self.orders[request.owner, request.order_id].side
        # The displayed touch counts even where agents have traded all of it away: history does not know.
        return RejectReason.WOULD_CROSS if self.history._crosses(side, request.price_ticks) else RejectReason.NONE

    def _match(self, request, taker, limit_ticks):
        """Trade the taker with displayed and agents' orders, best price first and first in line first, and return the rows."""
        rows, mode = [], self.history.modes.get(taker.owner, SelfTrade.NONE)
        while taker.open_lots:
            makers = self._makers(taker.side, limit_ticks)
            if not makers:
                break
            maker = min(makers, key=self.history.place_of)
            if mode and maker.owner == taker.owner:
                rows += self._meet_oneself(request, taker, maker, mode)
            else:
                rows.append(self._trade(request, taker, maker))
        return rows

    def _makers(self, side, limit_ticks):
        """Return the first displayed order and the first agent's order that a taker of `side` can trade with, as far as they are there."""
        displayed = [order for order in in_line(self.history, -side) if self.history.available_lots(order)][:1]
        return [order for order in displayed + in_line(self, -side)[:1] if side * (limit_ticks - order.price_ticks) >= 0]

    def _trade(self, request, taker, maker):
        if maker.owner == NOBODY:
            return self.history.charged(self.history.taken_from(request, taker, maker))
        lots = min(taker.open_lots, maker.open_lots)
        taker.open_lots -= lots
        self._take_lots(maker, lots)
        return self.history.charged(self._fill(request, taker, maker, lots, super().lots_at(maker.side, maker.price_ticks)))

    def _meet_oneself(self, request, taker, maker, mode):
        """Do what the owner's mode says instead of trading; return the rows."""
        rows = []
        lost = min(taker.open_lots, maker.open_lots) if mode == SelfTrade.DECREMENT else maker.open_lots
        if mode != SelfTrade.CANCEL_INCOMING:
            rows.append(self._lose(request, maker, lost))
            self._take_lots(maker, lost)
        if mode != SelfTrade.CANCEL_RESTING:
            lost = lost if mode == SelfTrade.DECREMENT else taker.open_lots
            rows.append(self._lose(request, taker, lost))
            taker.open_lots -= lost
        return rows

    def _lose(self, request, order, lots):
        kind = ReportKind.CANCELLED if lots == order.open_lots else ReportKind.REDUCED
        price_ticks = 0 if request.action == Action.MARKET and order.order_id == request.order_id else order.price_ticks
        left = order.open_lots - lots
        return self._row(request, kind, order, price_ticks=price_ticks, lots=lots, open_lots=left, reason=CancelReason.SELF_TRADE)

    def _can_fill_whole(self, order):
        mode, ends = self.history.modes.get(order.owner, SelfTrade.NONE), None
        displayed, agents = in_line(self.history, -order.side), in_line(self, -order.side)
        if mode not in (SelfTrade.NONE, SelfTrade.CANCEL_RESTING):
            # Its owner's first order ends what it can reach.
            ends = next((maker for maker in agents if maker.owner == order.owner), None)
        if ends:
            agents = agents[:agents.index(ends)]
            displayed = list(takewhile(lambda maker: self.history.place_of(maker) < self.history.place_of(ends), displayed))
        lots = [(maker.price_ticks, self.history.available_lots(maker)) for maker in displayed]
        lots += [(maker.price_ticks, maker.open_lots) for maker in agents if not (mode and maker.owner == order.owner)]
        return sum(count for price_ticks, count in lots if order.side * (order.price_ticks - price_ticks) >= 0) >= order.open_lots


class ReferenceHistory(PlainBook):
    """A recorded day with the face of OrderHistory, slow and plain: what it shows is the recording, what agents ask (owner > 0) never changes that.

    replace_keeps_place: whether an agent's replace at the same price that does not add lots keeps its place in the queue.
    book: the number that a request must carry to be meant for this book. venue: a Venue that has fees and self_trade at the most.
    """

    def __init__(self, replace_keeps_place=True, book=0, venue=None):
        super().__init__(book=book)
        self.fees, self.modes = Fees(venue.fees if venue else ()), dict(venue.self_trade) if venue else {}
        self.is_halted = False  # whether the recording says that nothing trades now
        self.agents = AgentsBook(self, replace_keeps_place)
        self.taken = {}   # id of a recorded order that rests -> how many of its lots agents have traded
        self.stamps = {}  # (owner, order id) -> when it took its place, counted over all orders
        self.stamp = ALWAYS

    def apply(self, request):
        """Return the list of rows (tuples in REPORT order) that answer one request (a tuple in REQUEST order).

        The list is empty for a dropped level where nothing rests, and for nothing else.
        """
        request = Request._make(request)
        if request.owner != NOBODY:
            return self.agents.apply(request)
        rows = self._recorded(request._replace(tif=0, flags=0, display_lots=0, offset_ticks=0, trigger_ticks=0, expiry_ns=0))
        return rows[:-1] + [row._replace(flags=Flag.LAST) for row in rows[-1:]]

    def give_stamp(self, order):
        """Note that an order has taken its place behind all others."""
        self.stamp += 1
        self.stamps[order.key] = self.stamp

    def charged(self, row):
        """Return a fill's row with what agents pay, and count its lots for them."""
        return row._replace(**self.fees.of_agents(row.owner, row.resting_owner, row.price_ticks, row.lots))

    def is_too_dear(self, request, reason):
        """Return whether an order is refused because its fees might not be exact: before the book is looked at, but not if it cannot be read."""
        return is_read(reason) and not self.fees.are_exact(request.price_ticks, request.lots)

    def available_lots(self, order):
        """Return how many lots of a recorded order agents have not traded."""
        return order.open_lots - self.taken[order.order_id]

    def place_of(self, order):
        """Return what orders are sorted by to stand in line: price, then when they took their place."""
        return -order.side * order.price_ticks, self.stamps[order.key]

    def taken_from(self, request, taker, maker):
        """Return the row of an agent that trades with a recorded order, which stays on display and remembers that these lots cannot be taken again."""
        lots = min(taker.open_lots, self.available_lots(maker))
        taker.open_lots -= lots
        self.taken[maker.order_id] += lots
        row = self.agents._fill(request, taker, maker, lots, self.lots_at(maker.side, maker.price_ticks))
        return row._replace(resting_open_lots=self.available_lots(maker))

    # The recorded flow

    def _recorded(self, request):
        reason = self._refusal(request)
        if reason:
            return [self._rejected(request, reason)]
        if request.action == Action.LIMIT:
            return self._enter(request)
        if request.action == Action.DROP_LEVEL:
            return self._drop_level(request)
        if request.action == Action.PRINT:
            # Whoever traded hidden from the book has passed over every agent at a better price.
            rows = [self._told(request, ReportKind.PRINT)]
            return rows + self._fill_agents(request, -request.side, request.price_ticks, request.lots, ALWAYS) if request.side else rows
        if request.action == Action.STATUS:
            self.is_halted = request.price_ticks != TRADES
            return [self._told(request, ReportKind.STATUS)]
        return self._reduce(request)

    def _refusal(self, request):
        """Return the first RejectReason that holds. A CANCEL and an EXECUTE name an order; their side and price matter only where it does not rest."""
        action = request.action
        names_order = action in (Action.LIMIT, Action.CANCEL, Action.EXECUTE)
        names_place = action in (Action.LIMIT, Action.DROP_LEVEL, Action.PRINT)
        if action not in RECORDED_ACTIONS:
            return RejectReason.UNKNOWN_ACTION
        if request.book != self.number:
            return RejectReason.UNKNOWN_BOOK
        if names_order and request.order_id < 1:
            return RejectReason.ORDER_ID_OUT_OF_RANGE
        if names_place and request.side not in ((1, -1, 0) if action == Action.PRINT else (1, -1)):
            return RejectReason.UNKNOWN_SIDE
        if names_place and not 1 <= request.price_ticks <= PRICE_MAX_TICKS:
            return RejectReason.PRICE_OUT_OF_RANGE
        if action == Action.STATUS and request.price_ticks not in STATUSES:
            return RejectReason.PRICE_OUT_OF_RANGE
        lots_min = 0 if action == Action.CANCEL else 1
        if (names_order or action == Action.PRINT) and not lots_min <= request.lots <= LOTS_MAX:
            return RejectReason.LOTS_OUT_OF_RANGE
        if action == Action.LIMIT and self.is_too_dear(request, RejectReason.NONE):
            return RejectReason.NOTIONAL_OUT_OF_RANGE
        return RejectReason.DUPLICATE_ORDER_ID if action == Action.LIMIT and self._is_shown(request.order_id) else RejectReason.NONE

    def _is_shown(self, order_id):
        return (NOBODY, order_id) in self.orders

    def _named(self, request):
        """Return the order that a recorded cancel or execution means, else the anonymous volume at its price, else None."""
        order = self.orders.get((NOBODY, request.order_id))
        if order is not None or not is_place(request.side, request.price_ticks):
            return order
        order = self.orders.get((NOBODY, anonymous_id(request.side, request.price_ticks)))
        # An order that only bears the number of another price's volume is not that volume.
        return order if order and (order.side, order.price_ticks) == (request.side, request.price_ticks) else None

    def _enter(self, request):
        """Let a recorded order rest. It never trades with recorded orders; agents' orders at or through its price trade with it where they stand."""
        order = Order(request, request.side, request.price_ticks)
        rows = [self._row(request, ReportKind.ACCEPTED, order, lots=order.open_lots, lots_ahead=self.lots_at(order.side, order.price_ticks))]
        self._rest(order)
        self.give_stamp(order)
        everyone = self.stamp + 1
        if order.order_id == anonymous_id(order.side, order.price_ticks):
            self.stamps[order.key] = ALWAYS
        fills = self._fill_agents(request, -order.side, order.price_ticks, order.open_lots, everyone)
        self.taken[order.order_id] = sum(row.lots for row in fills)
        return rows + fills

    def _reduce(self, request):
        """Take lots off a recorded order, because they were cancelled or because they were executed."""
        order = self._named(request)
        if order is None:
            return self._unknown(request)
        lots = min(request.lots, order.open_lots) or order.open_lots
        self._take_lots(order, lots)
        self.taken[order.order_id] = min(self.taken[order.order_id], order.open_lots)
        if request.action == Action.CANCEL:
            is_gone = order.open_lots == 0
            kind, reason = (ReportKind.CANCELLED, CancelReason.ASKED) if is_gone else (ReportKind.REDUCED, 0)
            return [self._row(request, kind, order, lots=lots, reason=reason)]
        rows = [self._fill(request, self._flow(request, -order.side), order, lots, self.lots_at(order.side, order.price_ticks))]
        return rows + self._fill_agents(request, order.side, order.price_ticks, lots, self.stamps[order.key])

    def _unknown(self, request):
        """Refuse to take lots off an order that does not rest. That they were executed is true all the same: agents at better prices have traded."""
        rows = [self._rejected(request, RejectReason.UNKNOWN_ORDER)]
        is_trade = request.action == Action.EXECUTE and is_place(request.side, request.price_ticks)
        return rows + self._fill_agents(request, request.side, request.price_ticks, request.lots, ALWAYS) if is_trade else rows

    def _drop_level(self, request):
        level = self._level(request.side, request.price_ticks)
        rows = []
        for order in list(level.orders.values()) if level else []:
            self._take_off(order)
            rows.append(self._cancelled(request, order, CancelReason.LEFT_WINDOW))
        return rows

    def _fill_agents(self, request, side, price_ticks, lots, stamp):
        """Fill the agents' orders of a side that recorded flow of so many lots at a price reaches; return the FILL rows.

        They are those at better prices, and at the price itself those that took their place before `stamp`.
        """
        rows = []
        for order in in_line(self.agents, side):
            gain_ticks = side * (order.price_ticks - price_ticks)
            is_reached = gain_ticks > 0 or (gain_ticks == 0 and self.stamps[order.key] < stamp)
            if lots == 0 or not is_reached:
                break
            traded = min(lots, order.open_lots)
            lots -= traded
            self.agents._take_lots(order, traded)
            left = PlainBook.lots_at(self.agents, side, order.price_ticks)
            rows.append(self.charged(self._fill(request, self._flow(request, -side), order, traded, left)))
        return rows

    def _rejected(self, request, reason):
        return self._told(request, ReportKind.REJECTED)._replace(reason=reason)

    def _told(self, request, kind):
        """Return the row that repeats a recorded request."""
        return repeated(request, sequence=self._next_sequence(), kind=kind)

    def _flow(self, request, side):
        """Return the aggressor of a recorded trade: a name is known only of an order that goes on to rest."""
        return Order(request._replace(order_id=request.order_id if request.action == Action.LIMIT else 0, lots=0), side, request.price_ticks)

    # What can be seen beside the displayed book

    def queue_at(self, side, price_ticks):
        """Return the orders of one side at a price, recorded ones (owner 0) and agents', first in line first: QUEUED[n]."""
        levels = [level for level in (self._level(side, price_ticks), self.agents._level(side, price_ticks)) if level]
        orders = [order for level in levels for order in level.orders.values()]
        orders.sort(key=lambda order: self.stamps[order.key])
        return np.array([(order.order_id, order.owner, order.open_lots) for order in orders], dtype=QUEUED)

    def queue_ahead(self, order_id, owner=NOBODY):
        """Return how many lots, displayed ones and agents', are in front of an order at its price, None if it does not rest."""
        order = (self if owner == NOBODY else self.agents).orders.get((owner, order_id))
        if order is None:
            return None
        queue = self.queue_at(order.side, order.price_ticks)
        place = queue[["order_id", "owner"]].tolist().index((order_id, owner))
        return int(queue["lots"][:place].sum())

    def check(self):
        """Assert what must hold after every request: both books are sound, and nobody traded more of a recorded order than it shows."""
        for book in (self, self.agents):
            PlainBook.check(book)
        assert all(0 <= self.taken[order.order_id] <= order.open_lots for order in self.orders.values())
