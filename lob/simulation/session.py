"""The session: a simulation as a user runs it.

Owns the loop around the kernel: it advances in slices, hands full buffers of rows to the tape, makes room where an array is full, calls the hooks of Python
agents, shows progress, and ends cleanly whatever stops it. Nothing here decides what happens in the market.
"""
import platform
import signal
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import metadata
from pathlib import Path

import numpy as np

from lob.errors import AgentError, ScenarioError
from lob.exchange.venue import Venue
from lob.feeds.feed import Feed
from lob.instrument import Instrument
from lob.integers import whole
from lob.jit import CompilerError, source_hash
from lob.messages import PRICE_MAX_TICKS, Action
from lob.questions import Questions
from lob.simulation.execution import RecordedDay
from lob.simulation.failure import line_of, line_when_plain
from lob.simulation.fundamental import Fundamental
from lob.simulation.kept import MemorySink
from lob.simulation.kernel import Stop, advance
from lob.simulation.listing import OPENING_TICKS, listings
from lob.simulation.memory import WorldMemory
from lob.simulation.native import plain_words
from lob.simulation.roster import roster
from lob.simulation.window import Market, Notice, Trade
from lob.simulation.world import HOOKS, NOTICE, ON_ACCEPTED, ON_TRADE, TRADE, TRADES, WORLD
from lob.tape.parquet import TapeWriter
from lob.tape.record import Tape

SEED_MAX = 2**63 - 1
FIRST_ROWS = 1_000     # among which the first price of a recording is looked for, and then among the next so many
SLICE_SECONDS = 0.1  # of wall time between two looks at the progress and at Ctrl-C


@dataclass
class Run(Questions):
    """What came out of a simulation, from its beginning on.

    agents: one instance each, owner 1 first, with their final state. requests: orders, cancels and replaces that reached an exchange. deliveries: wake-ups and
    reports that reached an agent. is_complete: False after Ctrl-C or an agent's error. folder: where the tape is, None if it is in memory.
    closed: what holds the rows.
    """

    agents: list
    provenance: dict
    requests: int
    deliveries: int
    wall_seconds: float
    is_complete: bool
    closed: object = field(repr=False)
    folder: Path | None = None
    feed_rows: int = 0
    feed_unknown: int = 0

    @cached_property
    def tape(self):
        """The tape, read from the folder if it is there."""
        return Tape(self.closed.rows, self.provenance) if self.folder is None else Tape.read(self.folder)

    @property
    def rows(self):
        """The rows of a tape in memory, None if it is in a folder."""
        return self.closed.rows if self.folder is None else None

    @property
    def tape_sha256(self):
        """The SHA-256 of the tape's rows, as hexadecimal text."""
        return self.closed.sha256

    @property
    def _asked(self):
        return self.tape


