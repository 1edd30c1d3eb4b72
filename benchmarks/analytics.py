"""Seconds of every analysis on a long tape, on one core: python benchmarks/analytics.py --rows 10000000 --json

The tape is that of the scenario `toxic`, simulated until it has so many rows. Each question is asked of it once, in the order in which they stand, so what
several analyses start from (touches, stays, trades) is paid for by the first that needs it, as for a user; the code is compiled before, on a short tape. The
budget is 10 seconds for all of them together, and 4 gigabytes.
"""
import argparse
import json
import os
import time

# One core for the libraries too, before they are loaded.
os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS"), "1")

from provenance import measured_on, one_line

from lob.questions import Questions
from lob.simulation.scenario import load
from lob.tape.record import Tape

ROWS_A_MINUTE = 11_100
LEFT_OUT = {"fills", "report", "figures"}  # a table of every fill, and what is drawn: no analyses
QUESTIONS = [name for name in vars(Questions) if not name.startswith("_") and name not in LEFT_OUT]


def long_tape(rows):
    """Return a tape of the scenario `toxic` with `rows` rows, its last event cut off if it must be."""
    simulation = load("toxic").simulation(1)
    tape = simulation.run(minutes=rows / ROWS_A_MINUTE, progress=False).tape
    return Tape(tape.rows[:rows], tape.provenance | {"complete": False})


def peak_gigabytes():
    """Return the most memory that this process ever had, None where it is not known."""
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def measure(rows):
    """Return {"rows", "seconds" and "cpu_seconds" by question, "total_seconds", "total_cpu_seconds", "tape_gigabytes", "peak_gigabytes"}.

    cpu_seconds: of this process, which is what counts where others have the core too.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    short = long_tape(min(rows, 100_000))
    for name in QUESTIONS:
        getattr(short, name)()
    tape, seconds, busy = long_tape(rows), {}, {}
    for name in QUESTIONS:
        began, worked = time.perf_counter(), time.process_time()
        getattr(tape, name)()
        seconds[name], busy[name] = round(time.perf_counter() - began, 3), round(time.process_time() - worked, 3)
    return {
        "rows": len(tape), "seconds": seconds, "total_seconds": round(sum(seconds.values()), 2), "cpu_seconds": busy,
        "total_cpu_seconds": round(sum(busy.values()), 2), "tape_gigabytes": round(tape.rows.nbytes / 1e9, 2),
        "peak_gigabytes": round(peak_gigabytes() or 0, 2) or None,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    options = parser.parse_args()
    result = {"benchmark": "analytics", **measured_on("polars", "scipy"), **measure(options.rows)}
    if options.json:
        print(json.dumps(result, indent=1))
        return
    for name, seconds in result["seconds"].items():
        print(f"{name:>18}{seconds:>9.2f} s,{result['cpu_seconds'][name]:>7.2f} s of them on the core")
    memory = f"{result['peak_gigabytes']} GB at most, {result['tape_gigabytes']} of them the tape"
    print(f"{'all':>18}{result['total_seconds']:>9.2f} s,{result['total_cpu_seconds']:>7.2f} s of them on the core, for {result['rows']:,} rows; {memory}")
    print(one_line(result))


if __name__ == "__main__":
    main()
