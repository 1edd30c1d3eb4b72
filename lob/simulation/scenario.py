"""Scenarios: a TOML file -> a Simulation.

Owns the file's keys and the only place where "module:Class" is turned into a class. Every error names the place in the file, the rule and the value, and
the word that was probably meant.
"""
import difflib
import importlib
import importlib.util
import math
import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from lob.errors import AgentError, LobError, ScenarioError
from lob.exchange.venue import Venue
from lob.instrument import Instrument
from lob.simulation.agent import Agent
from lob.simulation.distribution import Distribution
from lob.simulation.fundamental import Fundamental
from lob.simulation.gateway import checked_gateway_ns
from lob.simulation.latency import Latency
from lob.simulation.roster import venue_numbers
from lob.simulation.session import Simulation, checked_seed

POPULATION = "agents"  # the package whose scenarios can be called by name
DEFAULT = "toxic"
OF_A_LISTING = ("name", "instrument", "opening_price")  # what a [[venues]] table has beside what [venue] may have
KEYS = {
    "name": str, "seed": int, "minutes": float, "opening_price": str, "instrument": dict, "fundamental": dict, "venue": dict, "venues": list, "agents": list,
}


@dataclass(frozen=True)
class Scenario:
    """A world as a file describes it. `simulation()` makes a fresh one each time. instrument, opening_price_ticks: of all venues,
    or by their names. venues: what the file says of them beyond that, as arguments of a Simulation."""

    name: str
    seed: int
    minutes: float
    toml: str
    instrument: Instrument | dict
    fundamental: Fundamental | None
    opening_price_ticks: int | dict
    venues: dict
    agents: tuple
    path: Path

    def simulation(self, seed=None, out=None, plain=False):
        """Return a Simulation of this scenario, with its own seed or another; raises ScenarioError, naming the file, if it cannot be used."""
        seed = self.seed if seed is None else checked_seed(seed)
        try:
            return Simulation(
                self.agents, instrument=self.instrument, seed=seed, opening_price_ticks=self.opening_price_ticks,
                fundamental=self.fundamental, out=out, plain=plain, name=self.name, scenario_toml=self.toml, **self.venues,
            )
        except ScenarioError as error:
            raise ScenarioError(f"{self.path}: {error}") from error


def load(name_or_path=DEFAULT):
    """Return the Scenario of a TOML file, or of a scenario of the population by its name.

    Raises ScenarioError, naming the place, if there is none or if it cannot be used.
    """
    path = find(name_or_path)
    try:
        toml = path.read_text(encoding="utf-8")
        document = tomllib.loads(toml)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScenarioError(f"{path}: {error}") from None
    try:
        return _scenario(document, path, toml)
    except AgentError:
        raise
    except LobError as error:
        raise ScenarioError(f"{path}: {error}") from error


def names():
    """Return the names of the population's scenarios."""
    spec = importlib.util.find_spec(POPULATION)
    folders = [Path(folder) / "scenarios" for folder in (spec.submodule_search_locations or [])] if spec else []
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}


