"""Nanoseconds a query from compiled code, on the books that the named flows leave behind: python benchmarks/queries.py mixed deep_fifo --json

mixed: some 10,000 orders at some 300 prices; deep_fifo: some 100,000 orders at two. Each query is asked many times in a row of one book that does not change,
at random places drawn before the clock starts; `queue_ahead` at random orders, and at the first, middle and last of the longest queue.
"""
import argparse
import json
import statistics
import time

import numpy as np
from provenance import measured_on, one_line

from lob.bench import FLOWS, prepared_book
from lob.exchange.audit import find_at
from lob.exchange.book import book_at, ladder_of
from lob.exchange.ladder import key_of
from lob.exchange.queries import lots_between, nth_key, order_count, queue_ahead
from lob.jit import jit
from lob.messages import Side

ASKED = 20_000


@jit
def ask_levels(book_address, side, places):
    ladder, found = ladder_of(book_at(book_address, 0), side), 0
    for i in range(len(places)):
        found += nth_key(ladder, places[i])
    return found


@jit
def ask_lots(book_address, side, places):
    ladder, found = ladder_of(book_at(book_address, 0), side), 0
    for i in range(len(places)):
        found += lots_between(ladder, places[i], places[i] + 19)
    return found


@jit
def ask_counts(book_address, side, places):
    book, found = book_at(book_address, 0), 0
    for i in range(len(places)):
        found += order_count(book, ladder_of(book, side), places[i])
    return found


@jit
def ask_ahead(book_address, side, places):
    book, found = book_at(book_address, 0), 0
    for i in range(len(places)):
        found += queue_ahead(book, places[i])
    return found


def questions(book, seed=1):
    """Return [(name, function, places)] for the bids of a book."""
    random, depth = np.random.default_rng(seed), book.depth(Side.BUY, 10**6)
    best_key = key_of.py_func(Side.BUY, book.best_bid_ticks)
    deepest = int(depth["price_ticks"][depth["orders"].argmax()])
    queue = [find_at(book.memory.address, 0, order_id) for order_id in book.orders_at(Side.BUY, deepest)["order_id"].tolist()]
    resting = np.flatnonzero((book.memory.orders["lots"] > 0) & (book.memory.orders["side"] == Side.BUY))
    same = lambda place: np.full(ASKED, place)  # noqa: E731
    return [
        ("level 0", ask_levels, same(0)),
        ("level, at random", ask_levels, random.integers(0, len(depth), ASKED)),
        ("lots between 20 prices", ask_lots, best_key - random.integers(0, 100, ASKED)),
        (f"orders at a price, {len(queue)}", ask_counts, same(key_of.py_func(Side.BUY, deepest))[: max(10**7 // len(queue), 10)]),
        ("queue ahead, at random", ask_ahead, random.choice(resting, min(ASKED, max(10**8 // len(queue), 10)))),
        *((f"queue ahead, {name} of {len(queue)}", ask_ahead, same(queue[place])[: max(10**7 // len(queue), 10)])
          for name, place in (("first", 0), ("middle", len(queue) // 2), ("last", -1))),
    ]


def measure(name, repeats=5, **sizes):
    """Return [{"flow", "query", "ns", "fastest_ns", "slowest_ns"}]: the median of `repeats` runs after one that is not counted."""
    flow, rows = FLOWS[name](**sizes), []
    book = prepared_book(flow)
    book.send_many(flow.timed)
    for query, ask, places in questions(book):
        times = []
        for _ in range(repeats + 1):
            started_ns = time.perf_counter_ns()
            ask(book.memory.address, int(Side.BUY), places)
            times.append((time.perf_counter_ns() - started_ns) / len(places))
        ns, fastest, slowest = (round(value, 1) for value in (statistics.median(times[1:]), min(times[1:]), max(times[1:])))
        rows.append({"flow": name, "query": query, "asked": len(places), "ns": ns, "fastest_ns": fastest, "slowest_ns": slowest})
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("flows", nargs="*", default=("mixed", "deep_fifo"), help="named flows that leave bids behind")
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    options = parser.parse_args()
    rows = [row for name in options.flows for row in measure(name, options.repeats, messages=options.messages)]
    result = {"benchmark": "queries", **measured_on(), "rows": rows}
    if options.json:
        print(json.dumps(result, indent=1))
        return
    print(f"{'book':<16}{'query':<34}{'ns':>12}{'of all runs':>26}")
    for row in rows:
        print(f"{row['flow']:<16}{row['query']:<34}{row['ns']:>12,.1f}{row['fastest_ns']:>14,.1f} to{row['slowest_ns']:>9,.1f}")
    print(one_line(result))


if __name__ == "__main__":
    main()
