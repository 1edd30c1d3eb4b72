"""Pressure: what was eaten, pulled and added at the touch, counted by a plain loop over the changes of the book."""
import numpy as np
import pytest
from random_market import random_tape
from ruled_market import ruled_tape

from lob.analytics.pressure import flows_between, hazards, p_up, pressure
from lob.exchange.order_book import OrderBook
from lob.messages import Flag, ReportKind, Side
from lob.tape.record import Tape
from lob.tape.replay import touches

SECOND_NS = 1_000_000_000


def naive_flows(tape, from_ns, to_ns):
    """Return the flows at the touch in (from, to] by a loop over the events of a tape of plain orders."""
    quotes, found = touches(tape.rows), {(side, flow): 0 for side in Side for flow in ("eaten", "pulled", "added")}
    first = 0
    for end in np.flatnonzero(tape.rows["flags"] & Flag.LAST):
        event, first = tape.rows[first:end + 1], end + 1
        before = quotes[quotes["sequence"] < event[0]["sequence"]]
        best = {Side.BUY: before[-1]["best_bid_ticks"], Side.SELL: before[-1]["best_ask_ticks"]} if len(before) else {Side.BUY: 0, Side.SELL: 0}
        if not from_ns < event[0]["time_ns"] <= to_ns:
            continue
        incoming = None
        for row in event:
            if row["kind"] in (ReportKind.ACCEPTED, ReportKind.REPLACED):
                incoming = row
            rest = int(row["open_lots"])
            if row["kind"] == ReportKind.FILL and row["price_ticks"] == best[Side(-row["side"])]:
                found[Side(-row["side"]), "eaten"] += int(row["lots"])
            is_cancel = row["kind"] in (ReportKind.CANCELLED, ReportKind.REDUCED) and (incoming is None or row["order_id"] != incoming["order_id"])
            if is_cancel and best[row["side"]] and row["price_ticks"] == best[row["side"]]:
                found[Side(row["side"]), "pulled"] += int(row["lots"])
        side = incoming["side"] if incoming is not None else 0
        if incoming is not None and rest > 0 and (not best[side] or side * (incoming["price_ticks"] - best[side]) >= 0):
            found[Side(side), "added"] += rest
    return found


@pytest.mark.parametrize("from_s, to_s", [(0, 8), (2.5, 3.5), (5, 5), (7, 100)])
def test_flows_are_those_of_a_plain_loop(from_s, to_s):
    tape = random_tape(400, seed=61)
    from_ns, to_ns = int(from_s * SECOND_NS), int(to_s * SECOND_NS)
    found = flows_between(tape, np.array([from_ns]), np.array([to_ns]))
    assert {key: int(lots[0]) for key, lots in found.items()} == naive_flows(tape, from_ns, to_ns)


def test_eaten_and_pulled_are_kept_apart():
    book = OrderBook()
    rows = [book.limit(Side.BUY, 100, 20, 1, now_ns=0), book.limit(Side.SELL, 101, 40, 2, now_ns=0), book.limit(Side.BUY, 100, 5, 3, now_ns=SECOND_NS)]
    rows += [book.market(Side.SELL, 8, 4, now_ns=SECOND_NS), book.cancel(3, now_ns=SECOND_NS + 1), book.market(Side.BUY, 10, 5, now_ns=SECOND_NS + 2)]
    tape = Tape(np.concatenate(rows), {"complete": True, "end_ns": 3 * SECOND_NS})
    line = pressure(tape, 2 * SECOND_NS).row(0, named=True)
    assert (line["bid_eaten"], line["bid_pulled"], line["bid_added"], line["bid_pressure"]) == (4.0, 2.5, 2.5, 4.0)
    assert (line["ask_eaten"], line["ask_pulled"], line["ask_added"]) == (5.0, 0.0, 0.0)
    # 4 lots a second on a queue of 12, 5 on one of 30: the bid is the one in danger.
    assert (line["hazard_bid"], line["hazard_ask"]) == (pytest.approx(4 / 12), pytest.approx(5 / 30))
    assert line["p_up"] == pytest.approx((5 / 30) / (4 / 12 + 5 / 30))


def test_where_no_queue_is_threatened_the_race_is_even():
    assert p_up(np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 3.0])).tolist() == [0.5, 0.0, 1.0]


def test_nothing_is_known_before_a_window_has_passed_or_where_a_side_is_empty():
    tape = ruled_tape(1_000, seed=62)
    first_ns = touches(tape.rows)["time_ns"][0]
    _, _, is_known = hazards(tape, np.array([first_ns, first_ns + SECOND_NS - 1, first_ns + SECOND_NS * 5]))
    assert is_known.tolist() == [False, False, True]


def test_an_empty_tape_has_no_window():
    assert pressure(Tape(random_tape(0, seed=1).rows, {})).height == 0
