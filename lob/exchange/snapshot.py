"""Snapshots: a book in the middle of a day, on disk.

Owns the format. FILE is a NumPy .npz archive, which loads without executing anything, of two arrays:
- header: int64[5]: format version (1), the book's number, whether a replace that shrinks keeps its place (0 or 1), the number of the next row on the tape,
  and the number of orders;
- orders: RESTING[n], every resting order: bids from the best price down, then asks from the best price up, and at each price in the order of its queue.
A book that is loaded answers every request that follows with the rows that the saved one would have given.
"""
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from lob.errors import TapeError
from lob.exchange.book import book_at, find, has_room, rest
from lob.exchange.order_book import OrderBook
from lob.jit import jit
from lob.messages import LOTS_MAX, PRICE_MAX_TICKS, Side

VERSION = 1
# What a damaged archive can raise, by where the damage is; RuntimeError: it claims to be encrypted, NotImplementedError: compressed in an unknown way.
UNREADABLE = (OSError, ValueError, KeyError, EOFError, MemoryError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error)
HEADER = ("version", "number", "replace_keeps_place", "sequence", "order_count")
RESTING = np.dtype([("order_id", "i8"), ("price_ticks", "i8"), ("owner", "i4"), ("lots", "i4"), ("side", "i1")], align=True)


def resting_orders(book):
    """Return every order of an OrderBook in the order of a snapshot: RESTING[n]."""
    parts = [np.zeros(0, RESTING)]
    for side in Side:
        for level in book.depth(side, levels=max(book.order_count, 1)):
            queue = book.orders_at(side, level["price_ticks"])
            part = np.zeros(len(queue), RESTING)
            part["order_id"], part["owner"], part["lots"] = queue["order_id"], queue["owner"], queue["lots"]
            part["price_ticks"], part["side"] = level["price_ticks"], side
            parts.append(part)
    return np.concatenate(parts)


def state_of(book):
    """Return (header, orders) of an OrderBook, as a snapshot holds them."""
    orders, memory = resting_orders(book), book.memory
    header = [VERSION, book.number, memory.book["replace_keeps_place"][0], book.reports.record["sequence"][0], len(orders)]
    return np.array(header, np.int64), orders


def restored(header, orders):
    """Return the OrderBook of a state; raises TapeError if an order rests twice or the book is crossed."""
    header = dict(zip(HEADER, header.tolist(), strict=True))
    book = OrderBook(replace_keeps_place=bool(header["replace_keeps_place"]), book=header["number"])
    book.reports.record["sequence"] = header["sequence"]
    book.memory.set_order_capacity(max(2 * len(orders), 1024))
    done = 0
    while done < len(orders):
        done = _rest_all(book.memory.address, orders, done)
        if done < 0:
            raise TapeError(f"orders[{-done - 1}] rests twice")
        if done < len(orders):
            book.memory.grow()
    if book.best_bid_ticks and book.best_ask_ticks and book.best_bid_ticks >= book.best_ask_ticks:
        raise TapeError(f"the book is crossed, {book.best_bid_ticks} bid and {book.best_ask_ticks} asked")
    return book


def save(book, path):
    """Write an OrderBook to a file, whole or not at all, and return its path; raises TapeError if the disk refuses."""
    path = Path(path)
    header, orders = state_of(book)
    part = path.with_name(path.name + ".part")
    try:
        with open(part, "wb") as file:
            np.savez_compressed(file, header=header, orders=orders)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise TapeError(f"{path}: the snapshot cannot be written: {error.strerror}") from error
    return path


def load(path):
    """Return the OrderBook of a snapshot; raises TapeError if the file is none, is damaged, or says what no book can hold."""
    path = Path(path)
    header, orders = _read(path)
    try:
        return restored(header, orders)
    except TapeError as error:
        raise TapeError(f"{path}: {error}") from None


def _read(path):
    try:
        # The checksums first: what is damaged is not even parsed.
        with zipfile.ZipFile(path) as archive:
            if archive.testzip():
                raise zipfile.BadZipFile("a checksum does not match")
        with np.load(path, allow_pickle=False) as archive:
            numbers, orders = archive["header"], archive["orders"]
    except UNREADABLE as error:
        raise TapeError(f"{path}: not a snapshot: {error}") from error
    if numbers.dtype != np.int64 or numbers.shape != (len(HEADER),) or numbers[0] != VERSION:
        raise TapeError(f"{path}: a snapshot's header is int64[{len(HEADER)}] of version {VERSION}, was {numbers!r}")
    _, number, _, sequence, order_count = numbers.tolist()
    if orders.dtype != RESTING or orders.shape != (order_count,):
        raise TapeError(f"{path}: orders must be {order_count} rows of {RESTING.names}")
    valid = (
        (orders["order_id"] >= 1) & (orders["owner"] >= 0) & (np.abs(orders["side"]) == 1)
        & (orders["price_ticks"] >= 1) & (orders["price_ticks"] <= PRICE_MAX_TICKS) & (orders["lots"] >= 1) & (orders["lots"] <= LOTS_MAX)
    )
    if not valid.all() or not 0 <= number < 2**16 or sequence < 0:
        raise TapeError(f"{path}: {f'orders[{int(np.argmin(valid))}] is' if not valid.all() else 'its header says'} what no book can hold")
    return numbers, orders


@jit
def _rest_all(book_address, orders, first):
    """Rest orders from `first` on; return how many rest in all, or -(i + 1) if order i rests already."""
    book = book_at(book_address, 0)
    for i in range(first, len(orders)):
        order = orders[i]
        if not has_room(book, order.side):
            return i
        if find(book, order.owner, order.order_id):
            return -(i + 1)
        rest(book, order.owner, order.order_id, order.side, order.price_ticks, order.lots)
    return len(orders)
