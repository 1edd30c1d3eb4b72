"""What comes out of the population: every effect of benchmarks/experiments that does, over eight seeds that served to choose nothing.

The tolerance follows from the sample: the figures of eight seeds give a mean and its standard error. What must be above zero is so by three of them, what must
not be below zero is not so by three, what must be zero is so within four. By luck alone, with the t distribution of seven degrees of freedom, an effect that is
not there passes as one once in a hundred times, and one that is exactly zero fails once in two hundred.
"""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import experiment

SEEDS = range(401, 409)
# As short as leaves each effect at least five standard errors by its size over other seeds: they shrink with the root of the length.
MINUTES = {
    "depletions": 1.0, "informed_share": 10.0, "inventory": 5.0, "long_memory": 3.0, "queue_front": 2.0, "race_aware": 10.0, "sniper_latency": 5.0,
    "spread": 4.0,
}


def those_that_do_not_hold(name, minutes=None):
    return [effect for effect in experiment.experiment(name, SEEDS, minutes)["effects"] if not effect["holds"]]


def test_every_experiment_has_its_test():
    assert list(MINUTES) == experiment.NAMES


@pytest.mark.parametrize("name", MINUTES)
def test_what_an_experiment_claims_comes_out(name):
    assert those_that_do_not_hold(name, MINUTES[name]) == []


@pytest.mark.long
@pytest.mark.parametrize("name", MINUTES)
def test_what_an_experiment_claims_comes_out_at_its_full_length(name):
    assert those_that_do_not_hold(name) == []


def test_an_effect_that_is_not_there_does_not_hold(monkeypatch):
    # A sniper that is slower than every maker takes nothing from any of them but the slowest.
    from experiments import sniper_latency

    monkeypatch.setattr(sniper_latency, "SNIPER_US", (600, 900))
    monkeypatch.setattr(sniper_latency, "expected", lambda latency_us: (latency_us - 100) / 400)
    failed = {effect["effect"] for effect in those_that_do_not_hold("sniper_latency", 1.0)}
    assert {"loss at 200 us less the law", "loss at 300 us less the law", "loss at 400 us less the law"} <= failed


@pytest.mark.parametrize(
    ("relation", "values", "holds"),
    [
        (">", [0.9, 1.0, 1.1], True), (">", [-1.0, 1.0, 1.1], False), (">", [0.0, 0.0], False),
        (">=", [-1.0, 1.0, 0.1], True), (">=", [0.0, 0.0], True), (">=", [-0.9, -1.0, -1.1], False),
        ("=", [-1.0, 1.0, 0.1], True), ("=", [0.0, 0.0], True), ("=", [0.9, 1.0, 1.1], False), ("=", [0.5, 0.5], False),
    ],
)
def test_an_effect_is_judged_by_its_standard_error(relation, values, holds):
    assert experiment._effect("it", relation, values)["holds"] is holds
