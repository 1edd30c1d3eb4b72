"""Hawkes: events that bring on events.

Owns a point process in d kinds with exponential kernels: the intensity of kind i is

    lambda_i(t) = mu_i + sum_j alpha_ij sum_{t_k < t, of kind j} beta_i exp(-beta_i (t - t_k))

so alpha_ij is the mean number of events of kind i that one of kind j brings on directly, and the branching ratio is the largest eigenvalue of alpha. Fitted by
maximum likelihood, each kind by itself since the likelihood is a product; errors from the observed information. By the time change theorem the compensator
between events is exponential with mean 1, which the Kolmogorov-Smirnov distance tests. Sources: Hawkes (1971); Ozaki (1979), the likelihood and its
gradient by recursion; Ogata (1988), residual analysis; Bacry, Mastromatteo and Muzy (2015).
"""
from dataclasses import dataclass

import numpy as np

from lob.jit import jit

LOG_BOUND = 18.0
COARSE_EVENTS = 5_000


@dataclass(frozen=True)
class HawkesFit:
    """A fitted process of d kinds. baseline_hz[d], branching[d, d] (alpha: to, from), decay_hz[d] with their errors; branching_ratio and its error;
    log_likelihood, and gain, how far it is above that of Poisson processes; residuals: the compensator between the events of each kind, one array a kind.
    """

    baseline_hz: np.ndarray
    baseline_error: np.ndarray
    branching: np.ndarray
    branching_error: np.ndarray
    decay_hz: np.ndarray
    decay_error: np.ndarray
    branching_ratio: float
    branching_ratio_error: float
    log_likelihood: float
    gain: float
    residuals: list

    @property
    def gain_p(self):
        """The p-value of the gain if nothing brought on anything: the likelihood ratio, as if chi-squared with one degree for each parameter more.

        Too small: without bursts the decay could be any, and the fit takes the best. Ask for a very small one before believing in bursts.
        """
        from scipy.special import chdtrc

        return float(chdtrc(len(self.branching) * (len(self.branching) + 1), max(2 * self.gain, 0.0)))

    def residual_test(self, kind):
        """Return (Kolmogorov-Smirnov distance of the residuals of a kind from the exponential law, its p-value, too large since parameters are fitted)."""
        from scipy.special import kolmogorov

        u = 1 - np.exp(-np.sort(self.residuals[kind]))
        n = len(u)
        distance = max((np.arange(1, n + 1) / n - u).max(), (u - np.arange(n) / n).max())
        return float(distance), float(kolmogorov(np.sqrt(n) * distance))


def simulate_hawkes(baseline_hz, branching, decay_hz, end_s, seed):
    """Return the event times of every kind over (0, end_s): [float64[n_i]], by generations of descendants.

    baseline_hz[d], branching[d, d] (to, from), decay_hz[d]. Source: Hawkes and Oakes (1974), the process as a cluster process.
    """
    random = np.random.default_rng(seed)
    kinds = len(baseline_hz)
    living = [random.uniform(0, end_s, random.poisson(rate * end_s)) for rate in baseline_hz]
    found = [[times] for times in living]
    while any(len(times) for times in living):
        born = [[] for _ in range(kinds)]
        for to in range(kinds):
            for source in range(kinds):
                parents = np.repeat(living[source], random.poisson(branching[to][source], len(living[source])))
                children = parents + random.exponential(1 / decay_hz[to], len(parents))
                born[to].append(children[children < end_s])
        living = [np.concatenate(times) for times in born]
        for times, more in zip(found, living, strict=True):
            times.append(more)
    return [np.sort(np.concatenate(times)) for times in found]


def intensity(times_s, at_s, baseline_hz, branching, decay_hz):
    """Return the intensity of a process of one kind just after each time, what happens at this very time included: float64[m].

    times_s: its events, sorted, float64[n]; at_s: sorted, float64[m].
    """
    found = np.empty(len(at_s))
    _follow(np.asarray(times_s, float), np.asarray(at_s, float), decay_hz, found)
    return baseline_hz + branching * decay_hz * found


@jit
def _follow(times, at, decay_hz, found):
    excitement, last, k = 0.0, 0.0, 0
    for i in range(len(at)):
        while k < len(times) and times[k] <= at[i]:
            excitement = excitement * np.exp(-decay_hz * (times[k] - last)) + 1
            last = times[k]
            k += 1
        found[i] = excitement * np.exp(-decay_hz * (at[i] - last))


def fit_hawkes(times_s, end_s):
    """Return the HawkesFit of maximum likelihood. times_s: sorted event times of each kind in (0, end_s), [float64[n_i]]."""
    merged = np.concatenate(times_s)
    kinds = np.repeat(np.arange(len(times_s)), [len(times) for times in times_s])
    order = np.argsort(merged, kind="stable")
    merged, kinds = merged[order], kinds[order]
    parts = [_fit_kind(merged, kinds, i, len(times_s), end_s) for i in range(len(times_s))]
    estimates, covariances = np.array([part[0] for part in parts]), [part[1] for part in parts]
    errors = np.array([np.sqrt(np.where(np.diag(cov) > 0, np.diag(cov), np.nan)) for cov in covariances])
    alpha = estimates[:, 1:-1]
    ratio, gradient = _largest_eigenvalue(alpha)
    variance = sum(gradient[i] @ covariances[i][1:-1, 1:-1] @ gradient[i] for i in range(len(alpha)))
    residuals = [_compensator(merged, kinds, i, estimates[i]) for i in range(len(alpha))]
    return HawkesFit(
        estimates[:, 0], errors[:, 0], alpha, errors[:, 1:-1], estimates[:, -1], errors[:, -1], ratio, float(np.sqrt(variance)) if variance > 0 else np.nan,
        sum(part[2] for part in parts), sum(part[2] - part[3] for part in parts), residuals,
    )


