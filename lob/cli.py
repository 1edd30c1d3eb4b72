"""The command line: lob simulate | replay | convert | report | verify | new-agent | bench. Owns the options and the words; the work is done elsewhere."""
import json
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from lob.errors import LobError, ScenarioError

app = typer.Typer(
    help="An event-driven limit order book engine with market-maker agents.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
)

PAGE, COMPARED = "report.html", "compared.html"
PAGES = (PAGE, COMPARED, "markouts.html")
INTERRUPTED = 130  # the exit code after Ctrl-C, as shells have it

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder for the tape and the page; by default a new one under runs/.")]
Recording = Annotated[Path, typer.Argument(help="DBN, ITCH 5.0 or LOBSTER, packed or not, what `lob convert` made, or the folder of a tape.")]
Symbol = Annotated[str | None, typer.Option("--symbol", help="Which one, if the file holds several.")]
KeepGoing = Annotated[bool, typer.Option("--keep-going", help="Leave out what cannot be read, and count it.")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Same seed, same tape, byte for byte.")]


def main():
    """Run the command line; a user's mistake is one line on standard error and exit code 2."""
    sys.path.insert(0, str(Path.cwd()))  # so that `--agent my_file:MyAgent` finds a file in the working folder
    try:
        app()
    except LobError as error:
        typer.echo(f"error: {error}", err=True)
        if (run := getattr(error, "run", None)) and run.folder:
            typer.echo(f"the tape up to there is in {run.folder}", err=True)
        sys.exit(2)


@app.command()
def simulate(
    scenario: Annotated[str, typer.Argument(help="A scenario's name or TOML file.")] = "toxic",
    seed: Seed = None,
    minutes: Annotated[float | None, typer.Option("--minutes", help="Simulated minutes; by default the scenario's own.")] = None,
    out: Out = None,
    plain: Annotated[bool, typer.Option("--plain", help="Run compiled agents as plain Python too, for breakpoints: the same tape, slower.")] = False,
    as_json: Json = False,
):
    """Run a market of agents: who made and lost what, and each maker's markout curve."""
    from lob.simulation.scenario import load

    world = load(scenario)
    chosen = world.seed if seed is None else seed
    simulation = world.simulation(chosen, _folder(out, f"{world.name}-seed{chosen}"), plain)
    _finish(simulation, as_json, minutes=world.minutes if minutes is None else minutes)


@app.command()
def replay(
    file: Recording,
    symbol: Symbol = None,
    book: Annotated[Path | None, typer.Option("--book", help="The LOBSTER book file; by default the one beside the message file.")] = None,
    agent: Annotated[list[str] | None, typer.Option("--agent", help="module:Class of an agent that trades inside the day; may be repeated.")] = None,
    param: Annotated[list[str] | None, typer.Option("--param", help="name=value, a parameter of the agents.")] = None,
    grid: Annotated[list[str] | None, typer.Option("--grid", help="name=value,value,...: run every choice of these, on all cores, and print a table.")] = None,
    execution: Annotated[str, typer.Option("--execution", help="How agents meet the day: passive, displace or reactive.")] = "passive",
    from_time: Annotated[str | None, typer.Option("--from", help="Start, as HH:MM or HH:MM:SS.")] = None,
    to_time: Annotated[str | None, typer.Option("--to", help="End, as HH:MM or HH:MM:SS.")] = None,
    feed_latency_ns: Annotated[int, typer.Option(min=0, help="How old what the agents see is.")] = 0,
    order_latency_ns: Annotated[int, typer.Option(min=0, help="How late what the agents send arrives.")] = 0,
    keep_going: KeepGoing = False,
    seed: Seed = 1,
    out: Out = None,
    as_json: Json = False,
):
    """Let agents trade inside a recorded day, with their true place in every queue, by an execution rule (docs/execution-rules.md)."""
    from lob.simulation.latency import Latency
    from lob.simulation.scenario import resolve
    from lob.simulation.session import Simulation

    latency = Latency(feed_ns=feed_latency_ns, order_ns=order_latency_ns)
    classes = [resolve("--agent", reference) for reference in agent or []]
    if param and not classes:
        raise ScenarioError(f"--param {param[0]} needs an --agent that has it")
    if grid and len(classes) != 1:
        raise ScenarioError(f"--grid {grid[0]} needs one --agent, were {len(classes)}")
    if grid and out is not None:
        raise ScenarioError(f"--out cannot go with --grid, of whose runs no tape is kept, was {out}")
    feed = _feed(file, symbol, book, keep_going, _clock_ns("--from", from_time), _clock_ns("--to", to_time))
    if grid:
        _sweep(classes[0], param or [], grid, feed, as_json, execution=execution, latency=latency, seeds=(seed,))
        return
    agents = [cls(latency=latency, **_parameters(cls, param or [])) for cls in classes]
    simulation = Simulation(agents, feed=feed, seed=seed, out=_folder(out, f"{feed.name}-replay"), name=feed.name, execution=execution)
    _finish(simulation, as_json)


@app.command()
def convert(
    file: Recording,
    out: Annotated[Path, typer.Argument(help="OUT.parquet: the form that replays fastest; OUT.itch or OUT.itch.gz: Nasdaq ITCH 5.0; a folder: LOBSTER.")],
    symbol: Symbol = None,
    book: Annotated[Path | None, typer.Option("--book", help="The LOBSTER book file; by default the one beside the message file.")] = None,
    levels: Annotated[int, typer.Option(min=1, help="Of LOBSTER files written.")] = 10,
    symbols: Annotated[str | None, typer.Option("--symbols", help="A,B,... or all: stocks of an ITCH file, in one pass, each as OUT/STOCK.parquet.")] = None,
    keep_going: KeepGoing = False,
    as_json: Json = False,
):
    """Turn a recorded day into another form, once, and say what is in it; a file larger than memory is read as it is written."""
    from lob import feeds

    if symbols is not None:
        days, blocks = feeds.itch_many(file, None if symbols == "all" else symbols.split(","), keep_going)
        paths = feeds.write_many(days, blocks, out)
        facts = {name: {"out": str(paths[name]), "tick_size": str(day.tick_size), **day.summary} for name, day in days.items()}
        lines = (f"{name:<10} {day.summary['rows']:>12,} rows  {paths[name]}" for name, day in days.items())
        typer.echo(json.dumps(facts) if as_json else "\n".join(lines))
        return
    feed = _feed(file, symbol, book, keep_going, stream=True)
    if out.suffix == ".parquet":
        path = feeds.write_fast(feed, out)
    elif ".itch" in out.suffixes:
        path = feeds.write_itch(feed, out)
    else:
        path = feeds.write_lobster(feed, out, levels)
    facts = {"out": str(path), "symbol": feed.name, "tick_size": str(feed.tick_size), **feed.summary}
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        for name, value in facts.items():
            shown = _clock_text(value) if name in ("first_ns", "last_ns") else f"{value:,}" if isinstance(value, int) else value
            typer.echo(f"{name.replace('_', ' ').removesuffix(' ns'):<24} {shown}")


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="A run's folder, or its tape.parquet.")],
    other: Annotated[Path | None, typer.Argument(help="A second run, to be shown beside the first.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The file to write; by default report.html, or compared.html, in the first folder.")] = None,
    agent: Annotated[str | None, typer.Option("--agent", help="Whose questions are answered first; by default the maker that was filled most.")] = None,
    book: Annotated[int, typer.Option("--book", min=0, help="Which of the tape's books.")] = 0,
    as_json: Json = False,
):
    """Write one page about a run, or about two side by side: a file that needs no network."""
    from lob.report.page import compared_page, page, write_page
    from lob.tape.record import Tape

    tapes = [Tape.read(path) for path in (folder, other) if path is not None]
    html = page(tapes[0], agent, book) if other is None else compared_page(tapes, agent, book)
    beside = folder if folder.is_dir() else folder.parent
    path = write_page(html, out or beside / (PAGE if other is None else COMPARED))
    size = path.stat().st_size
    typer.echo(json.dumps({"page": str(path), "bytes": size}) if as_json else f"{path}  {size / 1e6:.1f} MB, needs no network")


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="A run's folder, or its tape.parquet.")],
    as_json: Json = False,
):
    """Replay a tape through the reference book and rebuild every account; say where the first disagreement is."""
    from lob.tape.record import Tape
    from lob.tape.verify import verify as verify_tape

    verdict = verify_tape(Tape.read(folder))
    if as_json:
        disagreement = None if verdict.ok else str(verdict.disagreement)
        typer.echo(json.dumps({"ok": verdict.ok, "rows": verdict.rows, "events": verdict.events, "disagreement": disagreement}))
    else:
        typer.echo(str(verdict))
    raise typer.Exit(0 if verdict.ok else 1)


