"""A recorded day, alone and with a quoter in it, beside hftbacktest on the same rows: LOB_DATA=... python benchmarks/replay.py --json

`pip install '.[bench]'` installs hftbacktest; if it is missing it is left out, with a line that says so. The day is ESH4 of the shared data, or the file given.
The quoter joins both sides of the touch with one lot and stays in line until the touch moves; it looks every 100 ms, or every 10 ms, from a second after the
opening on. All run in turn, again and again, on one core, each IN_A_ROW times in a row: the first of them finds the processor's cache full of the other's
memory, the others find it as a grid of parameters does. Seconds are those of the processor; `cold` are the first runs in a row. Ours writes its tape meanwhile,
to memory. `start_to_result_seconds` is of whole processes by the clock on the wall, compiled before where a tool can be.
"""
import argparse
import gc
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from joiner import Joiner
from provenance import measured_on, one_line

from lob import Feed, Simulation, feeds
from lob.messages import Action

DATA = Path(os.environ.get("LOB_DATA", Path(__file__).parents[2] / "shared" / "data"))
ESH4 = DATA / "esh4-glbx-mdp3-20231225.mbo.dbn.zst"
QUOTES_FROM_NS = 82_801 * 10**9
STEPS_MS = (0, 100, 10)  # 0: nobody is there
IN_A_ROW = 4


def read(path):
    """Return the Feed of a file whose agents act from QUOTES_FROM_NS on, or from the start of a day that ends before."""
    feed = feeds.read(path)
    return feed.between(QUOTES_FROM_NS, None) if feed.end_ns > QUOTES_FROM_NS else feed


class Ours:
    name, package = "lob", None

    def __init__(self, feed):
        self.feed, self.rows = feed, len(feed.rows)

    def seconds(self, step_ms):
        agents = [Joiner(step_ns=step_ms * 1_000_000)] if step_ms else []
        simulation = Simulation(agents, feed=self.feed)
        gc.disable()
        started = time.process_time()
        run = simulation.run(progress=False)
        elapsed = time.process_time() - started
        gc.enable()
        return elapsed, run.requests


def events_of(rows, dtype, types):
    """Return REQUEST[n] as rows of hftbacktest: each change of the book, and before that of an execution the fill that it was."""
    left, events = {}, []
    for time_ns, action, order_id, side, price_ticks, lots in rows[["time_ns", "action", "order_id", "side", "price_ticks", "lots"]].tolist():
        where = (types.BUY_EVENT if side > 0 else types.SELL_EVENT) | types.EXCH_EVENT | types.LOCAL_EVENT
        if action == Action.LIMIT:
            left[order_id] = lots
            events.append((types.ADD_ORDER_EVENT | where, time_ns, time_ns, price_ticks, lots, order_id, 0, 0))
        elif action in (Action.CANCEL, Action.EXECUTE) and order_id in left:
            if action == Action.EXECUTE:
                events.append((types.FILL_EVENT | where, time_ns, time_ns, price_ticks, lots, order_id, 0, 0))
            left[order_id] -= lots or left[order_id]
            kind = types.MODIFY_ORDER_EVENT if left[order_id] > 0 else types.CANCEL_ORDER_EVENT
            events.append((kind | where, time_ns, time_ns, price_ticks, max(left[order_id], 0), order_id, 0, 0))
            if left[order_id] <= 0:
                del left[order_id]
    return np.array(events, dtype)


class HftBacktest:
    name, package = "hftbacktest", "hftbacktest"

    def __init__(self, feed):
        from hftbacktest import types

        self.events, self.start_ns, self.quote = events_of(feed.rows, types.event_dtype, types), feed.start_ns, _hft_quoter()
        self.rows, prices = len(feed.rows), feed.rows["price_ticks"][feed.rows["price_ticks"] > 0]
        self.low, self.high = float(prices.min() - 1), float(prices.max() + 1)
        self.end_ns = int(feed.rows["time_ns"][-1])

    def seconds(self, step_ms):
        from hftbacktest import BacktestAsset, ROIVectorMarketDepthBacktest

        asset = BacktestAsset().data([self.events]).linear_asset(1.0).constant_order_latency(0, 0).l3_fifo_queue_model().no_partial_fill_exchange()
        asset = asset.trading_value_fee_model(0, 0).tick_size(1.0).lot_size(1.0).roi_lb(self.low).roi_ub(self.high)
        backtest = ROIVectorMarketDepthBacktest([asset])
        gc.disable()
        started = time.process_time()
        if step_ms:
            backtest.elapse(self.start_ns - int(self.events["exch_ts"][0]))
            sent = self.quote(backtest, step_ms * 1_000_000)
        else:
            backtest.elapse(2 * self.end_ns)
            sent = 0
        elapsed = time.process_time() - started
        gc.enable()
        backtest.close()
        return elapsed, sent


