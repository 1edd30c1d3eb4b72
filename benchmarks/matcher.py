"""Time the matcher on a recorded stream: python benchmarks/matcher.py FILE.npy --json

The stream is an array of records (op u1: 0 limit, 1 cancel; side u1: 0 buy, 1 sell; 2 bytes pad; id i4; price i4; lots i4). Where a C++ compiler is there, the
yardstick is timed in the same run, and fills, volume and best quotes must agree with the engine's.
"""
import argparse
import ctypes
import json
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from lob.bench import Flow, prepared_book, run_timed, to_stream
from lob.messages import REPORT, REQUEST, Action, Side

RECORD = np.dtype([("op", "u1"), ("side", "u1"), ("pad", "u2"), ("id", "i4"), ("price", "i4"), ("lots", "i4")], align=True)
SOURCE = Path(__file__).with_name("yardstick.cpp")
TIMES = ("ns_per_message", "yardstick_ns_per_message", "bare_yardstick_ns_per_message")


def to_requests(records):
    """Return the records as REQUEST[n]; a cancel takes the whole order."""
    requests = np.zeros(len(records), REQUEST)
    requests["order_id"], requests["price_ticks"] = records["id"], records["price"]
    requests["side"] = np.where(records["side"] == 0, Side.BUY, Side.SELL)
    is_cancel = records["op"] == 1
    requests["action"] = np.where(is_cancel, Action.CANCEL, Action.LIMIT)
    requests["lots"] = np.where(is_cancel, 0, records["lots"])
    return requests


def to_records(requests, market_price):
    """Return limit, market and cancel requests as records; a market order's price is the far end of the price range."""
    records = np.zeros(len(requests), RECORD)
    is_buy, is_market = requests["side"] == Side.BUY, requests["action"] == Action.MARKET
    records["op"] = np.where(is_market, 2, requests["action"] == Action.CANCEL)
    records["side"], records["id"], records["lots"] = ~is_buy, requests["order_id"], requests["lots"]
    records["price"] = np.where(is_market, np.where(is_buy, market_price, 1), requests["price_ticks"])
    return records


def build_yardstick():
    """Return the compiled yardstick, None without a C++ compiler."""
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        return None
    library = Path(tempfile.mkdtemp()) / "yardstick.so"
    subprocess.run([compiler, f"-DROW_BYTES={REPORT.itemsize}", "-O3", "-march=native", "-std=c++17", "-shared", "-fPIC", "-o", library, SOURCE], check=True)
    run = ctypes.CDLL(str(library)).run
    run.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int32, ctypes.c_int32, ctypes.c_void_p]
    run.restype = ctypes.c_int64
    return run


def run_yardstick(run, records, live_orders, is_bare=False, warm=0):
    """Return the nanoseconds a message after the first `warm`, and (fills, volume, best bid, best ask); live_orders: the most that ever rest."""
    records = np.ascontiguousarray(records, RECORD)
    out = (ctypes.c_int64 * 4)()
    order_max = int(records["id"].max()) + 1 if is_bare else live_orders
    elapsed_ns = run(records.ctypes.data, len(records), warm, order_max, int(records["price"].max()) + 2, is_bare, out)
    fills, volume, bid, ask = out
    return elapsed_ns / (len(records) - warm), (fills, volume, bid or None, ask or None)


def time_yardstick(run, records, live_orders, is_bare=False, repeats=5, warm=0):
    """Return the median nanoseconds a message of `repeats` runs after one that is not counted, and (fills, volume, best bid, best ask)."""
    runs = [run_yardstick(run, records, live_orders, is_bare, warm) for _ in range(repeats + 1)]
    return statistics.median(ns for ns, _ in runs[1:]), runs[0][1]


def run_engine(flow):
    """Return the nanoseconds a message, (fills, volume, best bid, best ask), and how many orders there was room for."""
    stream = to_stream(flow.timed)
    book = prepared_book(flow)
    elapsed_ns, fills, volume = run_timed(book, stream)
    return elapsed_ns / len(stream), (fills, volume, book.best_bid_ticks, book.best_ask_ticks), len(book.memory.orders)


def measure(records, repeats=5):
    """Return what the command prints for a stream: the engine, the yardstick that does the same work, and the bare one that only matches.

    They take turns, so that what else the machine does meets them alike; medians of `repeats` rounds, after one that is not counted.
    """
    flow, run = Flow("file", to_requests(records[:0]), to_requests(records)), build_yardstick()
    rounds = [one_round(flow, records, run) for _ in range(repeats + 1)]
    outcomes = {outcome for each in rounds for _, outcome in each.values()}
    assert len(outcomes) == 1, f"engine and yardstick agree on fills, volume, bid and ask: {outcomes}"
    times = {name: round(statistics.median(each[name][0] for each in rounds[1:]), 2) for name in rounds[0]}
    return {"messages": len(records), **dict(zip(("fills", "volume", "best_bid", "best_ask"), outcomes.pop(), strict=True)), **dict.fromkeys(TIMES), **times}


def one_round(flow, records, run):
    """Return {name of the time: (nanoseconds a message, outcome)}; the engine's alone where there is no yardstick."""
    ns, outcome, live_orders = run_engine(flow)
    yardsticks = zip(TIMES[1:], (False, True), strict=True) if run else ()
    return {TIMES[0]: (ns, outcome)} | {name: run_yardstick(run, records, live_orders, is_bare) for name, is_bare in yardsticks}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    result = measure(np.load(options.file), options.repeats)
    if options.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:26}{value}")


if __name__ == "__main__":
    main()