@app.command()
def new_agent(
    name: Annotated[str, typer.Argument(help="The agent's name, as in MyMaker.")],
    folder: Annotated[Path, typer.Option("--folder", help="Where to write it.", exists=True, file_okay=False)] = Path(),
):
    """Write an agent that works, and its test, to begin from; a file that is there already is left as it is."""
    from lob.simulation.template import write_agent

    module, cls, (file, test) = write_agent(name, folder)
    typer.echo(f"{file} is a working agent and {test} its test. What to do next:")
    typer.echo(f"  pytest {test}    (pytest is a package of its own: pip install pytest)")
    typer.echo(f"  edit {file}: its hooks are where your strategy goes; take @compiled away to step through it")
    typer.echo(f'  name it in a scenario, class = "{module}:{cls}", or run it inside a recorded day: lob replay FILE --agent {module}:{cls}')


@app.command()
def bench(
    flow: Annotated[str | None, typer.Argument(help="One named flow; by default all.")] = None,
    repeats: Annotated[int, typer.Option(min=1)] = 5,
    as_json: Json = False,
):
    """Time the matcher on the named flows, on this machine."""
    from lob.bench import FLOWS, time_flow

    if flow is not None and flow not in FLOWS:
        raise ScenarioError(f"no flow {flow!r}; the flows are {', '.join(FLOWS)}")
    results = [time_flow(FLOWS[name](), repeats) for name in ([flow] if flow else FLOWS)]
    if as_json:
        typer.echo(json.dumps({"flows": results}))
        return
    _console().print(_bench_table(results))


