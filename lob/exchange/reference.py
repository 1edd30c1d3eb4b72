"""ReferenceBook: the rules of the exchange in plain Python; where the engine and this file differ, this file is the specification.

Owns what PlainBook does not know: expiry, icebergs, hidden orders, stops, pegged orders, minimum quantity, market-to-limit, post-only that slides, mass
cancel, self-trade prevention, fees and allocation, and with the classes that it stands on phases, auctions and bands; docs/rules.md has the table and the
sources. Shares nothing with the engine but the records of `messages`. Knows no clock, no agent and no recorded day.
"""
from lob.exchange.inputs import checked_peg
from lob.exchange.reference_allocation import is_shared, shares
from lob.exchange.reference_checks import RESTS, SLICES_MAX, go_together, is_meant, is_price, is_range, wrong_terms
from lob.exchange.reference_pegs import PeggedOrders
from lob.exchange.reference_phases import event, is_phase_request, wrong_phase_request
from lob.exchange.reference_plain import MARKET_LIMIT_TICKS, QUEUED, Order, Request, Row
from lob.exchange.reference_queues import PEG_FLAGS, RuledOrder
from lob.messages import (
    LOTS_MAX,
    NOBODY,
    PRICE_MAX_TICKS,
    Action,
    CancelReason,
    Flag,
    Phase,
    RejectReason,
    ReportKind,
    SelfTrade,
    Side,
    TimeInForce,
    limit_fields,
    market_fields,
)

__all__ = ["QUEUED", "Order", "ReferenceBook", "Request", "Row"]


