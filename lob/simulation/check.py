"""The conformance check for a user's own agent."""
import numpy as np

from lob.errors import AgentError
from lob.messages import Action, Flag, RejectReason, ReportKind
from lob.simulation.agent import Agent, check_hooks, fields_of
from lob.simulation.fields import plain_value
from lob.simulation.fundamental import Fundamental
from lob.simulation.latency import Latency
from lob.simulation.outbox import ORDER_IDS_PER_OWNER
from lob.simulation.session import Simulation

# What an agent can be refused without having done anything wrong: the market moved while its request was on the way, or the venue was in another phase.
HONEST_REFUSALS = (
    RejectReason.UNKNOWN_ORDER, RejectReason.WOULD_CROSS, RejectReason.EXPIRY_IN_THE_PAST, RejectReason.NO_REFERENCE_PRICE, RejectReason.WRONG_PHASE,
    RejectReason.PRICE_OUTSIDE_BAND,
)
MILLISECOND = Latency(feed_ns=1_000_000, order_ns=1_000_000)


class _Crowd(Agent):
    """Something to trade with: orders around the last price, some of them marketable."""

    order_id: int = 0

    def on_start(self, market):
        market.wake_after(market.integers(0, 200_000_000))

    def on_timer(self, market):
        side = 2 * market.integers(0, 2) - 1
        center_ticks = market.last_trade_ticks if market.last_trade_ticks else market.opening_ticks
        if self.order_id:
            market.cancel(self.order_id)
        self.order_id = market.limit(side, max(1, center_ticks - side * market.integers(-1, 6)), market.integers(1, 6))
        market.wake_after(market.integers(1, 200_000_000))


def check_agent(agent, seconds=30, seed=1):
    """Run an agent in a small market and raise AgentError at the first thing that is not as it must be.

    agent: an Agent class whose fields all have defaults, or an instance. An agent without latency gets a millisecond each way. Checked: the hooks are hooks and
    take the right arguments; every request can be read by the exchange and speaks of the agent's own orders; the same seed gives the same tape; so it does with
    a twin of the agent in a market next door, which sees nothing of this one but shares whatever is not the agent's own; native and plain Python give the same
    tape and the same final state. An agent of several venues has a market at each. Returns {"requests": ..., "fills": ...}.
    """
    agent = agent() if isinstance(agent, type) and issubclass(agent, Agent) else agent
    if not isinstance(agent, Agent):
        raise AgentError(f"check_agent takes an Agent class or an instance of one, was {agent!r}")
    cls = type(agent)
    check_hooks(cls)
    first, again = (_run(agent, seconds, seed) for _ in range(2))
    _same(cls, first, again, "two runs with one seed")
    rows = first.tape.rows
    _check_rights(cls, rows[rows["owner"] == 1])
    _same(cls, first, _run(agent, seconds, seed, twin=True), "a run alone and one beside a twin in another market")
    if getattr(cls, "is_compiled", False):
        _same(cls, first, _run(agent, seconds, seed, plain=False), "the plain and the compiled run")
    fills = (rows["kind"] == ReportKind.FILL) & ((rows["owner"] == 1) | (rows["resting_owner"] == 1))
    return {"requests": int(np.count_nonzero(rows["flags"][rows["owner"] == 1] & Flag.LAST)), "fills": int(fills.sum())}


def _check_rights(cls, own):
    """Raise AgentError if a request cannot be read by any exchange, or speaks of an order that the agent has not sent."""
    refused = own[(own["kind"] == ReportKind.REJECTED) & ~np.isin(own["reason"], HONEST_REFUSALS)]
    if len(refused):
        row = refused[0]
        raise AgentError(f"{cls.__name__}: its {Action(row['action']).name} at {row['time_ns']:,} ns is refused: {RejectReason(row['reason']).name} "
                         f"(price_ticks {row['price_ticks']}, lots {row['lots']})")
    changes = own[np.isin(own["action"], (Action.CANCEL, Action.REPLACE))]
    foreign = changes[(changes["kind"] == ReportKind.REJECTED) & (changes["order_id"] // ORDER_IDS_PER_OWNER != 1)]
    if len(foreign):
        row = foreign[0]
        words = f"its {Action(row['action']).name} at {row['time_ns']:,} ns speaks of order {row['order_id']}, which it has not sent"
        raise AgentError(f"{cls.__name__}: {words}: an agent's orders are those whose ids buy, sell, limit and market_order returned")


def _run(agent, seconds, seed, plain=True, twin=False):
    fundamental = Fundamental() if type(agent).sees_fundamental else None
    agent = agent.clone()
    agent._latencies = tuple(MILLISECOND if latency == Latency() else latency for latency in agent._latencies)
    count = len(agent._venues)
    agent._venues = tuple(range(count))
    everybody = [agent, *(_Crowd(name=f"_Crowd {book}" if book else None, count=20, venue=book, latency=MILLISECOND) for book in range(count))]
    if twin:
        next_door = agent.clone()
        next_door._name, next_door._venues = f"{agent._name} next door", tuple(range(count, 2 * count))
        everybody.append(next_door)
    return Simulation(everybody, seed=seed, fundamental=fundamental, plain=plain, books=(1 + twin) * count).run(seconds=seconds, progress=False)


def _rows(run):
    """Return the rows of the first agent's markets, without their numbers on the tape: those of another's stand between them."""
    rows = run.tape.rows[run.tape.rows["book"] < len(run.agents[0]._venues)].copy()
    rows["sequence"] = 0
    return rows


def _same(cls, a, b, what):
    """Raise AgentError with the first row or field in which two runs differ."""
    rows_a, rows_b = _rows(a), _rows(b)
    shorter = min(len(rows_a), len(rows_b))
    differs = np.flatnonzero(rows_a[:shorter] != rows_b[:shorter])
    if len(differs) or len(rows_a) != len(rows_b):
        row = int(differs[0]) if len(differs) else shorter
        when = f" at {rows_a[row]['time_ns']:,} ns" if row < len(rows_a) else ""
        raise AgentError(f"{cls.__name__}: {what} differ from row {row:,} of the tape on{when}")
    for name in fields_of(cls):
        left, right = getattr(a.agents[0], name), getattr(b.agents[0], name)
        if not np.array_equal(left, right, equal_nan=True):
            raise AgentError(f"{cls.__name__}.{name}: {what} end with {plain_value(left)!r} and {plain_value(right)!r}")
