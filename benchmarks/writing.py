"""What it costs to write a tape as Parquet, and how large it becomes: python benchmarks/writing.py --json

The rows of the scenario `thousand`, handed over 65,536 at a time as a run does it, by the tape's own writer and by pyarrow with different encodings: columns
are picked out of the rows by both. Times are the processor's, system time with them; pyarrow may use one thread, since a budget is for one core. Medians of
rounds, taken in turns. Every file must give the same rows back.
"""
import argparse
import json
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
from provenance import measured_on, one_line

from lob.messages import REPORT
from lob.simulation.scenario import load
from lob.tape.columns import columns_of
from lob.tape.parquet import TapeWriter

HANDED_OVER = 2**16
PLAIN = {"use_dictionary": False, "compression": "none"}
PYARROW = {
    "pyarrow, as it comes": {},
    "pyarrow, zstd": {"compression": "zstd"},
    "pyarrow, dictionaries": {"compression": "none"},
    "pyarrow, differences": PLAIN | {"column_encoding": {name: "DELTA_BINARY_PACKED" for name in REPORT.names if REPORT[name].itemsize >= 4}},
    "pyarrow, plain": PLAIN,
}


def write_own(rows, folder):
    """Write rows as a run does; return the file."""
    writer = TapeWriter(folder, {})
    for first in range(0, len(rows), HANDED_OVER):
        writer.append(rows[first:first + HANDED_OVER])
    writer.close({})
    return folder / "tape.parquet"


def write_pyarrow(rows, folder, settings):
    path, writer = folder / "rows.parquet", None
    for first in range(0, len(rows), HANDED_OVER):
        table = pyarrow.table(columns_of(rows[first:first + HANDED_OVER]))
        writer = writer or pyarrow.parquet.ParquetWriter(path, table.schema, write_statistics=False, **settings)
        writer.write_table(table)
    writer.close()
    return path


def check(path, rows):
    """Raise AssertionError if a file holds other rows."""
    columns = pyarrow.parquet.read_table(path)
    for name, column in columns_of(rows).items():
        assert np.array_equal(columns[name].to_numpy(), column), f"{path}: {name} is not what was written"


def measure(seconds=60, rounds=5):
    """Return the whole result."""
    pyarrow.set_cpu_count(1)
    rows = load("thousand").simulation().run(seconds=seconds, progress=False).tape.rows
    ways = {"own writer": write_own} | {name: partial(write_pyarrow, settings=settings) for name, settings in PYARROW.items()}
    spent_ns, sizes = {name: [] for name in ways}, {}
    for _ in range(rounds + 1):
        for name, write in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                began = time.process_time_ns()
                path = write(rows, Path(folder))
                spent_ns[name].append(time.process_time_ns() - began)
                check(path, rows)
                sizes[name] = path.stat().st_size
    return {
        "benchmark": "writing", **measured_on("pyarrow"), "rows": len(rows), "rounds": rounds,
        "writers": [
            {"name": name, "ns_per_row": round(statistics.median(spent_ns[name][1:]) / len(rows), 1), "bytes_per_row": round(sizes[name] / len(rows), 1)}
            for name in ways
        ],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="how much of the scenario's time the rows are of")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    options = parser.parse_args()
    result = measure(options.seconds, options.rounds)
    if options.json:
        print(json.dumps(result, indent=1))
        return
    for line in result["writers"]:
        print(f"{line['name']:24}{line['ns_per_row']:>10.1f} ns a row{line['bytes_per_row']:>10.1f} bytes a row")
    print(one_line(result))


if __name__ == "__main__":
    main()
