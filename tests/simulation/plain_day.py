"""A quoter in a recorded day in the plainest way: one list of orders a price, its quotes among the recorded ones, each in its place.

The brute-force twin of the three execution rules. Shares nothing with the engine or its reference but the records of `messages`.
"""
from lob.messages import Action, Flag, Side, anonymous_id

TRADING = 2


class Standing:
    """An order in line: a recorded one by its name, or a quote of ours."""

    def __init__(self, name, side, price_ticks, lots):
        self.name, self.side, self.price_ticks, self.lots = name, side, price_ticks, lots

    @property
    def is_quote(self):
        return self.name is None


class PlainDay:
    """A day in which NaiveQuoter trades, under the rule `passive`. lines: by side and price, first in line first; history: the recorded order of each id."""

    def __init__(self, quoter):
        self.quoter = quoter
        self.lines = {Side.BUY: {}, Side.SELL: {}}
        self.history, self.entries, self.quotes = {}, {}, []
        self.fills, self.inventory_lots, self.is_trading = [], 0, True

    def fills_in(self, feed):
        """Return [(time_ns, side, price_ticks, lots)] of all fills."""
        timer_ns = feed.start_ns
        for row in self.rows_in(feed):
            while timer_ns < row[0]:
                self.quote()
                timer_ns += self.quoter.step_ns
            self.time_ns = row[0]
            self.follow(*row[1:])
        return self.fills

    def rows_in(self, feed):
        """Return [(time_ns, action, order_id, side, price_ticks, lots)] of what happened, one after the other."""
        return feed.rows[["time_ns", "action", "order_id", "side", "price_ticks", "lots"]].tolist()

    def quote(self):
        wants = [side for side in Side if side * self.inventory_lots < self.quoter.inventory_max_lots]
        touch = {side: self.best(side) for side in wants}
        for quote in self.quotes:
            if quote.lots:
                self.lines[quote.side][quote.price_ticks].remove(quote)
        self.quotes = [Standing(None, side, touch[side], self.quoter.lots) for side in wants if touch[side] and self.is_trading]
        for quote in self.quotes:
            self.lines[quote.side][quote.price_ticks].append(quote)

    def best(self, side):
        """Return the best price where recorded lots are displayed, 0 if there is none."""
        for price_ticks in sorted(self.lines[side], reverse=side > 0):
            if any(order.lots and self.is_displayed(order) for order in self.lines[side][price_ticks]):
                return price_ticks
        return 0

    def is_displayed(self, order):
        return not order.is_quote

    # What a row means

    def follow(self, action, order_id, side, price_ticks, lots):
        if action == Action.LIMIT:
            name = self.name_anew(order_id)
            self.history[order_id] = [name, side, price_ticks, lots]
            self.arrive(name, side, price_ticks, lots, is_anonymous=order_id == anonymous_id(side, price_ticks))
        elif action == Action.STATUS:
            self.is_trading = price_ticks == TRADING
        elif action == Action.PRINT:
            if side:
                self.pass_over(-side, price_ticks, lots)
        elif action == Action.DROP_LEVEL:
            self.drop(side, price_ticks)
        else:
            self.reduce(action, order_id, side, price_ticks, lots)

    def name_anew(self, order_id):
        """Return a name for what comes in: anonymous volume comes in again and again under one id."""
        self.entries[order_id] = self.entries.get(order_id, 0) + 1
        return order_id, self.entries[order_id]

    def reduce(self, action, order_id, side, price_ticks, lots):
        if order_id not in self.history:
            order_id = anonymous_id(side, price_ticks)
        if order_id not in self.history:
            if action == Action.EXECUTE:
                self.pass_over(side, price_ticks, lots)
            return
        name, side, price_ticks, shown = self.history[order_id]
        lots = min(lots or shown, shown)
        self.history[order_id][3] -= lots
        if shown == lots:
            del self.history[order_id]
        if action == Action.EXECUTE:
            self.execute(name, side, price_ticks, lots, shown)
        else:
            self.cancel(name, side, price_ticks, lots, shown - lots)

    def drop(self, side, price_ticks):
        for order_id, (name, *place, _) in list(self.history.items()):
            if place == [side, price_ticks]:
                self.cancel(name, side, price_ticks, 0, 0)
                del self.history[order_id]

    # What it does

    def arrive(self, name, side, price_ticks, lots, is_anonymous):
        self.flow(self.before(-side, price_ticks, None), lots)
        self.stand(Standing(name, side, price_ticks, lots), is_anonymous)

    def execute(self, name, side, price_ticks, lots, shown):
        executed = self.find(name, side, price_ticks)
        self.flow(self.before(side, price_ticks, executed), lots)
        self.take(executed, lots)

    def pass_over(self, side, price_ticks, lots):
        self.flow(self.before(side, price_ticks + side, None), lots)

    def cancel(self, name, side, price_ticks, lots, left):
        order = self.find(name, side, price_ticks)
        self.take(order, lots if left else order.lots)

    def flow(self, orders, lots):
        """Let lots trade with the quotes among orders; return what is left."""
        for order in orders:
            lots -= self.fill(order, lots)
        return lots

    def fill(self, order, lots):
        """Fill a quote of ours with at most so many lots; return how many."""
        traded = min(order.lots, lots) if order.is_quote else 0
        if traded:
            self.inventory_lots += order.side * traded
            self.fills.append((self.time_ns, order.side, order.price_ticks, traded))
            self.take(order, traded)
        return traded

    # Who stands where

    def stand(self, order, is_first):
        line = self.lines[order.side].setdefault(order.price_ticks, [])
        line.insert(0 if is_first else len(line), order)

    def find(self, name, side, price_ticks):
        return next((order for order in self.lines[side].get(price_ticks, []) if order.name == name), None)

    def take(self, order, lots):
        order.lots -= lots
        if order.lots == 0:
            self.lines[order.side][order.price_ticks].remove(order)

    def before(self, side, price_ticks, end):
        """Return the orders of a side at a price or better, in line, up to `end` if it is given."""
        prices = [price for price in self.lines[side] if side * (price - price_ticks) >= 0]
        orders = [order for price in sorted(prices, reverse=side > 0) for order in self.lines[side][price]]
        return orders if end is None else orders[:orders.index(end)]


