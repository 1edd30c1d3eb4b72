"""Same seed, same bytes; and what one agent draws never moves another's numbers."""
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from crowd import MS_NS, Listener, Watcher, crowd

from lob import Agent, Latency, ScenarioError, Simulation
from lob.jit import jit
from lob.simulation.scenario import load
from lob.simulation.streams import STREAM, exponential, integer, next_word, normal, seeded, stream_at, uniform


def tape_bytes(seed, agents=None, **settings):
    return Simulation(agents or crowd(), seed=seed, **settings).run(seconds=2).tape.rows.tobytes()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_tape():
    tapes = [tape_bytes(seed) for seed in (0, 0, 1, 2, 2**63 - 1)]
    assert tapes[0] == tapes[1]
    assert len(set(tapes)) == 4


@pytest.mark.parametrize("seed", [-1, 2**63, 1.0, True, "1", None])
def test_a_seed_is_a_whole_number_of_63_bits(seed):
    with pytest.raises(ScenarioError, match="seed must be a whole number from 0 to 2\\^63 - 1, was"):
        Simulation(crowd(), seed=seed)


def test_two_processes_write_the_same_file_byte_for_byte(tmp_path):
    told = []
    for number in ("1", "2"):
        command = [sys.executable, "-m", "lob.cli", "simulate", "toxic", "--minutes", "0.5", "--seed", "5", "--out", str(tmp_path / number), "--json"]
        done = subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": number}, capture_output=True, text=True, check=True)
        told.append(json.loads(done.stdout))
    assert told[0]["tape_sha256"] == told[1]["tape_sha256"]
    assert told[0]["requests"] == told[1]["requests"] > 3_000
    assert (tmp_path / "1" / "tape.parquet").read_bytes() == (tmp_path / "2" / "tape.parquet").read_bytes()


@pytest.mark.parametrize("name", ["calm", "toxic"])
def test_a_scenario_gives_the_same_tape_compiled_and_plain(name):
    native, plain = (load(name).simulation(seed=8, plain=plain).run(minutes=0.5) for plain in (False, True))
    assert native.tape.rows.tobytes() == plain.tape.rows.tobytes()
    assert (native.requests, native.deliveries) == (plain.requests, plain.deliveries)
    assert [vars(agent) for agent in native.agents] == [vars(agent) for agent in plain.agents]
    assert len(native.tape) > 3_000


def test_python_agents_among_native_ones_see_what_they_see_among_python_ones():
    mixed, plain = (Simulation([*crowd(), Listener(latency=Latency(feed_ns=MS_NS))], seed=8, plain=plain).run(seconds=2) for plain in (False, True))
    assert mixed.tape.rows.tobytes() == plain.tape.rows.tobytes()
    assert mixed.agents[-1].notes == plain.agents[-1].notes


def test_the_same_agents_can_be_used_twice():
    agents = crowd()
    assert tape_bytes(4, agents) == tape_bytes(4, agents) == tape_bytes(4)


@pytest.mark.parametrize("latency", [Latency(), Latency(feed_ns=MS_NS, feed_jitter_ns=5 * MS_NS)])
def test_an_agent_that_only_looks_and_draws_leaves_the_market_as_it_is(latency):
    class Dreamer(Watcher):
        def on_timer(self, market):
            self.dreams = [market.normal() for _ in range(10)]
            market.wake_after(self.step_ns)

        def on_quote(self, market):
            market.uniform()

    assert tape_bytes(6, [*crowd(), Dreamer(latency=latency)]) == tape_bytes(6)


class Metronome(Agent):
    """Sends orders at random times whatever the market does; draws so many more numbers each time that it never uses."""

    wasted: int = 0

    def on_start(self, market):
        market.wake_after(int(market.exponential(1e6)))

    def on_timer(self, market):
        market.buy(market.integers(1, 100), market.integers(1, 10))
        for _ in range(self.wasted):
            market.uniform()
        market.wake_after(int(market.exponential(1e6)))


