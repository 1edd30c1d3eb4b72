"""The consensus stream: two million messages whose report stream most matching engines agree on, byte for byte.

    python benchmarks/consensus.py consensus_normal_seed23.npz

Prints the SHA-256 of the engine's report stream in the canonical text, the one that is published, and the nanoseconds a message.
Source: the matching-engine benchmark of Flash One Technologies (2026, arXiv 2606.01183), scenario `normal`, seed 23.
"""
import argparse
import hashlib
import statistics
import time
from pathlib import Path

import numpy as np

from lob.exchange.order_book import OrderBook, apply_many
from lob.messages import REQUEST, Action, CancelReason, ReportKind, Side, TimeInForce

PUBLISHED_SHA256 = "e9b2e3926854410b01a035aeb25dd05f1e597c233be8263de9eb49b6713d367e"
ACTIONS = np.array([Action.LIMIT, Action.CANCEL, Action.REPLACE], dtype="u1")  # by the stream's `type`
ACKNOWLEDGED, TRADED, CANCELLED, MODIFIED, CANCEL_REJECTED, MODIFY_REJECTED = range(6)
NO_FIELD = -1


def read_requests(path):
    """Return the stream as REQUEST[n] for a book whose replaces all go to the back; time_ns is the message's number."""
    with np.load(path) as file:
        stream = {name: file[name] for name in file}
    requests = np.zeros(len(stream["type"]), dtype=REQUEST)
    requests["time_ns"] = requests["sent_ns"] = np.arange(len(requests))
    requests["action"] = ACTIONS[stream["type"]]
    requests["side"] = np.where(stream["side"] == 0, Side.BUY, Side.SELL)
    requests["tif"] = np.where(stream["ioc"] == 1, TimeInForce.IOC, TimeInForce.GTC)
    requests["order_id"] = stream["order_id"]
    requests["price_ticks"] = stream["price"]
    requests["lots"] = np.where(requests["action"] == Action.CANCEL, 0, stream["quantity"])
    return requests


def canonical_text(rows):
    """Return REPORT[n] as the stream's canonical text: one line a report, those of one message sorted by kind, its trades in match order."""
    import polars as pl

    kind = canonical_kind(rows)
    order = np.lexsort((np.arange(len(rows)), kind, rows["time_ns"]))
    order = order[kind[order] != NO_FIELD]
    fields = canonical_fields(rows[order], kind[order])
    columns = [pl.when(pl.col(name) != NO_FIELD).then(pl.col(name)).cast(pl.String) for name in fields]
    lines = pl.DataFrame(fields).select(pl.concat_str(columns, separator=",", ignore_nulls=True))
    return "\n".join(lines.to_series())


def canonical_kind(rows):
    """Return int64[n], the canonical number of each row's kind; NO_FIELD where the canonical text has no line for it."""
    is_cancel = rows["action"] == Action.CANCEL
    replaced_away = (rows["kind"] == ReportKind.CANCELLED) & (rows["reason"] == CancelReason.REPLACED)
    kind = np.full(len(rows), NO_FIELD)
    kind[rows["kind"] == ReportKind.ACCEPTED] = ACKNOWLEDGED
    kind[rows["kind"] == ReportKind.FILL] = TRADED
    kind[(rows["kind"] == ReportKind.CANCELLED) & ~replaced_away] = CANCELLED
    kind[rows["kind"] == ReportKind.REPLACED] = MODIFIED
    kind[(rows["kind"] == ReportKind.REJECTED) & is_cancel] = CANCEL_REJECTED
    kind[(rows["kind"] == ReportKind.REJECTED) & ~is_cancel] = MODIFY_REJECTED
    return kind


def canonical_fields(rows, kind):
    """Return the columns of the canonical text, name -> int64[n], NO_FIELD where a kind has fewer."""
    side = np.where(rows["side"] == Side.BUY, 0, 1)
    is_trade, is_refusal = kind == TRADED, kind >= CANCEL_REJECTED
    has_lots = (kind == ACKNOWLEDGED) | (kind == MODIFIED)
    return {
        "kind": kind,
        "message": rows["time_ns"],
        "side_or_price": np.select([is_trade, is_refusal], [rows["price_ticks"], rows["order_id"]], side),
        "order_or_lots": np.select([is_trade, is_refusal], [rows["lots"], NO_FIELD], rows["order_id"]),
        "price_or_maker": np.select([is_trade, is_refusal], [rows["resting_id"], NO_FIELD], rows["price_ticks"]),
        "lots_or_taker": np.select([is_trade, has_lots], [rows["order_id"], rows["lots"]], NO_FIELD),
    }


def report_rows(requests):
    """Return the engine's rows for the stream, REPORT[m], and the book that wrote them."""
    book = OrderBook(replace_keeps_place=False)
    return book.send_many(requests), book


def time_send(requests, row_count, order_capacity, runs):
    """Return the nanoseconds a message of each run: all rows written into memory that is there and touched before the clock starts."""
    elapsed_ns = []
    for _ in range(runs):
        book = OrderBook(replace_keeps_place=False)
        book.memory.set_order_capacity(order_capacity)
        book.reports.grow(row_count + 2 * order_capacity)
        book.reports.rows.view(np.uint8)[::4096] = 0
        start_ns = time.perf_counter_ns()
        done = apply_many(book.memory.address, requests.ctypes.data, 0, len(requests), book.reports.address)
        elapsed_ns.append((time.perf_counter_ns() - start_ns) / len(requests))
        assert done == len(requests), "the memory was enough for the whole stream"
    return elapsed_ns


def main():
    from provenance import measured_on, one_line  # here, since the tests take the functions above without the folder they are in

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="the stream, a .npz of equally long arrays")
    parser.add_argument("--runs", type=int, default=5, help="timed runs after the first")
    arguments = parser.parse_args()
    requests = read_requests(arguments.file)
    rows, book = report_rows(requests)
    ns_per_message = time_send(requests, len(rows), len(book.memory.orders), arguments.runs)
    text = canonical_text(rows)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    print(f"sha256          {sha256}")
    print(f"as published    {'yes' if sha256 == PUBLISHED_SHA256 else 'NO: ' + PUBLISHED_SHA256}")
    print(f"messages        {len(requests):,}")
    print(f"lines           {text.count(chr(10)) + 1:,}")
    print(f"trades          {np.count_nonzero(rows['kind'] == ReportKind.FILL):,}")
    print(f"ns a message    {statistics.median(ns_per_message):.1f} (median of {arguments.runs} runs, {min(ns_per_message):.1f} to {max(ns_per_message):.1f})")
    print(one_line(measured_on()))


if __name__ == "__main__":
    main()
