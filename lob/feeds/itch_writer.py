"""ITCH writer: a Feed as a Nasdaq TotalView-ITCH 5.0 file of one stock, for other tools to read.

Owns the bytes. LIMIT becomes A, EXECUTE E, a CANCEL X or, if it takes all that is left, D; PRINT P, whose side says nothing; STATUS H. A dropped
level is a D of each of its orders. Source: Nasdaq, TotalView-ITCH 5.0 specification. Cost: about 100 ns a row.
"""
import gzip
from pathlib import Path

import numpy as np

from lob.errors import FeedError
from lob.feeds.feed import DAY_NS, UNITS_PER_DOLLAR
from lob.feeds.itch_messages import ID_OF_ZERO, PREFIX_BYTES, SIZE_OF_KIND, STOCK_BYTES
from lob.feeds.open_orders import OpenOrders, drop, entry_at, find, is_full, open_orders_at, put
from lob.files import whole_file
from lob.jit import jit
from lob.messages import ANONYMOUS_ID_FIRST, Action, anonymous_id

PRICE_MAX_UNITS = 2**32 - 1
LOCATE = 1
MESSAGE_BYTES_MAX = PREFIX_BYTES + max(SIZE_OF_KIND.values())
# Anonymous volume has ids above those of orders; there it gets one below them.
_ANONYMOUS_SHIFT = 2**61
_LIMIT, _CANCEL, _EXECUTE, _DROP_LEVEL, _PRINT, _STATUS = (
    int(a) for a in (Action.LIMIT, Action.CANCEL, Action.EXECUTE, Action.DROP_LEVEL, Action.PRINT, Action.STATUS))
_A, _X, _D, _E, _P, _H, _BUY, _SELL = (ord(c) for c in "AXDEPHBS")
_anonymous_id = jit(anonymous_id)
_STATES = np.frombuffer(b"HQT", np.uint8)  # by the number of a STATUS


def write_itch(feed, path, stock=None):
    """Write a Feed as an ITCH 5.0 file, packed if its name ends with .gz, and return its path.

    stock: up to 8 letters, by default the feed's name. Rows of orders that are not open are left out.
    Raises FeedError if ITCH cannot hold the feed, or if the file cannot be written; then an earlier one is left as it was.
    """
    path, stock = Path(path), feed.name if stock is None else stock
    units = feed.tick_size * UNITS_PER_DOLLAR
    if not stock.isascii() or not 1 <= len(stock) <= STOCK_BYTES:
        raise FeedError(f"{path}: stock must be 1 to {STOCK_BYTES} ASCII letters, was {stock!r}")
    if units != int(units) or units < 1:
        raise FeedError(f"{path}: tick_size must be a multiple of 0.0001 in ITCH, was {feed.tick_size}")
    if feed.end_ns >= DAY_NS:
        raise FeedError(f"{path}: times must be within a day in ITCH, end at {feed.end_ns:,} ns")
    with whole_file(path, FeedError) as part, gzip.open(part, "wb", compresslevel=1) if path.suffix == ".gz" else open(part, "wb") as file:
        _write(feed, file, path, stock.ljust(STOCK_BYTES).encode(), int(units))
    return path


def _write(feed, file, path, stock, units):
    start_ns = 0
    directory = b"R" + _head(LOCATE, start_ns) + stock + b"QN" + (100).to_bytes(4, "big") + b"NCZ PNN2N" + bytes(4) + b"N"
    file.write(_prefixed(b"S" + _head(0, start_ns) + b"O") + _prefixed(directory))
    orders, last_ns, name = OpenOrders(), start_ns, np.frombuffer(stock, np.uint8)
    matches = np.zeros(1, np.int64)
    for rows in feed.blocks():
        _check(rows, path, units)
        done = 0
        while done < len(rows):
            orders.grow()
            bound = MESSAGE_BYTES_MAX * (len(rows) - done + int(orders.record["orders"]["count"][0]) + 1)
            buffer = np.zeros(bound, np.uint8)
            done, size = _encode(np.ascontiguousarray(rows), done, orders.address, units, name, matches, buffer)
            file.write(buffer[:size].data)
        last_ns = int(rows["time_ns"][-1]) if len(rows) else last_ns
    file.write(_prefixed(b"S" + _head(0, last_ns) + b"C"))


def _check(rows, path, units):
    priced = np.isin(rows["action"], (Action.LIMIT, Action.PRINT))
    if (rows["price_ticks"][priced] * units > PRICE_MAX_UNITS).any():
        raise FeedError(f"{path}: prices must be at most {PRICE_MAX_UNITS / UNITS_PER_DOLLAR:,} in ITCH, are up to {int(rows['price_ticks'].max())} ticks")
    if len(rows) and (rows["time_ns"][0] < 0 or rows["time_ns"][-1] >= DAY_NS):
        raise FeedError(f"{path}: times must be within a day in ITCH, go from {rows['time_ns'][0]:,} to {rows['time_ns'][-1]:,} ns")


