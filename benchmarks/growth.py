"""Nanoseconds a message of the mixed flow while ever more orders rest: python benchmarks/growth.py 1000 100000 10000000 --json

Where a C++ compiler is there, the yardstick does the same work in the same run, turn by turn: it says what the machine's memory costs whoever asks it for one
thing after another. The flow is that of `lob.bench.mixed`: about as many orders rest at the end as at the beginning, and a cancel names any of them. It is
timed as by `lob bench`: requests that have just arrived are in the processor's cache, and so is the chunk that the rows go to. A quarter as many messages go
before those that are timed: right after so large a book has been built the first hundred thousand take twice as long. Ten million resting orders take four
gigabytes.
"""
import argparse
import json
import statistics

import numpy as np
from matcher import build_yardstick, run_yardstick, to_records
from provenance import measured_on, one_line
from recycled import warm_book

from lob.bench import MID_TICKS, mixed, run_timed, to_stream

ABOVE_ALL_TICKS = 2 * MID_TICKS
RESTING = (1_000, 10_000, 100_000, 1_000_000)


def measure(resting, messages=1_000_000, repeats=5, yardstick=None):
    """Return the nanoseconds a message, median and spread of `repeats` runs from the same warm book after one that is not counted.

    yardstick: what `build_yardstick` returns; None leaves it out. Its fills must be the engine's.
    """
    lead = messages // 4
    flow = mixed(lead + messages, resting)
    records = to_records(np.concatenate([flow.warm, flow.timed]), ABOVE_ALL_TICKS) if yardstick else None
    stream, times_ns, yardstick_times_ns = to_stream(flow.timed), [], []
    for _ in range(repeats + 1):
        book = warm_book(flow)
        _, early_fills, _ = run_timed(book, stream[:lead])
        elapsed_ns, fills, _ = run_timed(book, stream[lead:])
        times_ns.append(elapsed_ns / messages)
        if yardstick:
            ns, (yardstick_fills, *_) = run_yardstick(yardstick, records, len(book.memory.orders), warm=resting + lead)
            assert yardstick_fills == early_fills + fills, "the engine and the yardstick agree"
            yardstick_times_ns.append(ns)
    return {
        "resting_orders": resting, "resting_orders_after": book.order_count, "messages": messages, "fills": fills,
        "ns_per_message": round(statistics.median(times_ns[1:]), 2), "fastest_ns": round(min(times_ns[1:]), 2), "slowest_ns": round(max(times_ns[1:]), 2),
        "yardstick_ns_per_message": round(statistics.median(yardstick_times_ns[1:]), 2) if yardstick else None,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("resting", nargs="*", type=int, default=RESTING, help="how many orders rest, one or more numbers")
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    options = parser.parse_args()
    yardstick = build_yardstick()
    rows = [measure(resting, options.messages, options.repeats, yardstick) for resting in options.resting]
    result = {"benchmark": "growth", **measured_on(), "rows": rows}
    if options.json:
        print(json.dumps(result, indent=1))
        return
    print(f"{'resting orders':>16}{'ns a message':>14}{'of all runs':>20}{'C++ yardstick':>16}")
    for row in result["rows"]:
        yardstick_ns = f"{row['yardstick_ns_per_message']:.1f}" if yardstick else "no compiler"
        print(f"{row['resting_orders']:>16,}{row['ns_per_message']:>14.1f}{row['fastest_ns']:>12.1f} to{row['slowest_ns']:>5.1f}{yardstick_ns:>16}")
    print(one_line(result))


if __name__ == "__main__":
    main()
