"""A crowd: small markets that trade hundreds of times a simulated second, and agents that write down what they see."""
from dataclasses import dataclass

from agents import NoiseTrader, SymmetricMaker
from lob import Agent, Latency, TimeInForce
from lob.tape.replay import ReplayedBook

MS_NS = 1_000_000
FAR = Latency(feed_ns=MS_NS, feed_jitter_ns=MS_NS, order_ns=MS_NS, order_jitter_ns=MS_NS)
NEAR = Latency(feed_ns=200_000, order_ns=200_000)


def crowd(count=20, far=FAR, near=NEAR):
    """Return agents that send about 20 requests a second each, and a maker."""
    return [NoiseTrader(count=count, rate_hz=20.0, latency=far), SymmetricMaker(latency=near)]


@dataclass(frozen=True)
class Note:
    """What an agent saw when a hook was called."""

    hook: str
    now_ns: int
    touch: tuple      # bid and ask in ticks, then their lots
    last_trade: tuple  # ticks, lots, side of the aggressor
    account: tuple    # inventory in lots, cash in ticks x lots
    depth: tuple = ()
    event: tuple = ()


class Watcher(Agent):
    """Looks at the market every step_ns, notes what it sees, and trades now and then, so that it has an account."""

    step_ns: int = 3_000_001
    trades: bool = True

    def on_start(self, market):
        self.notes = []
        self.note("on_start", market)
        market.wake_after(self.step_ns)

    def on_timer(self, market):
        self.note("on_timer", market)
        if self.trades and market.uniform() < 0.2:
            market.market_order(2 * market.integers(0, 2) - 1, market.integers(1, 4))
        market.wake_after(self.step_ns)

    def note(self, hook, market, event=()):
        touch = (market.best_bid_ticks, market.best_ask_ticks, market.best_bid_lots, market.best_ask_lots)
        last_trade = (market.last_trade_ticks, market.last_trade_lots, market.last_trade_side)
        self.notes.append(Note(hook, market.now_ns, touch, last_trade, (market.inventory_lots, market.cash), self.depth_of(market), event))

    def depth_of(self, market):
        return ()


class Listener(Watcher):
    """A Watcher that hears of every change and of its own orders."""

    def on_quote(self, market):
        self.note("on_quote", market)

    def on_trade(self, market, trade):
        self.note("on_trade", market, (trade.time_ns, trade.price_ticks, trade.lots, trade.side))

    def on_accepted(self, market, order):
        self.note("on_accepted", market, (order.time_ns, order.id))

    def on_fill(self, market, fill):
        self.note("on_fill", market, (fill.time_ns, fill.id))

    def on_done(self, market, order):
        self.note("on_done", market, (order.time_ns, order.id))


class DepthWatcher(Watcher):
    """A Watcher that reads the book below the touch: five prices a side with their lots, and the lots at one price."""

    levels: int = 5

    def depth_of(self, market):
        prices = tuple((market.depth_ticks(side, i), market.depth_lots(side, i)) for side in (1, -1) for i in range(self.levels))
        return (*prices, market.lots_at(1, market.opening_ticks - 3), market.lots_at(-1, market.opening_ticks + 3))


class Gambler(Agent):
    """Sends requests of every kind at random until stop_ns, then takes its orders off; at the end it notes what it believes to have."""

    stop_ns: int = 0
    end_ns: int = 0
    believed_inventory_lots: int = 0
    believed_cash: int = 0
    newest_id: int = 0
    fills: int = 0

    def on_start(self, market):
        self.ids = []
        market.wake_after(market.integers(1, 20 * MS_NS))

    def on_timer(self, market):
        if market.now_ns >= self.end_ns:
            self.believed_inventory_lots, self.believed_cash = market.inventory_lots, market.cash
        elif market.now_ns >= self.stop_ns:
            for order_id in self.ids:
                market.cancel(order_id)
            market.wake_at(self.end_ns)
        else:
            self.gamble(market)
            market.wake_after(market.integers(1, 20 * MS_NS))

    def gamble(self, market):
        side, chance = 2 * market.integers(0, 2) - 1, market.uniform()
        price_ticks, lots = market.opening_ticks - side * market.integers(-3, 10), market.integers(1, 9)
        if chance < 0.15:
            market.market_order(side, lots)
        elif chance < 0.3 and self.ids:
            market.cancel(self.ids[market.integers(0, len(self.ids))], lots=market.integers(0, 4))
        elif chance < 0.4 and self.ids:
            market.replace(self.ids[market.integers(0, len(self.ids))], price_ticks, lots)
        elif chance < 0.6:
            market.limit(side, price_ticks, lots, tif=TimeInForce.IOC if chance < 0.5 else TimeInForce.FOK)
        else:
            self.ids.append(market.limit(side, price_ticks, lots, post_only=chance < 0.7))

    def on_fill(self, market, fill):
        self.fills += 1

    def on_done(self, market, order):
        if order.id in self.ids:
            self.ids.remove(order.id)


def depths_of(tape, times_ns, levels=5, opening_ticks=10_000):
    """Return what DepthWatcher would note of the book at each time, all of that time having happened."""
    book, read, found = ReplayedBook(tape.execution), 0, {}
    for time_ns in sorted(set(times_ns)):
        rows = tape.rows_until(time_ns)
        for _ in book.advance(rows[read:]):
            pass
        read = len(rows)
        sides = [book.depth(side, levels)[["price_ticks", "lots"]].tolist() for side in (1, -1)]
        prices = [level for side in sides for level in side + [(0, 0)] * (levels - len(side))]
        found[time_ns] = (*prices, book.lots_at(1, opening_ticks - 3), book.lots_at(-1, opening_ticks + 3))
    return found
