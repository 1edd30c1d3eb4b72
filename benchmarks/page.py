"""The page of a long tape in a headless Chromium: its size, and how long it takes to load: python benchmarks/page.py --rows 1000000 --json

The tape is that of the scenario `toxic`, simulated until it has so many rows. Loaded: the first screen's words are there and the page answers; drawn: the last
of all charts is drawn, those far below the screen too. Both from the start of the navigation, medians of the repeats. CPU: of the page's own thread until then.
"""
import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from analytics import long_tape
from provenance import measured_on, one_line

from lob.report.page import page, write_page

sys.path.append(str(Path(__file__).parents[1] / "tests" / "report"))
from browser import Browser, found


def measure(rows, repeats):
    """Return {"rows", "write_seconds", "bytes", "loaded_ms", "drawn_ms", "cpu_ms"}; the last three None without a Chromium."""
    tape = long_tape(rows)
    page(long_tape(20_000))
    began = time.perf_counter()
    html = page(tape)
    facts = {"rows": len(tape), "write_seconds": round(time.perf_counter() - began, 2), "bytes": len(html.encode())}
    with tempfile.TemporaryDirectory() as folder:
        seen = _seen(write_page(html, Path(folder) / "page.html"), repeats) if found() else []
    return facts | {name: round(statistics.median(one[k] for one in seen)) if seen else None for k, name in enumerate(("loaded_ms", "drawn_ms", "cpu_ms"))}


def _seen(path, repeats):
    """Return [(loaded, drawn, CPU)] in milliseconds, one a repeat."""
    browser, seen = Browser(found()), []
    try:
        browser.ask("Performance.enable", timeDomain="threadTicks")
        for _ in range(repeats):
            browser.open(path)
            loaded = browser.run("performance.getEntriesByType('navigation')[0].loadEventEnd")
            drawn = browser.run("performance.getEntriesByName('drawn')[0].startTime")
            cpu = next(one["value"] for one in browser.ask("Performance.getMetrics")["metrics"] if one["name"] == "TaskDuration")
            seen.append((loaded, drawn, 1e3 * cpu))
    finally:
        browser.close()
    return seen


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    options = parser.parse_args()
    result = {"benchmark": "page", **measured_on("plotly", "polars"), **measure(options.rows, options.repeats)}
    if options.json:
        print(json.dumps(result, indent=1))
        return
    print(f"{result['rows']:,} rows: a page of {result['bytes'] / 1e6:.1f} MB, written in {result['write_seconds']} s")
    if result["loaded_ms"] is not None:
        print(f"loaded after {result['loaded_ms']} ms, every chart drawn after {result['drawn_ms']} ms; the page's thread worked {result['cpu_ms']} ms")
    print(one_line(result))


if __name__ == "__main__":
    main()
