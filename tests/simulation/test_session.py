"""A run ends cleanly whatever stops it, goes on where it ended, and does not need more memory for more time."""
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from crowd import MS_NS, Watcher, crowd

from lob import REPORT, Agent, Fundamental, Latency, ScenarioError, Simulation, Tape, TapeError, verify

WITHOUT_END = ["simulate", "--minutes", "100000", "--json", "--out"]


def start_endless(folder, **settings):
    """Start a simulation that would take an hour, and return its process when a few ten thousand rows are on disk."""
    command = [sys.executable, "-m", "lob.cli", *WITHOUT_END, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **settings)
    groups = folder / "tape.groups"
    deadline = time.monotonic() + 240  # of compiling, if nothing is kept
    while time.monotonic() < deadline and process.poll() is None and not (groups.is_file() and groups.stat().st_size):
        time.sleep(0.005)
    return process


def complaints_of(process):
    """Return what a process has said on standard output, and on standard error but that it compiles."""
    told, complaints = process.communicate(timeout=60)
    return told, [line for line in complaints.splitlines() if not line.startswith("lob: compiling")]


def test_ctrl_c_leaves_a_valid_tape_of_what_has_happened(tmp_path):
    process = start_endless(tmp_path)
    process.send_signal(signal.SIGINT)
    told, complaints = complaints_of(process)
    assert (process.returncode, complaints) == (130, [])
    facts = json.loads(told)
    tape = Tape.read(tmp_path)
    assert facts["complete"] is tape.provenance["complete"] is False
    assert (facts["tape_sha256"], facts["tape_rows"]) == (tape.sha256, len(tape))
    assert 0 < tape.rows["time_ns"][-1] <= tape.provenance["end_ns"] < 60_000_000_000_000
    assert not (tmp_path / "tape.parquet.part").exists()
    assert verify(Tape(tape.rows[:60_000], tape.provenance)).ok


def test_a_killed_run_leaves_a_valid_tape(tmp_path):
    process = start_endless(tmp_path)
    process.kill()
    process.communicate(timeout=60)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["provenance.json", "tape.groups", "tape.parquet.part"]
    tape = Tape.read(tmp_path)
    assert tape.provenance["complete"] is False
    assert len(tape) >= 5_000
    short = Tape(tape.rows[:60_000], tape.provenance)
    assert verify(short).ok
    short.write(tmp_path / "short")
    assert subprocess.run([sys.executable, "-m", "lob.cli", "verify", str(tmp_path / "short")], capture_output=True, check=False).returncode == 0


def test_a_full_disk_is_one_line_of_error_and_a_valid_tape_up_to_there(tmp_path):
    bytes_max = 500_000
    process = start_endless(tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max, bytes_max)))
    told, complaints = complaints_of(process)
    assert (process.returncode, told) == (2, "")
    tape = Tape.read(tmp_path)
    assert complaints == [f"error: {tmp_path / 'tape.parquet.part'}: File too large; the tape is kept up to row {len(tape):,}"]
    assert len(tape) > 8_000
    assert tape.provenance["complete"] is False
    assert verify(tape).ok


MEASURE = """
import resource, sys
from lob.simulation.scenario import load

run = load("toxic").simulation(out=sys.argv[1]).run(minutes=float(sys.argv[2]))
print(run.requests, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1))
"""


def test_eight_times_the_time_needs_no_more_memory_when_the_tape_goes_to_disk(tmp_path):
    measured = []
    for minutes in ("5", "40"):
        command = [sys.executable, "-c", MEASURE, str(tmp_path / minutes), minutes]
        measured.append([int(word) for word in subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()])
    (requests, kilobytes), (more_requests, more_kilobytes) = measured
    rows_kilobytes = (more_requests - requests) * REPORT.itemsize // 1024
    assert more_requests > 7 * requests
    # Thirty megabytes of rows more; six of slack for the allocator's own ways.
    assert rows_kilobytes > 25_000
    assert more_kilobytes - kilobytes < 6_000


# A second call of run.

def thrice(out=None):
    """Return a world that was run in three calls, as its last Run, and the Runs before."""
    simulation = Simulation([*crowd(), Watcher(latency=Latency(feed_ns=MS_NS))], seed=3, out=out)
    return [simulation.run(seconds=1.5), simulation.run(seconds=0.5), simulation.run(until_ns=4_000 * MS_NS)]


def test_a_run_in_three_calls_is_the_run_in_one():
    whole = Simulation([*crowd(), Watcher(latency=Latency(feed_ns=MS_NS))], seed=3).run(seconds=4)
    *_, last = thrice()
    assert last.tape.rows.tobytes() == whole.tape.rows.tobytes()
    assert (last.requests, last.deliveries, last.tape_sha256) == (whole.requests, whole.deliveries, whole.tape_sha256)
    assert last.agents[-1].notes == whole.agents[-1].notes
    assert last.provenance == whole.provenance


def test_each_call_returns_the_tape_from_the_beginning_on():
    first, second, third = thrice()
    assert third.tape.rows[:len(first.tape)].tobytes() == first.tape.rows.tobytes()
    assert third.tape.rows[:len(second.tape)].tobytes() == second.tape.rows.tobytes()
    assert len(first.tape) < len(second.tape) < len(third.tape)
    assert [run.provenance["end_ns"] for run in (first, second, third)] == [1_500 * MS_NS, 2_000 * MS_NS, 4_000 * MS_NS]
    assert first.wall_seconds < second.wall_seconds < third.wall_seconds
    assert verify(third.tape).ok


