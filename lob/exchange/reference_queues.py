"""RuledQueues: where the ReferenceBook's orders rest, by rules that PlainBook does not know.

Owns hidden orders, icebergs' reserves, waiting stops and orders that expire; the rows that say how a resting order lost its lots; and what can be seen.
"""
import numpy as np
from sortedcontainers import SortedDict

from lob.exchange.inputs import checked_side
from lob.exchange.reference_fees import Fees
from lob.exchange.reference_plain import QUEUED, Level, Order, PlainBook, Row
from lob.exchange.venue import Venue
from lob.messages import NOBODY, Action, CancelReason, Flag, Phase, ReportKind, Side, TimeInForce

PEG_FLAGS = Flag.PEG_NEAR | Flag.PEG_MID | Flag.PEG_FAR
RESTING_FLAGS = Flag.HIDDEN | Flag.ICEBERG | Flag.STOP | PEG_FLAGS


class RuledOrder(Order):
    """An order with what its kind adds to it. open_lots are all its lots, shown_lots those in the queue."""

    __slots__ = ("flags", "tif", "action", "shown_lots", "display_lots", "expiry_ns", "trigger_ticks", "entry", "limit_ticks", "offset_ticks")

    def __init__(self, request, side, price_ticks):
        super().__init__(request, side, price_ticks)
        is_limit = request.action == Action.LIMIT
        self.flags = request.flags & RESTING_FLAGS if is_limit else request.flags & Flag.STOP
        self.tif = request.tif if is_limit else 0
        self.action = request.action
        self.shown_lots = self.open_lots
        self.display_lots = request.display_lots if self.flags & Flag.ICEBERG else None
        self.expiry_ns = request.expiry_ns if self.tif == TimeInForce.GTT else None
        self.trigger_ticks = request.trigger_ticks if self.flags & Flag.STOP else 0
        is_pegged = self.flags & PEG_FLAGS
        self.flags |= Flag.HIDDEN if is_pegged else 0
        self.limit_ticks, self.offset_ticks = (price_ticks, request.offset_ticks) if is_pegged else (None, 0)

    @property
    def reserve_lots(self):
        return self.open_lots - self.shown_lots


