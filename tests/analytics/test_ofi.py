"""Order flow imbalance: the contributions of the paper, and a regression that finds its slope."""
import numpy as np
import pytest
from random_market import random_tape

from lob.analytics.ofi import contributions, order_flow_imbalance, regression, window_sums
from lob.exchange.order_book import OrderBook
from lob.messages import REQUEST, Action
from lob.tape.record import Tape
from lob.tape.replay import touches

SECOND_NS = 1_000_000_000


def naive_contributions(quotes):
    """Return e one touch at a time, an empty side infinitely far away."""
    found = [0]
    for before, after in zip(quotes[:-1], quotes[1:], strict=True):
        e = 0
        if after["best_bid_ticks"] >= before["best_bid_ticks"]:
            e += after["bid_lots"]
        if after["best_bid_ticks"] <= before["best_bid_ticks"]:
            e -= before["bid_lots"]
        ask_after, ask_before = (touch["best_ask_ticks"] or np.inf for touch in (after, before))
        if ask_after <= ask_before:
            e -= after["ask_lots"]
        if ask_after >= ask_before:
            e += before["ask_lots"]
        found.append(int(e))
    return found


def test_contributions_are_those_of_a_plain_loop():
    quotes = touches(random_tape(3_000, seed=111).rows)
    assert (quotes["best_ask_ticks"] == 0).any()
    assert contributions(quotes).tolist() == naive_contributions(quotes)


def test_windows_add_up_what_happened_in_them():
    tape = random_tape(2_000, seed=112)
    quotes = touches(tape.rows)
    two_sided = quotes[(quotes["best_bid_ticks"] > 0) & (quotes["best_ask_ticks"] > 0)]
    first_ns, e = two_sided["time_ns"][0], contributions(quotes)
    ofi, _, moves = window_sums(tape, SECOND_NS)
    for k in range(0, len(ofi), 5):
        begin, end = first_ns + k * SECOND_NS, first_ns + (k + 1) * SECOND_NS
        assert ofi[k] == e[(quotes["time_ns"] > begin) & (quotes["time_ns"] <= end)].sum()
        mids = [(touch["best_bid_ticks"] + touch["best_ask_ticks"])[touch["time_ns"] <= at][-1] / 2 for at in (begin, end) for touch in [two_sided]]
        assert moves[k] == mids[1] - mids[0]


def test_robust_errors_hold_where_the_noise_grows_with_the_signal():
    random, scores = np.random.default_rng(113), []
    for _ in range(400):
        x = random.normal(size=300)
        y = 0.3 * x + random.normal(size=300) * (0.2 + np.abs(x))
        slope, error, _, _ = regression(x, y)
        scores.append((slope - 0.3) / error)
    # 400 scores: their deviation is known to 1 / sqrt(800), 4 per cent; the robust error is a little small in a finite sample.
    assert 0.9 < np.std(scores) < 1.2


def test_in_a_book_of_constant_depth_the_slope_is_half_the_inverse_of_the_depth():
    # Ten lots at every price, and orders that eat one lot: in such a book, that of the paper but for its refills, the mid moves half a tick with ten lots.
    random, time_ns = np.random.default_rng(114), 0
    requests = [(0, Action.LIMIT, 1 if price < 1_000 else -1, price, 10, price) for price in range(200, 1_800)]
    for number in range(2_000, 14_000):
        time_ns += int(random.exponential(SECOND_NS / 20))
        requests.append((time_ns, Action.MARKET, int(random.choice([-1, 1])), 0, 1, number))
    array = np.zeros(len(requests), REQUEST)
    for name, values in zip(("time_ns", "action", "side", "price_ticks", "lots", "order_id"), zip(*requests, strict=True), strict=True):
        array[name] = values
    line = order_flow_imbalance(Tape(OrderBook().send_many(array), {}), [10 * SECOND_NS]).row(0, named=True)
    # A window has an imbalance of 14 lots give or take, and the mid is rounded to half a tick: no better fit than this can be.
    assert line["r_squared"] > 0.7
    assert abs(line["beta"] - 0.05) < 4 * line["beta_error"] < 0.025


@pytest.mark.parametrize("count", [0, 1, 40])
def test_too_few_windows_are_no_regression(count):
    table = order_flow_imbalance(random_tape(count, seed=115), [SECOND_NS])
    assert table["beta"].to_list() == [None]
    assert table["note"][0].startswith("not enough data")