def _sweep(cls, fixed, grid, feed, as_json, **settings):
    """Run every choice of parameters and print a table, or JSON."""
    import polars

    from lob.grid import sweep

    values = {name: [value] for name, value in _parameters(cls, fixed).items()}
    for pair in grid:
        name, equals, text = pair.partition("=")
        if not equals or name in values:
            raise ScenarioError(f"--grid must be name=value,value,... with each name once, and not in a --param too, was {pair!r}")
        values[name] = [_parameters(cls, [f"{name}={value}"], "--grid")[name] for value in text.split(",")]
    table = sweep(cls, values, feed, progress=False if as_json else None, **settings)
    if as_json:
        typer.echo(json.dumps({"runs": table.to_dicts()}))
        return
    with polars.Config(tbl_rows=-1, tbl_cols=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, tbl_width_chars=200):
        typer.echo(str(table))


def _finish(simulation, as_json, **length):
    """Run, then print the summary as JSON or as tables."""
    from lob.report.summary import show, summary

    run = simulation.run(**length, progress=False if as_json else None)
    if as_json:
        typer.echo(json.dumps(summary(run)))
        raise typer.Exit(0 if run.is_complete else INTERRUPTED)
    console = _console()
    page = show(run, console)
    ending = "" if run.is_complete else " (stopped early)"
    lines = [f"{run.requests:,} requests and {run.deliveries:,} deliveries in {run.wall_seconds:.2f} s{ending}"]
    if run.feed_rows:
        lines[0] += f"; {run.feed_rows:,} recorded rows, {run.feed_unknown:,} of orders unknown; execution rule: {simulation.execution}"
    lines.append(f"tape  {run.folder}/tape.parquet  sha256 {run.tape_sha256[:16]}…")
    lines += [f"curve {page}"] if page else []
    lines += [f"all of it on one page: lob report {run.folder}"] if run.folder else []
    console.print(*lines, sep="\n", highlight=False, soft_wrap=True)
    raise typer.Exit(0 if run.is_complete else INTERRUPTED)