class DisplacedDay(PlainDay):
    """The same under `displace`. A recorded order that is traded away stays in line without lots while the recording shows some of it."""

    def shown(self, order):
        """Return how many lots the recording shows of an order."""
        name, *_, lots = self.history.get(order.name[0], (None, 0))
        return lots if name == order.name else 0

    def arrive(self, name, side, price_ticks, lots, is_anonymous):
        if name[1] > 1:
            for price in list(self.lines[side]):
                self.forget((name[0], name[1] - 1), side, price)
        left = self.flow(self.before(-side, price_ticks, None), lots)
        self.stand(Standing(name, side, price_ticks, left), is_anonymous)

    def drop(self, side, price_ticks):
        super().drop(side, price_ticks)
        self.lines[side][price_ticks] = [order for order in self.lines[side].get(price_ticks, []) if order.is_quote]

    def forget(self, name, side, price_ticks):
        line = self.lines[side].get(price_ticks, [])
        line[:] = [order for order in line if order.name != name]

    def execute(self, name, side, price_ticks, lots, shown):
        executed = self.find(name, side, price_ticks)
        left = self.flow(self.before(side, price_ticks, executed), lots)
        traded = min(left, executed.lots)
        behind = self.lines[side][price_ticks]
        behind = behind[behind.index(executed) + 1:]
        executed.lots -= traded
        left -= traded
        for order in behind:
            traded = min(left, order.lots)
            left -= self.fill(order, traded) if order.is_quote else traded
            order.lots -= 0 if order.is_quote else traded
        if executed.lots == 0 and shown == lots:
            self.forget(name, side, price_ticks)

    def cancel(self, name, side, price_ticks, lots, left):
        order = self.find(name, side, price_ticks)
        if order is None:
            return
        order.lots -= min(order.lots, lots) if left else order.lots
        if left == 0:
            self.forget(name, side, price_ticks)

    def fill(self, order, lots):
        """Let lots trade with a quote of ours, or with what a recorded order has more than the recording shows; return how many."""
        if order.is_quote:
            return super().fill(order, lots)
        traded = min(lots, max(0, order.lots - self.shown(order)))
        order.lots -= traded
        return traded


class ReactiveDay(PlainDay):
    """The same under `reactive`: whoever traded comes to take what it took, at its price, and meets whoever stands there; anonymous volume stands in line."""

    def rows_in(self, feed):
        """An order that nothing else in its event names, and that is cancelled in it, has made way for what came in."""
        rows, event = [], []
        for row, flags in zip(super().rows_in(feed), feed.rows["flags"].tolist(), strict=True):
            if event and event[0][0] != row[0]:
                rows += made_way(event)
                event = []
            event.append(row)
            if flags & Flag.LAST:
                rows += made_way(event)
                event = []
        return rows + made_way(event)

    def is_displayed(self, order):
        return True

    def arrive(self, name, side, price_ticks, lots, is_anonymous):
        left = self.flow(self.before(-side, price_ticks, None), lots) if self.is_trading else lots
        if left:
            self.stand(Standing(name, side, price_ticks, left), False)

    def execute(self, name, side, price_ticks, lots, shown):
        self.flow(self.before(side, price_ticks, None), lots)

    def cancel(self, name, side, price_ticks, lots, left):
        order = self.find(name, side, price_ticks)
        if order:
            self.take(order, min(order.lots, lots) if left else order.lots)

    def fill(self, order, lots):
        if order.is_quote:
            return super().fill(order, lots)
        traded = min(lots, order.lots)
        self.take(order, traded)
        return traded


def made_way(event):
    """Return the rows of an event, those of orders that made way first."""
    first = [i for i, row in enumerate(event) if row[1] == Action.CANCEL and row[2] not in {other[2] for other in event[:i]}]
    return [event[i] for i in first] + [row for i, row in enumerate(event) if i not in first]


DAYS = {"passive": PlainDay, "displace": DisplacedDay, "reactive": ReactiveDay}
