"""The same stream through our engine and through what people can install today: python benchmarks/side_by_side.py --chart docs/side-by-side.svg

`pip install '.[bench]'` installs the others; one that is missing is left out with a line that says so. The stream is the mixed flow of `lob.bench`, in which
every request is valid here. ReferenceBook, our specification in plain Python, says what must come of it; `agrees` names what an engine can show, and that it is
the same: fills and their volume, every queue order by order, the lots of every level, the touch. An engine that cannot match is given what the messages do to
the book instead; its nanoseconds are still those of a message. The two ratios are against ours from compiled code and against OrderBook.send_many.
"""
import argparse
import gc
import json
import statistics
import sys
from dataclasses import asdict
from importlib import import_module

from bars import draw
from contenders import make_stream
from provenance import measured_on, one_line, version_of

HOUSES = ("yardstick", "ours", "light_matching_engine", "order_book", "nautilus", "hft_backtest")
UNITS = {"ratio_to_compiled": "lob, from compiled code", "ratio_to_send_many": "lob, OrderBook.send_many"}


def installed():
    """Return the contenders that can run here, and a line for each house that cannot."""
    found, missing = [], []
    for house in HOUSES:
        try:
            found += import_module(f"contenders.{house}").CONTENDERS
        except ImportError as error:
            missing.append(f"{house}: {error}")
    return found, missing


def agreement(outcome, truth):
    """Return what an outcome shows, and whether all of it is as it must be. Levels and the touch follow from the queues and are named only without them."""
    shown = {name: value for name, value in asdict(outcome).items() if value is not None}
    wrong = [name for name, value in shown.items() if value != getattr(truth, name)]
    implied = {"levels", "touch"} if "queues" in shown else ({"touch"} if "levels" in shown else set())
    named = wrong or [name for name in shown if name not in implied]
    return ", ".join(name.removesuffix("_lots") for name in named), not wrong


def run_all(contenders, stream, repeats):
    """Return {contender: (nanoseconds a message of each run, its last outcome)}, each run from a new warm book, after a first one that is not counted.

    All run in turn, again and again, so that whatever else the machine does meanwhile meets all of them.
    """
    times_ns, outcomes = {contender: [] for contender in contenders}, {}
    for run in range(repeats + 1):
        print(f"run {run} of {repeats}", file=sys.stderr)
        for contender in contenders:
            gc.collect()  # before the book is warm, since going through all objects leaves none of it in the processor's cache
            engine = contender(stream)
            times_ns[contender].append(engine.nanoseconds() / len(stream.timed))
            outcomes[contender] = engine.outcome()
    return {contender: (times_ns[contender][1:], outcomes[contender]) for contender in contenders}


def row_of(contender, times_ns, outcome, stream):
    """Return an engine's row of the table: the median of its runs."""
    compared, agrees = agreement(outcome, stream.truth)
    ns_per_message = statistics.median(times_ns)
    return {
        "engine": contender.name, "version": contender.package and version_of(contender.package), "does": contender.does, "how": contender.how,
        "messages": len(stream.timed), "ns_per_message": round(ns_per_message, 1), "fastest_ns": round(min(times_ns), 1), "slowest_ns": round(max(times_ns), 1),
        "messages_per_second": round(1e9 / ns_per_message), "agrees": agrees, "compared": compared,
    }


def compare(messages, resting, repeats):
    """Return the whole result. Lines about what happens meanwhile go to stderr."""
    stream = make_stream(messages, resting)
    found, missing = installed()
    rows = [row_of(contender, *measured, stream) for contender, measured in run_all(found, stream, repeats).items()]
    ns_of = {row["engine"]: row["ns_per_message"] for row in rows}
    for row in rows:
        row |= {name: round(row["ns_per_message"] / ns_of[unit], 2) for name, unit in UNITS.items()}
    rows.sort(key=lambda row: row["ns_per_message"])
    packages = [contender.package for contender in found if contender.package]
    return {
        "benchmark": "side_by_side", **measured_on(*dict.fromkeys(packages)), "messages": len(stream.timed), "resting_orders": resting, "runs": repeats,
        "updates": len(stream.updates), "fills": stream.truth.fills, "volume_lots": stream.truth.volume_lots, "rows": rows, "skipped": missing,
    }


def table(result):
    """Return the result as lines of text."""
    heads = ("messages", "ns/message", "messages/s", "x compiled", "x send_many")
    lines = [f"{'engine':28}{'does':14}" + "".join(f"{head:>13}" for head in heads) + "  agrees"]
    for row in result["rows"]:
        numbers = "".join(f"{row[name]:>13,}" for name in ("messages", "ns_per_message", "messages_per_second", *UNITS))
        lines.append(f"{row['engine']:28}{row['does']:14}{numbers}  {'' if row['agrees'] else 'NO: '}{row['compared']}")
    lines += [f"skipped: {line}" for line in result["skipped"]]
    stream = f"{result['fills']:,} fills, {result['volume_lots']:,} lots, {result['updates']:,} changes of a book of {result['resting_orders']:,} orders"
    return "\n".join([*lines, stream, one_line(result)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=200_000, help="before those that would be refused are taken out")
    parser.add_argument("--resting", type=int, default=10_000, help="how many orders rest")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--chart", metavar="FILE", help="draw the bars as an SVG picture")
    options = parser.parse_args()
    result = compare(options.messages, options.resting, options.repeats)
    if options.chart:
        draw(result, options.chart)
    print(json.dumps(result, indent=1) if options.json else table(result))
    if not all(row["agrees"] for row in result["rows"]):
        sys.exit(1)


if __name__ == "__main__":
    main()
