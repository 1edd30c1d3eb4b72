"""A warm book that answers into one hot chunk of rows, begun again when it is full, as a session hands its chunks to the tape.

So the figures are those of the engine in a simulation, in compiled code, and not those of a machine that fetches new memory.
"""
import sys

import numpy as np

from lob.exchange import gate
from lob.exchange.book import book_at
from lob.exchange.order_book import OrderBook
from lob.exchange.reports import reports_at, request_at
from lob.jit import jit, module_stamp
from lob.messages import Action

CHUNK_ROWS = 16_384
SPARE_ROWS = 64  # more than one request of these flows can write: at most ten lots, so at most ten fills


def stamped(function):
    """Give a function the stamp of its module, by which its native code on disk is known to be fresh."""
    function.__stamp__ = module_stamp(sys.modules[function.__module__])
    return function


@jit(inline=True)
@stamped
def recycle(reports):
    """Begin the chunk again when it is nearly full."""
    if reports.capacity - reports.count < SPARE_ROWS:
        reports.count = 0


@jit
@stamped
def play(book_address, requests, first, count, reports_address):
    """Apply requests [first, count) and recycle their rows; return the number done, less than `count` where memory must grow, the book's or the rows'."""
    book, reports = book_at(book_address, 0), reports_at(reports_address, 0)
    for i in range(first, count):
        if gate.apply(book, request_at(requests, i), reports) < 0:
            return i
        recycle(reports)
    return count


def play_all(book, requests):
    """Apply REQUEST[n] to an OrderBook, growing its memory and that of its rows where need be."""
    done = 0
    while done < len(requests):
        done = play(book.memory.address, requests.ctypes.data, done, len(requests), book.reports.address)
        if done < len(requests):
            book.make_room(requests[done], book.reports)


def warm_book(flow):
    """Return an OrderBook with the warm part of a flow in it and memory for the orders that the rest brings."""
    book = OrderBook()
    book.reports.grow(CHUNK_ROWS)
    book.reports.rows.view(np.uint8)[:] = 0
    book.memory.set_order_capacity(max(len(flow.warm) + 2, len(book.memory.orders)))
    play_all(book, flow.warm)
    adds = int((flow.timed["action"] != Action.CANCEL).sum())
    book.memory.set_order_capacity(max(book.order_count + min(adds, 4 * max(book.order_count, 1024)) + 2, len(book.memory.orders)))
    return book
