"""The memory of a world: allocates its arrays, and grows them between two events.

Owns every numpy array that the world's records reach by address, so that none goes away while native code runs. Knows no rule.
"""
import numpy as np

from lob.exchange.memory import BookMemory, HistoryMemory
from lob.exchange.reports import ReportBuffer
from lob.messages import REQUEST
from lob.simulation.agent import native, reads_depth, reads_orders, reads_queue
from lob.simulation.calendar import CalendarMemory, add_at
from lob.simulation.clock import plan_phase
from lob.simulation.depth import CHANGE, ReplicaMemory, delay_classes
from lob.simulation.distribution import LawMemory
from lob.simulation.fields import Array
from lob.simulation.fundamental import FundamentalMemory
from lob.simulation.kernel import advance
from lob.simulation.outbox import ORDER_IDS_PER_VENUE
from lob.simulation.recording import Recording
from lob.simulation.streams import STREAM, number_of, seeded
from lob.simulation.world import (
    AGENT,
    CURSOR,
    DEPTHS,
    HOOKS,
    LONG_AGO_NS,
    NEVER_NS,
    NOTICE,
    ON_ACCEPTED,
    ON_QUOTE,
    ON_TRADE,
    OWN_ORDER,
    POOL,
    REPLICA,
    RING,
    SENDS_MAX,
    TOUCH,
    TOUCHES,
    TRADE,
    TRADES,
    VENUE,
    WORLD,
    Event,
)

TAPE_ROWS = 8192  # rows handed over at a time: few enough to stay in the processor's cache


class _Pool:
    """The memory behind one POOL record."""

    def __init__(self, dtype, capacity):
        self.record, self.array = np.zeros(1, POOL), np.zeros(0, dtype)
        self.record["item_bytes"] = dtype.itemsize
        self.grow(capacity)

    @property
    def address(self):
        return self.record.ctypes.data

    def grow(self, capacity=None):
        array = np.zeros(capacity or 2 * len(self.array), self.array.dtype)
        array[:len(self.array)] = self.array
        self.array = array
        self.record["items"], self.record["capacity"] = array.ctypes.data, len(array)

    @property
    def is_half_full(self):
        return 2 * int(self.record["taken"][0]) + 2 * SENDS_MAX + 8 >= len(self.array)


class _Ring:
    """The memory behind one RING record; entry 0 stands for the time before everything."""

    def __init__(self, record, number, dtype, capacity=4096):
        self.record, self.array = record, np.zeros(capacity, dtype)
        self.array["time_ns"][0] = LONG_AGO_NS
        record["number"], record["entry_bytes"], record["count"] = number, dtype.itemsize, 1
        self._point()

    def _point(self):
        self.record["entries"], self.record["mask"] = self.array.ctypes.data, len(self.array) - 1

    def listen(self, owners):
        self.listeners = np.array(owners, np.int64)
        self.record["listeners"], self.record["listener_count"] = self.listeners.ctypes.data, len(owners)

    def grow(self):
        old, count = self.array, int(self.record["count"][0])
        self.array = np.zeros(2 * len(old), old.dtype)
        kept = np.arange(max(0, count - len(old)), count)
        self.array[kept & (len(self.array) - 1)] = old[kept & (len(old) - 1)]
        self._point()


