"""The engines and books of the side-by-side, one module for each house: how its stream is prepared, what the clock sees, and what can be seen afterwards.

An engine that cannot match is given what the messages do to the book instead. Each gets its input in the form that suits it best, made before the clock starts.
"""
import gc
import time
from dataclasses import dataclass

import numpy as np

from lob.bench import mixed
from lob.exchange.reference import ReferenceBook
from lob.messages import Action, CancelReason, Flag, ReportKind, Side

ADD, CHANGE, DELETE = range(3)
UPDATE = np.dtype([("op", "i8"), ("order_id", "i8"), ("side", "i8"), ("price_ticks", "i8"), ("lots", "i8")])
LEVELS_MAX = 100_000


@dataclass(frozen=True)
class Outcome:
    """What a contender can show: fills and their lots, every queue {(side, price_ticks): [(order_id, lots), ...]}, the lots of every level, the touch."""

    fills: int | None = None
    volume_lots: int | None = None
    queues: dict | None = None
    levels: dict | None = None
    touch: tuple | None = None


@dataclass(frozen=True)
class Stream:
    """The messages, REQUEST[n]: `warm` fills the book, `timed` is what the clock sees; and what they do to the book, UPDATE[m], for those that cannot match."""

    warm: np.ndarray
    timed: np.ndarray
    warm_updates: np.ndarray
    updates: np.ndarray
    truth: Outcome


class Contender:
    """An engine with the warm part of a Stream in it. A subclass has __init__(stream), run() and outcome().

    name; package: its distribution on the package index, None for our own; does: "matches" or "keeps a book"; how: what the clock sees.
    """

    def nanoseconds(self):
        """Return what the timed part took, the garbage collector off as in timeit."""
        gc.disable()
        started_ns = time.perf_counter_ns()
        self.run()
        elapsed_ns = time.perf_counter_ns() - started_ns
        gc.enable()
        return elapsed_ns


def make_stream(messages, resting):
    """Return the mixed flow without the requests that are refused, and what the reference makes of it.

    One of the engines fails at a cancel of an order that has traded, which is what is refused in this flow.
    """
    flow = mixed(messages, resting)
    rows = ReferenceBook().send_many(np.concatenate([flow.warm, flow.timed]))
    ends = np.flatnonzero(rows["flags"] & int(Flag.LAST))
    is_valid = rows["kind"][ends] != ReportKind.REJECTED
    timed = flow.timed[is_valid[len(flow.warm):]]
    book = ReferenceBook()
    warm_updates = updates_of(book.send_many(flow.warm))
    rows = book.send_many(timed)
    return Stream(flow.warm, timed, warm_updates, updates_of(rows), outcome_of(book, rows))


def updates_of(rows):
    """Return what REPORT[n] of limit orders that rest, market orders and cancels did to the book, UPDATE[m]."""
    is_fill, is_deleted = rows["kind"] == ReportKind.FILL, (rows["kind"] == ReportKind.CANCELLED) & (rows["reason"] == CancelReason.ASKED)
    is_added = (rows["kind"] == ReportKind.ACCEPTED) & (rows["action"] == Action.LIMIT)
    updates = np.zeros(len(rows), UPDATE)
    updates["op"] = np.select([is_added, is_fill & (rows["resting_open_lots"] > 0)], [ADD, CHANGE], DELETE)
    updates["order_id"] = np.where(is_fill, rows["resting_id"], rows["order_id"])
    updates["side"] = np.where(is_fill, -rows["side"], rows["side"])
    updates["price_ticks"] = rows["price_ticks"]
    updates["lots"] = np.where(is_fill, rows["resting_open_lots"], np.where(is_deleted, rows["lots"], rows["open_lots"]))
    return updates[is_fill | is_deleted | is_added]


def outcome_of(book, rows):
    """Return the Outcome of a book with our face, and the rows of its timed part."""
    fills = rows[rows["kind"] == ReportKind.FILL]
    return Outcome(len(fills), int(fills["lots"].sum()), *queues_of(book))


def queues_of(book):
    """Return (queues, levels, touch) of a book with our face."""
    queues = {}
    for side in (Side.BUY, Side.SELL):
        for price_ticks in book.depth(side, LEVELS_MAX)["price_ticks"].tolist():
            orders = book.orders_at(side, price_ticks)
            queues[int(side), price_ticks] = list(zip(orders["order_id"].tolist(), orders["lots"].tolist(), strict=True))
    return queues, levels_of(queues), (book.best_bid_ticks, book.best_ask_ticks)


def levels_of(queues):
    return {place: sum(lots for _, lots in queue) for place, queue in queues.items()}


def columns(array, *names):
    """Return the named fields of a record array as a list of tuples of plain numbers."""
    return list(zip(*(array[name].tolist() for name in names), strict=True))