def _head(locate, time_ns):
    return locate.to_bytes(2, "big") + bytes(2) + time_ns.to_bytes(6, "big")


def _prefixed(message):
    return len(message).to_bytes(PREFIX_BYTES, "big") + message


@jit
def _encode(rows, first, orders_address, units, stock, matches, buffer):
    """Write the messages of rows from `first` on; return (how many rows are done, how many bytes they took)."""
    book, size = open_orders_at(orders_address, 0), 0
    for i in range(first, rows.shape[0]):
        row = rows[i]
        most = MESSAGE_BYTES_MAX * (1 + (book.orders.count if row.action == _DROP_LEVEL else 0))
        if is_full(book) or size + most > buffer.size:
            return i, size
        if row.action == _LIMIT:
            order = put(book.orders, row.order_id)
            order.lots, order.side, order.price_ticks = row.lots, row.side, row.price_ticks
            size = _order(buffer, _begin(buffer, size, _A, 36, row.time_ns), row.order_id, row.side, row.lots, stock, row.price_ticks * units)
        elif row.action == _CANCEL or row.action == _EXECUTE:
            size = _reduce(book, buffer, size, row, matches)
        elif row.action == _DROP_LEVEL:
            size = _drop_level(book, buffer, size, row)
        elif row.action == _PRINT:
            matches[0] += 1
            size = _order(buffer, _begin(buffer, size, _P, 44, row.time_ns), 0, 1, row.lots, stock, row.price_ticks * units)
            size = _put(buffer, size, matches[0], 8)
        elif row.action == _STATUS:
            size = _begin(buffer, size, _H, 25, row.time_ns)
            size = _put(_text(buffer, size, stock), size + 8, np.int64(_STATES[row.price_ticks]), 1)
            size = _put(buffer, size, 0x2020202020, 5)
    return rows.shape[0], size


@jit
def _reduce(book, buffer, size, row, matches):
    order = entry_at(book.orders.entries, find(book.orders, row.order_id))
    if order.key == 0:  # as the exchange does it: the anonymous volume at its price
        order = entry_at(book.orders.entries, find(book.orders, _anonymous_id(row.side, row.price_ticks)))
    if order.key == 0:
        return size
    lots = order.lots if row.lots == 0 else min(row.lots, order.lots)
    order.lots -= lots
    if row.action == _EXECUTE:
        matches[0] += 1
        size = _put(buffer, _begin(buffer, size, _E, 31, row.time_ns), _reference(order.key), 8)
        size = _put(buffer, _put(buffer, size, lots, 4), matches[0], 8)
    elif order.lots:
        size = _put(buffer, _put(buffer, _begin(buffer, size, _X, 23, row.time_ns), _reference(order.key), 8), lots, 4)
    else:
        size = _put(buffer, _begin(buffer, size, _D, 19, row.time_ns), _reference(order.key), 8)
    if order.lots == 0:
        drop(book.orders, order.key)
    return size


@jit
def _drop_level(book, buffer, size, row):
    i = 0
    while i <= book.orders.mask:
        order = entry_at(book.orders.entries, i)
        if order.key and order.side == row.side and order.price_ticks == row.price_ticks:
            size = _put(buffer, _begin(buffer, size, _D, 19, row.time_ns), _reference(order.key), 8)
            drop(book.orders, order.key)
            i = 0  # closing the gap has moved others, even around the end of the table
        else:
            i += 1
    return size


@jit
def _reference(order_id):
    if order_id == ID_OF_ZERO:
        return 0
    return order_id - ANONYMOUS_ID_FIRST + _ANONYMOUS_SHIFT if order_id >= ANONYMOUS_ID_FIRST else order_id


@jit
def _begin(buffer, at, kind, size, time_ns):
    """Write the length and the head of a message; return where the rest of it goes."""
    at = _put(buffer, _put(buffer, at, size, PREFIX_BYTES), kind, 1)
    return _put(buffer, _put(buffer, at, LOCATE, 2), time_ns, 8)


@jit
def _order(buffer, at, order_id, side, lots, stock, price_units):
    at = _put(buffer, _put(buffer, at, _reference(order_id), 8), _BUY if side > 0 else _SELL, 1)
    at = _put(buffer, at, lots, 4)
    return _put(_text(buffer, at, stock), at + stock.size, price_units, 4)


@jit
def _put(buffer, at, number, size):
    for j in range(size):
        buffer[at + j] = (number >> (8 * (size - 1 - j))) & 255
    return at + size


@jit
def _text(buffer, at, text):
    for j in range(text.size):
        buffer[at + j] = text[j]
    return buffer