def _console():
    from rich.console import Console

    return Console()


def _bench_table(results):
    from rich.table import Table

    table = Table(title="the matcher, reports written, median of the runs")
    for column in ("flow", "messages", "fills", "ns a message", "spread"):
        table.add_column(column, justify="left" if column == "flow" else "right")
    for result in results:
        table.add_row(result["flow"], f"{result['messages']:,}", f"{result['fills']:,}", f"{result['ns_per_message']:.1f}", f"{result['spread_ns']:.1f}")
    return table


def _folder(out, name):
    """Return the folder that was asked for, or a new one under runs/."""
    if out is not None:
        for page in PAGES if out.is_dir() else ():  # of a tape that is about to be replaced
            (out / page).unlink(missing_ok=True)
        return out
    number, folder = 1, Path("runs") / name
    while folder.exists():
        number += 1
        folder = Path("runs") / f"{name}-{number}"
    return folder


def _clock_ns(option, text):
    """Return HH:MM, HH:MM:SS or HH:MM:SS.fraction as nanoseconds after midnight."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?", text)
    if not match or int(match[1]) > 23 or int(match[2]) > 59 or int(match[3] or 0) > 59:
        raise ScenarioError(f"{option} must be a time of day as HH:MM or HH:MM:SS, was {text!r}")
    seconds = int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0)
    return seconds * 1_000_000_000 + int((match[4] or "").ljust(9, "0"))


def _clock_text(time_ns):
    """Return nanoseconds after midnight as HH:MM:SS.nnnnnnnnn; hours go on after 23."""
    seconds = time_ns // 1_000_000_000
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{time_ns % 1_000_000_000:09d}"


def _feed(file, symbol, book, keep_going, from_ns=None, to_ns=None, stream=False):
    """Return the Feed of a recording, or of a tape."""
    from lob import feeds

    if (file / "tape.parquet").is_file() or file.name == "tape.parquet":
        from lob.tape.record import Tape
        from lob.tape.recorded import feed_of

        return feed_of(Tape.read(file), name=symbol).between(from_ns, to_ns)
    return feeds.read(file, symbol, book, from_ns, to_ns, keep_going, stream)


def _parameters(cls, pairs, option="--param"):
    """Return name=value pairs as the types of the agent's fields."""
    from lob.simulation.agent import fields_of
    from lob.simulation.fields import word_of

    kinds, parameters = fields_of(cls), {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise ScenarioError(f"{option} must be name=value, was {pair!r}")
        try:
            parameters[name] = _value(kinds.get(name, str), text)
        except (ValueError, KeyError):
            raise ScenarioError(f"{option} {name} must be {word_of(kinds[name])}, was {text!r}") from None
    return parameters


def _value(kind, text):
    """Return a parameter's text as a value of a field's kind: true or false, a number, or for an Array numbers between commas."""
    from lob.simulation.fields import Array

    if isinstance(kind, Array):
        values = [_value(kind.kind, part) for part in text.split(",")]
        return values if len(values) > 1 else values[0]
    return {"true": True, "false": False}[text] if kind is bool else kind(text)


if __name__ == "__main__":
    main()
