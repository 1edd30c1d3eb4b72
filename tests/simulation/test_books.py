"""Several books in one world: each has its own queue, touch and trades, and the tape says which."""
import numpy as np
import pytest
from crowd import MS_NS

from agents import NoiseTrader, SymmetricMaker
from lob import Agent, Latency, ScenarioError, Simulation, verify
from lob.messages import REPORT

NEAR = Latency(feed_ns=MS_NS, order_ns=MS_NS)
UNNUMBERED = [name for name in REPORT.names if name not in ("sequence", "book", "owner", "resting_owner", "order_id", "resting_id")]


class Hears(Agent):
    """Writes down the trades that it hears of."""

    def on_start(self, market):
        self.heard = []

    def on_trade(self, market, trade):
        self.heard.append((trade.time_ns, trade.price_ticks, trade.lots))


def street(venue):
    return [
        NoiseTrader(name=f"noise {venue}", count=20, venue=venue, latency=NEAR), SymmetricMaker(name=f"maker {venue}", venue=venue, latency=NEAR),
        Hears(name=f"ears {venue}", venue=venue, latency=NEAR),
    ]


@pytest.mark.parametrize("plain", [False, True])
def test_what_happens_in_one_book_is_what_would_happen_without_the_other(plain):
    both = Simulation([*street(0), *street(1)], seed=5, books=2, plain=plain).run(seconds=20)
    alone = Simulation(street(0), seed=5, plain=plain).run(seconds=20)
    rows = both.tape.rows
    assert set(rows["book"]) == {0, 1}
    assert np.array_equal(rows[rows["book"] == 0][UNNUMBERED], alone.tape.rows[UNNUMBERED])
    assert not np.array_equal(rows[rows["book"] == 0]["price_ticks"][:500], rows[rows["book"] == 1]["price_ticks"][:500])
    assert verify(both.tape).ok
    for venue, ears in enumerate(agent for agent in both.agents if isinstance(agent, Hears)):
        fills = rows[(rows["kind"] == 2) & (rows["book"] == venue) & (rows["time_ns"] <= 20_000 * MS_NS - MS_NS)]
        assert ears.heard == fills[["time_ns", "price_ticks", "lots"]].tolist()


def test_an_agent_of_a_book_that_is_not_there_is_refused():
    with pytest.raises(ScenarioError, match=r"agents\[0\].venue must be the number of one of 2 books"):
        Simulation([NoiseTrader(venue=2)], books=2)
    with pytest.raises(ScenarioError, match="books must be a whole number from 1"):
        Simulation([NoiseTrader()], books=0)
