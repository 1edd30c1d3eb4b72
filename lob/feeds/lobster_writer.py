"""LOBSTER writer: a Feed as a pair of LOBSTER files, for other tools to read.

Owns the text and which messages a window of levels shows: as in LOBSTER's own files one that changes nothing within the best levels, before or after
it, is not there. LIMIT is type 1, a CANCEL 2 or, if it takes all that is left, 3; EXECUTE 4, PRINT 5 or, without a side, 6; STATUS 7. A dropped
level is a 3 of each of its orders.
Source: LOBSTER, output structure (lobsterdata.com). Cost: about 10 microseconds a row.
"""
from contextlib import ExitStack
from pathlib import Path

from sortedcontainers import SortedDict

from lob.errors import FeedError
from lob.feeds.feed import SECOND_NS, UNITS_PER_DOLLAR
from lob.feeds.lobster_rows import AUCTION, DELETED, EMPTY_PRICE, EXECUTED, HALT, HIDDEN, NEW, REDUCED, SIDES
from lob.files import whole_file
from lob.messages import Action, Side, anonymous_id

PARTS = ("message", "orderbook")
ID_OF_FIRST_RENAMED = 10**17


def write_lobster(feed, folder, levels=10, date="2000-01-01"):
    """Write the message and the book file of a Feed into a folder and return the path of the message file.

    levels: how many the files show; date: the day in their names. Rows of orders that are not open are left out.
    Raises FeedError if LOBSTER cannot hold the feed or the files cannot be written; then earlier ones are left as they were.
    """
    folder, units = Path(folder), feed.tick_size * UNITS_PER_DOLLAR
    if units != int(units) or units < 1:
        raise FeedError(f"{folder}: tick_size must be a multiple of 0.0001 in LOBSTER, was {feed.tick_size}")
    if not isinstance(levels, int) or levels < 1:
        raise FeedError(f"levels must be a whole number from 1, was {levels!r}")
    symbol = "".join("-" if letter in "_/\\" else letter for letter in feed.name)
    span = f"{feed.start_ns // SECOND_NS * 1000}_{-(-feed.end_ns // SECOND_NS) * 1000}"
    paths = [folder / f"{symbol}_{date}_{span}_{part}_{levels}.csv" for part in PARTS]
    book = _Window(levels, int(units))
    with ExitStack() as stack:
        parts = [stack.enter_context(whole_file(path, FeedError)) for path in paths]
        messages, rows = (stack.enter_context(open(part, "w", encoding="ascii")) for part in parts)
        for block in feed.blocks():
            for row in block[["time_ns", "action", "order_id", "side", "price_ticks", "lots"]].tolist():
                for message in book.follow(*row):
                    messages.write(message)
                    rows.write(book.text)
    return paths[0]


class _Window:
    """A book and what its best levels show."""

    def __init__(self, levels, units):
        self.levels, self.units, self.orders = levels, units, {}
        self.sides = {side: SortedDict() for side in Side}  # {urgency: lots}, the best last
        self.used, self.next_id = set(), ID_OF_FIRST_RENAMED
        self.text = self._row()

    def follow(self, time_ns, action, order_id, side, price_ticks, lots):
        """Yield the text of the messages that a row becomes; when one comes out, `text` is the book row after it."""
        clock = f"{time_ns // SECOND_NS}.{time_ns % SECOND_NS:09d}"
        if action == Action.PRINT:
            yield f"{clock},{HIDDEN if side else AUCTION},0,{lots},{price_ticks * self.units},{-side}\n"
        elif action == Action.STATUS:
            yield f"{clock},{HALT},0,0,{price_ticks - 1},-1\n"
        elif action == Action.DROP_LEVEL:
            for number in [number for number, order in self.orders.items() if order[:2] == [side, price_ticks]]:
                yield from self._change(clock, DELETED, number, side, price_ticks, -self.orders[number][2])
        elif action == Action.LIMIT:
            self.orders[order_id] = [side, price_ticks, 0, self._fresh(order_id)]
            yield from self._change(clock, NEW, order_id, side, price_ticks, lots)
        else:
            # As the exchange does it: what an unknown order loses is taken from the anonymous volume at its price.
            order_id = order_id if order_id in self.orders else anonymous_id(side, price_ticks)
            if order_id not in self.orders:
                return
            side, price_ticks, left, _ = self.orders[order_id]
            taken = min(lots, left) or left
            kind = EXECUTED if action == Action.EXECUTE else DELETED if taken == left else REDUCED
            yield from self._change(clock, kind, order_id, side, price_ticks, -taken)

    def _change(self, clock, kind, order_id, side, price_ticks, lots):
        """Add lots, which may be negative, to an order; yield its message if the window shows it."""
        level, order = self.sides[side], self.orders[order_id]
        was_shown = self._shows(side, price_ticks)
        order[2] += lots
        left = level.get(side * price_ticks, 0) + lots
        if left:
            level[side * price_ticks] = left
        else:
            del level[side * price_ticks]
        if order[2] == 0:
            del self.orders[order_id]
        if was_shown or self._shows(side, price_ticks):
            self.text = self._row()
            yield f"{clock},{kind},{order[3]},{abs(lots)},{price_ticks * self.units},{side}\n"

    def _fresh(self, order_id):
        """Return the id of a new order in the files. There an id is used once: who reads them may not have seen its earlier order go."""
        if order_id < ID_OF_FIRST_RENAMED and order_id not in self.used:
            self.used.add(order_id)
            return order_id
        self.next_id += 1
        return self.next_id

    def _shows(self, side, price_ticks):
        """Return whether a price has lots and is among the best levels of its side."""
        level = self.sides[side]
        return side * price_ticks in level and len(level) - level.index(side * price_ticks) <= self.levels

    def _row(self):
        shown = []
        for side in SIDES:
            best = [(side * urgency * self.units, lots) for urgency, lots in reversed(self.sides[side].items()[-self.levels:])]
            shown.append(best + [(-side * EMPTY_PRICE, 0)] * (self.levels - len(best)))
        return ",".join(f"{price},{lots}" for level in zip(*shown, strict=True) for price, lots in level) + "\n"
