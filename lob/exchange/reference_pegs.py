"""PeggedOrders: the ReferenceBook's orders that follow the displayed touch.

Owns their prices and when they move. Trading is ReferenceBook's.
"""
from lob.exchange.reference_phases import PhasedQueues
from lob.exchange.reference_queues import PEG_FLAGS, RuledOrder
from lob.messages import PRICE_MAX_TICKS, Action, Flag, Phase, ReportKind, Side

NEVER = (-1, -1)


class PeggedOrders(PhasedQueues):
    """The queues, and pegged orders among those that rest there hidden."""

    def __init__(self, replace_keeps_place=True, book=0, venue=None):
        super().__init__(replace_keeps_place, book, venue)
        self.pegs = {}             # (owner, order_id) -> pegged order, by entry
        self.seen_touch = (0, 0)   # the displayed touch that pegged orders were last priced by

    def _note(self, order, entry=None):
        super()._note(order, entry)
        if order.flags & PEG_FLAGS:
            self.pegs[order.key] = order

    def _forget(self, order):
        super()._forget(order)
        self.pegs.pop(order.key, None)

    def _touch(self):
        return self.best_bid_ticks or 0, self.best_ask_ticks or 0

    def _pegged_ticks(self, side, peg, offset_ticks, limit_ticks):
        """Return where a pegged order would rest, None if what it follows is not there or its price would be out of range."""
        near, far = self._best_ticks(side), self._best_ticks(-side)
        follows = {Flag.PEG_NEAR: [near], Flag.PEG_MID: [near, far], Flag.PEG_FAR: [far]}[peg & PEG_FLAGS]
        if None in follows:
            return None
        middle, is_odd = divmod(sum(follows), len(follows))
        middle += is_odd if side == Side.SELL else 0
        prices = [middle - side * offset_ticks, limit_ticks] + ([far - side] if far else [])
        price_ticks = min(prices) if side == Side.BUY else max(prices)
        return price_ticks if 1 <= price_ticks <= PRICE_MAX_TICKS else None

    def _price_of(self, order):
        return self._pegged_ticks(order.side, order.flags, order.offset_ticks, order.limit_ticks)

    def _peg(self, request):
        order = RuledOrder(request, request.side, request.price_ticks)
        if self.seen_touch != self._touch():
            self.seen_touch = NEVER
        rows = [self._row(
            request, ReportKind.ACCEPTED, order, lots=order.open_lots, flags=order.flags, offset_ticks=order.offset_ticks, expiry_ns=order.expiry_ns or 0,
        )]
        order.price_ticks = self._price_of(order)
        rows += self._match(request, order, order.price_ticks)
        if order.open_lots:
            rows.append(self._place(request, order))
            self._rest(order)
        return rows

    def _place(self, request, order):
        return self._row(
            request, ReportKind.REPLACED, order, lots=order.open_lots, lots_ahead=self._lots_ahead(order), flags=order.flags, offset_ticks=order.offset_ticks,
        )

    def _follow(self, request):
        """Return the events in which pegged orders move because the displayed touch did, by entry."""
        if self.phase != Phase.CONTINUOUS or not self.pegs or self.seen_touch == self._touch():
            return []
        self.seen_touch, events = self._touch(), []
        for key in list(self.pegs):
            order = self.pegs.get(key)
            if order and self._price_of(order) not in (None, order.price_ticks):
                events.append(self._move_peg(request, order, self._price_of(order)))
        return events

    def _move_peg(self, request, order, price_ticks):
        behind = request._replace(action=Action.LIMIT, tif=order.tif)
        lots = order.open_lots
        self._leave_queue(order, lots)
        order.price_ticks, order.open_lots, order.shown_lots = price_ticks, lots, lots
        rows = [self._place(behind, order), *self._match(behind, order, price_ticks)]
        if order.open_lots:
            self._join_queue(order, order.open_lots)
        else:
            self._forget(order)
        return rows

    def check(self):
        """Assert what RuledQueues does, and that pegged orders rest where the touch that they saw puts them, within their limits."""
        super().check()
        assert [order.entry for order in self.pegs.values()] == sorted(order.entry for order in self.orders.values() if order.flags & PEG_FLAGS)
        for order in self.pegs.values():
            assert order.side * (order.limit_ticks - order.price_ticks) >= 0
            assert self.seen_touch != self._touch() or self._price_of(order) in (None, order.price_ticks)
