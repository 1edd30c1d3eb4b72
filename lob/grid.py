"""Grid: the same recorded day again and again, with other parameters of an agent, on all cores.

Owns the choices, the workers and the bar that shows how far they are. What a run is worth is for analytics to say.
"""
import sys
from contextlib import contextmanager
from itertools import product

from lob.analytics.markouts import fill_markouts, markouts
from lob.analytics.profit import profit_and_loss
from lob.errors import AgentError, ScenarioError
from lob.feeds.feed import Feed
from lob.simulation.session import Simulation

HORIZONS_NS = (1_000_000_000, 10_000_000_000)
ACCOUNT = ("fills", "maker_lots", "taker_lots", "inventory_lots", "cash_ticks", "fees_microticks", "spread_half_ticks", "drift_half_ticks", "pnl_ticks")


def sweep(agent, grid, feed, *, execution="passive", latency=None, venue=None, seeds=(0,), horizons_ns=HORIZONS_NS, jobs=-1, progress=None):
    """Return what an agent makes of a recorded day with every choice of parameters: a polars frame, a line a choice and seed.

    agent: a subclass of Agent, importable by its module's name. grid: {parameter: its values}. feed: a Feed; one that is streamed is read into memory.
    execution, latency, venue: as of Simulation and Agent. jobs: how many processes, -1 for one a core. progress: True shows a bar on standard error, by default
    where that is a terminal.
    Columns: the parameters, seed, execution, requests, the agent's account (fills, maker_lots, taker_lots, inventory_lots, cash_ticks, fees_microticks,
    spread_half_ticks, drift_half_ticks, pnl_ticks) and realised_<horizon>s, the mean realised spread of its fills as a maker, in ticks a lot, null without any.
    Raises what Simulation raises, for the first choice that cannot be run.
    """
    import joblib
    import polars

    choices = _choices(grid, seeds)
    day = Feed(feed.name, feed.source, feed.rows, feed.event_ends, feed.seed_count, feed.tick_size, feed.lot_size, feed.start_ns, feed.end_ns, feed.summary)
    settings = {"execution": execution, "latency": latency, "venue": venue, "horizons_ns": tuple(horizons_ns)}
    with _bar(sys.stderr.isatty() if progress is None else progress, len(choices)) as advance:
        # The first one compiles the agent, and so no worker has to.
        lines = [_line(agent, day, *choices[0], settings)]
        advance()
        calls = (joblib.delayed(_line)(agent, day, parameters, seed, settings) for parameters, seed in choices[1:])
        with _fresh_workers():
            for line in joblib.Parallel(n_jobs=min(jobs, len(choices)) if jobs > 0 else jobs, return_as="generator")(calls):
                lines.append(line)
                advance()
    return polars.DataFrame(lines, infer_schema_length=None)


@contextmanager
def _fresh_workers():
    """End joblib's workers at the end: those that stay for the next sweep would run an agent as its file was before it was edited."""
    from joblib.externals.loky import get_reusable_executor

    try:
        yield
    finally:
        get_reusable_executor().shutdown(wait=True)


def _choices(grid, seeds):
    """Return [(parameters, seed)]."""
    for name, values in grid.items():
        if isinstance(values, str) or not hasattr(values, "__len__") or len(values) == 0:
            raise ScenarioError(f"grid[{name!r}] must be a list of values, was {values!r}")
    if len(seeds) == 0:
        raise ScenarioError("seeds must be at least one number, were none")
    return [(dict(zip(grid, values, strict=True)), seed) for values in product(*grid.values()) for seed in seeds]


def _line(agent, feed, parameters, seed, settings):
    """Return one line of the frame."""
    latency = {} if settings["latency"] is None else {"latency": settings["latency"]}
    try:
        run = Simulation([agent(**latency, **parameters)], feed=feed, seed=seed, execution=settings["execution"], venue=settings["venue"]).run(progress=False)
    except AgentError as error:
        error.run = None  # the tape up to there is too long to send home
        raise
    account = next(line for line in profit_and_loss(run.tape).iter_rows(named=True) if line["owner"] == 1)
    seconds = {horizon_ns: f"realised_{horizon_ns / 1e9:g}s" for horizon_ns in settings["horizons_ns"]}
    table = markouts(fill_markouts(run.tape, settings["horizons_ns"]), by=["agent"])
    realised = {line["horizon_s"]: line["realised"] for line in table.iter_rows(named=True)}
    return {
        **parameters, "seed": seed, "execution": settings["execution"], "requests": run.requests, **{name: account[name] for name in ACCOUNT},
        **{name: realised.get(horizon_ns / 1e9) for horizon_ns, name in seconds.items()},
    }


@contextmanager
def _bar(wanted, count):
    if not wanted:
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("runs", total=count)
        yield lambda: progress.advance(task)
