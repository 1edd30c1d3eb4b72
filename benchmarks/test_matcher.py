"""The matcher on the named flows: nanoseconds a message, reports written, and how many times what the C++ yardstick takes for the same messages."""
import statistics

import numpy as np
import pytest
from matcher import build_yardstick, time_yardstick, to_records

from lob.bench import FLOWS, prepared_book, run_timed, to_stream

ROUNDS = 5


@pytest.fixture(scope="module")
def yardstick():
    return build_yardstick()


@pytest.mark.parametrize("name", FLOWS)
def test_flow(benchmark, yardstick, name):
    flow, elapsed_ns = FLOWS[name](), []
    stream = to_stream(flow.timed)
    setup = lambda: ((prepared_book(flow),), {})  # noqa: E731
    book = benchmark.pedantic(lambda book: elapsed_ns.append(run_timed(book, stream)[0]) or book, setup=setup, rounds=ROUNDS, warmup_rounds=1)
    ns_per_message = statistics.median(elapsed_ns[1:]) / len(flow.timed)
    benchmark.extra_info["ns_per_message"] = ns_per_message
    if yardstick is not None:
        benchmark.extra_info["times_the_yardstick"] = ns_per_message / yardstick_ns(yardstick, flow, len(book.memory.orders))


def yardstick_ns(yardstick, flow, live_orders):
    """Return the yardstick's nanoseconds a message of the timed part."""
    records = to_records(np.concatenate([flow.warm, flow.timed]), int(flow.timed["price_ticks"].max()) + 1)
    return time_yardstick(yardstick, records, live_orders, repeats=ROUNDS, warm=len(flow.warm))[0]
