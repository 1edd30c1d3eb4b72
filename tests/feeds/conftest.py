"""What the feed tests share: a plain book to replay a feed in, and simulated days in LOBSTER's format."""
import gzip
import random
import zipfile
from dataclasses import dataclass

import pytest

from lob.messages import Action, Side, anonymous_id

EMPTY = {Side.SELL: (9999999999, 0), Side.BUY: (-9999999999, 0)}
CENT_UNITS = 100


class RecordedBook:
    """What the exchange is told to do with recorded rows, in the plainest Python."""

    def __init__(self):
        self.queues = {Side.BUY: {}, Side.SELL: {}}  # price: {order id: lots}, first in line first
        self.rejected_count = 0

    def apply(self, row):
        _, _, order_id, price_ticks, lots, _, _, action, side, *_ = row
        if action == Action.DROP_LEVEL:
            del self.queues[side][price_ticks]
        elif action == Action.LIMIT:
            queue = self.queues[side].setdefault(price_ticks, {})
            assert order_id not in queue
            queue[order_id] = lots
        elif action in (Action.CANCEL, Action.EXECUTE):
            self._take_off(order_id, price_ticks, lots, side)

    def _take_off(self, order_id, price_ticks, lots, side):
        queue = self.queues.get(side, {}).get(price_ticks, {})  # side 0: of an unknown order
        if order_id not in queue:
            order_id = anonymous_id(side, price_ticks)
        if order_id not in queue:
            self.rejected_count += 1
            return
        queue[order_id] -= min(lots, queue[order_id]) or queue[order_id]
        if queue[order_id] == 0:
            del queue[order_id]
        if not queue:
            del self.queues[side][price_ticks]

    def levels(self, side):
        """Return [(price_ticks, lots)], best first."""
        return [(price, sum(queue.values())) for price, queue in sorted(self.queues[side].items(), reverse=side == Side.BUY)]


