"""The conformance check for a user's own agent."""
import numpy as np

from lob.errors import AgentError
from lob.messages import Action, Flag, RejectReason, ReportKind
from lob.simulation.agent import Agent, check_hooks, fields_of
from lob.simulation.fundamental import Fundamental
from lob.simulation.latency import Latency
from lob.simulation.session import Simulation

# What an agent can be refused without having done anything wrong: the market moved while its request was on the way.
HONEST_REFUSALS = (RejectReason.UNKNOWN_ORDER, RejectReason.WOULD_CROSS)


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
    take the right arguments; every request can be read by the exchange; the same seed gives the same tape;
    native and plain Python give the same tape and the same final state. Returns {"requests": ..., "fills": ...}.
    """
    agent = agent() if isinstance(agent, type) and issubclass(agent, Agent) else agent
    if not isinstance(agent, Agent):
        raise AgentError(f"check_agent takes an Agent class or an instance of one, was {agent!r}")
    cls = type(agent)
    check_hooks(cls)
    first, again = (_run(agent, seconds, seed, plain=True) for _ in range(2))
    _same(cls, first, again, "two runs with one seed")
    own = first.tape.rows[first.tape.rows["owner"] == 1]
    refused = own[(own["kind"] == ReportKind.REJECTED) & ~np.isin(own["reason"], HONEST_REFUSALS)]
    if len(refused):
        row = refused[0]
        raise AgentError(f"{cls.__name__}: its {Action(row['action']).name} at {row['time_ns']:,} ns is refused: {RejectReason(row['reason']).name} "
                         f"(price_ticks {row['price_ticks']}, lots {row['lots']})")
    if getattr(cls, "is_compiled", False):
        _same(cls, first, _run(agent, seconds, seed, plain=False), "the plain and the compiled run")
    rows = first.tape.rows
    fills = (rows["kind"] == ReportKind.FILL) & ((rows["owner"] == 1) | (rows["resting_owner"] == 1))
    return {"requests": int(np.count_nonzero(own["flags"] & Flag.LAST)), "fills": int(fills.sum())}


def _run(agent, seconds, seed, plain):
    fundamental = Fundamental() if type(agent).sees_fundamental else None
    crowd = _Crowd(count=20, latency=Latency(feed_ns=1_000_000, order_ns=1_000_000))
    agent = agent.clone()
    if agent._latency == Latency():
        agent._latency = Latency(feed_ns=1_000_000, order_ns=1_000_000)
    return Simulation([agent, crowd], seed=seed, fundamental=fundamental, plain=plain).run(seconds=seconds, progress=False)


def _same(cls, a, b, what):
    """Raise AgentError with the first row or field in which two runs differ."""
    rows_a, rows_b = a.tape.rows, b.tape.rows
    shorter = min(len(rows_a), len(rows_b))
    differs = np.flatnonzero(rows_a[:shorter] != rows_b[:shorter])
    if len(differs) or len(rows_a) != len(rows_b):
        row = int(differs[0]) if len(differs) else shorter
        when = f" at {rows_a[row]['time_ns']:,} ns" if row < len(rows_a) else ""
        raise AgentError(f"{cls.__name__}: {what} differ from row {row:,} of the tape on{when}")
    for name in fields_of(cls):
        if getattr(a.agents[0], name) != getattr(b.agents[0], name):
            raise AgentError(f"{cls.__name__}.{name}: {what} end with {getattr(a.agents[0], name)!r} and {getattr(b.agents[0], name)!r}")
