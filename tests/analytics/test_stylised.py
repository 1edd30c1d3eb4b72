"""Stylised facts: each measure on numbers whose law is known, and the profiles against plain loops."""
import numpy as np
import polars
import pytest
from random_market import random_tape

from lob.analytics.stylised import FACTS, depth_profile, hill, impact_exponent, kurtosis, returns_ticks, spread_profile, stylised, volume_profile
from lob.analytics.trades import trades
from lob.tape.record import Tape
from lob.tape.replay import book_at, touches

SECOND_NS = 1_000_000_000


def test_the_tail_index_of_a_pareto_law_comes_back_within_its_error():
    value, error = hill(np.random.default_rng(151).pareto(3.0, 100_000) + 1)
    assert abs(value - 3.0) < 4 * error < 0.2


def test_the_kurtosis_of_a_laplace_law_is_three_above_the_normal_one():
    value, error = kurtosis(np.random.default_rng(152).laplace(size=200_000))
    assert abs(value - 3.0) < 4 * error < 0.5


def test_impact_that_grows_as_a_square_root_has_exponent_one_half():
    lots = 2.0 ** np.arange(8)
    noise = 1 + 0.05 * np.random.default_rng(153).normal(size=8)
    curve = polars.DataFrame({"lots": lots, "metaorders": [100] * 8, "impact_ticks": 0.3 * lots**0.5 * noise, "impact_error": [0.01] * 8})
    value, error, note = impact_exponent(curve)
    assert abs(value - 0.5) < 4 * error < 0.1 and note is None
    assert impact_exponent(curve.head(3))[2] == "not enough data: 3 classes of metaorders with an impact, 4 needed"


def test_the_depth_profile_is_that_of_the_books_at_its_moments():
    tape = random_tape(2_000, seed=154)
    first_ns, sums, counts = int(tape.rows["time_ns"][0]), {1: np.zeros(20), -1: np.zeros(20)}, {1: 0, -1: 0}
    for moment in np.linspace(first_ns, tape.end_ns, 201)[1:].astype(np.int64):
        book = book_at(tape, moment)
        for side in (1, -1):
            depth = book.depth(side, None)
            counts[side] += len(depth) > 0
            for level in depth:
                distance = abs(level["price_ticks"] - depth[0]["price_ticks"])
                if distance < 20:
                    sums[side][distance] += level["lots"]
    for line in depth_profile(tape).iter_rows(named=True):
        assert line["lots"] == pytest.approx(sums[line["side"]][line["distance_ticks"]] / counts[line["side"]])


def test_spreads_and_volumes_are_those_of_plain_loops():
    tape = random_tape(2_000, seed=155)
    quotes, lived = touches(tape.rows), {}
    for touch, until_ns in zip(quotes, [*quotes["time_ns"][1:], tape.end_ns], strict=True):
        if touch["best_bid_ticks"] and touch["best_ask_ticks"]:
            spread = min(int(touch["best_ask_ticks"] - touch["best_bid_ticks"]), 20)
            lived[spread] = lived.get(spread, 0) + int(until_ns - touch["time_ns"])
    table = spread_profile(tape)
    assert dict(table.rows()) == pytest.approx({spread: time / sum(lived.values()) for spread, time in lived.items()})
    volume, traded = volume_profile(tape), trades(tape)
    for line in volume.iter_rows(named=True):
        mine = traded[(traded["time_ns"] >= line["from_ns"]) & (traded["time_ns"] < line["to_ns"])]
        assert (line["trades"], line["lots"]) == (len(mine), mine["lots"].sum())
    assert volume["lots"].sum() == traded["lots"].sum()


def test_returns_add_up_to_the_way_of_the_mid():
    tape = random_tape(3_000, seed=156)
    assert returns_ticks(tape, 1.0)[:40].sum() == pytest.approx(returns_ticks(tape, 10.0)[:4].sum())


@pytest.mark.parametrize("count", [0, 1, 3_000])
def test_every_fact_has_a_line_and_a_number_or_a_note(count):
    found = stylised(random_tape(count, seed=157))
    assert found.facts["fact"].to_list() == list(FACTS)
    for line in found.facts.iter_rows(named=True):
        assert (line["value"] is None) == (line["note"] is not None)
    for frame in vars(found).values():
        for column in frame.iter_columns():
            assert not (column.dtype.is_float() and column.is_nan().any()), column.name


def test_a_recorded_day_begins_with_its_run_and_not_with_the_rows_that_build_its_book():
    tape = random_tape(2_000, seed=8)
    day = Tape(tape.rows, tape.provenance | {"start_ns": int(tape.rows["time_ns"][600])})
    assert day.start_ns == tape.rows["time_ns"][600]
    assert volume_profile(day)["from_ns"][0] == day.start_ns
    late = trades(tape)[trades(tape)["time_ns"] >= day.start_ns]
    assert volume_profile(day)["lots"].sum() == late["lots"].sum() < trades(tape)["lots"].sum()
    assert spread_profile(day)["share"].sum() == pytest.approx(1)
