"""The benchmarks run, agree with themselves, and compare engines only where they come to the same result. Tiny sizes: no figure of a test is a measurement."""
import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from lob.jit import cycle_count, jit

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
HOUSES = {"lightmatchingengine": "light_matching_engine", "order-book": "order_book", "nautilus_trader": "nautilus", "hftbacktest": "hft_backtest"}
QUANTILES = ("p50_ns", "p99_ns", "p99_9_ns", "p99_99_ns", "worst_ns")


def run(script, *arguments):
    """Return what a benchmark prints with --json."""
    done = subprocess.run([sys.executable, BENCHMARKS / script, *map(str, arguments), "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def latency():
    return run("latency.py", "--messages", 4_000, "--resting", 500, "--repeats", 2)


@pytest.fixture(scope="module")
def side_by_side(tmp_path_factory):
    chart = tmp_path_factory.mktemp("chart") / "bars.svg"
    return run("side_by_side.py", "--messages", 2_000, "--resting", 300, "--repeats", 1, "--chart", chart), chart


def test_every_kind_of_message_has_its_latency_and_none_is_lost(latency):
    everything, *kinds = latency["kinds"]
    assert [row["kind"] for row in kinds] == ["passive limit", "aggressive limit", "market", "cancel", "replace", "rejected"]
    assert everything["messages"] == latency["messages"] == sum(row["messages"] for row in kinds)


def test_the_latencies_of_the_messages_sum_to_the_run(latency):
    everything, *kinds = latency["kinds"]
    assert everything["mean_ns"] == pytest.approx(latency["ns_per_message"], abs=0.1)
    assert sum(row["messages"] * row["mean_ns"] for row in kinds) == pytest.approx(everything["messages"] * everything["mean_ns"], rel=0.01)


def test_a_higher_quantile_is_never_a_shorter_latency(latency):
    for row in latency["kinds"]:
        values = [row[name] for name in QUANTILES]
        assert values == sorted(values)
        assert 0 < row["repeats_ns"] <= row["worst_ns"]


def test_a_request_that_writes_more_rows_than_there_is_room_for_is_played_all_the_same():
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import numpy as np\n"
        "from recycled import play_all\n"
        "from lob import REQUEST, OrderBook\n"
        "book, requests = OrderBook(), np.zeros(5_001, REQUEST)\n"
        "requests['order_id'], requests['lots'], requests['price_ticks'], requests['side'] = np.arange(1, 5_002), 1, 100, -1\n"
        "requests['side'][-1], requests['lots'][-1] = 1, 5_000\n"
        "play_all(book, requests)\n"
        "print(book.order_count)"
    )
    done = subprocess.run([sys.executable, "-c", program, BENCHMARKS], capture_output=True, text=True, check=False, timeout=300)
    assert done.stdout.split() == ["0"], done.stderr[-2000:]


def test_growth_keeps_about_as_many_orders_as_it_was_asked_for():
    result = run("growth.py", 100, 3_000, "--messages", 2_000, "--repeats", 1)
    assert [row["resting_orders"] for row in result["rows"]] == [100, 3_000]
    for row in result["rows"]:
        assert row["fastest_ns"] <= row["ns_per_message"] <= row["slowest_ns"]
        assert row["messages"] == 2_000 > row["fills"] > 0
    assert result["rows"][1]["resting_orders_after"] == pytest.approx(3_000, rel=0.3)


def test_the_yardstick_agrees_where_market_orders_find_nobody():
    assert run("growth.py", 100, "--messages", 50_000, "--repeats", 1)["rows"][0]["fills"] > 0


def test_the_queries_are_timed_on_a_book_of_many_levels_and_on_one_of_a_long_queue():
    rows = run("queries.py", "mixed", "deep_fifo", "--messages", 2_000, "--repeats", 1)["rows"]
    assert [row["query"].split(",")[0] for row in rows[:4]] == ["level 0", "level", "lots between 20 prices", "orders at a price"]
    assert {row["flow"] for row in rows} == {"mixed", "deep_fifo"}
    assert all(0 < row["fastest_ns"] <= row["ns"] <= row["slowest_ns"] for row in rows)


def test_each_rule_has_a_flow_in_which_it_does_what_it_is_for():
    rows = {row["rule"]: row for row in run("rules.py", "--messages", 4_000, "--resting", 500, "--repeats", 1)["rows"]}
    done = {name: row["rows"] for name, row in rows.items()}
    assert done["plain, a rule armed"] == done["plain"]
    assert done["iceberg"]["refreshed"] > 0 < done["stop-limit"]["triggered"]
    assert done["market-to-limit"]["replaced"] > 0
    assert done["self-trade, decrement"]["reduced"] > 0
    assert done["good till time"]["cancelled"] > done["plain"]["cancelled"]
    mass_cancels = rows["mass cancel"]["messages"] - done["mass cancel"]["accepted"]
    assert done["mass cancel"]["cancelled"] > 3 * mass_cancels > 0
    assert all(row["fastest_ns"] <= row["ns_per_message"] <= row["slowest_ns"] for row in rows.values())


def test_every_engine_of_the_side_by_side_comes_to_the_same_result(side_by_side):
    result, _ = side_by_side
    assert [row["engine"] for row in result["rows"] if not row["agrees"]] == []
    assert {row["engine"]: row["compared"] for row in result["rows"]}["lob, OrderBook.send_many"] == "fills, volume, queues"
    assert {"lob, from compiled code", "lob, one call a message", "lob, ReferenceBook"} < {row["engine"] for row in result["rows"]}


def test_an_engine_is_there_or_is_said_to_be_missing(side_by_side):
    result, _ = side_by_side
    engines = {row["engine"].split(",")[0].split(" ")[0] for row in result["rows"]}
    skipped = " ".join(result["skipped"])
    for package, house in HOUSES.items():
        assert (package in engines) != (f"{house}: " in skipped)


def test_the_picture_has_a_bar_and_a_name_for_every_engine(side_by_side):
    result, chart = side_by_side
    root = ElementTree.parse(chart).getroot()
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {row["engine"] for row in result["rows"]} < set(texts)


def test_every_question_is_timed_and_the_whole_is_their_sum():
    result = run("analytics.py", "--rows", 20_000)
    assert result["rows"] == 20_000
    assert {"markouts", "race", "stylised"} < set(result["seconds"]) == set(result["cpu_seconds"])
    assert result["total_seconds"] == pytest.approx(sum(result["seconds"].values()), abs=0.01)
    assert result["peak_gigabytes"] > result["tape_gigabytes"] >= 0


def test_a_result_says_what_it_was_measured_on(latency, side_by_side):
    for result in (latency, side_by_side[0]):
        assert result["machine"]["processors"] >= 1
        assert result["versions"]["numba"]


def test_a_simulation_and_each_of_its_parts_has_its_figure():
    result = run("simulation.py", "--minutes", 0.02, "--count", 2_000, "--messages", 500, "--steps", 20, "--rounds", 1)
    names = [row["name"] for part in ("whole", "parts", "crowd", "python") for row in result[part]]
    assert len(names) == len(set(names)) >= 17
    assert names[:3] == ["thousand, tape nowhere", "thousand, tape in memory", "thousand, tape on disk"]
    nowhere, in_memory, on_disk = result["whole"][:3]
    assert nowhere["requests"] == in_memory["requests"] == on_disk["requests"] > 100
    assert result["python"][0]["callbacks"] >= 20 * 100 - 100
    assert len(result["python"]) + len(result["skipped"]) == 2
    assert result["cost_of_eight_times_the_agents"] > 0


def test_every_writer_of_a_tape_has_its_figure_and_the_same_rows():
    result = run("writing.py", "--seconds", 1, "--rounds", 1)
    assert result["rows"] > 1_000
    assert [writer["name"] for writer in result["writers"]][:2] == ["own writer", "pyarrow, as it comes"]
    assert all(writer["ns_per_row"] > 0 and writer["bytes_per_row"] > 5 for writer in result["writers"])


def test_a_new_agent_is_timed_from_the_start_of_its_process_and_compiles_nothing_but_itself():
    result = run("start.py", "--rounds", 1)
    new, again = result["processes"]
    assert (new["agent"], again["agent"]) == ("new", "again")
    assert new["cpu_seconds"] > again["cpu_seconds"] > 0.0


def test_the_processors_clock_never_runs_backwards():
    @jit(keep=False)
    def read(readings):
        for i in range(len(readings)):
            readings[i] = cycle_count()

    readings = np.zeros(1_000, np.int64)
    read(readings)
    assert (np.diff(readings) >= 0).all()
    assert readings[-1] > readings[0]


def test_the_page_is_measured_and_a_missing_browser_is_said():
    result = run("page.py", "--rows", 5_000, "--repeats", 1)
    assert result["rows"] == 5_000
    assert result["bytes"] > 4_000_000
    times = [result[name] for name in ("loaded_ms", "drawn_ms", "cpu_ms")]
    assert times == [None] * 3 or 0 < times[0] <= times[1]


def test_a_recorded_day_is_timed_alone_and_with_a_quoter(data_folder):
    result = run("replay.py", data_folder / "esh4-glbx-mdp3-20231225.mbo.dbn.zst", "--repeats", 1, "--no-processes")
    ours = [row for row in result["rows"] if row["engine"] == "lob"]
    assert [row["quoter_every_ms"] for row in ours] == [None, 100, 10]
    assert [row["orders_sent"] > 500 for row in ours] == [False, True, True]
    assert all(row["rows"] == 69_494 and row["rows_per_second"] > 0 for row in result["rows"])


def test_an_experiment_prints_its_points_and_effects_and_draws_them(tmp_path):
    figure = tmp_path / "figure.html"
    whole = run("experiment.py", "sniper_latency", "--seeds", 2, "--minutes", 0.5, "--figure", figure)
    (result,) = whole["experiments"]
    assert (result["seeds"], result["minutes"]) == ([301, 302], 0.5)
    assert [point["x"] for point in result["points"]] == [50, 95, 200, 300, 400, 505, 1_000]
    assert {effect["must_be"] for effect in result["effects"]} == {"> 0", "= 0"}
    assert whole["machine"]["processors"] >= 1
    assert result["claim"] in figure.read_text(encoding="utf-8")
