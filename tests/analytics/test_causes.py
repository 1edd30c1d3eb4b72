"""Causes: every move of the mid has one, and they add up to its whole way."""
import numpy as np
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_market import random_tape
from ruled_market import ruled_tape

from lob.analytics.causes import Cause, mid_causes, mid_moves
from lob.analytics.quotes import Mids
from lob.exchange.order_book import OrderBook
from lob.messages import Flag, ReportKind, Side
from lob.tape.record import Tape
from lob.tape.replay import touches


def tape_of(*steps):
    """Return the tape of (method, arguments...) calls on one book; owner is the last argument."""
    book = OrderBook()
    calls = [getattr(book, name)(*arguments[:-1], owner=arguments[-1]) for name, *arguments in steps]
    return Tape(np.concatenate(calls), {})


QUOTES = (("limit", Side.BUY, 100, 5, 1, 1), ("limit", Side.SELL, 102, 5, 2, 1), ("limit", Side.BUY, 97, 5, 3, 9), ("limit", Side.SELL, 105, 5, 4, 9))


@pytest.mark.parametrize("step, cause, side, owner, half_ticks", [
    (("market", Side.SELL, 5, 11, 7), Cause.TRADED, Side.BUY, 7, -3),
    (("market", Side.BUY, 5, 11, 7), Cause.TRADED, Side.SELL, 7, 3),
    (("cancel", 1, 1), Cause.PULLED, Side.BUY, 1, -3),
    (("replace", 2, 104, 5, 1), Cause.PULLED, Side.SELL, 1, 2),
    (("replace", 4, 101, 5, 9), Cause.IMPROVED, Side.SELL, 9, -1),
    (("limit", Side.BUY, 101, 1, 12, 8), Cause.IMPROVED, Side.BUY, 8, 1),
])
def test_a_mid_move_has_one_cause_and_an_owner(step, cause, side, owner, half_ticks):
    moves = mid_moves(tape_of(*QUOTES, step))
    last = moves[-1]
    assert (last["cause"], last["side"], last["owner"], last["half_ticks"]) == (cause, side, owner, half_ticks)


def test_an_order_that_eats_a_level_and_rests_moves_both_sides():
    moves = mid_moves(tape_of(*QUOTES, ("limit", Side.BUY, 102, 8, 12, 7)))
    last = moves[-2:]
    assert sorted(last[["cause", "side", "owner", "half_ticks"]].tolist()) == [(Cause.TRADED, Side.SELL, 7, 3), (Cause.IMPROVED, Side.BUY, 7, 2)]


def test_a_side_that_was_empty_comes_back():
    moves = mid_moves(tape_of(*QUOTES[:2], ("cancel", 2, 1), ("limit", Side.SELL, 104, 1, 12, 8)))
    assert moves[["cause", "owner", "half_ticks"]].tolist() == [(Cause.REOPENED, 8, 2)]


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32), make=st.sampled_from([random_tape, ruled_tape]))
def test_moves_add_up_to_the_way_of_the_mid_and_are_those_of_the_rows(seed, make):
    tape = make(400, seed)
    moves, mids = mid_moves(tape), Mids.of(tape)
    assert moves["half_ticks"].sum() == (mids.half_ticks[-1] - mids.half_ticks[0] if len(mids.half_ticks) else 0)
    quotes = {int(touch["sequence"]): touch for touch in touches(tape.rows)}
    for move in moves[moves["cause"] != Cause.REOPENED]:
        first = last = int(move["sequence"])
        while first > 0 and not tape.rows[first - 1]["flags"] & Flag.LAST:
            first -= 1
        event = tape.rows[first:last + 1]
        at_level = event[event["price_ticks"] == move["from_ticks"]]
        eaten = (at_level["kind"] == ReportKind.FILL) & (at_level["side"] == -move["side"])
        if move["cause"] == Cause.TRADED:
            assert eaten.any() and move["side"] * move["half_ticks"] < 0
        elif move["cause"] == Cause.PULLED:
            assert np.isin(at_level["kind"], [ReportKind.CANCELLED, ReportKind.REDUCED]).any() and move["side"] * move["half_ticks"] < 0
        else:
            assert move["side"] * move["half_ticks"] > 0
        assert quotes[last]["best_bid_ticks" if move["side"] > 0 else "best_ask_ticks"] == move["to_ticks"]


def test_the_table_counts_every_move_once():
    tape = random_tape(2_000, seed=51)
    table = mid_causes(tape, "agent")
    moves = mid_moves(tape)
    assert table["moves"].sum() == len(moves)
    assert (table["up_half_ticks"] + table["down_half_ticks"]).sum() == moves["half_ticks"].sum()
    assert table["share"].sum() == pytest.approx(1)
    assert mid_causes(tape).filter(polars.col("cause") == "traded")["moves"].sum() == (moves["cause"] == Cause.TRADED).sum()
