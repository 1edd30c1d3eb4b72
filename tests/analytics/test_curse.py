"""Curse: the drift after filled orders and after unfilled ones, against a naive loop."""
import numpy as np
import pytest
from random_market import random_tape

from lob.analytics.curse import winners_curse
from lob.analytics.stays import walk
from lob.tape.replay import touches

WINDOW_NS = 500_000_000


def naive_drifts(tape, window_ns):
    """Return {(agent, is_filled): [drift in ticks]} of orders at the touch, by plain loops."""
    quotes = [touch for touch in touches(tape.rows) if touch["best_bid_ticks"] and touch["best_ask_ticks"]]

    def mid(time_ns):
        seen = [(touch["best_bid_ticks"] + touch["best_ask_ticks"]) / 2 for touch in quotes if touch["time_ns"] <= time_ns]
        return seen[-1] if seen else None

    found = {}
    for stay in walk(tape).stays:
        end_ns = stay["time_ns"] + window_ns
        if -(2**31) < stay["gap_ticks"] <= 0 and end_ns <= tape.end_ns and mid(stay["time_ns"]) is not None:
            is_filled = bool(0 <= stay["first_fill_ns"] <= end_ns)
            found.setdefault((f"agent-{stay['owner']}", is_filled), []).append(stay["side"] * (mid(end_ns) - mid(stay["time_ns"])))
    return found


def test_drifts_are_those_of_a_naive_loop():
    tape = random_tape(900, seed=41)
    expected = naive_drifts(tape, WINDOW_NS)
    table = winners_curse(tape, "agent", [WINDOW_NS])
    assert table.height == 6
    for line in table.iter_rows(named=True):
        filled, unfilled = (expected.get((line["agent"], is_filled), []) for is_filled in (True, False))
        assert (line["filled"], line["unfilled"]) == (len(filled), len(unfilled))
        assert line["drift_filled"] == pytest.approx(np.mean(filled))
        assert line["drift_unfilled"] == pytest.approx(np.mean(unfilled))
        assert line["curse"] == pytest.approx(np.mean(unfilled) - np.mean(filled))


def test_without_orders_there_is_no_line():
    assert winners_curse(random_tape(0, seed=1)).height == 0
