"""The page from a file to a decision does what it says: on a simulated day, and on a recorded one where there is one."""
import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]
SCRIPT = PROJECT / "docs" / "from_file_to_decision.py"
MICROSOFT = "MSFT_2012-06-21_34200000_37800000_message_50.csv.gz"


def run_script(*arguments):
    """Return the lines that the script prints."""
    path = os.pathsep.join([str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, SCRIPT, *map(str, arguments)], env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def check(lines, name):
    assert lines[0].startswith(f"{name}: ") and lines[-1].startswith(("decision: quote with ", "decision: do not quote"))
    text = "\n".join(lines)
    assert all(word in text for word in ("half_spread_ticks", "pnl_ticks", "realised_10s", "passive", "displace", "standard_error"))


def test_a_simulated_day_leads_to_a_decision():
    check(run_script(), "SIMULATED")


def test_a_recorded_day_leads_to_a_decision(data_folder):
    check(run_script(data_folder / MICROSOFT, 36_000, 36_240), "MSFT")


def test_the_script_is_cells_that_a_notebook_can_hold():
    cells = SCRIPT.read_text(encoding="utf-8").split("# %%")[1:]
    assert len(cells) >= 8 and all(cell.startswith((" [markdown]\n", "\n")) for cell in cells)
    for cell in cells:
        lines = cell.splitlines()[1:]
        assert not cell.startswith(" [markdown]") or all(line.startswith("#") or not line for line in lines)