class Simulation:
    """A world of agents around an exchange, or inside a recorded day.

    agents: Agent instances, which stay as they are: a copy of each takes part, n of them for one with count=n. feed: a Feed; the agents then trade inside that
    day. execution: by which rule they do, "passive", "displace" or "reactive" (docs/execution-rules.md). opening_price_ticks: what agents see as
    market.opening_ticks and where the fundamental begins. fundamental: a Fundamental, seen by agents with sees_fundamental. out: a folder for the tape, else it
    stays in memory. plain: run compiled agents as Python too.
    books: how many order books there are; an agent trades in those that its setting `venues` numbers, from 0. venue: a Venue, how each book is set up; under
    "passive" and "displace" it may have fees and self_trade and no other setting. Without fees of its own its fees are the instrument's. venues: instead of
    these two {name: Venue}, books that are set up each in its way and go by their names.
    schedule: pairs (time_ns, Phase), the phases that the venue moves to by itself after the one that it opens in; a batch or the breaker's phase ends by
    itself in any case. gateway_ns: how long the gateway takes for each request; requests wait there for their turn. With `venues` these two,
    instrument and opening_price_ticks may be {name: setting}.
    Raises ScenarioError for settings that cannot be used.
    """

    def __init__(self, agents, *, feed=None, instrument=None, seed=0, opening_price_ticks=None, fundamental=None, out=None, plain=False, name="simulation",
                 scenario_toml=None, books=1, venue=None, venues=None, schedule=(), gateway_ns=0, execution="passive"):
        self._again = lambda owners: Simulation(
            agents, feed=feed, instrument=instrument, seed=seed, opening_price_ticks=opening_price_ticks, fundamental=fundamental, plain=owners, books=books,
            venue=venue, venues=venues, schedule=schedule, gateway_ns=gateway_ns, execution=execution,
        )
        for setting, given, kind in (("feed", feed, Feed), ("fundamental", fundamental, Fundamental)):
            if given is not None and not isinstance(given, kind):
                raise ScenarioError(f"{setting} must be of the class {kind.__name__}, was {given!r}")
        self.seed = checked_seed(seed)
        self.feed, self.fundamental, self.name, self.scenario_toml = feed, fundamental, name, scenario_toml
        if instrument is None and feed is not None:
            instrument = Instrument(feed.name, feed.tick_size, feed.lot_size)
        if opening_price_ticks is None:
            opening_price_ticks = _first_price(feed) if feed else OPENING_TICKS
        self.listings = listings(books, venues, venue, schedule, gateway_ns, opening_price_ticks, instrument)
        if feed is not None and len(self.listings) != 1:
            raise ScenarioError(f"books must be 1 with a feed, were {len(self.listings)}")
        if feed is not None and self.listings[0].schedule:
            raise ScenarioError("venue.schedule cannot be used inside a recorded day, whose phases are its own")
        self.agents = roster(agents, self.seed, [listing.name for listing in self.listings])
        self.start_ns = feed.start_ns if feed else 0
        if fundamental is None and any(type(agent).sees_fundamental for agent in self.agents):
            seer = next(agent for agent in self.agents if type(agent).sees_fundamental)
            raise ScenarioError(f"{seer._name} ({type(seer).__name__}) sees a fundamental, and the simulation has none: give it one")
        self.execution, recorded = ("live", None) if feed is None else (execution, RecordedDay(feed, execution))
        self.world = WorldMemory(self.agents, self.seed, self.listings, self.start_ns, recorded, fundamental, plain)
        self.folder = None if out is None else Path(out)
        self._callbacks = _callbacks(self.agents, self.world)
        self.world.compile()
        self._memory, self._writer, self._wall_seconds = MemorySink(), None, 0.0

    def __reduce__(self):
        raise ScenarioError("a Simulation cannot be copied or pickled: its memory is reached by address. Make another one of the same agents and seed")

    def run(self, minutes=None, *, seconds=None, until_ns=None, progress=None):
        """Let time pass, by default to the end of the feed, and return a Run. Ctrl-C ends it early with all that has happened so far.

        A second call goes on where the first ended; its Run is of the whole time, as if there had been one call, and so is the tape.
        progress: True shows a bar on standard error, by default where that is a terminal.
        Raises AgentError if an agent's own code fails, with the Run up to there as its `run`; TapeError if the disk does, which has the tape up to there.
        """
        end_ns = _end_ns(self, minutes, seconds, until_ns)
        provenance = self._provenance(end_ns)
        sink = self._sink(provenance)
        started, failure = time.perf_counter(), None
        try:
            is_complete = self._advance_to(end_ns, sink, sys.stderr.isatty() if progress is None else progress)
        except AgentError as error:
            is_complete, failure = False, error
        self._hand_over(sink)
        self._wall_seconds += time.perf_counter() - started
        self.world.copy_states_to(self.agents)
        provenance |= {"complete": is_complete, "end_ns": end_ns if is_complete else self.world["now_ns"]}
        closed = sink.close(provenance)
        run = Run(
            self.agents, provenance, self.world["request_count"], self.world["call_count"] + self.world["read_count"], self._wall_seconds, is_complete,
            closed if self.folder is None else sink, self.folder, self.world.recording.row_count, self.world["feed_unknown"],
        )
        if failure:
            failure.run = run
            raise failure
        return run

    def _sink(self, provenance):
        """Return where rows go, those of earlier calls of `run` in it."""
        if self.folder is None:
            return self._memory
        if self._writer is None:
            self._writer = TapeWriter(self.folder, provenance)
        else:
            self._writer.reopen(provenance)
        return self._writer

    def _advance_to(self, end_ns, sink, progress):
        with _interrupt() as interrupted, _bar(progress, self.name, self.start_ns, end_ns) as show:
            slice_ns = max((end_ns - self.world["now_ns"]) // 1000, 1)
            while self.world["now_ns"] < end_ns and not interrupted:
                began = time.perf_counter()
                self._advance_slice(min(self.world["now_ns"] + slice_ns, end_ns, self.world.recording.known_until_ns), sink, interrupted)
                while self.world["now_ns"] >= self.world.recording.known_until_ns:
                    self.world.recording.read_on()
                took = time.perf_counter() - began
                slice_ns = int(min(max(slice_ns * min(max(SLICE_SECONDS / max(took, 1e-6), 0.1), 4.0), 1), end_ns - self.start_ns))
                show(self.world["now_ns"])
            return not interrupted

    def _advance_slice(self, until_ns, sink, interrupted):
        while True:
            try:
                stop = self._advance_with_callbacks(until_ns, interrupted)
            except Exception as error:
                words = plain_words(error) if isinstance(error, CompilerError) else error
                line = "" if str(words).endswith(")") and ", line " in str(words) else line_of(error)
                line = line_when_plain(self.world, self._again) if line is None else line
                raise AgentError(f"{self._place()}: {type(error).__name__}: {words}{line}") from error
            if stop == Stop.TIME or interrupted:
                return
            self._make_room(stop, sink)

    def _advance_with_callbacks(self, until_ns, interrupted):
        """Let events happen, with the calls of Python agents, until something else is needed; return the Stop."""
        address, python, callbacks = self.world.address, int(Stop.PYTHON), self._callbacks
        words = memoryview(self.world.record.view(np.int64))
        agent, hook, notice = (WORLD.names.index(name) for name in ("current_agent", "current_hook", "current_notice"))
        while (stop := advance(address, until_ns)) == python:
            callbacks[words[agent]][words[hook]](words[notice])
            if interrupted:
                break
        return stop

    def _place(self):
        """Return who was called last, for what and when, and at which venue if it has several."""
        record = self.world.agents[self.world["current_agent"]]
        agent = self.agents[record["owner"] - 1]
        listing = self.listings[record["book"]]
        where = f", venue {listing.name or record['book']}" if len(agent._venues) > 1 else ""
        return f"{agent._name} ({type(agent).__name__}), {HOOKS[self.world['current_hook']]}{where}, at {self.world['now_ns']:,} ns"

    def _make_room(self, stop, sink):
        if stop == Stop.TAPE:
            if self.world.reports.count == 0:
                self.world.reports.grow()
            self._hand_over(sink)
        elif stop == Stop.STUCK:
            reasons = "a timer set to now, or agents without latency answering each other, for ever; give them a Latency"
            raise AgentError(f"{self._place()}: time stands still: {reasons}")
        elif stop == Stop.BOOK:
            self.world.grow_books()
        elif stop == Stop.RINGS:
            self.world.grow_rings()
        else:
            self.world.grow_world()

    def _hand_over(self, sink):
        reports = self.world.reports
        if reports.count and sink is self._memory:
            sink.take(reports)
        elif reports.count:
            # Rows that a disk took before it was full are not written again.
            kept = sink.row_count - int(reports.rows["sequence"][0])
            sink.append(reports.rows[kept:reports.count])
            reports.clear()

    def _provenance(self, end_ns):
        return {
            "scenario": self.name, "scenario_toml": self.scenario_toml, "seed": self.seed,
            "versions": dict(_versions()),
            "source_hash": source_hash(), "instrument": self.listings[0].instrument.as_strings(),
            "agents": [_described(i, a) for i, a in enumerate(self.agents, 1)],
            "execution": self.execution, "opening_price_ticks": self.listings[0].opening_ticks,
            "feed": None if self.feed is None else {"source": Path(self.feed.source).name, "sha256": self.feed.sha256, **self.feed.summary},
            "start_ns": self.start_ns, "end_ns": end_ns, "complete": False,
        } | self._around_the_exchange()

    def _around_the_exchange(self):
        """Return what the provenance says of how books are set up: each by itself if they have names, else what they have in common and no default."""
        first = self.listings[0]
        if first.name is not None:
            return {"venues": [listing.plain for listing in self.listings]}
        venue = {"books": len(self.listings)} if len(self.listings) > 1 else {}
        venue |= {"venue": first.venue.as_plain()} if first.venue != Venue() else {}
        schedule = {"schedule": first.plain["schedule"]} if first.schedule else {}
        return venue | schedule | ({"gateway_ns": first.gateway_ns} if first.gateway_ns else {})


def checked_seed(seed):
    """Return a seed as an int; raises ScenarioError if it is none."""
    number = whole(seed, 0, SEED_MAX)
    if number is None:
        raise ScenarioError(f"seed must be a whole number from 0 to 2^63 - 1, was {seed!r}")
    return number


def _first_price(feed):
    # A piece at a time: one of the first rows is an order's.
    for rows in (block[begin:begin + FIRST_ROWS] for block in feed.blocks() for begin in range(0, len(block), FIRST_ROWS)):
        # An execution of an unknown order has no price, and the exchange refuses one that is none.
        can_be = (rows["price_ticks"] >= 1) & (rows["price_ticks"] <= PRICE_MAX_TICKS)
        is_order = can_be & np.isin(rows["action"], (Action.LIMIT, Action.EXECUTE))
        if is_order.any():
            return int(rows["price_ticks"][np.argmax(is_order)])
    raise ScenarioError(f"{feed.source} has no order, so opening_price_ticks must be given")


def _end_ns(simulation, minutes, seconds, until_ns):
    given = [value for value in (minutes, seconds, until_ns) if value is not None]
    if len(given) > 1:
        raise ScenarioError("give one of minutes, seconds and until_ns")
    if not given:
        if simulation.feed is None:
            raise ScenarioError("give minutes, seconds or until_ns: a living market has no end of its own")
        return max(simulation.feed.end_ns, simulation.world["now_ns"])
    length = given[0].item() if isinstance(given[0], np.number) else given[0]
    if isinstance(length, bool) or not isinstance(length, (int, float)) or not 0 < length < 2**62:
        raise ScenarioError(f"the length of a run must be a positive number, was {length!r}")
    now_ns = simulation.world["now_ns"]
    end_ns = int(length) if until_ns is not None else now_ns + round(length * (60 if minutes is not None else 1) * 1_000_000_000)
    if not now_ns <= end_ns < 2**62:
        raise ScenarioError(f"a run must end between now, {now_ns:,} ns, and 2^62 ns, not at {end_ns:,} ns")
    return end_ns


def _callbacks(agents, world):
    """Return {number of a record: [function of a notice's address for each hook]} of the agents that Python serves."""
    callbacks = {}
    for owner, agent in enumerate(agents, 1):
        if int(world.agents["python_hooks"][owner]):
            numbers = world.numbers[owner]
            for number, market, book in zip(numbers, Market._each(world.agents[n:n + 1] for n in numbers), agent._venues, strict=True):
                callbacks[number] = [_callback(getattr(agent, name, None), i, market, world, book) for i, name in enumerate(HOOKS)]
    return callbacks


def _callback(method, hook, market, world, book):
    if method is None:
        return None
    if hook < ON_TRADE:
        return lambda address: method(market)
    window, itemsize = (Trade, TRADE.itemsize) if hook == ON_TRADE else (Notice, NOTICE.itemsize)

    def call(address):
        array = world.ring_memories[book][TRADES].array if hook < ON_ACCEPTED else world.notices.array
        first = (address - array.ctypes.data) // 8
        # A copy: an agent may keep what it was told, and must not see what the memory holds next.
        method(market, window(array.view(np.int64)[first:first + itemsize // 8].tolist()))

    return call


def _described(owner, agent):
    cls = type(agent)
    # A long array that is all one number is told by that number, from which the parameter can be set again.
    parameters = {key: value[0] if isinstance(value, list) and len(set(value)) == 1 else value for key, value in agent._parameters.items()}
    described = {"owner": owner, "name": agent._name, "kind": cls.__name__, "role": cls.role, "parameters": parameters, "latency": agent._latencies[0].plain}
    places = [{"book": book, "latency": latency.plain} for book, latency in zip(agent._venues, agent._latencies, strict=True)]
    return described | ({"venues": places} if len(places) > 1 else {})


@cache
def _versions():
    # Once a process: to look them up takes as long as five thousand recorded rows.
    try:
        own = metadata.version("queuerace")
    except metadata.PackageNotFoundError:
        own = "source"
    return {"queuerace": own, "numba": metadata.version("numba"), "numpy": np.__version__, "python": platform.python_version()}


@contextmanager
def _interrupt():
    """Collect Ctrl-C instead of raising it in the middle of something: what is yielded becomes true."""
    pressed = []
    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _bar(wanted, name, start_ns, end_ns):
    if not wanted:
        yield lambda now_ns: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %  {task.fields[clock]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=end_ns - start_ns, clock="")
        yield lambda now_ns: progress.update(task, completed=now_ns - start_ns, clock=f"{(now_ns - start_ns) / 1e9:,.0f} s simulated")