class RuledQueues(PlainBook):
    """The orders of a ReferenceBook and where they rest."""

    def __init__(self, replace_keeps_place=True, book=0, venue=None):
        super().__init__(replace_keeps_place, book)
        self.venue = venue or Venue()
        self.hidden = {Side.BUY: SortedDict(), Side.SELL: SortedDict()}
        self.at_market = {Side.BUY: SortedDict(), Side.SELL: SortedDict()}  # orders that collect without a limit, all under key 0
        self.timed = {}     # (owner, order_id) -> order that expires
        self.stops = {}     # (owner, order_id) -> order that waits for its trigger
        self.modes = dict(self.venue.self_trade)
        self.fees = Fees(self.venue.fees)
        self.entry = 0      # of the last order that rests or waits
        self.last_trade_ticks = None
        self.trades = []    # prices of the event and the last one before it: what stops look at

    def _in_line(self, side):
        """Return the orders of a side in the order in which they would trade: market orders, then by price, displayed ones first, then by time."""
        places = [(key, is_hidden, level) for is_hidden, levels in enumerate((self.levels[side], self.hidden[side])) for key, level in levels.items()]
        levels = [*self.at_market[side].values(), *(level for _, _, level in sorted(places, key=lambda place: place[:2]))]
        return [order for level in levels for order in level.orders.values()]

    def _is_reached(self, order):
        return any(order.side * (price_ticks - order.trigger_ticks) >= 0 for price_ticks in self.trades if price_ticks)

    # Who rests where

    def _levels_of(self, order):
        if order.price_ticks == 0:
            return self.at_market[order.side]
        return (self.hidden if order.flags & Flag.HIDDEN else self.levels)[order.side]

    def _join_queue(self, order, shown_lots):
        level = self._levels_of(order).setdefault(-order.side * order.price_ticks, Level())
        level.orders[order.key] = order
        level.lots += shown_lots
        order.shown_lots = shown_lots

    def _leave_queue(self, order, lots):
        """Take shown lots off an order; it leaves its queue when it shows none any more."""
        level = self._levels_of(order)[-order.side * order.price_ticks]
        level.lots -= lots
        order.open_lots -= lots
        order.shown_lots -= lots
        if order.shown_lots == 0:
            del level.orders[order.key]
        if not level.orders:
            del self._levels_of(order)[-order.side * order.price_ticks]

    def _note(self, order, entry=None):
        self.entry += entry is None
        order.entry = self.entry if entry is None else entry
        self.orders[order.key] = order
        if order.expiry_ns is not None:
            self.timed[order.key] = order

    def _forget(self, order):
        del self.orders[order.key]
        self.timed.pop(order.key, None)
        self.stops.pop(order.key, None)

    def _rest(self, order, entry=None):
        """Put the order at the back of the queue of its price."""
        self._note(order, entry)
        self._join_queue(order, min(order.open_lots, order.display_lots or order.open_lots))

    def _take_lots(self, order, lots):
        """Take lots from an order that rests or waits, those not shown first; it goes when none are left."""
        unseen = min(lots, order.reserve_lots)
        order.open_lots -= unseen
        if order.flags & Flag.STOP:
            order.open_lots -= lots
            order.shown_lots -= lots
        elif lots > unseen:
            self._leave_queue(order, lots - unseen)
        if order.open_lots == 0:
            self._forget(order)

    def _lots_ahead(self, order):
        """Return the lots that an order has before it if it joins the queue of its price now."""
        hidden = self.hidden[order.side].get(-order.side * order.price_ticks) if order.flags & Flag.HIDDEN else None
        return self.lots_at(order.side, order.price_ticks) + (hidden.lots if hidden else 0)

    # Rows

    def _about_book(self, request, kind, **fields):
        """Return a row that is about the book and no order of it."""
        return Row(
            time_ns=request.time_ns, sequence=self._next_sequence(), sent_ns=request.sent_ns, book=self.number, kind=kind, action=request.action, **fields,
        )

    def _about(self, request, kind, order, lots, reason=0):
        """Return the row that says that a resting order loses lots, those not shown first; written before it does."""
        return self._row(
            request, kind, order, lots=lots, open_lots=order.open_lots - lots, reason=reason, flags=order.flags, trigger_ticks=order.trigger_ticks,
            offset_ticks=order.offset_ticks,
            display_lots=max(lots - order.reserve_lots, 0) if order.flags & Flag.ICEBERG else 0,
        )

    def _lose(self, request, order, lots, reason):
        """Take lots off an order and return the row that says so."""
        is_whole = lots == order.open_lots
        kind = ReportKind.CANCELLED if is_whole else ReportKind.REDUCED
        row = self._about(request, kind, order, lots, reason if is_whole or reason == CancelReason.SELF_TRADE else 0)
        self._take_lots(order, lots)
        return row

    # What can be seen

    def queue_ahead(self, order_id, owner=NOBODY):
        """Return how many lots are in front of an order in its queue, None if it does not rest."""
        order = self.orders.get((owner, order_id))
        if order is None or order.flags & Flag.STOP:
            return None
        queue = list(self._levels_of(order)[-order.side * order.price_ticks].orders.values())
        return sum(ahead.shown_lots for ahead in queue[:queue.index(order)])

    def orders_at(self, side, price_ticks):
        """Return the displayed orders of one side at a price with the lots that they show, first in line first: QUEUED[n]."""
        level = self._level(checked_side(side), price_ticks)
        return np.array([(order.order_id, order.owner, order.shown_lots) for order in (level.orders.values() if level else [])], dtype=QUEUED)

    def check(self):
        """Assert what must hold after every request: no empty order or level, sums that add up, no book that is crossed, no stop that a trade has reached."""
        resting = dict(self.stops)
        for levels, is_hidden in ((self.levels, False), (self.hidden, True), (self.at_market, False)):
            for side, ladder in levels.items():
                for key, level in ladder.items():
                    assert level.orders and level.lots == sum(order.shown_lots for order in level.orders.values())
                    for order in level.orders.values():
                        assert 0 < order.shown_lots <= order.open_lots and order.side == side and order.price_ticks == -side * key
                        assert bool(order.flags & Flag.HIDDEN) == is_hidden
                    resting.update(level.orders)
        assert resting == self.orders
        assert self.timed.items() <= self.orders.items()
        if self._can_be_crossed():
            return
        bids, asks = self._in_line(Side.BUY), self._in_line(Side.SELL)
        assert not bids or not asks or 0 < bids[0].price_ticks < asks[0].price_ticks
        self.trades = [self.last_trade_ticks]
        assert self.phase != Phase.CONTINUOUS or not any(map(self._is_reached, self.stops.values()))
