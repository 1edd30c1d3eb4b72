"""HawkesTrader: flow that excites itself, and is excited by what others do.

Sources: Bacry, Mastromatteo and Muzy, "Hawkes processes in finance", Market Microstructure and Liquidity 1 (2015), equations (1) and (2): the multivariate
process with kernels phi_ij(t) = n_ij beta exp(-beta t), n_ij being the mean number of events of kind i that one of kind j brings about; Ogata, "On Lewis'
simulation method for point processes", IEEE Transactions on Information Theory 27 (1981): thinning. With one decay the state is Markov: six intensities that
fade together.

The kinds are limit orders, market orders and cancels, each of buyers and of sellers. What excites it is what its feed shows of the best queues, whoever
did it: a trade, lots that joined, lots that left without a trade. An order below the touch changes nothing that it hears of, so it sends its own to the touch.
"""
import math

from lob import Agent, Array, compiled

LIMIT, MARKET, CANCEL, TYPES = 0, 1, 2, 3
KINDS = 2 * TYPES
LOOKS_BACK_MAX = 63
REMEMBERED = 64


@compiled
class HawkesTrader(Agent):
    """Sends limit orders, market orders and cancels at the intensities of a Hawkes process; many of them share one process.

    base_hz: intensity of limit orders, market orders and cancels of one side with nothing to excite them. same, cross: n_ij from side to same side and to the
    other one, row by row: of limits brought about by (limit, market, cancel), of markets, of cancels. share: what part of the process this trader is: with
    count = 10 give each a tenth. decay_hz: beta. lots_max: order sizes are uniform from 1 to this. improve: share of limit orders that are placed a tick inside
    a spread that has room. Use a feed delay without jitter: with jitter a trade may be heard after the change it made, and counts as a cancel too.
    """

    positive = ("share", "decay_hz", "lots_max")

    base_hz: Array[float, TYPES] = [2.0, 0.5, 1.5]
    same: Array[float, TYPES * TYPES] = [0.2, 0.1, 0.1, 0.05, 0.3, 0.05, 0.2, 0.1, 0.1]
    cross: Array[float, TYPES * TYPES] = [0.1, 0.2, 0.1, 0.0, 0.0, 0.0, 0.1, 0.1, 0.1]
    share: float = 1.0
    decay_hz: float = 5.0
    lots_max: int = 5
    improve: float = 0.3
    excited_hz: Array[float, KINDS] = 0.0
    bound_hz: float = 0.0
    time_before_ns: int = 0
    touches_seen: int = 0
    trades_seen: int = 0
    events_seen: Array[int, KINDS] = 0
    order_ids: Array[int, 2 * REMEMBERED] = 0
    order_ticks: Array[int, 2 * REMEMBERED] = 0
    orders_sent: Array[int, 2] = 0

    def on_start(self, market):
        self.time_before_ns = market.now_ns
        self.plan(market)

    def on_quote(self, market):
        self.listen(market)
        # The next candidate is drawn anew: an exponential time has no memory.
        self.plan(market)

    def on_timer(self, market):
        self.listen(market)
        chosen_hz = market.uniform() * self.bound_hz
        for kind in range(KINDS):
            chosen_hz -= self.intensity_hz(kind)
            if chosen_hz < 0.0:
                self.act(market, kind % TYPES, 1 if kind < TYPES else -1)
                break
        self.plan(market)

    def on_done(self, market, order):
        for i in range(2 * REMEMBERED):
            if self.order_ids[i] == order.id:
                self.order_ids[i] = 0

    def plan(self, market):
        """Plan the next candidate by the intensity now, which bounds what it can be until something excites it."""
        self.bound_hz = 0.0
        for kind in range(KINDS):
            self.bound_hz += self.intensity_hz(kind)
        if self.bound_hz > 0.0:
            market.wake_after(int(market.exponential(1e9 / self.bound_hz)))

    def intensity_hz(self, kind):
        """Return the intensity of a kind of event."""
        return self.share * (self.base_hz[kind % TYPES] + self.excited_hz[kind])

    def listen(self, market):
        """Let the excitement fade, and count every trade and every change of the touch that has been shown since the last look."""
        fade = math.exp(-self.decay_hz * (market.now_ns - self.time_before_ns) * 1e-9)
        self.time_before_ns = market.now_ns
        for kind in range(KINDS):
            self.excited_hz[kind] *= fade
        self.count_trades(market)
        for i in range(min(market.touch_count - self.touches_seen, LOOKS_BACK_MAX) - 1, -1, -1):
            now, before = market.touch(i), market.touch(i + 1)
            self.count_change(market, 1, now.time_ns, now.best_bid_ticks, now.best_bid_lots, before.best_bid_ticks, before.best_bid_lots)
            self.count_change(market, -1, now.time_ns, now.best_ask_ticks, now.best_ask_lots, before.best_ask_ticks, before.best_ask_lots)
        self.touches_seen = market.touch_count

    def count_trades(self, market):
        """Count the market orders: the fills of one bear the same time."""
        for i in range(min(market.trade_count - self.trades_seen, LOOKS_BACK_MAX) - 1, -1, -1):
            trade = market.trade(i)
            if trade.time_ns != market.trade(i + 1).time_ns:
                self.excite(MARKET, trade.side)
        self.trades_seen = market.trade_count

    def count_change(self, market, side, time_ns, price_ticks, lots, before_ticks, before_lots):
        """Count what happened to one best queue; what a trade did has been counted."""
        better_ticks = side * (price_ticks - before_ticks) if price_ticks and before_ticks else price_ticks - before_ticks
        if better_ticks > 0 or (better_ticks == 0 and lots > before_lots):
            self.excite(LIMIT, side)
        elif (better_ticks < 0 or lots < before_lots) and not self.has_traded(market, time_ns):
            self.excite(CANCEL, side)

    def has_traded(self, market, time_ns):
        """Return whether one of the last trades happened at a time."""
        found = 0
        for i in range(LOOKS_BACK_MAX):
            trade_ns = market.trade(i).time_ns
            found += trade_ns == time_ns and time_ns > 0
            if trade_ns <= time_ns:
                break
        return found > 0

    def excite(self, cause, side):
        """Raise the intensities by what one event brings about."""
        own, other = (0, TYPES) if side > 0 else (TYPES, 0)
        self.events_seen[own + cause] += 1
        for kind in range(TYPES):
            self.excited_hz[own + kind] += self.same[kind * TYPES + cause] * self.decay_hz
            self.excited_hz[other + kind] += self.cross[kind * TYPES + cause] * self.decay_hz

    def act(self, market, kind, side):
        """Send one event."""
        if kind == MARKET:
            market.market_order(side, market.integers(1, self.lots_max + 1))
        elif kind == LIMIT:
            self.place(market, side, self.limit_ticks(market, side))
        else:
            self.cancel_best(market, side)

    def limit_ticks(self, market, side):
        """Return the price of a limit order: its own touch, or a tick inside the spread; where that side is empty, next to the other or to the last price."""
        own_ticks = market.best_bid_ticks if side > 0 else market.best_ask_ticks
        opposite_ticks = market.best_ask_ticks if side > 0 else market.best_bid_ticks
        if own_ticks == 0:
            last_ticks = market.last_trade_ticks if market.last_trade_ticks else market.opening_ticks
            return max(1, (opposite_ticks if opposite_ticks else last_ticks) - side)
        has_room = opposite_ticks == 0 or side * (opposite_ticks - own_ticks) > 1
        return own_ticks + side if has_room and market.uniform() < self.improve else own_ticks

    def place(self, market, side, price_ticks):
        """Send a limit order and remember it in place of the oldest of its side that is remembered."""
        half = 0 if side > 0 else 1
        i = half * REMEMBERED + self.orders_sent[half] % REMEMBERED
        self.orders_sent[half] += 1
        self.order_ids[i], self.order_ticks[i] = market.limit(side, price_ticks, market.integers(1, self.lots_max + 1)), price_ticks

    def cancel_best(self, market, side):
        """Cancel the best order of a side that it remembers: of those at one price the newest."""
        first = 0 if side > 0 else REMEMBERED
        best = -1
        for i in range(first, first + REMEMBERED):
            if self.order_ids[i] and (best < 0 or (side * self.order_ticks[i], self.order_ids[i]) > (side * self.order_ticks[best], self.order_ids[best])):
                best = i
        if best >= 0:
            market.cancel(self.order_ids[best])
            self.order_ids[best] = 0
