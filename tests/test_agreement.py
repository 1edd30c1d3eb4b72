"""The engine and the C++ yardstick come to the same fills, volume and quotes on every named flow. Small sizes: no figure of a test is a measurement."""
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lob.bench import FLOWS, Flow

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
MESSAGES = 20_000


@pytest.fixture(scope="module")
def matcher():
    """Return benchmarks/matcher.py as a module."""
    sys.path.insert(0, str(BENCHMARKS))
    import matcher

    yield matcher
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def yardstick(matcher):
    run = matcher.build_yardstick()
    if run is None:
        pytest.skip("no C++ compiler")
    return run


def stream(matcher, name):
    """Return a whole flow as the records of a stream; its market orders are limit orders beyond every other price, and no price is below one tick."""
    flow = FLOWS[name](messages=MESSAGES)
    requests = np.concatenate([flow.warm, flow.timed])
    records = matcher.to_records(requests, int(requests["price_ticks"].max()) + 1)
    records["price"] = np.maximum(records["price"], 1)
    return records


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("is_bare", [False, True], ids=["same work", "bare"])
def test_engine_and_yardstick_agree_on_every_flow(matcher, yardstick, name, is_bare):
    records = stream(matcher, name)
    requests = matcher.to_requests(records)
    _, engine, live_orders = matcher.run_engine(Flow(name, requests[:0], requests))
    _, seen = matcher.run_yardstick(yardstick, records, live_orders, is_bare)
    assert engine == seen
    assert engine[0] > 0


def test_the_command_prints_one_json_object(matcher, tmp_path):
    records = stream(matcher, "mixed")
    np.save(tmp_path / "stream.npy", records)
    command = [sys.executable, BENCHMARKS / "matcher.py", tmp_path / "stream.npy", "--json", "--repeats", "1"]
    result = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert set(result) == {
        "messages", "fills", "volume", "best_bid", "best_ask", "ns_per_message", "yardstick_ns_per_message", "bare_yardstick_ns_per_message",
    }
    requests = matcher.to_requests(records)
    _, outcome, _ = matcher.run_engine(Flow("mixed", requests[:0], requests))
    assert (result["messages"], outcome) == (len(records), tuple(result[name] for name in ("fills", "volume", "best_bid", "best_ask")))
    assert result["ns_per_message"] > 0