def test_the_folder_of_a_run_in_three_calls_holds_the_whole_tape(tmp_path):
    *_, last = thrice(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tape.parquet"]
    assert last.tape_sha256 == last.tape.sha256 == thrice()[-1].tape_sha256
    assert last.tape.provenance["complete"] is True
    assert verify(last.tape).ok


def test_a_new_simulation_replaces_the_tape_of_an_old_one(tmp_path):
    first, second = (Simulation(crowd(), seed=seed, out=tmp_path).run(seconds=0.5) for seed in (1, 2))
    assert Tape.read(tmp_path).sha256 == second.tape_sha256
    with pytest.raises(TapeError, match="not the tape that this run wrote"):
        print(first.tape_sha256)


def test_a_run_goes_on_after_the_disk_has_room_again(tmp_path, monkeypatch):
    simulation = Simulation(crowd(), seed=3, out=tmp_path)
    from lob.tape.parquet import TapeWriter

    write, calls = TapeWriter._append_group, []

    def fails_once(writer, rows):
        calls.append(len(rows))
        if len(calls) == 2:
            raise TapeError("No space left on device")
        write(writer, rows)

    monkeypatch.setattr(TapeWriter, "_append_group", fails_once)
    simulation.run(seconds=1)
    with pytest.raises(TapeError, match="No space left on device"):
        simulation.run(seconds=1)
    assert len(Tape.read(tmp_path)) == calls[0]
    assert simulation.run(seconds=2).tape.rows.tobytes() == Simulation(crowd(), seed=3).run(seconds=4).tape.rows.tobytes()


# Ctrl-C inside a process.

class Presses(Agent):
    """Presses Ctrl-C at a time."""

    def on_start(self, market):
        market.wake_at(1_000 * MS_NS)

    def on_timer(self, market):
        os.kill(os.getpid(), signal.SIGINT)


def test_a_run_that_was_interrupted_can_go_on_as_if_nothing_had_been():
    simulation = Simulation([*crowd(), Presses(name="a"), Watcher(step_ns=MS_NS, name="b")], seed=3)
    handler = signal.getsignal(signal.SIGINT)
    first = simulation.run(seconds=4)
    assert signal.getsignal(signal.SIGINT) is handler
    assert not first.is_complete
    assert first.provenance["end_ns"] < 4_000 * MS_NS
    second = simulation.run(until_ns=4_000 * MS_NS)
    assert second.is_complete
    whole = Simulation([*crowd(), Watcher(step_ns=10**12, name="a"), Watcher(step_ns=MS_NS, name="b")], seed=3).run(seconds=4)
    assert second.tape.rows.tobytes() == whole.tape.rows.tobytes()


def test_a_simulation_can_run_in_a_thread_where_nobody_presses_ctrl_c():
    runs = []
    thread = threading.Thread(target=lambda: runs.append(Simulation(crowd(), seed=3).run(seconds=1)))
    thread.start()
    thread.join()
    assert runs[0].tape_sha256 == Simulation(crowd(), seed=3).run(seconds=1).tape_sha256


def test_progress_is_shown_on_standard_error_when_asked_for(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    Simulation(crowd(), seed=3, name="busy").run(seconds=1, progress=True)
    told = capsys.readouterr()
    assert told.out == ""
    assert "busy" in told.err


# Settings.

@pytest.mark.parametrize(
    ("length", "words"),
    [
        ({}, "give minutes, seconds or until_ns"), ({"minutes": 1, "seconds": 1}, "give one of minutes, seconds and until_ns"),
        ({"minutes": 0}, "must be a positive number, was 0"), ({"seconds": -1}, "must be a positive number, was -1"),
        ({"minutes": float("nan")}, "must be a positive number, was nan"),
        ({"minutes": float("inf")}, "must be a positive number, was inf"), ({"minutes": True}, "must be a positive number, was True"),
        ({"minutes": "1"}, "must be a positive number, was '1'"), ({"minutes": 1e12}, "a run must end between now, 1,000,000,000 ns, and 2\\^62 ns"),
        ({"until_ns": 999_999_999}, "a run must end between now, 1,000,000,000 ns, and 2\\^62 ns, not at 999,999,999 ns"),
    ],
)
def test_a_run_has_a_length_that_can_be(length, words):
    simulation = Simulation(crowd())
    simulation.run(seconds=1)
    with pytest.raises(ScenarioError, match=words):
        simulation.run(**length)


@pytest.mark.parametrize("opening_price_ticks", [0, -1, 2**31 + 1, 1.5, True])
def test_an_opening_price_is_a_price(opening_price_ticks):
    with pytest.raises(ScenarioError, match="opening_price_ticks must be from 1 to 2\\^31, was"):
        Simulation(crowd(), opening_price_ticks=opening_price_ticks)


@pytest.mark.parametrize(
    "setting",
    [{"volatility_ticks": -1}, {"jump_rate_hz": float("inf")}, {"jump_ticks": float("nan")}, {"mean_reversion_hz": "1"}, {"step_ns": 0}, {"step_ns": 1.5}],
)
def test_a_fundamental_has_settings_that_can_be(setting):
    with pytest.raises(ScenarioError, match=rf"fundamental\.{next(iter(setting))} must be"):
        Fundamental(**setting)


def test_a_folder_that_cannot_be_made_is_a_tape_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TapeError, match="no tape can be written here"):
        Simulation(crowd(), out=tmp_path / "file" / "run").run(seconds=1)


def test_a_world_without_agents_is_a_tape_without_rows(tmp_path):
    run = Simulation([], out=tmp_path).run(seconds=1)
    assert (len(run.tape), run.requests, run.deliveries, run.is_complete) == (0, 0, 0, True)
    assert verify(run.tape).ok
    assert run.tape.rows.dtype == np.dtype(REPORT)