@dataclass
class LobsterDay:
    """The text rows of a message file and of its book file."""

    messages: list
    book: list
    level_count: int

    @property
    def message_name(self):
        return f"TEST_2024-01-02_34200000_57600000_message_{self.level_count}.csv"

    @property
    def book_name(self):
        return self.message_name.replace("message", "orderbook")

    @property
    def message_text(self):
        return "".join(f"{row}\n" for row in self.messages)

    @property
    def book_text(self):
        return "".join(f"{row}\n" for row in self.book)

    def shown(self, k, side):
        """Return the levels of book row k: [(price_ticks, lots)], best first."""
        numbers = [int(number) for number in self.book[k].split(",")]
        first = 0 if side == Side.SELL else 2
        return [(price // CENT_UNITS, lots) for price, lots in zip(numbers[first::4], numbers[first + 1::4], strict=True) if lots]

    def write(self, folder, with_book=True):
        """Write both files into a folder; return the path of the message file."""
        (folder / self.message_name).write_text(self.message_text)
        if with_book:
            (folder / self.book_name).write_text(self.book_text)
        return folder / self.message_name

    def write_gzip(self, folder):
        for name, text in ((self.message_name, self.message_text), (self.book_name, self.book_text)):
            (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
        return folder / f"{self.message_name}.gz"

    def write_zip(self, folder):
        path = folder / "LOBSTER_SampleFile_TEST.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(self.book_name, self.book_text)
            archive.writestr(self.message_name, self.message_text)
            archive.writestr("LOBSTER_SampleFiles_ReadMe.txt", "about the message files")
        return path


class SimulatedVenue:
    """A book of any depth that records only what happens within its best levels, as LOBSTER does."""

    def __init__(self, seed, level_count):
        self.random = random.Random(seed)
        self.level_count = level_count
        self.queues = {Side.BUY: {}, Side.SELL: {}}
        self.next_id = 1
        self.time_ns = 34_200 * 10**9

    def day(self, message_count):
        """Return a LobsterDay whose first row is already a full window."""
        for _ in range(60 * self.level_count):
            self.enter()
        messages, book = [], []
        while len(messages) < message_count:
            before = self.window()
            events = [self.enter, self.reduce, self.delete, self.execute, self.print_hidden]
            kind, order_id, lots, price, side = self.random.choices(events, [45, 5, 40, 8, 2])[0]()
            visible = {(side, price) for window in (before, self.window()) for side in window for price, _ in window[side]}
            if kind == 0 or (kind != 5 and (side, price) not in visible):
                continue
            self.time_ns += self.random.choice([0, 1, 1_000, 123_456_789])
            messages.append(f"{self.time_text()},{kind},{order_id},{lots},{price * CENT_UNITS},{int(side)}")
            book.append(self.book_row())
        return LobsterDay(messages, book, self.level_count)

    def time_text(self):
        return f"{self.time_ns // 10**9}.{self.time_ns % 10**9:09d}".rstrip("0").rstrip(".")

    def window(self):
        return {side: [(price, sum(self.queues[side][price].values())) for price in sorted(self.queues[side], reverse=side == Side.BUY)[:self.level_count]]
                for side in Side}

    def book_row(self):
        window = self.window()
        cells = []
        for level in range(self.level_count):
            for side in (Side.SELL, Side.BUY):
                price, lots = window[side][level] if level < len(window[side]) else EMPTY[side]
                cells += [price * CENT_UNITS if lots else price, lots]
        return ",".join(map(str, cells))

    def enter(self):
        side = self.random.choice(list(Side))
        opposite = self.queues[-side]
        touch = (min(opposite) if side == Side.BUY else max(opposite)) if opposite else 10_000 + side
        price = touch - side * (1 + int(self.random.expovariate(1 / (2 * self.level_count))))
        lots, order_id = self.random.randint(1, 9), self.next_id
        self.next_id += 1
        self.queues[side].setdefault(price, {})[order_id] = lots
        return 1, order_id, lots, price, side

    def reduce(self):
        side, price, order_id, lots = self.any_order()
        return self.take(2, order_id, lots - 1, price, side) if lots > 1 else (0, 0, 0, 0, side)

    def delete(self):
        side, price, order_id, lots = self.any_order()
        return self.take(3, order_id, lots, price, side)

    def execute(self):
        side = self.random.choice(list(Side))
        if len(self.queues[side]) < 2:
            return 0, 0, 0, 0, side
        price = max(self.queues[side]) if side == Side.BUY else min(self.queues[side])
        order_id, lots = next(iter(self.queues[side][price].items()))
        return self.take(4, order_id, self.random.randint(1, lots), price, side)

    def print_hidden(self):
        return 5, 0, self.random.randint(1, 9), 10_000, self.random.choice(list(Side))

    def any_order(self):
        side = self.random.choice([side for side in Side if len(self.queues[side]) > 1])
        prices = sorted(self.queues[side], reverse=side == Side.BUY)
        price = prices[min(int(self.random.expovariate(1 / self.level_count)), len(prices) - 1)]
        order_id = self.random.choice(list(self.queues[side][price]))
        return side, price, order_id, self.queues[side][price][order_id]

    def take(self, kind, order_id, lots, price, side):
        queue = self.queues[side][price]
        queue[order_id] -= lots
        if queue[order_id] == 0:
            del queue[order_id]
        if not queue:
            del self.queues[side][price]
        return kind, order_id, lots, price, side


@pytest.fixture
def recorded_book():
    return RecordedBook()


@pytest.fixture(scope="session")
def simulate_day():
    """Return a function (seed, level_count, message_count) -> LobsterDay."""
    return lambda seed=1, level_count=3, message_count=400: SimulatedVenue(seed, level_count).day(message_count)


@pytest.fixture(scope="session")
def lobster_day():
    """Return the LobsterDay of the given text rows."""
    return LobsterDay
