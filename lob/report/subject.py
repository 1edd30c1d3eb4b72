"""Subject: the tape that a page is about, and the agent whose questions it answers first.

Owns the choice of that agent, and the frames that more than one section reads.
"""
from functools import cached_property

import numpy as np

from lob.analytics.decomposition import decomposition
from lob.analytics.labels import labels_of
from lob.analytics.latency import latency_losses
from lob.analytics.markouts import fill_markouts, markouts
from lob.analytics.profit import profit_and_loss
from lob.analytics.spans import HORIZON_NS
from lob.errors import LobError

LINES_MAX = 6
NAMES_MAX = 8
# By which rule agents met the book, in words.
EXECUTED = {
    "live": "in a market where every order moves the book", "passive": "inside a recorded day, which does not react",
    "displace": "inside a recorded day, in which what agents trade is missing for others", "reactive": "inside a recorded day, matched anew among the agents",
}


class Subject:
    """A tape, one of its books, and the agent in focus: the one named, or the maker that was filled most, or who traded most; None if no agent traded."""

    def __init__(self, tape, agent=None, book=0):
        books = np.unique(tape.rows["book"]).tolist() or [0]
        if book != 0 and book not in books:
            raise LobError(f"book must be one that the tape has rows of: {', '.join(str(known) for known in books)}; was {book!r}")
        self.tape, self.book = tape, book
        self.focus = self._named(agent) if agent is not None else self._chosen()

    @cached_property
    def profits(self):
        """`profit_and_loss` of the agents."""
        return profit_and_loss(self.tape, self.book).filter(_is_agent(self))

    @cached_property
    def parts(self):
        """`decomposition` of the agents."""
        return decomposition(self.tape, HORIZON_NS, self.book).filter(_is_agent(self))

    @cached_property
    def fills(self):
        """`fill_markouts` of the makers, and of the agent in focus."""
        import polars as pl

        return fill_markouts(self.tape, book=self.book).filter(pl.col("owner").is_in(sorted({*self.makers, self.focus} - {None})))

    @cached_property
    def latency(self):
        """`latency_losses` by agent."""
        return latency_losses(self.tape, book=self.book)

    @cached_property
    def makers(self):
        """The owners whose role is maker, in order; if there is none, all agents that were filled at rest."""
        import polars as pl

        makers = self.profits.filter(pl.col("role") == "maker")
        return (makers if makers.height else self.profits.filter(pl.col("maker_lots") > 0))["owner"].to_list()

    @cached_property
    def few_makers(self):
        """At most six makers, those with most lots: as many as can be told apart, the agent in focus first."""
        lots = dict(self.profits.select("owner", "maker_lots").iter_rows())
        most = sorted((owner for owner in self.makers if owner != self.focus), key=lambda owner: -lots[owner])[: LINES_MAX - 1]
        return ([self.focus] if self.focus is not None else []) + sorted(most)

    def markouts(self, owners, by=("agent",)):
        """Return `markouts` of the fills of some owners."""
        import polars as pl

        return markouts(self.fills.filter(pl.col("owner").is_in([owner for owner in owners if owner is not None])), by)

    def name_of(self, owner):
        """Return what the tape calls an owner."""
        return labels_of(self.tape, owner)["agent"]

    @property
    def focus_name(self):
        """What the tape calls the agent in focus."""
        return None if self.focus is None else self.name_of(self.focus)

    @property
    def title(self):
        """The scenario and its seed, or the recorded day."""
        facts = self.tape.provenance
        name = facts.get("scenario") or "a tape"
        return f"{name}, seed {facts['seed']}" if facts.get("seed") is not None and not facts.get("feed") else str(name)

    def _named(self, agent):
        owners = dict(self.profits.select("agent", "owner").iter_rows())
        if agent not in owners:
            some = ", ".join(list(owners)[-NAMES_MAX:]) or "of which there is none"
            raise LobError(f"agent must be one of those on the tape{', as ' if len(owners) > NAMES_MAX else ': '}{some}; was {agent!r}")
        return owners[agent]

    def _chosen(self):
        lots = {owner: (maker, maker + taker) for owner, maker, taker in self.profits.select("owner", "maker_lots", "taker_lots").iter_rows()}
        owners = self.makers or list(lots)
        return max(owners, key=lambda owner: lots[owner], default=None)


def _is_agent(subject):
    """Return the expression that keeps agents: all owners but the recorded flow of a day."""
    import polars as pl

    return pl.col("owner") > 0
