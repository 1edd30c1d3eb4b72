"""A recorded day: rows a second alone, and with a maker inside. Needs the LOBSTER sample at ../shared/data or where LOB_DATA points."""
import os
from pathlib import Path

import pytest

from agents import AvellanedaStoikovMaker
from lob import Latency, Simulation, feeds

DATA = Path(os.environ.get("LOB_DATA", Path(__file__).parents[2] / "shared" / "data"))
MSFT = DATA / "MSFT_2012-06-21_34200000_37800000_message_50.csv.gz"
TEN_NS = 10 * 3600 * 10**9

pytestmark = pytest.mark.skipif(not MSFT.is_file(), reason=f"no recorded day at {MSFT}")


@pytest.mark.parametrize("agents", [(), (AvellanedaStoikovMaker,)], ids=["alone", "with a maker"])
def test_recorded_day(benchmark, agents):
    feed = feeds.lobster(MSFT, from_ns=TEN_NS)
    latency = Latency(feed_ns=100_000, order_ns=100_000)

    def fresh():
        return (Simulation([agent(latency=latency) for agent in agents], feed=feed),), {}

    run = benchmark.pedantic(lambda simulation: simulation.run(progress=False), setup=fresh, rounds=5, warmup_rounds=1)
    benchmark.extra_info["rows_per_second"] = run.feed_rows / benchmark.stats["median"]


@pytest.mark.parametrize("name", ["MSFT_2012-06-21_34200000_37800000_message_50.csv.gz", "esh4-glbx-mdp3-20231225.mbo.dbn.zst", "day.parquet", "day.itch"])
def test_reading_a_file(benchmark, name, tmp_path):
    path = DATA / name
    if not path.is_file():
        write = feeds.write_fast if path.suffix == ".parquet" else feeds.write_itch
        path = write(feeds.lobster(MSFT), tmp_path / name)
    feed = benchmark.pedantic(lambda: sum(len(rows) for rows in feeds.read(path).blocks()), rounds=5, warmup_rounds=1)
    benchmark.extra_info["rows_per_second"] = feed / benchmark.stats["median"]
