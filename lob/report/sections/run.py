"""Run: where the tape came from, and who was on it."""
from pathlib import PureWindowsPath

from lob.report.numbers import clock, duration, number
from lob.report.parts import Column, Section, Table
from lob.report.subject import EXECUTED
from lob.tape.record import SCHEMA_VERSION

AGENTS_MAX = 40


def section(subject):
    """Return provenance and the agents with their parameters."""
    return Section("run", "Run", "The run", "Enough to run it again: same seed, same bytes.", [_provenance(subject), _agents(subject)])


def _provenance(subject):
    tape, facts = subject.tape, subject.tape.provenance
    instrument, feed, versions = tape.instrument_of(subject.book), facts.get("feed"), facts.get("versions") or {}
    rows = [
        ["scenario", str(facts.get("scenario") or "not on record")], ["seed", "not on record" if facts.get("seed") is None else str(facts["seed"])],
        ["execution", f"{tape.execution}: {EXECUTED[tape.execution]}"],
        ["instrument", f"{instrument.name}, tick {instrument.tick_size}, lot {instrument.lot_size}, maker fee {instrument.maker_fee}, taker fee "
        f"{instrument.taker_fee}"],
        ["time", f"{clock(tape.start_ns)} to {clock(tape.end_ns)}, {duration(tape.end_ns - tape.start_ns)}"],
        ["complete", "yes" if facts.get("complete", True) else "no, stopped early"], ["rows", number(len(tape))], ["book", _book(subject)],
        ["SHA-256 of the rows", tape.sha256], ["source hash", str(facts.get("source_hash") or "not on record")],
        ["versions", ", ".join(f"{name} {version}" for name, version in versions.items()) or "not on record"],
        ["schema", f"{facts.get('schema_version', SCHEMA_VERSION)}"],
    ]
    if feed:
        counts = {name.replace("_", " "): value for name, value in feed.items() if name not in ("source", "sha256")}
        rows += [
            ["recorded day", PureWindowsPath(str(feed.get("source") or "not on record")).name], ["SHA-256 of its file", feed.get("sha256") or "not on record"],
            ["what was read", ", ".join(f"{name} {value}" for name, value in counts.items())],
        ]
    return Table("provenance", "Provenance", "", [Column("", is_text=True), Column("", is_text=True)], rows)


def _agents(subject):
    tape, agents = subject.tape, list(subject.tape.agents.values())
    groups = {}
    for agent in agents:
        key = (agent["kind"], agent.get("role") or agent["kind"], _settings(agent.get("parameters")), _links(tape, agent))
        groups.setdefault(key, []).append(agent["name"])
    columns = [Column("agents"), Column("names", is_text=True), Column("kind", is_text=True), Column("role", is_text=True), Column("latency", is_text=True),
               Column("parameters", is_text=True)]
    rows = [
        [number(len(names)), names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}", kind, role, latency, parameters]
        for (kind, role, parameters, latency), names in list(groups.items())[:AGENTS_MAX]
    ]
    caption = "Agents with the same settings share a line." + (f" The first {AGENTS_MAX} lines of {number(len(groups))}." if len(groups) > AGENTS_MAX else "")
    return Table("agents", "The agents", caption, columns, rows, None if rows else "The provenance names no agent.")


def _book(subject):
    """Return which book the page is about, of which."""
    books = subject.tape.books
    return number(subject.book) if len(books) == 1 else f"{books.get(subject.book, subject.book)}, of {', '.join(books.values())}"


def _links(tape, agent):
    """Return the latency of an agent as words, that of each link if it has several."""
    if "venues" not in agent:
        return _settings(agent.get("latency"), "_ns")
    return "; ".join(f"{tape.books.get(link['book'], link['book'])}: {_settings(link['latency'], '_ns')}" for link in agent["venues"])


def _settings(values, suffix=""):
    """Return parameters as words; times by their unit."""
    if not isinstance(values, dict):
        return "" if values is None else str(values)
    return ", ".join(f"{name.removesuffix(suffix)} {duration(value) if suffix and name.endswith(suffix) else value}" for name, value in values.items())
