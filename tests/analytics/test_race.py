"""Race: forecasts of the next mid move, on queues whose law is known."""
import numpy as np
import pytest
from random_market import random_tape

from lob.analytics.calibration import reliability, scores
from lob.analytics.first_passage import p_up_balanced, p_up_diffusion
from lob.analytics.microprice import IMBALANCES, Microprice
from lob.analytics.quotes import two_sided
from lob.analytics.race import FORECASTS, observations, race
from lob.exchange.order_book import OrderBook
from lob.messages import REQUEST, Action
from lob.tape.record import Tape

SECOND_NS = 1_000_000_000


def absorbed_up(size):
    """Return P(the ask empties first) for all pairs of balanced queues below `size`, by solving the linear system on a grid four times as large."""
    grid = 4 * size
    p = np.full((grid + 1, grid + 1), 0.5)
    p[:, 0], p[0, :] = 1.0, 0.0
    for _ in range(8_000):
        p[1:-1, 1:-1] = (p[2:, 1:-1] + p[:-2, 1:-1] + p[1:-1, 2:] + p[1:-1, :-2]) / 4
    return p[:size, :size]


def test_the_closed_form_of_balanced_queues_solves_their_equations():
    exact = absorbed_up(9)
    for bid in range(1, 9):
        for ask in range(1, 9):
            assert p_up_balanced(bid, ask) == pytest.approx(exact[bid, ask], abs=3e-3)


def test_the_diffusion_is_the_limit_of_long_queues():
    assert p_up_balanced(40, 20) == pytest.approx(float(p_up_diffusion(40, 20)), abs=2e-3)
    assert p_up_diffusion(3, 3, correlation=-0.5) == pytest.approx(0.5)
    assert p_up_diffusion(30, 1) == pytest.approx(2 / np.pi * np.arctan(30))


def queue_tape(races, seed):
    """Return a tape on which unit orders come and go at one rate in both best queues, at 100 and 101, until one empties; then the next race starts."""
    random, requests, order_id, time_ns = np.random.default_rng(seed), [], 10, 0
    requests += [(0, Action.LIMIT, side, price, 1, i) for i, (side, price) in enumerate([(1, 99), (-1, 102)], 1)]
    for _ in range(races):
        queues = {}
        for side, price in ((1, 100), (-1, 101)):
            queues[side] = list(range(order_id, order_id + random.integers(1, 7)))
            order_id += len(queues[side])
            requests += [(time_ns, Action.LIMIT, side, price, 1, number) for number in queues[side]]
        while queues[1] and queues[-1]:
            time_ns += 1_000_000
            side = int(random.choice([-1, 1]))
            if random.random() < 0.5:
                queues[side].append(order_id)
                requests.append((time_ns, Action.LIMIT, side, 100 if side > 0 else 101, 1, order_id))
                order_id += 1
            else:
                requests.append((time_ns, Action.CANCEL, 0, 0, 0, queues[side].pop()))
        for number in queues[1] + queues[-1]:
            time_ns += 1
            requests.append((time_ns, Action.CANCEL, 0, 0, 0, number))
    array = np.zeros(len(requests), REQUEST)
    for name, values in zip(("time_ns", "action", "side", "price_ticks", "lots", "order_id"), zip(*requests, strict=True), strict=True):
        array[name] = values
    return Tape(OrderBook().send_many(array), {})


def test_independent_queues_empty_as_the_closed_form_says():
    tape = queue_tape(3_000, seed=71)
    touches = two_sided(tape)
    mid = touches["best_bid_ticks"] + touches["best_ask_ticks"]
    starts = np.flatnonzero((np.diff(mid) == 0) & (mid[:-1] == 201) & (np.diff(touches["time_ns"]) > 1_000) & (mid[1:] == 201)) + 1
    first = starts[np.searchsorted(starts, np.flatnonzero(mid != 201)[:-1])[::1].clip(0, len(starts) - 1)]
    first = np.unique(first)
    moved = np.flatnonzero(np.diff(mid)) + 1
    following = np.searchsorted(moved, first, "right")
    first, following = first[following < len(moved)], moved[following[following < len(moved)]]
    is_up = mid[following] > mid[following - 1]
    cells = {}
    for i, up in zip(first, is_up, strict=True):
        cells.setdefault((int(touches["bid_lots"][i]), int(touches["ask_lots"][i])), []).append(up)
    expected = np.concatenate([np.full(len(ups), p_up_balanced(*cell)) for cell, ups in cells.items()])
    realised = np.concatenate(list(cells.values()))
    assert len(realised) > 1_500
    # Standardised by the binomial error of the forecast itself: a normal score, four deviations wide; and the forecast must also sort.
    assert abs((realised - expected).sum() / np.sqrt((expected * (1 - expected)).sum())) < 4
    assert scores(expected, realised, np.arange(len(realised)) * SECOND_NS * 20)["reliability"] < 0.004
    assert np.mean((expected - realised) ** 2) < 0.22


