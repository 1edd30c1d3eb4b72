"""Long memory: signs of split orders, whose law is known, and their lengths."""
import numpy as np
import pytest
from random_market import random_tape

from lob.analytics.flow import flow, long_memory
from lob.analytics.metaorders import fit_power_law, impact_curve, length_tail, metaorders, runs, separated, traders
from lob.analytics.quotes import Mids
from lob.analytics.signs import autocorrelation, local_whittle, memory, sign_autocorrelation, signs, splitters
from lob.analytics.trades import trades
from lob.exchange.order_book import OrderBook
from lob.messages import REQUEST, Action, Side
from lob.tape.record import Tape


def split_orders(trader_count, count, seed):
    """Return (trader, sign) of each of `count` child orders: traders take turns at random, lengths of metaorders have P(L) ~ L^-2.5."""
    random = np.random.default_rng(seed)
    who, lengths, sides = random.integers(0, trader_count, count), random.zipf(2.5, count + trader_count), random.choice([-1, 1], count + trader_count)
    left, sign, following, found = np.zeros(trader_count, int), np.zeros(trader_count, int), 0, np.empty(count, np.int64)
    for i, trader in enumerate(who):
        if left[trader] == 0:
            left[trader], sign[trader], following = lengths[following], sides[following], following + 1
        found[i] = sign[trader]
        left[trader] -= 1
    return who, found


def test_autocorrelation_is_that_of_a_plain_loop():
    series = np.random.default_rng(131).choice([-1, 1], 500)
    x = series - series.mean()
    assert autocorrelation(series, 20) == pytest.approx([(x[lag:] * x[:-lag]).sum() / (x * x).sum() for lag in range(1, 21)])


@pytest.mark.parametrize("seed", [1, 2])
def test_splitters_of_exponent_three_halves_leave_a_memory_of_one_half(seed):
    found = memory(split_orders(30, 100_000, seed)[1])
    assert abs(found["gamma"] - 0.5) < 4 * found["gamma_error"] < 0.17
    # Too low, as is said of it, where thirty traders take turns.
    assert 0.2 < found["gamma_loglog"] < 0.7


def test_the_barometer_grows_with_the_number_of_splitters():
    few, many = (memory(split_orders(n, 100_000, 3)[1]) for n in (5, 40))
    assert few["c0"] > many["c0"]
    # With the exponent that is true, so that only the level speaks.
    assert splitters(0.5, few["c0"]) < splitters(0.5, many["c0"])


def test_the_barometer_turns_the_formula_of_the_theory_round():
    assert splitters(0.5, 16 ** (0.5 - 1) / 1.5) == pytest.approx(16)
    assert splitters(None, 0.1) is None and splitters(1.2, 0.1) is None


def test_tosses_of_a_coin_have_no_memory_and_it_is_said():
    found = memory(np.random.default_rng(132).choice([-1, 1], 50_000))
    assert found["gamma"] is None and found["note"].startswith("no long memory")


def test_whittle_finds_the_memory_of_fractional_noise_and_its_error():
    scores = []
    for seed in range(40):
        random, n, d = np.random.default_rng(seed), 20_000, 0.3
        weights = np.cumprod(np.concatenate([[1.0], (np.arange(1, n) - 1 + d) / np.arange(1, n)]))
        noise = random.normal(size=2 * n)
        series = np.fft.irfft(np.fft.rfft(weights, 4 * n) * np.fft.rfft(noise, 4 * n))[n:2 * n]
        estimate, error = local_whittle(series)
        scores.append((estimate - d) / error)
    # 40 normal scores: mean within 4 / sqrt(40), deviation within 4 / sqrt(80), with some room for the finite sample.
    assert abs(np.mean(scores)) < 0.8 and 0.55 < np.std(scores) < 1.5


@pytest.mark.parametrize("alpha", [1.2, 1.5, 2.0])
def test_the_exponent_of_lengths_comes_back_within_its_error(alpha):
    lengths = np.random.default_rng(133).zipf(alpha + 1, 20_000)
    found, error, start, in_tail = fit_power_law(lengths)
    assert abs(found - alpha) < 4 * error < 0.2
    assert in_tail >= 50 and start >= 1


def test_a_tail_that_begins_late_is_found_where_it_begins():
    random = np.random.default_rng(134)
    lengths = np.concatenate([random.integers(1, 8, 20_000), [length for length in random.zipf(2.5, 400_000) if length >= 8]])
    found, error, start, _ = fit_power_law(lengths)
    assert 6 <= start <= 14
    assert abs(found - 1.5) < 4 * error


def test_joined_metaorders_are_separated():
    random = np.random.default_rng(140)
    lengths, sides = random.zipf(2.5, 200_000), random.choice([-1, 1], 200_000)
    joined = np.add.reduceat(lengths, np.flatnonzero(np.diff(sides, prepend=0)))
    found, weights = separated(joined)
    for length in (1, 2, 3, 5, 10):
        count = (lengths == length).sum()
        # Twice the binomial deviation of the count, since the separation is made of differences.
        assert abs(weights[found == length].sum() - count) < 4 * 2 * np.sqrt(count)
    assert weights.sum() == pytest.approx(len(lengths), rel=0.02)