def test_more_draws_of_one_agent_do_not_move_the_numbers_of_another():
    jittered = Latency(order_ns=MS_NS, order_jitter_ns=MS_NS)
    fields, rows = ["time_ns", "sent_ns", "order_id", "price_ticks", "lots"], {}
    for wasted in (0, 3):
        tape = Simulation([Metronome(wasted=wasted, latency=jittered), Metronome(latency=jittered)], seed=9).run(seconds=0.3).tape
        rows[wasted] = {owner: tape.rows[tape.rows["owner"] == owner][fields].tolist() for owner in (1, 2)}
    assert rows[0][2] == rows[3][2]
    assert rows[0][1] != rows[3][1]
    assert len(rows[0][2]) > 200


def test_the_jitter_of_its_links_does_not_move_an_agents_own_numbers():
    still, jittered = (
        Simulation([Metronome(latency=Latency(order_ns=MS_NS, order_jitter_ns=jitter_ns, feed_jitter_ns=jitter_ns))], seed=9).run(seconds=0.3).tape.rows
        for jitter_ns in (0, MS_NS)
    )
    assert still[["sent_ns", "price_ticks", "lots"]][:200].tolist() == jittered[["sent_ns", "price_ticks", "lots"]][:200].tolist()
    assert (still["time_ns"][:200] != jittered["time_ns"][:200]).any()


# The generator itself.

@jit
def draw_words(address, words):
    for i in range(len(words)):
        words[i] = next_word(stream_at(address, 0))


@jit
def draw_numbers(address, numbers):
    """Fill float64[n, 4] with a uniform, a normal, an exponential of mean 5 and an integer from -2 to 6."""
    stream = stream_at(address, 0)
    for i in range(len(numbers)):
        numbers[i, 0], numbers[i, 1], numbers[i, 2], numbers[i, 3] = uniform(stream), normal(stream), exponential(stream, 5.0), integer(stream, -2, 7)


def stream_of(words):
    stream = np.zeros(1, STREAM)
    stream.view(np.uint64)[:] = words
    return stream


def test_the_generator_is_xoshiro256_plus_plus():
    # The test vector of the crate rand_xoshiro, made by the authors' C code from the state 1, 2, 3, 4.
    stream, words = stream_of([1, 2, 3, 4]), np.zeros(10, np.uint64)
    draw_words(stream.ctypes.data, words)
    assert words.tolist() == [
        41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205, 9973669472204895162, 14011001112246962877, 12406186145184390807,
        15849039046786891736, 10450023813501588000,
    ]


def test_draws_are_distributed_as_they_say():
    stream, numbers = stream_of(seeded(1, 2, 0)), np.zeros((100_000, 4))
    draw_numbers(stream.ctypes.data, numbers)
    # Five standard errors of each mean and, roughly, of each deviation.
    assert np.allclose(numbers.mean(axis=0), [0.5, 0.0, 5.0, 2.0], atol=[0.005, 0.016, 0.08, 0.041])
    assert np.allclose(numbers.std(axis=0), [12**-0.5, 1.0, 5.0, (80 / 12) ** 0.5], rtol=0.02)
    assert 0 <= numbers[:, 0].min() < numbers[:, 0].max() < 1
    assert set(numbers[:, 3]) == set(range(-2, 7))


def test_no_two_streams_of_a_simulation_begin_alike():
    states = {tuple(seeded(seed, owner, purpose).tolist()) for seed in (0, 1, 2**40) for owner in range(100) for purpose in range(3)}
    assert len(states) == 900


def test_an_agent_put_in_front_of_another_does_not_move_its_numbers():
    def sends(*agents):
        run = Simulation([*agents, Metronome(name="last", latency=Latency(order_ns=MS_NS))], seed=9).run(seconds=0.3)
        rows = run.tape.rows[run.tape.rows["owner"] == len(agents) + 1]
        return rows[["sent_ns", "price_ticks", "lots"]].tolist()

    assert sends() == sends(Metronome(name="first", latency=Latency(order_ns=3 * MS_NS)))