def test_scores_are_those_of_a_plain_loop_and_the_partition_holds():
    random = np.random.default_rng(72)
    forecast = random.integers(0, 10, 4_000) / 10 + 0.05
    outcome = random.random(4_000) < forecast
    found = scores(forecast, outcome, np.arange(4_000) * SECOND_NS * 20)
    assert found["brier"] == pytest.approx(np.mean([(p - y) ** 2 for p, y in zip(forecast, outcome, strict=True)]))
    assert found["log_loss"] == pytest.approx(-np.mean([np.log(p if y else 1 - p) for p, y in zip(forecast, outcome, strict=True)]))
    # All forecasts of a class are the same, so the partition is exact.
    assert found["brier"] == pytest.approx(found["reliability"] - found["resolution"] + found["uncertainty"])
    # 400 to a class: the squared error of a frequency is p(1 - p) / 400 each, 0.0004 on average.
    assert found["reliability"] < 0.0012
    assert found["brier_error"] == pytest.approx(np.std((forecast - outcome) ** 2) / np.sqrt(4_000), rel=0.1)


def test_the_curve_of_a_forecast_that_is_right_lies_on_the_diagonal():
    random = np.random.default_rng(73)
    forecast = random.random(20_000)
    curve = reliability(forecast, random.random(20_000) < forecast, np.arange(20_000) * SECOND_NS * 20)
    assert curve.height == 10
    assert ((curve["forecast"] - curve["realised"]).abs() < 4 * curve["realised_error"]).all()


def test_a_certain_and_wrong_forecast_is_punished_and_finite():
    found = scores(np.ones(200), np.zeros(200, bool), np.arange(200))
    assert found["brier"] == 1 and found["log_loss"] == pytest.approx(-np.log(1e-6))


def test_too_few_forecasts_are_no_score():
    found = scores(np.ones(3), np.ones(3, bool), np.arange(3))
    assert found["brier"] is None and found["note"] == "not enough data: 3 forecasts with an outcome, 100 needed"


def test_the_microprice_of_even_queues_is_the_mid_and_grows_with_the_bid():
    chain = Microprice.fit(queue_tape(1_500, seed=74)).to_polars()
    tight = chain.filter(chain["spread_ticks"] == 1)
    assert tight["correction_ticks"].to_numpy() == pytest.approx(-tight["correction_ticks"].to_numpy()[::-1])
    assert tight["p_up"].to_numpy() == pytest.approx(1 - tight["p_up"].to_numpy()[::-1])
    visited = tight.filter(tight["visits"] > 200)["p_up"].to_list()
    assert visited == sorted(visited) and visited[0] < 0.35 and visited[-1] > 0.65


def test_the_chain_counts_as_a_plain_loop_does():
    tape = random_tape(3_000, seed=75)
    touches = two_sided(tape)
    mid = touches["best_bid_ticks"] + touches["best_ask_ticks"]
    share = touches["bid_lots"] / (touches["bid_lots"] + touches["ask_lots"])
    spread = np.clip(touches["best_ask_ticks"] - touches["best_bid_ticks"], 1, 3)
    left = np.zeros((4, IMBALANCES))
    for i in range(len(touches) - 1):
        if mid[i + 1] != mid[i]:
            cell = min(int(share[i] * IMBALANCES), IMBALANCES - 1)
            left[spread[i], cell] += 1
            left[spread[i], IMBALANCES - 1 - cell] += 1
    assert Microprice.fit(tape).visits.reshape(3, IMBALANCES).tolist() == left[1:].tolist()


def test_observations_look_ahead_only_for_the_outcome():
    tape = random_tape(4_000, seed=76)
    whole, seen = observations(tape, step_ns=SECOND_NS), two_sided(tape)
    mid = seen["best_bid_ticks"] + seen["best_ask_ticks"]
    for line in whole.sample(40, seed=1).iter_rows(named=True):
        later = np.flatnonzero((seen["time_ns"] > line["time_ns"]) & np.concatenate([[False], np.diff(mid) != 0]))[0]
        assert line["is_up"] == (mid[later] > mid[later - 1])
        assert line["wait_ns"] == seen["time_ns"][later] - line["time_ns"]
        now = seen[seen["time_ns"] <= line["time_ns"]][-1]
        assert (line["bid_lots"], line["ask_lots"]) == (now["bid_lots"], now["ask_lots"])
    cut = Tape(tape.rows[: len(tape) // 2], {})
    early = observations(cut, step_ns=SECOND_NS)
    assert early.select("time_ns", "hazards", "imbalance", "queues").equals(whole.head(early.height).select("time_ns", "hazards", "imbalance", "queues"))


@pytest.mark.parametrize("count", [0, 1, 30])
def test_a_tape_too_short_for_a_race_says_so(count):
    found = race(random_tape(count, seed=77))
    assert found.scores["forecast"].to_list() == list(FORECASTS)
    assert found.scores["note"].str.starts_with("not enough data").all()
    assert found.reliability.height == 0 or found.reliability["count"].sum() < 400


def test_no_table_of_a_race_holds_a_nan():
    found = race(random_tape(3_000, seed=78))
    for frame in (found.observations, found.scores, found.reliability, found.causes, found.microprice):
        for column in frame.iter_columns():
            assert not (column.dtype.is_float() and column.is_nan().any()), column.name