def _hft_quoter():
    from hftbacktest import GTX, LIMIT
    from numba import njit

    @njit
    def quote(backtest, step_ns):
        bid_id, ask_id, bid, ask, order_id = 0, 0, 0.0, 0.0, 1
        while backtest.elapse(step_ns) == 0:
            backtest.clear_inactive_orders(0)
            depth, orders, position = backtest.depth(0), backtest.orders(0), backtest.position(0)
            bid_id = bid_id if bid_id and bid_id in orders else 0
            ask_id = ask_id if ask_id and ask_id in orders else 0
            if bid_id and bid != depth.best_bid:
                backtest.cancel(0, bid_id, False)
                bid_id = 0
            if ask_id and ask != depth.best_ask:
                backtest.cancel(0, ask_id, False)
                ask_id = 0
            if bid_id == 0 and position < 5:
                bid, bid_id, order_id = depth.best_bid, order_id, order_id + 1
                backtest.submit_buy_order(0, bid_id, bid, 1.0, GTX, LIMIT, False)
            if ask_id == 0 and position > -5:
                ask, ask_id, order_id = depth.best_ask, order_id, order_id + 1
                backtest.submit_sell_order(0, ask_id, ask, 1.0, GTX, LIMIT, False)
        return order_id - 1

    return quote


HOUSES = {house.name: house for house in (Ours, HftBacktest)}


def start_to_result(path, house):
    """Return the seconds from the start of a process to the end of one run with a quoter every 100 ms, reading the file included."""
    command = [sys.executable, __file__, str(path), "--once", house]
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def repeated(feed, times):
    """Return a streamed Feed of a day again and again, each time all that is left cancelled before it."""
    length_ns = feed.end_ns + 10**9

    def blocks():
        for i in range(times):
            rows = feed.rows.copy()
            rows["time_ns"] += i * length_ns
            rows["order_id"] += i << 50
            if i:
                first = rows[:1].copy()
                prices = np.unique(feed.rows[["side", "price_ticks"]][feed.rows["action"] == Action.LIMIT])
                drops = np.repeat(first, len(prices))
                drops["action"], drops["side"], drops["price_ticks"] = Action.DROP_LEVEL, prices["side"], prices["price_ticks"]
                drops["order_id"] = drops["lots"] = 0
                yield drops
            yield rows

    end_ns = feed.end_ns + (times - 1) * length_ns
    return Feed(feed.name, feed.source, blocks, None, feed.seed_count, feed.tick_size, feed.lot_size, feed.start_ns, end_ns, feed.summary)


def compare(path, repeats, with_processes):
    """Return the whole result. Lines about what happens meanwhile go to stderr."""
    feed, found, missing = read(path), [], []
    for house in HOUSES.values():
        try:
            found.append(house(feed))
        except ImportError as error:
            missing.append(f"{house.name}: {error}")
    measured = {(house.name, step_ms): [] for house in found for step_ms in STEPS_MS}
    for turn in range(repeats + 1):
        print(f"run {turn} of {repeats}", file=sys.stderr)
        for house in found:
            for step_ms in STEPS_MS:
                measured[house.name, step_ms].append([house.seconds(step_ms) for _ in range(IN_A_ROW)])
    rows = []
    for (name, step_ms), runs in measured.items():
        cold, seconds = sorted(row[0][0] for row in runs[1:]), sorted(elapsed for row in runs[1:] for elapsed, _ in row[1:])
        best, median, cold_median = seconds[0], seconds[len(seconds) // 2], cold[len(cold) // 2]
        rows.append({
            "engine": name, "quoter_every_ms": step_ms or None, "rows": len(feed.rows), "orders_sent": int(runs[-1][-1][1]),
            "rows_per_second": round(len(feed.rows) / median), "rows_per_second_best": round(len(feed.rows) / best),
            "rows_per_second_cold": round(len(feed.rows) / cold_median), "median_ms": round(1e3 * median, 3), "worst_ms": round(1e3 * seconds[-1], 3),
        })
    packages = [house.package for house in found if house.package]
    result = {"benchmark": "replay", **measured_on(*packages), "file": Path(path).name, "runs": repeats, "rows": rows}
    if with_processes:
        result["start_to_result_seconds"] = {house.name: round(min(start_to_result(path, house.name) for _ in range(3)), 2) for house in found}
    return result | {"skipped": missing}


def table(result):
    """Return the result as lines of text."""
    lines = [f"{'engine':14}{'quoter':>12}{'rows/s':>14}{'best':>14}{'cold':>14}{'orders':>9}"]
    for row in result["rows"]:
        quoter = f"{row['quoter_every_ms']} ms" if row["quoter_every_ms"] else "none"
        figures = "".join(f"{row[name]:>14,}" for name in ("rows_per_second", "rows_per_second_best", "rows_per_second_cold")) + f"{row['orders_sent']:>9,}"
        lines.append(f"{row['engine']:14}{quoter:>12}{figures}")
    lines += [f"from process start to result: {name} {seconds} s" for name, seconds in result.get("start_to_result_seconds", {}).items()]
    return "\n".join([*lines, *(f"skipped: {line}" for line in result["skipped"]), one_line(result)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", default=str(ESH4))
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--no-processes", action="store_true", help="leave out the time from process start to result")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--once", choices=HOUSES, help="run one engine once, and nothing else")
    parser.add_argument("--times", type=int, help="replay the day so many times as one streamed day and print the largest resident MB")
    parser.add_argument("--out", help="with --times: where the tape goes")
    options = parser.parse_args()
    if options.once:
        HOUSES[options.once](read(options.file)).seconds(100)
        return
    if options.times:
        Simulation([], feed=repeated(feeds.read(options.file), options.times), out=options.out).run(progress=False)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    result = compare(options.file, options.repeats, not options.no_processes)
    print(json.dumps(result, indent=1) if options.json else table(result))


if __name__ == "__main__":
    main()
