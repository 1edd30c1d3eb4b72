"""Flow that excites itself: its rates are those of the theory, it bursts, and others' trades excite it too."""
import numpy as np
import pytest
from small_market import StandingQuotes, run_of

from agents import HawkesTrader, MetaorderTrader
from lob import Latency

SECONDS = 1_000
FEED = Latency(feed_ns=100_000, order_ns=100_000)
BASE_HZ = np.array([2.0, 0.5, 1.0])


def kernels(scale):
    """Return (same, cross) with which the process is `scale` times as near to criticality as at 1, where the spectral radius of their sum is 1."""
    same = np.array([[0.2, 0.1, 0.1], [0.05, 0.3, 0.05], [0.1, 0.05, 0.1]])
    cross = np.array([[0.1, 0.2, 0.1], [0.0, 0.05, 0.0], [0.05, 0.1, 0.05]])
    radius = np.abs(np.linalg.eigvals(same + cross)).max()
    return scale / radius * same, scale / radius * cross


def hawkes(scale, **parameters):
    same, cross = kernels(scale)
    return HawkesTrader(base_hz=list(BASE_HZ), same=same.ravel().tolist(), cross=cross.ravel().tolist(), improve=0.0, latency=FEED, **parameters)


def stationary(scale):
    """Return the rates of the six kinds, and the standard errors of their means over SECONDS.

    Bacry, Mastromatteo and Muzy (2015): the rates are (I - n)^-1 mu, the covariance of the counts grows as (I - n)^-1 diag(rates) (I - n)^-T.
    """
    same, cross = kernels(scale)
    n = np.block([[same, cross], [cross, same]])
    solver = np.linalg.inv(np.eye(6) - n)
    rates = solver @ np.tile(BASE_HZ, 2)
    return rates, np.sqrt(np.diag(solver @ np.diag(rates) @ solver.T) / SECONDS)


@pytest.mark.parametrize("scale", [0.0, 0.4, 0.7])
@pytest.mark.parametrize("count", [1, 4])
def test_the_rate_of_every_kind_is_that_of_the_stationary_process_however_many_share_it(scale, count):
    # In front of standing quotes every event shows at the touch: nothing is lost and nothing is improved.
    run = run_of(StandingQuotes(), hawkes(scale, count=count, share=1.0 / count), seconds=SECONDS)
    seen = np.array(run.agents[-1].events_seen) / SECONDS
    rates, errors = stationary(scale)
    assert (np.abs(seen - rates) < 4.5 * errors).all(), (seen, rates, errors)


def dispersion(times_ns, window_s=10.0):
    """Return the variance of the number of events in a window over its mean: 1 for a Poisson process, 1 / (1 - n)^2 for a Hawkes process and long windows."""
    counts = np.bincount((times_ns // int(window_s * 1e9)).astype(int))
    return counts.var() / counts.mean()


def test_it_bursts_the_more_the_nearer_it_is_to_criticality():
    spread = []
    for scale in (0.0, 0.5, 0.8):
        rows = run_of(StandingQuotes(), hawkes(scale), seconds=SECONDS).tape.rows
        spread.append(dispersion(rows["time_ns"][rows["owner"] == 2]))
    # Each number comes from 100 windows: its relative error is sqrt(2 / 100). Events in one row or two move the first a little.
    assert spread[0] < 2.0
    assert spread[1] > 1.5 * spread[0]
    assert spread[2] > 3.0 * spread[1]


def test_what_others_do_excites_it():
    alone, disturbed = (run_of(StandingQuotes(), hawkes(0.7), *others, seconds=300) for others in ((), (MetaorderTrader(rate_hz=5.0, latency=FEED),)))
    own = [(run.tape.rows["owner"] == 2).sum() for run in (alone, disturbed)]
    assert own[1] > 1.3 * own[0]
