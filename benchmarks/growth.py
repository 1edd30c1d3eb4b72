"""Nanoseconds a message of the mixed flow while ever more orders rest: python benchmarks/growth.py 1000 100000 10000000 --json

The flow is that of `lob.bench.mixed`: about as many orders rest at the end as at the beginning, and a cancel names any of them. It is timed as by `lob bench`:
requests that have just arrived are in the processor's cache, and so is the chunk that the rows go to. Ten million resting orders take three gigabytes.
"""
import argparse
import json
import statistics

from provenance import measured_on, one_line
from recycled import warm_book

from lob.bench import mixed, run_timed

RESTING = (1_000, 10_000, 100_000, 1_000_000)


def measure(resting, messages=1_000_000, repeats=5):
    """Return the nanoseconds a message, median and spread of `repeats` runs from the same warm book after one that is not counted."""
    flow = mixed(messages, resting)
    times_ns = []
    for _ in range(repeats + 1):
        book = warm_book(flow)
        elapsed_ns, fills, _ = run_timed(book, flow.timed)
        times_ns.append(elapsed_ns / messages)
    return {
        "resting_orders": resting, "resting_orders_after": book.order_count, "messages": messages, "fills": fills,
        "ns_per_message": round(statistics.median(times_ns[1:]), 2), "fastest_ns": round(min(times_ns[1:]), 2), "slowest_ns": round(max(times_ns[1:]), 2),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("resting", nargs="*", type=int, default=RESTING, help="how many orders rest, one or more numbers")
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    options = parser.parse_args()
    result = {"benchmark": "growth", **measured_on(), "rows": [measure(resting, options.messages, options.repeats) for resting in options.resting]}
    if options.json:
        print(json.dumps(result, indent=1))
        return
    print(f"{'resting orders':>16}{'ns a message':>14}{'of all runs':>20}")
    for row in result["rows"]:
        print(f"{row['resting_orders']:>16,}{row['ns_per_message']:>14.1f}{row['fastest_ns']:>12.1f} to{row['slowest_ns']:>5.1f}")
    print(one_line(result))


if __name__ == "__main__":
    main()