def test_runs_are_those_of_a_plain_loop():
    random = np.random.default_rng(135)
    owner = np.sort(random.integers(1, 5, 400))
    side, lots, time_ns = random.choice([-1, 1], 400).astype(np.int8), random.integers(1, 9, 400), np.arange(400)
    expected = []
    for i in range(400):
        if expected and expected[-1]["owner"] == owner[i] and expected[-1]["side"] == side[i]:
            expected[-1]["lots"] += int(lots[i])
            expected[-1]["children"] += 1
            expected[-1]["end_ns"] = i
        else:
            expected.append({"owner": owner[i], "side": side[i], "lots": int(lots[i]), "children": 1, "start_ns": i, "end_ns": i})
    found = runs(owner, side, lots, time_ns, time_ns)
    assert found[["owner", "side", "lots", "children", "start_ns", "end_ns"]].tolist() == [tuple(line.values()) for line in expected]


def tape_of_takers(who, side):
    """Return a tape on which owners 1, 2, ... take one lot at a time from a deep book."""
    requests = np.zeros(len(who) + 2, REQUEST)
    requests["action"], requests["lots"], requests["order_id"] = Action.MARKET, 1, np.arange(1, len(who) + 3)
    requests["action"][:2], requests["lots"][:2], requests["price_ticks"][:2], requests["side"][:2] = Action.LIMIT, 10**8, (100, 101), (1, -1)
    requests["time_ns"][2:], requests["owner"][2:], requests["side"][2:] = 10_000_000 * np.arange(1, len(who) + 1), np.asarray(who) + 1, side
    agents = [{"owner": owner + 1, "name": f"taker-{owner}", "kind": "Taker", "role": None} for owner in range(max(who) + 1)]
    return Tape(OrderBook().send_many(requests), {"agents": agents})


def test_alpha_is_gamma_plus_one_on_a_tape_of_splitters_and_they_are_counted():
    tape = tape_of_takers(*split_orders(10, 60_000, 4))
    line = long_memory(tape).row(0, named=True)
    assert abs(line["alpha"] - 1.5) < 4 * line["alpha_error"] < 0.6
    assert line["splitters"] == 10
    assert abs(line["difference"]) < 4 * line["difference_error"]
    assert line["note"] is None


def test_traders_without_intent_are_no_splitters():
    random = np.random.default_rng(136)
    tape = tape_of_takers(random.integers(0, 10, 5_000), random.choice([-1, 1], 5_000))
    table = traders(tape)
    # A test at one in a hundred, ten traders.
    assert table["is_splitter"].sum() <= 1
    assert table["trades"].sum() == 5_000 == len(trades(tape))
    assert length_tail(tape)["note"].startswith("not enough data")


def test_every_clock_has_its_signs():
    book = OrderBook()
    rows = [book.limit(Side.SELL, 100, 1, 1), book.limit(Side.SELL, 101, 9, 2), book.limit(Side.BUY, 99, 9, 3)]
    rows += [book.market(Side.BUY, 3, 4, now_ns=1), book.market(Side.SELL, 5, 5, now_ns=2), book.market(Side.SELL, 1, 6, now_ns=10**9)]
    tape = Tape(np.concatenate(rows), {})
    assert [signs(tape, clock).tolist() for clock in ("event", "fill", "block")] == [[1, -1, -1], [1, 1, -1, -1], [-1, -1]]


def test_impact_is_measured_from_before_the_first_child_to_after_the_last():
    tape = random_tape(4_000, seed=137)
    found, mids = metaorders(tape), Mids.of(tape)
    table = impact_curve(tape, classes=1)
    known = [run for run in found if (mids.sequence < run["first"]).any()]
    ends = np.flatnonzero(tape.rows["flags"] & 128)
    expected = []
    for run in known:
        last_row = ends[ends < run["first"]].max(initial=-1)
        before = mids.half_ticks[mids.sequence <= last_row]
        if len(before):
            expected.append(run["side"] * (mids.half_ticks[mids.time_ns <= run["end_ns"]][-1] - before[-1]) / 2)
    assert table["metaorders"].item() == len(expected)
    assert table["impact_ticks"].item() == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("count", [0, 1, 200])
def test_a_short_tape_gives_notes_and_no_nan(count):
    found = flow(random_tape(count, seed=138))
    assert found.memory["note"].null_count() == 0 and found.hawkes["note"].null_count() == 0
    for frame in vars(found).values():
        for column in frame.iter_columns():
            assert not (column.dtype.is_float() and column.is_nan().any()), column.name


def test_lags_are_fewer_on_a_short_tape():
    assert sign_autocorrelation(random_tape(1_000, seed=139)).height < 100
