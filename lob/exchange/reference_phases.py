"""PhasedQueues: the ReferenceBook's phases, call auctions, price band and breaker.

Owns when orders collect and when they trade, which requests a phase takes, and what the book does by itself when time passes.
"""
from lob.exchange.reference_auction import auction_price
from lob.exchange.reference_queues import PEG_FLAGS, RuledOrder, RuledQueues
from lob.messages import NOBODY, Action, CancelReason, Flag, Phase, RejectReason, ReportKind, SelfTrade, Side, TimeInForce

COLLECTING = (Phase.PRE_OPEN, Phase.OPENING_AUCTION, Phase.CLOSING_AUCTION, Phase.BREAKER_AUCTION, Phase.BATCH)
PPM = 10**6
TIME_MAX = 2**63 - 1


def event(rows):
    """Return the rows of one event, its last one marked."""
    return rows[:-1] + [rows[-1]._replace(flags=rows[-1].flags | Flag.LAST)]


class PhasedQueues(RuledQueues):
    """The orders of a ReferenceBook, where they rest, and the phase that the book is in."""

    def __init__(self, replace_keeps_place=True, book=0, venue=None):
        super().__init__(replace_keeps_place, book, venue)
        self.phase = self.venue.phase
        # When the phase ends by itself; None: not so. The first batch ends with the first request, whatever its time.
        self.phase_end_ns = -(2**63) if self.phase == Phase.BATCH else None
        self.indicated = (0, 0, 0)
        self.has_tripped = False
        self.breaker_range = None

    @property
    def _collects(self):
        return self.phase in COLLECTING

    def _can_be_crossed(self):
        return self._collects or self.phase == Phase.HALT

    # Ranges

    def _reference_ticks(self):
        return self.last_trade_ticks or self.venue.reference_ticks

    def _range(self, ppm):
        """Return the lowest and the highest price within so many millionths of the reference price, None without such a range."""
        reference_ticks = self._reference_ticks()
        reach_ticks = reference_ticks * ppm // PPM
        return (reference_ticks - reach_ticks, reference_ticks + reach_ticks) if ppm and reference_ticks else None

    def _look_from_here(self):
        """Let stops look at trades, and the breaker at its range, from the last trade on."""
        self.trades = [self.last_trade_ticks]
        self.breaker_range = self._range(self.venue.breaker_ppm)

    def _may_trade_at(self, price_ticks):
        return self.breaker_range is None or self.breaker_range[0] <= price_ticks <= self.breaker_range[1]

    # What a phase takes

    def _refusal_of_the_phase(self, request, price_ticks):
        """Return why a request that would rest at a price is refused by the phase or the band."""
        if not self._takes(request):
            return RejectReason.WRONG_PHASE
        is_banded = request.action == Action.REPLACE or request.action == Action.LIMIT and not request.flags & PEG_FLAGS
        band = self._range(self.venue.price_band_ppm) if is_banded else None
        return RejectReason.NONE if band is None or band[0] <= price_ticks <= band[1] else RejectReason.PRICE_OUTSIDE_BAND

    def _takes(self, request):
        if self.phase == Phase.CONTINUOUS or request.action in (Action.CANCEL, Action.MASS_CANCEL):
            return True
        at_once = request.action == Action.LIMIT and request.tif in (TimeInForce.IOC, TimeInForce.FOK) and not request.flags & Flag.STOP
        return self._collects and not at_once and not request.flags & (Flag.POST_ONLY | Flag.MINIMUM | Flag.TO_LIMIT | PEG_FLAGS)

    def _collect_market(self, request):
        order = RuledOrder(request, request.side, 0)
        row = self._row(request, ReportKind.ACCEPTED, order, lots=order.open_lots, lots_ahead=sum(o.open_lots for o in self._at_market(order.side)))
        self._rest(order)
        return [row]

    # From phase to phase

    def _enter(self, phase, end_ns=None):
        self.phase, self.phase_end_ns, self.indicated = phase, end_ns, (0, 0, 0)
        self._look_from_here()

    def _say_phase(self, request, reason=0):
        return self._about_book(request, ReportKind.PHASE, price_ticks=self.phase, reason=reason)

    def _move(self, request):
        """Return the rows of the venue's request for a phase."""
        rows, phase = [], Phase(request.price_ticks)
        if phase != self.phase:
            if self._can_be_crossed() and (phase == Phase.BATCH or phase not in COLLECTING):
                rows += self._uncross(request)
            self._enter(phase, self._batch_end_ns(request.time_ns) if phase == Phase.BATCH else None)
        rows.append(self._say_phase(request))
        if phase == Phase.CLOSED:
            rows += [self._lose(request, order, order.open_lots, CancelReason.EXPIRED) for order in self._in_snapshot() if order.tif == TimeInForce.DAY]
        return rows

    def _in_snapshot(self):
        """Return all orders in the order of a snapshot: what is displayed, what is hidden, stops by trigger; bids before asks in each."""
        resting = [order for side in Side for order in self._in_line(side)]
        stops = sorted(self.stops.values(), key=lambda order: (-order.side, order.side * order.trigger_ticks, order.entry))
        return [order for order in resting if not order.flags & Flag.HIDDEN] + [order for order in resting if order.flags & Flag.HIDDEN] + stops

    def _batch_end_ns(self, time_ns):
        interval_ns = self.venue.batch_interval_ns
        return self._end_ns((time_ns // interval_ns + 1) * interval_ns) if interval_ns else None

    def _end_ns(self, time_ns):
        return time_ns if time_ns < TIME_MAX else None

    def _pass_time(self, request):
        """Return the events that were due before a request, the one that was due first first."""
        rows, end_ns = [], self.phase_end_ns
        if end_ns is not None and end_ns <= request.time_ns:
            rows += self._expire(request, end_ns)
            rows += self._end_phase(request)
            rows += self._trigger(request)
        return rows + self._expire(request, request.time_ns)

    def _end_phase(self, request):
        if self.phase == Phase.BATCH:
            self.phase_end_ns = self._batch_end_ns(request.time_ns)
            return event(self._uncross(request, CancelReason.EXPIRED)) if self._can_trade() else []
        rows = self._uncross(request, CancelReason.EXPIRED)
        self._enter(Phase.CONTINUOUS)
        return event([*rows, self._say_phase(request, CancelReason.EXPIRED)])

    def _trip(self, request):
        """Return the event in which the breaker trips, if the one before would have traded too far away."""
        if not self.has_tripped:
            return []
        self.has_tripped = False
        self._enter(self.venue.breaker_phase, self._end_ns(request.time_ns + self.venue.breaker_ns) if self.venue.breaker_ns else None)
        return event([self._say_phase(request, RejectReason.PRICE_OUTSIDE_BAND)])

    # Auctions

    def _at_market(self, side):
        return [order for order in self._in_line(side) if order.price_ticks == 0]

    def _auction_price(self):
        bids, asks = ([(order.price_ticks or None, order.open_lots) for order in self._in_line(side)] for side in (Side.BUY, Side.SELL))
        return auction_price(bids, asks, self._reference_ticks())

    def _can_trade(self):
        bids, asks = self._in_line(Side.BUY), self._in_line(Side.SELL)
        if any(line and line[0].price_ticks == 0 for line in (bids, asks)):
            return True
        return bool(bids and asks and bids[0].price_ticks >= asks[0].price_ticks)

    def _uncross(self, request, reason=0):
        """Hold the auction; return its rows."""
        price_ticks, lots, surplus_lots = self._auction_price()
        rows = [self._about_book(request, ReportKind.AUCTION, price_ticks=price_ticks, lots=lots, level_lots=surplus_lots, reason=reason)]
        if lots:
            self.last_trade_ticks = price_ticks
        while lots:
            buyer, seller = self._in_line(Side.BUY)[0], self._in_line(Side.SELL)[0]
            traded = min(buyer.open_lots, seller.open_lots, lots)
            lots -= traded
            rows.append(self._meet(request, buyer, seller, price_ticks, traded))
        return rows + [self._lose(request, order, order.open_lots, CancelReason.UNFILLED) for side in Side for order in self._at_market(side)]

    def _meet(self, request, buyer, seller, price_ticks, lots):
        self._give(buyer, lots)
        self._give(seller, lots)
        bid_ticks, ask_ticks = (0 if order.flags & Flag.HIDDEN else order.price_ticks for order in (buyer, seller))
        return self._fill(request, buyer, seller, lots, self.lots_at(Side.SELL, ask_ticks))._replace(
            price_ticks=price_ticks, flags=Flag.AUCTION | seller.flags & Flag.HIDDEN, trigger_ticks=bid_ticks, offset_ticks=ask_ticks,
            lots_ahead=self.lots_at(Side.BUY, bid_ticks), **self.fees.of_fill(buyer.owner, seller.owner, price_ticks, lots, is_auction=True),
        )

    def _give(self, order, lots):
        """Take lots that trade off an order, which keeps its place and shows again as much as it may."""
        if lots == order.open_lots:
            return self._take_lots(order, lots)
        order.open_lots -= lots
        shown = min(order.open_lots, order.display_lots or order.open_lots)
        self._levels_of(order)[-order.side * order.price_ticks].lots += shown - order.shown_lots
        order.shown_lots = shown

    def _indicate(self, request):
        """Return the event that says what an auction held now would do, if that has changed."""
        if not self._collects or self.phase == Phase.BATCH or self._auction_price() == self.indicated:
            return []
        self.indicated = price_ticks, lots, surplus_lots = self._auction_price()
        return event([self._about_book(request, ReportKind.INDICATIVE, price_ticks=price_ticks, lots=lots, level_lots=surplus_lots)])


def is_about_book(request):
    """Return whether a request is about the book's time, its phase or its settings, not about orders."""
    return request.action in (Action.PHASE, Action.CLOCK, Action.MODE)


def wrong_about_book(request):
    """Return what is wrong with such a request."""
    if request.owner < 0 or request.action != Action.MODE and request.owner != NOBODY:
        return RejectReason.OWNER_OUT_OF_RANGE
    known = {Action.PHASE: Phase, Action.MODE: SelfTrade}.get(request.action)
    return RejectReason.NONE if known is None or request.price_ticks in list(known) else RejectReason.PRICE_OUT_OF_RANGE
