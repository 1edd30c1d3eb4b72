"""What comes out of the population, over many seeds: python benchmarks/experiment.py NAME ... [--json] [--figure FILE.html]

Each experiment is a module of benchmarks/experiments: `measure(seed, minutes)` gives the points of one seed, `effects` what must be above zero (">"), not
below it (">=") or zero ("="). The mean over the seeds is given with its standard error, and each effect in standard errors. Parameters, lengths
and what is compared with what were chosen on seeds below 300; the seeds here begin at 301 and were used for nothing else.
"""
import argparse
import importlib
import json
import math
import statistics
from pathlib import Path

from provenance import measured_on, one_line

NAMES = sorted(path.stem for path in (Path(__file__).parent / "experiments").glob("*.py") if path.stem != "tape_figures")
FIRST_SEED, SEEDS = 301, 16
BOUNDS = {">": (3.0, math.inf), ">=": (-3.0, math.inf), "=": (-4.0, 4.0)}  # in standard errors


def experiment(name, seeds, minutes=None):
    """Return the points and effects of an experiment, means over the seeds with their standard errors."""
    module = importlib.import_module(f"experiments.{name}")
    minutes = minutes or module.MINUTES
    by_seed = [module.measure(seed, minutes) for seed in seeds]
    effects = [module.effects({(point["line"], point["at"]): point["y"] for point in points}) for points in by_seed]
    return {
        "experiment": name, "claim": module.__doc__.splitlines()[0], "x": module.X, "y": module.Y, "seeds": list(seeds), "minutes": minutes,
        "points": [_point([points[i] for points in by_seed]) for i in range(len(by_seed[0]))],
        "effects": [_effect(words, relation, [one[words][0] for one in effects]) for words, (_, relation) in effects[0].items()],
    }


def _point(points):
    x = points[0]["x"] if isinstance(points[0]["x"], str) else _rounded(statistics.mean(float(point["x"]) for point in points))
    mean, error = mean_of([point["y"] for point in points])
    return {"line": points[0]["line"], "x": x, "mean": _rounded(mean), "standard_error": _rounded(error)}


def _effect(words, relation, values):
    mean, error = mean_of(values)
    size = mean / error if error else math.copysign(math.inf, mean) if mean else 0.0
    low, high = BOUNDS[relation]
    return {
        "effect": words, "must_be": f"{relation} 0", "mean": _rounded(mean), "standard_error": _rounded(error),
        "in_standard_errors": round(size, 1) if math.isfinite(size) else None, "holds": low < size < high,
    }


def mean_of(values):
    """Return a mean and its standard error, from the spread of the values; one value has none."""
    values = [float(value) for value in values]
    return statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0


def _rounded(value):
    return float(f"{value:.4g}")


def figure(results):
    """Return the plotly figure of experiments, one below the other, with two standard errors either way; a panel for each pair of axes."""
    from plotly.graph_objects import Scatter
    from plotly.subplots import make_subplots

    panels = dict.fromkeys((result["claim"], *axes_of(result, point["line"])) for result in results for point in result["points"])
    drawn = make_subplots(rows=len(panels), cols=1, subplot_titles=[claim for claim, _, _ in panels])
    for row, panel in enumerate(panels, start=1):
        (result,) = (result for result in results if result["claim"] == panel[0])
        for line in dict.fromkeys(point["line"] for point in result["points"] if axes_of(result, point["line"]) == panel[1:]):
            points = [point for point in result["points"] if point["line"] == line]
            errors = {"type": "data", "array": [2 * point["standard_error"] for point in points]}
            drawn.add_trace(Scatter(x=[p["x"] for p in points], y=[p["mean"] for p in points], error_y=errors, mode="lines+markers", name=line), row, 1)
        drawn.update_xaxes(title_text=panel[1], row=row, col=1)
        drawn.update_yaxes(title_text=panel[2], row=row, col=1)
    return drawn.update_layout(height=420 * len(panels), template="plotly_white")


def axes_of(result, line):
    """Return the titles of the axes of a line: an experiment has one of each, or one for each line."""
    return tuple(title[line] if isinstance(title, dict) else title for title in (result["x"], result["y"]))


def markdown(whole):
    """Return the effects as the rows of a table."""
    rows = []
    for result in whole["experiments"]:
        for effect in result["effects"]:
            size = "exact" if effect["in_standard_errors"] is None or not effect["standard_error"] else f"{effect['in_standard_errors']:.1f}"
            error = effect["standard_error"]
            mean = f"{effect['mean']:.3g} ± {float(f'{error:.2g}'):g}" if error else f"{effect['mean']:g}"
            rows.append(f"| `{result['experiment']}` | {effect['effect']} {effect['must_be']} | {mean} | {size} | {'yes' if effect['holds'] else '**no**'} |")
    return "\n".join(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", default=NAMES, help=f"of {', '.join(NAMES)}; all of them if none is named")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"how many, from {FIRST_SEED} on")
    parser.add_argument("--minutes", type=float, help="simulated minutes of each world; each experiment has its own")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--markdown", action="store_true", help="print the effects as rows of a table")
    parser.add_argument("--figure", type=Path, help="write the figures to one HTML file")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(NAMES))
    if unknown:
        parser.error(f"no experiment {unknown[0]!r}; there are {', '.join(NAMES)}")
    results = [experiment(name, range(FIRST_SEED, FIRST_SEED + options.seeds), options.minutes) for name in options.names]
    if options.figure:
        figure(results).write_html(options.figure, include_plotlyjs=True)
    whole = {"benchmark": "experiment", **measured_on("polars"), "experiments": results}
    print(json.dumps(whole, indent=1) if options.json else markdown(whole) if options.markdown else _table(whole))


def _table(whole):
    lines = []
    for result in whole["experiments"]:
        lines += ["", f"{result['experiment']}: {result['claim']} ({len(result['seeds'])} seeds from {result['seeds'][0]}, {result['minutes']:g} minutes each)"]
        lines += [f"  {p['line']:<52}{p['x']!s:>12}{p['mean']:>12.4g} +- {p['standard_error']:.2g}" for p in result["points"]]
        for effect in result["effects"]:
            size = "exactly" if effect["in_standard_errors"] is None or not effect["standard_error"] else f"{effect['in_standard_errors']:.1f} standard errors"
            verdict = "holds" if effect["holds"] else "DOES NOT HOLD"
            lines.append(f"  {effect['effect']} {effect['must_be']}: {effect['mean']:.4g} +- {effect['standard_error']:.2g}, {size}: {verdict}")
    return "\n".join([*lines[1:], one_line(whole)])


if __name__ == "__main__":
    main()
