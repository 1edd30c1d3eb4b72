"""The delays of a link follow the law that was asked for, and requests wait for their turn at the gateway. Each law is tested by what its sample must be."""
import math

import numpy as np
import pytest

from agents import NoiseTrader
from lob import Agent, Latency, ScenarioError, Simulation, compiled, verify
from lob.simulation.scenario import load

SPACING_NS = 10_000_000_000  # so far apart that no message waits for another on its link
SHIFT_NS = 1_000_000
TABLE = [100_000, 200_000, 900_000]


@compiled
class Postman(Agent):
    """Sends orders far apart."""

    def on_start(self, market):
        market.wake_after(10_000_000_000)

    def on_timer(self, market):
        market.buy(1, 1)
        market.wake_after(10_000_000_000)


def delays_of(jitter, count=4_000):
    """Return the delays of so many orders beyond the shift, sorted."""
    run = Simulation([Postman(latency=Latency(order_ns=SHIFT_NS, order_jitter_ns=jitter))], seed=7).run(until_ns=(count + 1) * SPACING_NS - 1)
    rows = run.tape.rows
    assert len(rows) == count
    return np.sort(rows["time_ns"] - rows["sent_ns"] - SHIFT_NS)


def gamma_of_two(x):
    return 1 - math.exp(-x) * (1 + x)


LAWS = {
    "uniform from nothing": (500_000, lambda ns: ns / 500_000),
    "uniform": ({"uniform": [200_000, 300_000]}, lambda ns: (ns - 200_000) / 100_000),
    "lognormal": ({"lognormal": [12.0, 0.5]}, lambda ns: 0.5 + 0.5 * math.erf((math.log(ns) - 12.0) / 0.5 / math.sqrt(2))),
    "gamma": ({"gamma": [2.0, 150_000.0]}, lambda ns: gamma_of_two(ns / 150_000)),
    "exponential": ({"exponential": [200_000.0]}, lambda ns: 1 - math.exp(-ns / 200_000)),
}


@pytest.mark.parametrize("law", LAWS)
def test_the_delays_of_a_link_follow_their_law(law):
    jitter, distribution = LAWS[law]
    delays = delays_of(jitter)
    share = np.array([min(max(distribution(max(ns, 1)), 0), 1) for ns in delays])
    places = np.arange(len(delays)) / len(delays)
    distance = max(np.abs(share - places).max(), np.abs(share - places - 1 / len(delays)).max())
    # Kolmogorov and Smirnov: beyond 1.95 / sqrt(n) once in a thousand samples.
    assert distance < 1.95 / math.sqrt(len(delays))


def test_a_constant_link_has_one_delay():
    assert set(delays_of(0, 100).tolist()) == {0}


def test_an_empirical_table_gives_its_own_values_each_as_often():
    values, counts = np.unique(delays_of({"choice": TABLE}), return_counts=True)
    assert values.tolist() == TABLE
    # Four standard deviations of a count.
    assert np.abs(counts - 4_000 / 3).max() < 4 * math.sqrt(4_000 * 2 / 9)


def at_gateway(gateway_ns, count, rate_hz=100.0, **settings):
    """Return the rows that requests begin, of traders without another latency, in the order of the tape, and the run."""
    run = Simulation([NoiseTrader(count=count, rate_hz=rate_hz, market_share=0.0)], seed=4, gateway_ns=gateway_ns, **settings).run(seconds=5)
    _, first = np.unique(run.tape.rows["time_ns"], return_index=True)
    return run.tape.rows[first], run


def test_a_request_alone_at_the_gateway_takes_its_service_time():
    run = Simulation([Postman(latency=Latency(order_ns=7))], seed=1, gateway_ns=1_000).run(until_ns=5 * SPACING_NS)
    assert (run.tape.rows["time_ns"] - run.tape.rows["sent_ns"]).tolist() == [1_007] * 4


def test_requests_wait_for_their_turn_and_none_passes_another():
    rows, run = at_gateway(50_000, 100)
    arrived, left = rows["sent_ns"], rows["time_ns"]
    assert np.all(np.diff(arrived) >= 0)
    assert np.all(np.diff(left) >= 50_000)
    expected = np.zeros(len(rows), np.int64)
    busy = 0
    for i, sent_ns in enumerate(arrived.tolist()):
        busy = expected[i] = max(busy, sent_ns) + 50_000
    assert left.tolist() == expected.tolist()
    assert verify(run.tape).ok


@pytest.mark.parametrize("load_share", [0.3, 0.6, 0.8])
def test_the_wait_grows_with_the_load_as_of_a_queue_with_one_server(load_share):
    service_ns = round(load_share * 1e9 / 10_000)
    rows, _ = at_gateway(service_ns, 100)
    waits = rows["time_ns"] - rows["sent_ns"] - service_ns
    expected = load_share * service_ns / 2 / (1 - load_share)
    # Pollaczek and Khinchine, M/D/1. Some 50,000 requests; waits near each other are alike, so the tolerance is what the means of fifty parts say.
    means = [part.mean() for part in np.array_split(waits, 50)]
    assert abs(np.mean(means) - expected) < 4 * np.std(means) / math.sqrt(50)


def test_each_venue_has_a_gateway_of_its_own_and_native_agents_wait_as_plain_ones():
    agents = [NoiseTrader(name=f"noise {i}", count=5, rate_hz=100.0, venue=i) for i in range(2)]
    tapes = [Simulation(agents, seed=4, gateway_ns=2_000_000, books=2, plain=plain).run(seconds=1).tape.rows for plain in (False, True)]
    assert tapes[0].tobytes() == tapes[1].tobytes()
    _, first = np.unique(tapes[0][["time_ns", "book"]], return_index=True)
    for book in range(2):
        mine = np.sort(first)[tapes[0]["book"][np.sort(first)] == book]
        assert np.diff(tapes[0]["time_ns"][mine]).min() == 2_000_000


def test_a_file_says_the_law_of_each_link_and_the_time_at_the_gateway(tmp_path):
    path = tmp_path / "links.toml"
    path.write_text("""
[venue]
gateway_ns = 3_000

[[agents]]
class = "agents:NoiseTrader"
latency = { feed_ns = 5, feed_jitter_ns = { gamma = [2.0, 1_000.0] }, order_ns = { uniform = [10, 20] }, order_jitter_ns = { choice = [1, 2, 50] } }
""", encoding="utf-8")
    provenance = load(path).simulation().run(seconds=1).provenance
    assert provenance["gateway_ns"] == 3_000
    latency = provenance["agents"][0]["latency"]
    assert (latency["feed_jitter_ns"], latency["order_jitter_ns"]) == ({"gamma": [2.0, 1_000.0]}, {"choice": [1, 2, 50]})
    assert 10 <= latency["order_ns"] <= 20


@pytest.mark.parametrize("gateway_ns", [-1, 0.5, True, 2_000_000_000])
def test_a_gateways_time_is_a_whole_number_up_to_a_second(gateway_ns):
    with pytest.raises(ScenarioError, match=r"venue.gateway_ns must be .* was"):
        Simulation([], gateway_ns=gateway_ns)
