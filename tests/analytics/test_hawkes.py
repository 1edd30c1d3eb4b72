"""Hawkes: the likelihood of the paper, and fits that find what was put in, within their own errors."""
import numpy as np
import pytest

from lob.analytics.hawkes import _log_likelihood, fit_hawkes, simulate_hawkes


def naive_log_likelihood(times, kinds, target, parameters, end_s):
    """Return sum of log lambda at the events of a kind, less the integral of lambda, by double loops."""
    mu, alpha, beta = parameters[0], parameters[1:-1], parameters[-1]
    value = -mu * end_s
    for k, at in enumerate(times):
        value -= alpha[kinds[k]] * (1 - np.exp(-beta * (end_s - at)))
        if kinds[k] == target:
            value += np.log(mu + sum(alpha[kinds[i]] * beta * np.exp(-beta * (at - times[i])) for i in range(k)))
    return value


def test_the_likelihood_is_that_of_double_loops_and_its_gradient_that_of_differences():
    random = np.random.default_rng(121)
    times, kinds, parameters = np.sort(random.uniform(0, 20, 60)), random.integers(0, 2, 60), np.array([0.7, 0.3, 0.2, 2.5])
    for target in (0, 1):
        value, gradient = _log_likelihood(times, kinds, target, parameters, 21.0)
        assert value == pytest.approx(naive_log_likelihood(times, kinds, target, parameters, 21.0))
        for k in range(4):
            step = np.zeros(4)
            step[k] = 1e-6
            above, below = (naive_log_likelihood(times, kinds, target, parameters + sign * step, 21.0) for sign in (1, -1))
            assert gradient[k] == pytest.approx((above - below) / 2e-6, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("ratio, end_s", [(0.5, 5_000), (0.9, 2_000)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_branching_ratio_comes_back_within_its_error(ratio, end_s, seed):
    events = simulate_hawkes([1.0], [[ratio]], [5.0], end_s, seed)
    fit = fit_hawkes(events, end_s)
    # About 10,000 and 20,000 events: an error of a hundredth, and the estimate within four of them.
    assert 0 < fit.branching_ratio_error < 0.02
    assert abs(fit.branching_ratio - ratio) < 4 * fit.branching_ratio_error
    assert abs(fit.baseline_hz[0] - 1.0) < 4 * fit.baseline_error[0]
    assert abs(fit.decay_hz[0] - 5.0) < 4 * fit.decay_error[0]
    assert fit.residual_test(0)[1] > 1e-3


def test_errors_are_the_spread_of_many_fits():
    scores = []
    for seed in range(40):
        fit = fit_hawkes(simulate_hawkes([1.0], [[0.5]], [5.0], 800, 100 + seed), 800)
        scores.append((fit.branching_ratio - 0.5) / fit.branching_ratio_error)
    # 40 scores: their deviation is 1 give or take 4 / sqrt(80).
    assert 0.55 < np.std(scores) < 1.45


def test_two_kinds_that_bring_on_each_other_are_told_apart():
    alpha, decay = np.array([[0.4, 0.2], [0.3, 0.1]]), np.array([5.0, 10.0])
    fit = fit_hawkes(simulate_hawkes([0.5, 0.3], alpha, decay, 8_000, 7), 8_000)
    assert (np.abs(fit.branching - alpha) < 4 * fit.branching_error).all()
    assert (np.abs(fit.decay_hz - decay) < 4 * fit.decay_error).all()
    assert abs(fit.branching_ratio - np.linalg.eigvals(alpha).real.max()) < 4 * fit.branching_ratio_error < 0.1


def test_poisson_events_bring_on_nothing():
    events = simulate_hawkes([2.0], [[0.0]], [1.0], 3_000, 8)
    fit = fit_hawkes(events, 3_000)
    # Where nothing is brought on, a kernel of any size and no decay fits as well: it is the gain that speaks.
    assert fit.gain_p > 1e-4
    assert fit_hawkes(simulate_hawkes([2.0], [[0.1]], [1.0], 3_000, 8), 3_000).gain_p < 1e-4
    assert fit.residual_test(0)[1] > 1e-3


def test_a_process_that_is_no_hawkes_process_fails_the_residual_test():
    random = np.random.default_rng(9)
    regular = np.cumsum(random.uniform(0.9, 1.1, 3_000))
    assert fit_hawkes([regular], regular[-1] + 1).residual_test(0)[1] < 1e-6


def test_the_mean_rate_is_that_of_the_cluster_process():
    # mu / (1 - n) = 2 a second; the variance of the count is that times T / (1 - n)^2.
    count = len(simulate_hawkes([1.0], [[0.5]], [5.0], 10_000, 10)[0])
    assert abs(count - 20_000) < 4 * np.sqrt(20_000 * 4)
