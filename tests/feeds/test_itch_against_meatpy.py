"""ITCH files as meatpy reads them, field by field, and the book that it rebuilds, order by order after every message. meatpy: pip install meatpy"""
import gzip
from datetime import datetime
from itertools import groupby

import numpy as np
import pytest
from itch_market import ItchMarket
from made_files import itch_file, with_lengths

from lob import feeds
from lob.exchange.order_history import OrderHistory
from lob.feeds.itch_messages import ID_OF_ZERO, Messages
from lob.feeds.packed import Packed
from lob.messages import Side

SAMPLE = "ex20101224.TEST_ITCH_50.gz"
WHOLE_EVERY = 200  # messages; the prices that a message names are compared after each
DATE = datetime(2024, 1, 2)
# Ours by meatpy's names of them.
FIELDS = {
    "stock_locate": "locate", "tracking_number": "tracking", "timestamp": "time_ns", "order_ref": "ref", "original_ref": "ref", "new_ref": "other_ref",
    "match": "other_ref", "shares": "lots", "canceled_shares": "lots", "price": "price", "execution_price": "price", "cross_price": "price",
}

itch50 = pytest.importorskip("meatpy.itch50", reason="meatpy is an optional test dependency: pip install meatpy")


@pytest.fixture(scope="module", params=["generated, with lengths", "generated, without", "recorded"])
def day(request, tmp_path_factory):
    """Return (the file, the stocks to compare, meatpy's messages); meatpy needs lengths before the messages."""
    folder = tmp_path_factory.mktemp("itch")
    if request.param == "recorded":
        path, stocks = request.getfixturevalue("data_folder") / SAMPLE, ["ALC", "BOB", "CHAR"]
        content = gzip.decompress(path.read_bytes())
    else:
        path, stocks = itch_file(folder / "day.itch", ItchMarket(seed=5).messages(3_000), request.param.endswith("lengths")), ["TEST", "OTHER"]
        content = path.read_bytes()
    (folder / "theirs.itch").write_bytes(with_lengths(content) if content[:2] == b"\0\0" else content)
    return path, stocks, list(itch50.ITCH50MessageReader().read_file(folder / "theirs.itch"))


def test_every_field_of_every_message_is_that_of_meatpy(day):
    path, _, theirs = day
    with Packed(path) as packed:
        ours = np.concatenate(list(Messages(packed)))
    assert len(ours) == len(theirs) > 3_000
    compared = set()
    for mine, message in zip(ours, theirs, strict=True):
        kind = chr(mine["kind"])
        assert kind == message.type.decode()
        for theirs_is_called, name in FIELDS.items():
            if hasattr(message, theirs_is_called) and not (kind in "KNO" and name == "price") and not (kind == "P" and name == "ref"):
                value = getattr(message, theirs_is_called)
                assert mine[name] == (ID_OF_ZERO if name == "ref" and value == 0 else value), (kind, theirs_is_called)
                compared.add((kind, name))
        if hasattr(message, "bsindicator"):
            assert mine["side"] == {b"B": 1, b"S": -1}[message.bsindicator]
    assert {(kind, "lots") for kind in "AEXU"} | {("D", "ref"), ("U", "other_ref")} <= compared


def test_the_book_after_every_message_is_that_of_meatpy_order_by_order(day):
    path, stocks, theirs = day
    for stock in stocks:
        feed, book, theirs_so_far = feeds.itch(path, stock), OrderHistory(), Theirs(stock)
        rows, compared, done = feed.rows, 0, 0
        for time_ns, messages in groupby(theirs, key=lambda message: message.timestamp):
            followed = [theirs_so_far.follow(message) for message in messages]
            if any(followed):
                end = int(np.searchsorted(rows["time_ns"], time_ns, "right"))
                book.send_many(rows[done:end])
                prices = None if compared % WHOLE_EVERY == 0 else set(rows["price_ticks"][done:end].tolist())
                assert queues_of(book, prices) == theirs_so_far.queues(feed, prices), time_ns
                compared, done = compared + 1, end
        assert queues_of(book) == theirs_so_far.queues(feed)
        assert compared > 500 and done == len(rows)


def queues_of(book, prices=None):
    """Return the touch, and the orders at these prices, by default all: {(side, price_ticks): [(reference, shares)]}, first in line first."""
    shown = {side: book.depth(side, 10_000 if prices is None else 1)["price_ticks"].tolist() for side in Side}
    places = [(side, price) for side in Side for price in shown[side] + sorted(prices or ()) if book.order_count_at(side, price)]
    return {(side, price): [(int(order["order_id"]), int(order["lots"])) for order in book.orders_at(side, price)] for side, price in places}


class Theirs:
    """meatpy's book of one stock."""

    def __init__(self, stock):
        self.processor, self.rebuilt = itch50.ITCH50MarketProcessor(stock, DATE), 0

    def follow(self, message):
        """Follow a message; return whether it may have moved this stock's book."""
        if message.type not in (b"A", b"F", b"E", b"C", b"X", b"D", b"U", b"P", b"Q", b"H", b"S"):
            return False
        self.processor.process_message(message)
        if self.processor.current_lob is not None:
            self.processor.current_lob.skip_exception = lambda error: True  # an execution out of turn: the exchange has its reasons
        return True

    def queues(self, feed, prices=None):
        """Return what `queues_of` does."""
        book, units, found = self.processor.current_lob, int(feed.tick_size * 10_000), {}
        levels = {Side.BUY: book.bid_levels, Side.SELL: book.ask_levels} if book else {}
        for side in levels:
            for place, level in enumerate(levels[side]):
                if prices is None or place == 0 or level.price // units in prices:
                    assert level.price % units == 0
                    found[side, level.price // units] = [(order.order_id or ID_OF_ZERO, order.volume) for order in level.queue]
        return found