def find(name_or_path):
    """Return the path of a scenario given by its name or its path."""
    path = Path(name_or_path)
    if path.is_file():
        return path
    known = names()
    if str(name_or_path) in known:
        return known[str(name_or_path)]
    near = difflib.get_close_matches(str(name_or_path), known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"it is no file, and the named ones are {', '.join(known) or 'none'}"
    raise ScenarioError(f"no scenario {str(name_or_path)!r}: {hint}")


def resolve(place, reference):
    """Return the Agent class that "module:Class" names."""
    module_name, _, class_name = str(reference).partition(":")
    if not module_name or not class_name:
        raise ScenarioError(f'{place} must be "module:Class", was {reference!r}')
    try:
        module = importlib.import_module(module_name)
    except AgentError:
        raise  # it names its own file and line
    except Exception as error:  # A user's module can fail in any way.
        is_near = module_name != POPULATION and difflib.get_close_matches(module_name, [POPULATION])
        hint = f": did you mean {POPULATION!r}?" if is_near else ""
        raise ScenarioError(f"{place}: {module_name} cannot be imported: {error}{hint}") from error
    cls = getattr(module, class_name, None)
    classes = [name for name, value in vars(module).items() if isinstance(value, type) and issubclass(value, Agent) and value is not Agent]
    if not (isinstance(cls, type) and issubclass(cls, Agent)):
        raise ScenarioError(f"{place}: {module_name} has no agent {class_name!r}{_near(class_name, classes)}")
    return cls


def _near(word, words):
    near = difflib.get_close_matches(word, words, 1)
    return f": did you mean {near[0]!r}?" if near else f"; there are {', '.join(words) or 'none'}"


def _scenario(document, path, toml):
    _check_keys("", document, KEYS)
    instrument = _instrument("instrument", document.get("instrument", {}))
    if not document.get("agents"):
        raise ScenarioError("agents must have at least one [[agents]] table")
    minutes, seed = document.get("minutes", 10.0), document.get("seed", 1)
    if not 0 <= seed < 2**63:
        raise ScenarioError(f"seed must be from 0 to 2^63 - 1, was {seed!r}")
    if not 0 < minutes < math.inf:
        raise ScenarioError(f"minutes must be > 0, was {minutes!r}")
    name = document.get("name", path.stem)
    if not re.fullmatch(r"[\w.-]+", name) or name.startswith("."):
        raise ScenarioError(f"name must be of letters, digits, '-', '_' and '.', since a folder is named after it; was {name!r}")
    instrument, opening_ticks, venues = _venues(document, document.get("opening_price", "100.00"), instrument)
    agents = tuple(_agent(f"agents[{i}]", table) for i, table in enumerate(document["agents"]))
    for i, agent in enumerate(agents):
        venue_numbers(f"agents[{i}]", agent, list(venues.get("venues", [None])))
    return Scenario(
        name=name, seed=seed, minutes=minutes, toml=toml, instrument=instrument, opening_price_ticks=opening_ticks,
        fundamental=_made("fundamental", Fundamental, document["fundamental"]) if "fundamental" in document else None, venues=venues, agents=agents, path=path,
    )


def _venues(document, opening_price, instrument):
    """Return what trades, its opening price, and what a Simulation is told of its venues: of the one of [venue], or by name of those of [[venues]]."""
    opening_ticks = _opening_ticks(instrument, opening_price)
    if "venues" not in document:
        venue, schedule, gateway_ns = _venue("venue", document.get("venue", {}))
        return instrument, opening_ticks, {"venue": venue, "schedule": schedule, "gateway_ns": gateway_ns}
    if "venue" in document or not document["venues"]:
        raise ScenarioError("venues must be at least one [[venues]] table, and no [venue] beside them")
    opening, venues, schedules, gateways, instruments = {}, {}, {}, {}, {}
    for i, table in enumerate(document["venues"]):
        place = f"venues[{i}]"
        if not isinstance(table, dict):
            raise ScenarioError(f"{place} must be a table, was {table!r}")
        name = table.get("name")
        if not isinstance(name, str) or not name or name in venues:
            raise ScenarioError(f"{place}.name must be text, and no other venue's, was {name!r}")
        venues[name], schedules[name], gateways[name] = _venue(place, {key: value for key, value in table.items() if key not in OF_A_LISTING})
        instruments[name] = _instrument(f"{place}.instrument", table["instrument"]) if "instrument" in table else instrument
        opening[name] = _opening_ticks(instruments[name], table.get("opening_price", opening_price), f"{place}.opening_price")
    return instruments, opening, {"venues": venues, "schedule": schedules, "gateway_ns": gateways}


def _instrument(place, table):
    return _made(place, Instrument, _checked_numbers(place, table))


def _venue(place, table):
    """Return the Venue of a table, its schedule and the time at its gateway."""
    settings = {key: value for key, value in table.items() if key not in ("schedule", "gateway_ns")}
    try:
        venue = Venue.from_plain(settings)
    except LobError as error:
        raise ScenarioError(str(error) if place == "venue" else f"{place}: {error}") from error
    return venue, _schedule(f"{place}.schedule", table.get("schedule", [])), checked_gateway_ns(table.get("gateway_ns", 0), place)


def _schedule(place, entries):
    """Return (time_ns, name of a phase) of each entry of a schedule: a table of `at_s`, in seconds since the beginning, and `phase`."""
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ScenarioError(f"{place} must be a list of tables, was {entries!r}")
    schedule = []
    for i, entry in enumerate(entries):
        _check_keys(f"{place}[{i}]", entry, {"at_s": float, "phase": str})
        if len(entry) < 2 or not 0 <= entry["at_s"] < 2**32:
            raise ScenarioError(f"{place}[{i}] must have at_s, the seconds from the beginning, and phase, was {entry!r}")
        schedule.append((round(entry["at_s"] * 1_000_000_000), entry["phase"]))
    return tuple(schedule)


def _opening_ticks(instrument, price, place="opening_price"):
    if not isinstance(price, str):
        raise ScenarioError(f"{place} must be text, was {price!r}")
    try:
        return instrument.to_ticks(price)
    except LobError as error:
        raise ScenarioError(f"{place}: {error}") from error


def _check_keys(place, table, kinds):
    for key, value in table.items():
        name = f"{place}.{key}" if place else key
        if key not in kinds:
            raise ScenarioError(f"unknown key {name!r}{_near(key, list(kinds))}")
        kind = kinds[key]
        accepted = (int, float) if kind is float else kind
        if not isinstance(value, accepted) or isinstance(value, bool):
            raise ScenarioError(f"{name} must be {_word(kind)}, was {value!r}")


def _word(kind):
    return {str: "text", int: "a whole number", float: "a number", dict: "a table", list: "a list of tables"}[kind]


def _checked_numbers(place, table):
    """Return decimals given as text, so that none goes through a float."""
    for key, value in table.items() if isinstance(table, dict) else ():
        if not isinstance(value, str):
            raise ScenarioError(f'{place}.{key} must be text, as in "0.01", was {value!r}')
    return table


def _made(place, cls, table):
    known = [field.name for field in fields(cls)]
    if not isinstance(table, dict):
        raise ScenarioError(f"{place} must be a table, was {table!r}")
    for key in table:
        if key not in known:
            raise ScenarioError(f"unknown key {f'{place}.{key}'!r}{_near(key, known)}")
    try:
        return cls(**table)
    except LobError as error:
        raise ScenarioError(f"{place}: {error}") from error


def _agent(place, table):
    if not isinstance(table, dict):
        raise ScenarioError(f"{place} must be a table, was {table!r}")
    if "class" not in table:
        raise ScenarioError(f'{place}.class is missing: it is "module:Class"')
    cls = resolve(f"{place}.class", table["class"])
    settings = {key: value for key, value in table.items() if key not in ("class", "latency")}
    if not isinstance(settings.get("name", ""), str):
        raise ScenarioError(f"{place}.name must be text, was {settings['name']!r}")
    for key, value in settings.items():
        if isinstance(value, dict):
            settings[key] = Distribution.from_plain(f"{place}.{key}", value)
    if "latency" in table:
        settings["latency"] = _latency(f"{place}.latency", table["latency"])
    try:
        return cls(**settings)
    except LobError as error:
        raise ScenarioError(f"{place}: {error}") from error


def _latency(place, table):
    """Return the Latency of a table, or of each of a list of them."""
    if isinstance(table, list):
        return [_made(f"{place}[{i}]", Latency, one) for i, one in enumerate(table)]
    return _made(place, Latency, table)
