"""Who is at the front of the queue is filled more often, and its fills are worth more.

The scenario `crowded`: one tick of spread, and makers whose orders differ in nothing but their place. Every second the makers' orders in each best queue are
put in four groups by their place in that queue, and followed: how many of their lots are filled within ten seconds, and what these are worth a second later.
Orders of one queue at one time are compared, not lots ahead over all times: few lots are ahead where a queue is short, that is, where the price has just moved
or is about to. Over all times the orders with the fewest ahead have the worse markout, and that is the queue's doing, not the place's.
Source of the claim: Moallemi and Yuan, "A model for queue position valuation in a limit order book" (2016): the front is filled by small takers who know
nothing, the back only when the whole queue goes.
"""
from dataclasses import dataclass

import numpy as np
from experiments.tape_figures import fills_of, owners_of, run_with, two_sided

from lob import Action, ReportKind

X = "place among the makers of one queue, from the front (0) to the back (3)"
Y = {"share filled": "share of the lots filled within 10 s", "markout": "markout at 1 s, ticks per lot"}
MINUTES = 5.0
SAMPLE_NS, FOLLOW_NS, HORIZON_NS = 1_000_000_000, 10_000_000_000, 1_000_000_000
GROUPS = 4
FAR_NS = 2**62


@dataclass(frozen=True)
class Orders:
    """The makers' orders of a tape, in order of acceptance, and their fills with what a lot of each had earned a second later."""

    accepted: np.ndarray        # REPORT[n]
    end_ns: np.ndarray          # when each was filled or cancelled
    fill_ns: np.ndarray         # sorted by (order, time)
    fill_lots: np.ndarray
    fill_earned: np.ndarray     # ticks x lots
    first_fill: np.ndarray      # int64[n + 1]: where the fills of each order begin

    @classmethod
    def of(cls, tape, quotes):
        """Return the makers' orders of a tape."""
        rows = tape.rows
        accepted = rows[(rows["kind"] == ReportKind.ACCEPTED) & (rows["action"] == Action.LIMIT) & np.isin(rows["owner"], owners_of(tape, "role", "maker"))]
        ids = accepted["order_id"]
        sorter = np.argsort(ids)
        fills = fills_of(tape)
        fills = fills[np.isin(fills["resting_id"], ids)]
        which = sorter[np.searchsorted(ids, fills["resting_id"], sorter=sorter)]
        by_order = np.argsort(which, kind="stable")
        fills, which = fills[by_order], which[by_order]
        end_ns = np.full(len(ids), FAR_NS)
        is_last = fills["resting_open_lots"] == 0
        end_ns[which[is_last]] = fills["time_ns"][is_last]
        gone = rows[(rows["kind"] == ReportKind.CANCELLED) & np.isin(rows["order_id"], ids)]
        end_ns[sorter[np.searchsorted(ids, gone["order_id"], sorter=sorter)]] = gone["time_ns"]
        later = quotes[np.searchsorted(quotes["time_ns"], fills["time_ns"] + HORIZON_NS, side="right") - 1]
        earned = -fills["side"] * (0.5 * (later["best_bid_ticks"] + later["best_ask_ticks"]) - fills["price_ticks"]) * fills["lots"]
        return cls(accepted, end_ns, fills["time_ns"], fills["lots"].astype(np.int64), earned, np.searchsorted(which, np.arange(len(ids) + 1)))

    def queue(self, time_ns, side, price_ticks):
        """Return the orders that rest at a price at a time, the front first: the queue is in order of acceptance."""
        is_there = (self.accepted["time_ns"] <= time_ns) & (self.end_ns > time_ns)
        return np.flatnonzero(is_there & (self.accepted["side"] == side) & (self.accepted["price_ticks"] == price_ticks))

    def followed(self, i, time_ns):
        """Return (open lots now, lots filled in the time that follows, what these earned) of an order."""
        fills = slice(self.first_fill[i], self.first_fill[i + 1])
        is_past = self.fill_ns[fills] <= time_ns
        is_next = ~is_past & (self.fill_ns[fills] <= time_ns + FOLLOW_NS)
        lots = self.fill_lots[fills]
        return self.accepted["lots"][i] - lots[is_past].sum(), lots[is_next].sum(), self.fill_earned[fills][is_next].sum()


def measure(seed, minutes):
    """Return the points of one seed."""
    tape = run_with("crowded", seed, minutes).tape
    quotes = two_sided(tape)
    orders = Orders.of(tape, quotes)
    sums = np.zeros((GROUPS, 3))
    for time_ns in range(FOLLOW_NS, tape.end_ns - 2 * FOLLOW_NS, SAMPLE_NS):
        touch = quotes[np.searchsorted(quotes["time_ns"], time_ns, side="right") - 1]
        for side, price_ticks in ((1, touch["best_bid_ticks"]), (-1, touch["best_ask_ticks"])):
            queue = orders.queue(time_ns, side, price_ticks)
            for place, i in enumerate(queue):
                sums[GROUPS * place // len(queue)] += orders.followed(i, time_ns)
    shares = {"share filled": sums[:, 1] / sums[:, 0], "markout": sums[:, 2] / sums[:, 1]}
    return [{"line": line, "at": i, "x": i, "y": values[i]} for line, values in shares.items() for i in range(GROUPS)]


def effects(y):
    """Return {words: (figure, what it must be beside 0)}. y: {(line, at): figure}."""
    return {f"{line} at the front less that at the back": (y[line, 0] - y[line, GROUPS - 1], ">") for line in ("share filled", "markout")}
