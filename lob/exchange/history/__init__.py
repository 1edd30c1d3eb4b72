"""History: one recorded day that agents trade in.

Two books stand behind one venue. The recorded book holds what the recording shows, and only recorded rows add to it. Agents' orders rest in a book of their
own; every order of both carries a stamp, the moment it took its place, so an agent's order has its true place among the recorded ones. Two execution rules say
how the two meet, and docs/execution-rules.md what each can tell: under `passive` (flow, agents) agents never change what the recording shows; under
`displace` (displaced) each recorded lot trades once, and what agents trade is missing from the book, or left over in it. `apply` is a total function, as the
matcher is. Knows no clock and no agent.
"""
from lob.exchange.history.agents import apply_agent
from lob.exchange.history.flow import apply_recorded, expect_rows
from lob.exchange.history.state import HISTORY, history_at
from lob.jit import jit
from lob.messages import NOBODY

__all__ = ["HISTORY", "apply", "apply_agent", "apply_recorded", "expect_rows", "history_at"]


@jit
def apply(history, request, reports):
    """Do what a request asks: a recorded row if nobody owns it, else an agent's; return how many rows were written, or a Shortage."""
    return apply_recorded(history, request, reports) if request.owner == NOBODY else apply_agent(history, request, reports)