class WorldMemory:
    """All memory of one simulation.

    agents: instances, owner 1 first. listings: a Listing for every book. plain: whether compiled classes run as Python too, or the owners whose class does.
    recorded: the RecordedDay that agents trade in or None; fundamental: a Fundamental or None.
    """

    def __init__(self, agents, seed, listings, start_ns, recorded=None, fundamental=None, plain=False):
        self.record = np.zeros(1, WORLD)
        self.places, self.numbers = _places(agents), {}  # of the records; and the numbers of each owner's, in the order of its venues
        for number, (owner, _) in enumerate(self.places):
            self.numbers.setdefault(owner, []).append(number)
        self.record["now_ns"], self.record["agent_count"], self.record["venue_count"] = start_ns, len(self.places) - 1, len(listings)
        self.calendar, self.reports = CalendarMemory(start_ns=start_ns), ReportBuffer(TAPE_ROWS)
        self.requests = _Pool(REQUEST, 4096)
        self.notices = _Pool(NOTICE, 8192)
        self.own_orders, self.nothing = _Pool(OWN_ORDER, 16_384), np.zeros(16, np.int64)
        self.record["requests"], self.record["notices"] = self.requests.address, self.notices.address
        self.record["own_orders"], self.record["nothing"] = self.own_orders.address, self.nothing.ctypes.data
        self._streams(agents, seed)
        self._venues(listings, recorded)
        self._agents(agents, plain)
        self.recording = Recording(self.record, recorded)
        self.fit_calendar()
        if fundamental is not None:
            self.fundamental = FundamentalMemory(fundamental, seed, listings[0].opening_ticks, start_ns)
            self.record["fundamental"] = self.fundamental.record.ctypes.data
            self.plan(start_ns + fundamental.step_ns, Event.FUNDAMENTAL, 0)
        for owner in range(1, len(agents) + 1):
            self.plan(start_ns, Event.START, owner)
        for number, listing in enumerate(listings):
            self._plan_phases(number, listing.schedule)

    @property
    def address(self):
        return self.record.ctypes.data

    def __getitem__(self, field):
        return int(self.record[field][0])

    def compile(self):
        """Have the kernel compiled, so that no clock runs meanwhile: advance to a time before everything, and put the clock back."""
        now_ns = self["now_ns"]
        advance(self.address, LONG_AGO_NS)
        self.record["now_ns"] = now_ns

    def plan(self, time_ns, kind, who):
        """Plan an event."""
        self.fit_calendar()
        add_at(self.calendar.address, time_ns, int(kind), who)

    def _plan_phases(self, number, schedule):
        """Plan the phases that a venue moves to."""
        for time_ns, phase in schedule:
            self.fit_calendar()
            if self.requests.is_half_full:
                self.requests.grow()
            plan_phase(self.address, number, int(phase), time_ns)

    def fit_calendar(self):
        """Make room in the calendar for the most talkative hook and every agent's messages."""
        needed = self.calendar.count + 4 * SENDS_MAX + 3 * self["agent_count"]
        if needed >= self.calendar.capacity:
            self.calendar.set_capacity(2 * needed)
        self.record["calendar"] = self.calendar.address

    def _streams(self, agents, seed):
        # By name and not by number: an agent that is put in front of another does not move the other's numbers.
        self.streams, self.links = np.zeros(len(agents) + 1, STREAM), np.zeros(len(self.places), STREAM)
        for number, (owner, venue) in enumerate(self.places[1:], 1):
            name = number_of(agents[owner - 1]._name)
            if venue == 0:
                self.streams[owner:owner + 1].view(np.uint64)[:] = seeded(seed, name, 0)
            self.links[number:number + 1].view(np.uint64)[:] = seeded(seed, name, 1, *([venue] if venue else []))
        self.record["streams"], self.record["links"] = self.streams.ctypes.data, self.links.ctypes.data

    def _venues(self, listings, recorded):
        is_history, count = recorded is not None and recorded.is_history, len(listings)
        self.venues, self.rings = np.zeros(count, VENUE), np.zeros((count, 3), RING)
        self.books, self.ring_memories = [], []
        for number, listing in enumerate(listings):
            memory = HistoryMemory(number, displaces=recorded.displaces) if is_history else BookMemory(number)
            memory.open(listing.venue)
            self.books.append(memory)
            venue = self.venues[number]
            venue["book"] = memory.recorded.address if is_history else memory.address
            venue["history"], venue["hides_agents"] = memory.address if is_history else 0, is_history and not recorded.displaces
            venue["opening_ticks"], venue["gateway_ns"], venue["rings"] = listing.opening_ticks, listing.gateway_ns, self.rings[number].ctypes.data
            kinds = ((TOUCHES, TOUCH), (TRADES, TRADE), (DEPTHS, CHANGE))
            self.ring_memories.append([_Ring(self.rings[number, kind:kind + 1], kind, dtype) for kind, dtype in kinds])
        self.record["venues"], self.record["reports"] = self.venues.ctypes.data, self.reports.address

    def _agents(self, agents, plain):
        self.agents, self.cursors = np.zeros(len(self.places), AGENT), np.zeros((len(self.places), 2), CURSOR)
        self.states, self.hooks, self.laws, self.tables = {}, {}, {}, []
        self.cursors["next"] = 1
        for owner, agent in enumerate(agents, 1):
            self._code(owner, agent, plain)
        for number, (owner, venue) in enumerate(self.places[1:], 1):
            self._agent(number, owner, agents[owner - 1], venue)
        self._tables(agents)
        self.record["agents"] = self.agents.ctypes.data
        if not self.agents["reads_orders"].any():
            self.own_orders.record["capacity"] = NEVER_NS  # never short, since nothing is ever put there
        self.record["delay_max_ns"] = int(self.agents["feed_max_ns"].max())
        self._replicas(agents)
        for book, rings in enumerate(self.ring_memories):
            for ring, kind in zip(rings[:DEPTHS], (TOUCHES, TRADES), strict=True):
                listens = (self.agents["book"] == book) & (self.cursors["is_listener"][:, kind] == 1)
                ring.listen([number for number in range(1, len(self.places)) if listens[number]])

    def _code(self, owner, agent, plain):
        """Make an agent's state and find its hooks, as native code or as Python."""
        cls = type(agent)
        is_plain = plain if isinstance(plain, bool) else owner in plain
        self.hooks[owner] = np.zeros(len(HOOKS), np.int64)
        if getattr(cls, "is_compiled", False) and not is_plain:
            code = native(cls)
            state = np.zeros(1, code.dtype)
            for name in code.fields:
                state[name] = getattr(agent, name)
            self.states[owner], self.hooks[owner] = state, code.hooks

    def _agent(self, number, owner, agent, venue):
        """Fill the record of an agent at one of its venues."""
        record, cls = self.agents[number], type(agent)
        present = [hasattr(cls, hook) for hook in HOOKS]
        if owner in self.states:
            record["state"] = self.states[owner].ctypes.data
        else:
            record["python_hooks"] = sum(1 << i for i, has in enumerate(present) if has)
        book, asks_places = agent._venues[venue], reads_queue(cls)
        for name, value in {
            "world": self.address, "owner": owner, "number": number, "book": book, "venue": venue, "venue_count": len(agent._venues),
            "opening_ticks": self.venues["opening_ticks"][book], "hooks": self.hooks[owner].ctypes.data,
            "cursors": self.cursors[number].ctypes.data, "sees_fundamental": cls.sees_fundamental, "hears_reports": any(present[ON_ACCEPTED:]),
            "reads_orders": reads_orders(cls), "reads_queue": asks_places, "order_count": venue * ORDER_IDS_PER_VENUE,
        }.items():
            record[name] = value
        for link in ("feed", "order"):
            self._link(record, agent._latencies[venue], link)
        # Who asks for places in queues hears of every trade, hook or no hook.
        self.cursors["is_listener"][number] = present[ON_QUOTE], present[ON_TRADE] or asks_places

    def _tables(self, agents):
        """Let each record of an agent with several venues lead to the others."""
        for owner, agent in enumerate(agents, 1):
            if len(agent._venues) == 1:
                continue
            numbers = self.numbers[owner]
            elsewhere, by_book = np.array([self.agents[n:n + 1].ctypes.data for n in numbers]), np.zeros(len(self.venues), np.int64)
            by_book[list(agent._venues)] = numbers
            self.tables.append((elsewhere, by_book))
            for number in numbers:
                self.agents["elsewhere"][number], self.agents["by_book"][number] = elsewhere.ctypes.data, by_book.ctypes.data

    def _link(self, record, latency, link):
        """Note the delays of one of an agent's links."""
        record[f"{link}_min_ns"], record[f"{link}_max_ns"] = latency.bounds(link)
        record[f"{link}_shift_ns"] = getattr(latency, f"{link}_ns")
        law = latency.law(link)
        if law is not None:
            if law not in self.laws:
                self.laws[law] = LawMemory(law)
            record[f"{link}_law"] = self.laws[law].address

    def _replicas(self, agents):
        """Make one replica for each class of delays among the agents of a venue that read depth."""
        self.replicas, self.replica_memories = [], []
        for number, venue in enumerate(self.venues):
            readers = [n for n, (owner, _) in enumerate(self.places) if n and self.agents["book"][n] == number and reads_depth(type(agents[owner - 1]))]
            delays = delay_classes(int(self.agents["feed_max_ns"][reader]) for reader in readers)
            classes = sorted(set(delays.values()))
            records = np.zeros(len(classes), REPLICA)
            self.replicas.append(records)
            self.replica_memories.append([ReplicaMemory(records[i:i + 1], delay, self._page_counts(number)) for i, delay in enumerate(classes)])
            venue["replicas"], venue["replica_count"] = records.ctypes.data, len(records)
            for reader in readers:
                i = classes.index(delays[int(self.agents["feed_max_ns"][reader])])
                self.agents["replica"][reader] = records[i:i + 1].ctypes.data

    def _page_counts(self, number):
        return [ladder.page_count for ladder in getattr(self.books[number], "recorded", self.books[number]).ladders]

    def grow_world(self):
        """Make room in the pools of requests and notices and in the calendar."""
        capacity = self.calendar.capacity
        self.fit_calendar()
        if int(self.own_orders.record["taken"][0]) + int(self.notices.record["taken"][0]) + SENDS_MAX >= int(self.own_orders.record["capacity"][0]):
            self.own_orders.grow()
        full = [pool for pool in (self.requests, self.notices) if pool.is_half_full]
        # Where nothing is short by itself, it is the notices of one large sweep that would be.
        for pool in full or [self.notices][:capacity == self.calendar.capacity]:
            pool.grow()

    def grow_rings(self):
        """Make every ring of market data twice as long."""
        for rings in self.ring_memories:
            for ring in rings:
                ring.grow()

    def grow_books(self):
        """Make room for more orders in every book."""
        for number, book in enumerate(self.books):
            book.grow()
            for replica in self.replica_memories[number]:
                replica.fit(self._page_counts(number))

    def copy_states_to(self, agents):
        """Write the state of compiled agents back to their instances."""
        for owner, state in self.states.items():
            for name, kind in native(type(agents[owner - 1])).fields.items():
                value = state[name][0]
                object.__setattr__(agents[owner - 1], name, value.copy() if isinstance(kind, Array) else kind(value))


def _places(agents):
    """Return [(owner, which of its venues)] of every AGENT record: record 0 is nobody's, then each agent at its first venue, then those at further ones."""
    further = [(owner, venue) for owner, agent in enumerate(agents, 1) for venue in range(1, len(agent._venues))]
    return [(0, 0), *((owner, 0) for owner in range(1, len(agents) + 1)), *further]
