"""The page of the population names who is there, and its figures are those of the results."""
import json
import re
import sys
from pathlib import Path

import agents
from lob.simulation.scenario import names

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import experiment

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "population.md").read_text(encoding="utf-8")
RESULTS = json.loads((PROJECT / "benchmarks" / "results" / "experiments.json").read_text(encoding="utf-8"))


def section(title):
    """Return the first cells of the tables of a section."""
    text = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)


def test_the_page_names_every_agent_and_no_other():
    assert sorted(section("Agents")) == sorted(agents.__all__)


def test_the_page_names_every_scenario_and_no_other():
    assert sorted(section("Scenarios")) == sorted(names())


def test_the_page_has_the_figures_of_the_results():
    assert experiment.markdown(RESULTS) in PAGE


def test_the_results_are_of_every_experiment_and_every_effect_holds():
    assert [result["experiment"] for result in RESULTS["experiments"]] == experiment.NAMES
    failed = {effect["effect"] for result in RESULTS["experiments"] for effect in result["effects"] if not effect["holds"]}
    assert failed == set()
