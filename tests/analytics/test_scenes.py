"""Scenes show the book as it was, and the worst fills are the worst."""
import numpy as np
import polars as pl
import pytest
from random_market import random_tape

from lob.analytics.markouts import fill_markouts
from lob.analytics.scenes import scenes, worst_fills
from lob.messages import Flag, Side
from lob.tape.record import Tape
from lob.tape.replay import ReplayedBook


@pytest.fixture(scope="module")
def tape():
    return random_tape(3_000, seed=21)


def depth_after(tape, rows):
    book = ReplayedBook()
    for _ in book.advance(rows):
        pass
    return [book.depth(side, 8).tolist() for side in (Side.BUY, Side.SELL)]


def test_the_worst_fills_are_those_that_a_loop_finds(tape):
    worst = worst_fills(tape, 3, count=5)
    lines = fill_markouts(tape, (1_000_000_000,)).filter(pl.col("owner") == 3).iter_rows(named=True)
    losses = sorted((-line["realised_half_ticks"] * line["lots"] / 2 for line in lines if line["realised_half_ticks"] is not None), reverse=True)
    assert worst["loss_ticks"].to_list() == losses[:5]
    assert losses[4] > 0


def test_every_step_has_the_depth_as_it_stands_after_its_event(tape):
    sequence = worst_fills(tape, 3)["sequence"][0]
    ((steps, middle),) = scenes(tape, [sequence], before=3, after=4)
    assert len(steps) == 8
    assert sequence in steps[middle].rows["sequence"]
    for step in steps:
        end = int(step.rows["sequence"][-1]) + 1
        assert [step.bids.tolist(), step.asks.tolist()] == depth_after(tape, tape.rows[:end])


def test_steps_are_whole_events_that_follow_each_other(tape):
    sequences = worst_fills(tape, 3)["sequence"].to_list()
    for steps, _ in scenes(tape, sequences):
        rows = np.concatenate([step.rows for step in steps])
        assert (np.diff(rows["sequence"]) == 1).all()
        assert all((step.rows["flags"] & Flag.LAST).tolist() == [0] * (len(step.rows) - 1) + [int(Flag.LAST)] for step in steps)


def test_a_scene_at_an_end_of_the_tape_is_shorter(tape):
    first, last = int(tape.rows["sequence"][0]), int(tape.rows["sequence"][-1])
    (early, at), (late, until) = scenes(tape, [first, last], before=5, after=5)
    assert (len(early), at, len(late), until) == (6, 0, 6, 5)


def test_without_a_loss_there_is_no_worst_fill(tape):
    assert worst_fills(Tape(tape.rows[:20], tape.provenance), 3).height == 0