def _fit_kind(times, kinds, target, kind_count, end_s):
    """Return (estimates [mu, alpha_1.., beta], their covariance, log-likelihood, that of a Poisson process) of one kind."""
    from scipy.optimize import minimize

    count = max((kinds == target).sum(), 1)
    gaps = np.diff(times)
    start = np.log(np.concatenate([[0.5 * count / end_s], np.full(kind_count, 0.5 / kind_count), [1 / max(np.median(gaps[gaps > 0]), 1e-9)]]))

    def loss(logs, first, until_s):
        value, gradient = _log_likelihood(times[:first], kinds[:first], target, np.exp(logs), until_s)
        return -value / count, -gradient * np.exp(logs) / count

    # A kernel as long as the record is a baseline, one shorter than the gaps is a pair of events.
    decays = (np.log(10 / end_s), max(start[-1] + np.log(1_000), np.log(20 / end_s)))
    settings = {"jac": True, "method": "L-BFGS-B", "bounds": [(value - LOG_BOUND, value + LOG_BOUND) for value in start[:-1]] + [decays]}
    begins = [np.append(start[:-1], np.clip(start[-1] + shift, *decays)) for shift in (0.0, -2.0, 2.0)]
    # Where to begin is found on the first events; the whole record then takes one search.
    first = min(len(times), COARSE_EVENTS)
    until_s = times[first] if first < len(times) else end_s
    coarse = min((minimize(loss, begin, (first, until_s), **settings) for begin in begins), key=lambda found: found.fun)
    best = minimize(loss, coarse.x, (len(times), end_s), options={"maxiter": 200, "ftol": 1e-13, "gtol": 1e-8}, **settings)
    estimate = np.exp(best.x)
    return estimate, _covariance(times, kinds, target, estimate, end_s), -best.fun * count, count * (np.log(count / end_s) - 1)


def _covariance(times, kinds, target, estimate, end_s):
    """Return the inverse of the observed information, by central differences of the gradient."""
    information = np.empty((len(estimate), len(estimate)))
    for k in range(len(estimate)):
        step = np.zeros(len(estimate))
        step[k] = 1e-4 * estimate[k]
        above, below = (_log_likelihood(times, kinds, target, estimate + sign * step, end_s)[1] for sign in (1, -1))
        information[k] = -(above - below) / (2 * step[k])
    # A parameter at its bound (a kernel that is not there) has no information of its own; the others keep theirs.
    return np.linalg.pinv((information + information.T) / 2, rcond=1e-14)


@jit
def _log_likelihood(times, kinds, target, parameters, end_s):
    """Return the log-likelihood of one kind and its gradient in [mu, alpha_1.., beta].

    a and b are the sums of exp(-beta u) and of u exp(-beta u) over the events of each kind a time u ago.
    """
    count = len(parameters) - 2
    mu, beta = parameters[0], parameters[-1]
    a, b, gradient = np.zeros(count), np.zeros(count), np.zeros(count + 2)
    value, before = -mu * end_s, 0.0
    gradient[0] = -end_s
    for k in range(len(times)):
        step = times[k] - before
        decay = np.exp(-beta * step)
        for j in range(count):
            b[j] = (b[j] + step * a[j]) * decay
            a[j] *= decay
        if kinds[k] == target:
            intensity, slope = mu, 0.0
            for j in range(count):
                intensity += parameters[1 + j] * beta * a[j]
                slope += parameters[1 + j] * (a[j] - beta * b[j])
            value += np.log(intensity)
            gradient[0] += 1 / intensity
            gradient[-1] += slope / intensity
            for j in range(count):
                gradient[1 + j] += beta * a[j] / intensity
        source, left = kinds[k], end_s - times[k]
        gone = np.exp(-beta * left)
        value -= parameters[1 + source] * (1 - gone)
        gradient[1 + source] -= 1 - gone
        gradient[-1] -= parameters[1 + source] * left * gone
        a[source] += 1
        before = times[k]
    return value, gradient


@jit
def _compensator(times, kinds, target, parameters):
    """Return the compensator of one kind between its events: float64[its events]; the first from time 0."""
    count = len(parameters) - 2
    mu, beta, a = parameters[0], parameters[-1], np.zeros(count)
    found, n, passed, before = np.empty(len(times)), 0, 0.0, 0.0
    for k in range(len(times)):
        step = times[k] - before
        decay = np.exp(-beta * step)
        passed += mu * step
        for j in range(count):
            passed += parameters[1 + j] * a[j] * (1 - decay)
            a[j] *= decay
        if kinds[k] == target:
            found[n] = passed
            n, passed = n + 1, 0.0
        a[kinds[k]] += 1
        before = times[k]
    return found[:n]


def _largest_eigenvalue(alpha):
    """Return the largest eigenvalue of a matrix of numbers >= 0, and its gradient in them."""
    values, right = np.linalg.eig(alpha)
    k = values.real.argmax()
    left_values, left = np.linalg.eig(alpha.T)
    right, left = right[:, k].real, left[:, np.abs(left_values - values[k]).argmin()].real
    product = left @ right
    gradient = np.outer(left, right) / product if abs(product) > 1e-12 else np.zeros_like(alpha)
    return float(values[k].real), gradient