class ReferenceBook(PeggedOrders):
    """A book with the face of OrderBook, slow and plain.

    replace_keeps_place: whether a replace at the same price that does not add lots keeps its place in the queue. Without it every replace goes to the back.
    book: the number that a request must carry to be meant for this book. venue: a Venue.
    """

    # Requests

    def limit(
        self, side, price_ticks, lots, order_id, owner=NOBODY, tif=TimeInForce.GTC, post_only=False, *, slide=False, expiry_ns=None, display_lots=None,
        hidden=False, trigger_ticks=None, min_lots=None, peg=None, offset_ticks=0, now_ns=0,
    ):
        """Send a limit order; return its rows, REPORT[n]."""
        kind = limit_fields(tif, post_only, slide, expiry_ns, display_lots, hidden, trigger_ticks, min_lots, checked_peg(peg), offset_ticks)
        return self._ask_at(now_ns, action=Action.LIMIT, side=side, price_ticks=price_ticks, lots=lots, order_id=order_id, owner=owner, **kind)

    def market(self, side, lots, order_id, owner=NOBODY, *, to_limit=False, trigger_ticks=None, now_ns=0):
        """Send a market order; return its rows, REPORT[n]."""
        return self._ask_at(now_ns, action=Action.MARKET, side=side, lots=lots, order_id=order_id, owner=owner, **market_fields(to_limit, trigger_ticks))

    def cancel(self, order_id, owner=NOBODY, lots=0, *, now_ns=0):
        """Take the order off, or at most `lots` of it if given; return the rows, REPORT[n]."""
        return self._ask_at(now_ns, action=Action.CANCEL, lots=lots, order_id=order_id, owner=owner)

    def replace(self, order_id, price_ticks, lots, owner=NOBODY, post_only=False, *, now_ns=0):
        """Give the order a new price and new open lots; return the rows, REPORT[n]."""
        flags = Flag.POST_ONLY if post_only else 0
        return self._ask_at(now_ns, action=Action.REPLACE, price_ticks=price_ticks, lots=lots, order_id=order_id, owner=owner, flags=flags)

    def mass_cancel(self, owner, side=0, low_ticks=0, high_ticks=0, *, now_ns=0):
        """Take off all of an owner's orders of one side or both (0), at prices from low to high (0 and 0: at any); return the rows, REPORT[n]."""
        return self._ask_at(now_ns, action=Action.MASS_CANCEL, owner=owner, side=side, price_ticks=low_ticks, trigger_ticks=high_ticks)

    def set_phase(self, phase, *, now_ns=0):
        """Move the book to a Phase; return the rows, REPORT[n]."""
        return self._ask_at(now_ns, action=Action.PHASE, price_ticks=phase)

    def clock(self, now_ns):
        """Let time pass; return the rows, REPORT[n]."""
        return self._ask_at(now_ns, action=Action.CLOCK)

    def prevent_self_trades(self, owner, mode):
        """Let a SelfTrade mode decide what happens when an order meets one of the same owner."""
        self.modes[owner] = SelfTrade(mode)

    def _ask_at(self, now_ns, **fields):
        return self._ask(time_ns=now_ns, sent_ns=now_ns, **fields)

    def apply(self, request):
        """Return the list of rows (tuples in REPORT order) that answer one request (a tuple in REQUEST order), and what happens before and after it."""
        request = Request._make(request)
        rows = self._pass_time(request)
        self._look_from_here()
        reason = self._refusal(request)
        rows += event([self._rejected(request, reason)] if reason else self._act(request))
        rows += self._trip(request)
        rows += self._trigger(request)
        moves = self._follow(request)
        if moves:
            rows += [row for rows_of_one in moves for row in event(rows_of_one)]
            rows += self._trip(request)
            rows += self._trigger(request)
        return rows + self._indicate(request)

    def _act(self, request):
        if request.action == Action.PHASE:
            return self._move(request)
        if request.action == Action.CLOCK:
            return [self._say_phase(request)]
        if request.action == Action.MASS_CANCEL:
            return self._mass_cancel(request)
        if request.action == Action.CANCEL:
            return self._cancel(request)
        if request.action == Action.REPLACE:
            return self._replace(request)
        if request.flags & Flag.STOP:
            return self._wait(request)
        if request.action == Action.LIMIT and request.flags & PEG_FLAGS:
            return self._peg(request)
        if request.action == Action.LIMIT:
            return self._limit(self._slid(request))
        return self._market(request) if self.phase == Phase.CONTINUOUS else self._collect_market(request)

    # Refusals

    def _refusal(self, request):
        """Return the first RejectReason that holds, NONE for a valid request. A field that the action does not use is never looked at."""
        action = request.action
        if is_phase_request(request):
            return RejectReason.UNKNOWN_BOOK if request.book != self.number else wrong_phase_request(request)
        is_limit, is_mass = action == Action.LIMIT, action == Action.MASS_CANCEL
        is_new = is_limit or action == Action.MARKET
        lots_min = 0 if action == Action.CANCEL else 1
        checks = [
            (RejectReason.UNKNOWN_ACTION, action > Action.CLOCK),
            (RejectReason.NOT_IN_RECORDED_DAY, Action.REPLACE < action < Action.MASS_CANCEL),
            (RejectReason.UNKNOWN_BOOK, request.book != self.number),
            (RejectReason.OWNER_OUT_OF_RANGE, request.owner < 0),
            (RejectReason.ORDER_ID_OUT_OF_RANGE, not is_mass and request.order_id < 1),
            (RejectReason.UNKNOWN_SIDE, request.side not in (1, -1) if is_new else is_mass and request.side not in (1, -1, 0)),
            (RejectReason.UNKNOWN_TIME_IN_FORCE, is_limit and request.tif > TimeInForce.DAY),
            (RejectReason.UNKNOWN_FLAG, not go_together(request)),
            (RejectReason.PRICE_OUT_OF_RANGE, (is_limit or action == Action.REPLACE) and not is_price(request.price_ticks)),
            (RejectReason.PRICE_OUT_OF_RANGE, is_mass and not is_range(request.price_ticks, request.trigger_ticks)),
            (RejectReason.LOTS_OUT_OF_RANGE, not is_mass and not lots_min <= request.lots <= LOTS_MAX),
        ]
        reason = next((reason for reason, holds in checks if holds), RejectReason.NONE)
        if is_new and not reason:
            reason = wrong_terms(request)
        if not reason and (is_new or action == Action.REPLACE) and not self.fees.are_exact(self._price_to_rest(request), request.lots):
            reason = RejectReason.NOTIONAL_OUT_OF_RANGE
        if reason or is_mass:
            return reason
        return self._refusal_of_the_phase(request, self._price_to_rest(request)) or self._refusal_of_the_book(request, is_new)

    def _price_to_rest(self, request):
        """Return the price at which what a request brings would rest, 0 for an order that never does: it trades at the prices of those that do."""
        if request.action == Action.MARKET and self.phase != Phase.CONTINUOUS:
            return PRICE_MAX_TICKS
        if request.action == Action.MARKET:
            return (self._best_ticks(-request.side) or 0) if request.flags & Flag.TO_LIMIT else 0
        if request.flags & PEG_FLAGS and request.action == Action.LIMIT:
            # To sell it may rest far above its limit.
            return PRICE_MAX_TICKS
        slid_ticks = self._slid(request).price_ticks if request.action == Action.LIMIT else request.price_ticks
        return slid_ticks if is_price(slid_ticks) else request.price_ticks

    def _refusal_of_the_book(self, request, is_new):
        order = self.orders.get((request.owner, request.order_id))
        if is_new and order:
            return RejectReason.DUPLICATE_ORDER_ID
        if request.action == Action.LIMIT and request.flags & PEG_FLAGS:
            price_ticks = self._pegged_ticks(request.side, request.flags, request.offset_ticks, request.price_ticks)
            return RejectReason.NO_REFERENCE_PRICE if price_ticks is None else RejectReason.NONE
        is_replace = request.action == Action.REPLACE
        if not is_new and (order is None or is_replace and (order.flags & (Flag.STOP | PEG_FLAGS) or order.price_ticks == 0)):
            return RejectReason.UNKNOWN_ORDER
        if is_replace and order.display_lots and request.lots > SLICES_MAX * order.display_lots:
            return RejectReason.DISPLAY_OUT_OF_RANGE
        is_post_only = request.flags & Flag.POST_ONLY and (is_replace or request.action == Action.LIMIT)
        if not is_post_only or not self._crosses(order.side if is_replace else request.side, request.price_ticks):
            return RejectReason.NONE
        return RejectReason.NONE if request.flags & Flag.SLIDE and is_price(self._slid(request).price_ticks) else RejectReason.WOULD_CROSS

    # New orders

    def _slid(self, request):
        """Return the request, one tick from the displayed touch if it slides and would have crossed."""
        slides = request.flags & Flag.SLIDE and self._crosses(request.side, request.price_ticks)
        return request._replace(price_ticks=self._best_ticks(-request.side) - request.side) if slides else request

    def _limit(self, request, first=ReportKind.ACCEPTED):
        order = RuledOrder(request, request.side, request.price_ticks)
        rests = request.tif in RESTS
        rows = [self._row(
            request, first, order, lots=order.open_lots, lots_ahead=self._lots_ahead(order) if rests else 0, flags=request.flags,
            display_lots=order.display_lots or 0, expiry_ns=order.expiry_ns or 0,
        )]
        if request.tif == TimeInForce.FOK and self._reachable_lots(order) < order.open_lots:
            return rows + [self._cancelled(request, order, CancelReason.FILL_OR_KILL)]
        if request.flags & Flag.MINIMUM and self._reachable_lots(order) < request.min_lots:
            return rows + [self._cancelled(request, order, CancelReason.MINIMUM)]
        rows += self._match(request, order, order.price_ticks)
        if order.open_lots and rests:
            self._rest(order)
        elif order.open_lots:
            rows.append(self._cancelled(request, order, CancelReason.UNFILLED))
        return rows

    def _market(self, request, first=ReportKind.ACCEPTED):
        order = RuledOrder(request, request.side, 0)
        is_to_limit = request.flags & Flag.TO_LIMIT
        rows = [self._row(request, first, order, lots=order.open_lots, flags=is_to_limit)]
        touch_ticks = self._best_ticks(-order.side)
        if not is_to_limit:
            rows += self._match(request, order, MARKET_LIMIT_TICKS[order.side])
        elif touch_ticks:
            rows += self._match(request, order, touch_ticks)
            if order.open_lots and not self.has_tripped:
                order.price_ticks = touch_ticks
                rows.append(self._row(request, ReportKind.REPLACED, order, lots=order.open_lots, lots_ahead=self._lots_ahead(order)))
                self._rest(order)
                return rows
        if order.open_lots:
            rows.append(self._cancelled(request, order, CancelReason.UNFILLED))
        return rows

    # Changes

    def _cancel(self, request):
        order = self.orders[request.owner, request.order_id]
        return [self._lose(request, order, min(request.lots, order.open_lots) or order.open_lots, CancelReason.ASKED)]

    def _mass_cancel(self, request):
        rows = [self._lose(request, order, order.open_lots, CancelReason.MASS) for order in self._all_in_line() if is_meant(request, order)]
        return rows or [self._rejected(request, RejectReason.UNKNOWN_ORDER)]

    def _all_in_line(self):
        """Return bids from the best price down, asks from the best price up, at each price in the order of trading; then stops by entry."""
        return [order for side in Side for order in self._in_line(side)] + list(self.stops.values())

    def _replace(self, request):
        order = self.orders[request.owner, request.order_id]
        if self.replace_keeps_place and request.price_ticks == order.price_ticks and request.lots <= order.open_lots:
            lots = order.open_lots - request.lots
            row = self._about(request, ReportKind.REDUCED, order, lots)
            self._take_lots(order, lots)
            return [row]
        rows = [self._lose(request, order, order.open_lots, CancelReason.REPLACED)]
        order.price_ticks, order.open_lots, order.shown_lots = request.price_ticks, request.lots, request.lots
        flags = request.flags | order.flags
        rows.append(self._row(
            request, ReportKind.REPLACED, order, lots=order.open_lots, lots_ahead=self._lots_ahead(order), flags=flags, display_lots=order.display_lots or 0,
        ))
        rows += self._match(request, order, order.price_ticks)
        if order.open_lots:
            self._rest(order, entry=order.entry)
        return rows

    def _expire(self, request, until_ns):
        """Return the events in which orders go whose time has come at a time, by expiry, then by entry."""
        due = sorted((order for order in self.timed.values() if order.expiry_ns <= until_ns), key=lambda order: (order.expiry_ns, order.entry))
        return [row for order in due for row in event([self._lose(request, order, order.open_lots, CancelReason.EXPIRED)])]

    # Stops

    def _wait(self, request):
        order = RuledOrder(request, request.side, request.price_ticks if request.action == Action.LIMIT else 0)
        self._note(order)
        self.stops[order.key] = order
        return [self._row(
            request, ReportKind.ACCEPTED, order, lots=order.open_lots, flags=Flag.STOP, trigger_ticks=order.trigger_ticks, expiry_ns=order.expiry_ns or 0,
        )]

    def _trigger(self, request):
        """Return the events of the stops that trades have reached: those of one event in the order of their entry, behind those of earlier events."""
        rows, line = [], []
        while self.phase == Phase.CONTINUOUS:
            line += [order for order in self.stops.values() if order not in line and self._is_reached(order)]
            if not line:
                return rows
            order = line.pop(0)
            self._take_off(order)
            live = Request(
                time_ns=request.time_ns, sent_ns=request.sent_ns, order_id=order.order_id, price_ticks=order.price_ticks, lots=order.open_lots,
                owner=order.owner, book=self.number, action=order.action, side=order.side, tif=order.tif, expiry_ns=order.expiry_ns or 0,
            )
            rows += event((self._limit if order.action == Action.LIMIT else self._market)(live, ReportKind.TRIGGERED))
            rows += self._trip(request)
        return rows

    # Trading

    def _first_in_line(self, side, limit_ticks):
        """Return the order of a side that trades next with one whose limit this is, None if there is none."""
        places = [(levels.peekitem(0)[0], is_hidden, levels) for is_hidden, levels in enumerate((self.levels[side], self.hidden[side])) if levels]
        if not places:
            return None
        key, _, levels = min(places, key=lambda place: place[:2])
        is_within = -side * limit_ticks >= key
        return next(iter(levels[key].orders.values())) if is_within else None

    def _match(self, request, taker, limit_ticks):
        rows = []
        # In a phase in which orders collect, none trades on its way in.
        while taker.open_lots and self.phase == Phase.CONTINUOUS:
            maker = self._first_in_line(-taker.side, limit_ticks)
            if maker is None:
                break
            if not self._may_trade_at(maker.price_ticks):
                self.has_tripped = True
                break
            mode = self.modes.get(taker.owner, SelfTrade.NONE)
            level = self._level(maker.side, maker.price_ticks)
            if is_shared(self.venue.allocation) and not maker.flags & Flag.HIDDEN and taker.open_lots < level.lots:
                rows += self._share_out(request, taker, list(level.orders.values()), mode)
            elif mode and maker.owner == taker.owner:
                rows += self._meet_oneself(request, taker, maker, mode)
            else:
                rows += self._trade(request, taker, maker, min(taker.open_lots, maker.shown_lots))
        return rows

    def _share_out(self, request, taker, queue, mode):
        """Trade with the displayed orders of a price that have more than the taker; or, if some are its owner's, do what the mode says with these."""
        own = [maker for maker in queue if mode and maker.owner == taker.owner]
        if own:
            return [row for maker in own if taker.open_lots for row in self._meet_oneself(request, taker, maker, mode)]
        given = shares(self.venue.allocation, taker.open_lots, [maker.shown_lots for maker in queue])
        return [row for maker, lots in zip(queue, given, strict=True) if lots for row in self._trade(request, taker, maker, lots)]

    def _trade(self, request, taker, maker, lots):
        taker.open_lots -= lots
        self.last_trade_ticks = maker.price_ticks
        self.trades.append(maker.price_ticks)
        shows_next = lots == maker.shown_lots < maker.open_lots
        self._leave_queue(maker, lots)
        if maker.open_lots == 0:
            self._forget(maker)
        row = self._fill(request, taker, maker, lots, self.lots_at(maker.side, maker.price_ticks))._replace(
            flags=maker.flags & Flag.HIDDEN, **self.fees.of_fill(taker.owner, maker.owner, maker.price_ticks, lots),
        )
        if not shows_next:
            return [row]
        shown = min(maker.open_lots, maker.display_lots)
        ahead = self._lots_ahead(maker)
        self._join_queue(maker, shown)
        return [row, self._row(request, ReportKind.REFRESHED, maker, lots=shown, lots_ahead=ahead, display_lots=shown)]

    def _meet_oneself(self, request, taker, maker, mode):
        lost = min(taker.open_lots, maker.open_lots) if mode == SelfTrade.DECREMENT else taker.open_lots
        rows = []
        if mode == SelfTrade.DECREMENT:
            rows.append(self._lose(request, maker, lost, CancelReason.SELF_TRADE))
        elif mode != SelfTrade.CANCEL_INCOMING:
            rows.append(self._lose(request, maker, maker.open_lots, CancelReason.SELF_TRADE))
        if mode != SelfTrade.CANCEL_RESTING:
            taker.open_lots -= lost
            kind = ReportKind.REDUCED if taker.open_lots else ReportKind.CANCELLED
            rows.append(self._row(request, kind, taker, lots=lost, reason=CancelReason.SELF_TRADE))
        return rows

    def _reachable_lots(self, taker):
        """Return the lots that an order could trade at once. What its owner may not trade with is passed over if it would go, else it ends the count."""
        reachable_lots = 0
        mode = self.modes.get(taker.owner, SelfTrade.NONE)
        within = [order for order in self._in_line(-taker.side) if taker.side * (taker.price_ticks - order.price_ticks) >= 0]
        turns = [(-order.side * order.price_ticks, 2 if order.flags & Flag.HIDDEN else 0, order.shown_lots, order) for order in within]
        # What an iceberg does not show comes after all that is displayed at its price.
        turns += [(-order.side * order.price_ticks, 1, order.reserve_lots, order) for order in within if order.flags & Flag.ICEBERG]
        ends, reached_before = mode not in (SelfTrade.NONE, SelfTrade.CANCEL_RESTING), {}
        for key, turn, lots, order in sorted(turns, key=lambda turn: turn[:2]):
            if not self._may_trade_at(order.price_ticks):
                break
            left = taker.open_lots - reached_before.setdefault(key, reachable_lots)
            is_own = mode and order.owner == taker.owner
            if ends and (is_own or turn == 0 and self._shares_with_itself(taker, order, left)):
                break
            reachable_lots += 0 if is_own else lots
        return reachable_lots

    def _shares_with_itself(self, taker, maker, lots):
        """Return whether lots of a taker would be shared out at a maker's price, where its owner has a displayed order, in line wherever it may be."""
        level = self._level(maker.side, maker.price_ticks)
        return is_shared(self.venue.allocation) and lots < level.lots and any(order.owner == taker.owner for order in level.orders.values())
