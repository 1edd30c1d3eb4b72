"""DisplacedHistory: the rules of a recorded day under `displace`, in plain Python; the specification of history/displaced.py.

Owns what changes against ReferenceHistory, where the recording always comes true: here each lot of recorded flow and of a recorded order trades once. For each
recorded order it knows the lots that rest and the lots that the recording shows. Where more rest, these are spare: agents got what should have traded with
them. Where fewer rest, agents traded them, or flow that found its own order gone.
"""
from lob.exchange.reference_history import ALWAYS, ReferenceHistory, in_line, is_place
from lob.exchange.reference_plain import Order, PlainBook
from lob.messages import NOBODY, Action, CancelReason, RejectReason, ReportKind, anonymous_id

EVERYONE = 2**62  # a stamp that all stand before


class DisplacedHistory(ReferenceHistory):
    """A recorded day in which agents' trades displace recorded ones."""

    def __init__(self, replace_keeps_place=True, book=0, venue=None):
        super().__init__(replace_keeps_place, book, venue)
        self.shown = {}     # id of a recorded order that rests -> the lots that the recording shows of it
        self.departed = {}  # id of a recorded order that is gone though the recording shows some of it -> [these lots, its stamp]

    def available_lots(self, order):
        return order.open_lots

    def taken_from(self, request, taker, maker):
        """Return the row of an agent that trades lots of a recorded order away."""
        lots = min(taker.open_lots, maker.open_lots)
        taker.open_lots -= lots
        self._displace(maker, lots)
        return self.agents._fill(request, taker, maker, lots, self.lots_at(maker.side, maker.price_ticks))

    def _spare_lots(self, order):
        return max(0, order.open_lots - self.shown[order.order_id])

    def _displace(self, order, lots):
        """Take lots off a recorded order; one that is gone while the recording shows some of it departs."""
        self._take_lots(order, lots)
        if order.open_lots == 0:
            shown = self.shown.pop(order.order_id)
            if shown:
                self.departed[order.order_id] = [shown, self.stamps[order.key]]

    def _is_shown(self, order_id):
        return self.shown.get(order_id, 0) > 0

    def _enter(self, request):
        """Let a recorded order trade with agents' orders and spare lots at or through its price, and the rest of it rest."""
        order = Order(request, request.side, request.price_ticks)
        namesake = self.orders.get(order.key)
        self.departed.pop(order.order_id, None)
        if namesake:
            self._take_off(namesake)
        rows = [self._row(request, ReportKind.ACCEPTED, order, lots=order.open_lots, lots_ahead=self.lots_at(order.side, order.price_ticks))]
        if namesake:
            rows.append(self._cancelled(request, namesake, CancelReason.LEFT_WINDOW))
        rows += self._meet(request, -order.side, order.price_ticks, order.open_lots, EVERYONE)
        self.give_stamp(order)
        if order.order_id == anonymous_id(order.side, order.price_ticks):
            self.stamps[order.key] = ALWAYS
        left = request.lots - sum(row.lots for row in rows if row.kind == ReportKind.FILL)
        if left == 0:
            self.departed[order.order_id] = [request.lots, self.stamps[order.key]]
            return rows
        order.open_lots = left
        self._rest(order)
        self.shown[order.order_id] = request.lots
        return rows

    def _reduce(self, request):
        if (NOBODY, request.order_id) not in self.orders:
            names = [request.order_id] + ([anonymous_id(request.side, request.price_ticks)] if is_place(request.side, request.price_ticks) else [])
            for name in names:
                if name in self.departed:
                    return self._reduce_departed(request, name)
        order = self._named(request)
        if order is None or (request.action == Action.EXECUTE and not self._is_shown(order.order_id)):
            return self._unknown(request)
        return self._cancel_recorded(request, order) if request.action == Action.CANCEL else self._execute(request, order)

    def _cancel_recorded(self, request, order):
        """Take lots off as the recording says; an owner who cancels all that the recording shows cancels spare lots too."""
        shown = self.shown[order.order_id]
        is_whole = request.lots == 0 or request.lots >= shown
        lots = order.open_lots if is_whole else min(request.lots, order.open_lots)
        self._take_lots(order, lots)
        self.shown[order.order_id] -= request.lots
        if order.open_lots:
            return [self._row(request, ReportKind.REDUCED, order, lots=lots)]
        del self.shown[order.order_id]
        return [self._row(request, ReportKind.CANCELLED, order, lots=lots, reason=CancelReason.ASKED)]

    def _execute(self, request, order):
        side, price_ticks, stamp = order.side, order.price_ticks, self.stamps[order.key]
        lots = min(request.lots, self.shown[order.order_id])
        self.shown[order.order_id] -= lots
        if lots <= order.open_lots and self._first_reached(side, price_ticks, stamp) is None:
            return [self._flow_fill(request, order, lots)]
        rows = [self._row(request, ReportKind.DISPLACED, order, lots=lots, open_lots=0)]
        rows += self._meet(request, side, price_ticks, lots, stamp)
        left = lots - _lots_of(rows[1:])
        if left:
            rows.append(self._flow_fill(request, order, min(left, order.open_lots)))
            left -= rows[-1].lots
        behind = self._meet_behind(request, side, price_ticks, left, stamp)
        rows[0] = rows[0]._replace(open_lots=left - _lots_of(behind))
        return rows + behind

    def _reduce_departed(self, request, order_id):
        """What the recording says of an order that is gone: it cannot be cancelled, and who would have traded with it goes on."""
        shown, stamp = self.departed[order_id]
        lots = min(request.lots, shown) or shown
        self.departed[order_id][0] -= lots
        if lots == shown:
            del self.departed[order_id]
        rows = [self._rejected(request, RejectReason.UNKNOWN_ORDER)]
        if request.action == Action.EXECUTE and is_place(request.side, request.price_ticks):
            rows += self._meet(request, request.side, request.price_ticks, lots, stamp)
            rows += self._meet_behind(request, request.side, request.price_ticks, lots - _lots_of(rows[1:]), stamp)
        return rows

    def _drop_level(self, request):
        rows = super()._drop_level(request)
        for row in rows:
            del self.shown[row.order_id]
        return rows

    # Who meets the flow

    def _fill_agents(self, request, side, price_ticks, lots, stamp):
        return self._meet(request, side, price_ticks, lots, stamp)

    def _first_reached(self, side, price_ticks, stamp):
        """Return the first in line of agents' orders and those with spare lots at better prices, and at this price before a stamp; None if there is none."""
        spare = []
        for order in in_line(self, side):
            gain_ticks = side * (order.price_ticks - price_ticks)
            if gain_ticks < 0 or (gain_ticks == 0 and self.stamps[order.key] >= stamp):
                break
            if self._spare_lots(order):
                spare.append(order)
        reached = [order for order in spare[:1] + in_line(self.agents, side)[:1] if self._is_reached(order, side, price_ticks, stamp)]
        return min(reached, key=self.place_of, default=None)

    def _is_reached(self, order, side, price_ticks, stamp):
        gain_ticks = side * (order.price_ticks - price_ticks)
        return gain_ticks > 0 or (gain_ticks == 0 and self.stamps[order.key] < stamp)

    def _meet(self, request, side, price_ticks, lots, stamp):
        """Let flow of so many lots trade with agents' orders and spare lots; return the FILL rows."""
        rows = []
        while lots:
            order = self._first_reached(side, price_ticks, stamp)
            if order is None:
                break
            traded = min(lots, self._spare_lots(order) if order.owner == NOBODY else order.open_lots)
            rows.append(self._flow_fill(request, order, traded))
            lots -= traded
        return rows

    def _meet_behind(self, request, side, price_ticks, lots, stamp):
        """Let flow that finds an order gone go on to those behind it at its price; return the FILL rows."""
        rows = []
        while lots:
            levels = [level for level in (self._level(side, price_ticks), self.agents._level(side, price_ticks)) if level]
            behind = [next((order for order in level.orders.values() if order.owner != NOBODY or self.stamps[order.key] > stamp), None) for level in levels]
            order = min(filter(None, behind), key=self.place_of, default=None)
            if order is None:
                break
            rows.append(self._flow_fill(request, order, min(lots, order.open_lots)))
            lots -= rows[-1].lots
        return rows

    def _flow_fill(self, request, order, lots):
        """Return the row of recorded flow that trades lots of an order."""
        if order.owner == NOBODY:
            self._displace(order, lots)
            return self._fill(request, self._flow(request, -order.side), order, lots, self.lots_at(order.side, order.price_ticks))
        self.agents._take_lots(order, lots)
        return self.charged(self._fill(request, self._flow(request, -order.side), order, lots, PlainBook.lots_at(self.agents, order.side, order.price_ticks)))

    def check(self):
        """Assert what must hold after every request: both books are sound, and what departed is not there."""
        for book in (self, self.agents):
            PlainBook.check(book)
        assert {order.order_id for order in self.orders.values()} == self.shown.keys()
        assert not self.shown.keys() & self.departed.keys() and all(lots > 0 for lots, _ in self.departed.values())


def _lots_of(rows):
    return sum(row.lots for row in rows)
