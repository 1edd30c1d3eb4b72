"""What one has gained another has given, and the tape is enough to know it."""
from functools import cache

import numpy as np
import pytest
from crowd import FAR, MS_NS, Gambler

from agents import AvellanedaStoikovMaker, InformedTrader, NoiseTrader, SymmetricMaker
from lob import Fundamental, Latency, ReportKind, Simulation, verify
from lob.simulation.scenario import load
from lob.tape.accounts import accounts

LATENCIES = {"none": Latency(), "near": Latency(feed_ns=100_000, order_ns=100_000), "far": FAR}
WORLDS = ("calm", "toxic", "no latency", "gamblers none", "gamblers near", "gamblers far")


def gamblers(latency):
    """Return agents that send every kind of request for four seconds, and have heard of everything after five."""
    return [Gambler(count=12, stop_ns=4_000 * MS_NS, end_ns=5_000 * MS_NS, latency=latency)]


@cache
def world(name):
    """Return the Run of a named world."""
    if name in ("calm", "toxic"):
        return load(name).simulation(seed=21).run(minutes=2)
    if name == "no latency":
        agents = [NoiseTrader(count=30, rate_hz=10.0), SymmetricMaker(), AvellanedaStoikovMaker(), InformedTrader(rate_hz=20.0)]
        return Simulation(agents, seed=21, fundamental=Fundamental()).run(seconds=20)
    return Simulation(gamblers(LATENCIES[name.removeprefix("gamblers ")]), seed=21).run(seconds=6)


def fills_of(run):
    return run.tape.rows[run.tape.rows["kind"] == ReportKind.FILL]


@pytest.mark.parametrize("name", WORLDS)
def test_a_tape_is_what_the_reference_exchange_would_have_written(name):
    verdict = verify(world(name).tape)
    assert verdict.ok, str(verdict)
    assert len(fills_of(world(name))) > 500


@pytest.mark.parametrize("name", WORLDS)
def test_inventory_and_cash_of_all_owners_sum_to_nothing(name):
    held = accounts(world(name).tape)
    assert sum(account.inventory_lots for account in held.values()) == 0
    assert sum(account.cash_ticks for account in held.values()) == 0
    assert len([account for account in held.values() if account.inventory_lots]) > 5


@pytest.mark.parametrize("name", [name for name in WORLDS if name.startswith("gamblers")])
def test_what_agents_believe_in_the_end_is_what_the_tape_says(name):
    run = world(name)
    held = accounts(run.tape)
    believed = {owner: (agent.believed_inventory_lots, agent.believed_cash) for owner, agent in enumerate(run.agents, 1)}
    assert believed == {owner: (held[owner].inventory_lots, held[owner].cash_ticks) for owner in believed}
    assert {owner: agent.fills for owner, agent in enumerate(run.agents, 1)} == {owner: account.fills for owner, account in held.items()}


@pytest.mark.parametrize("name", [name for name in WORLDS if name.startswith("gamblers")])
def test_every_order_that_is_done_is_heard_of_and_none_rests_when_all_are_taken_off(name):
    run = world(name)
    assert [agent.ids for agent in run.agents] == [[]] * 12
    assert set(np.unique(run.tape.rows["kind"])) == {kind for kind in ReportKind if kind <= ReportKind.REJECTED}


@pytest.mark.parametrize("name", WORLDS)
def test_every_fill_names_two_orders_that_were_accepted_before(name):
    rows = world(name).tape.rows
    accepted = rows[rows["kind"] == ReportKind.ACCEPTED]
    first = dict(zip(zip(accepted["owner"].tolist(), accepted["order_id"].tolist(), strict=True), accepted["sequence"].tolist(), strict=True))
    fills = fills_of(world(name))
    for owner, order_id in (("owner", "order_id"), ("resting_owner", "resting_id")):
        keys = zip(fills[owner].tolist(), fills[order_id].tolist(), strict=True)
        assert all(first[key] < sequence for key, sequence in zip(keys, fills["sequence"].tolist(), strict=True))


@pytest.mark.parametrize("name", WORLDS)
def test_an_order_never_trades_more_than_it_was_for(name):
    rows = world(name).tape.rows
    traded, wanted = {}, {}
    for row in rows[np.isin(rows["kind"], [ReportKind.ACCEPTED, ReportKind.REPLACED, ReportKind.FILL])].tolist():
        row = dict(zip(rows.dtype.names, row, strict=True))
        if row["kind"] != ReportKind.FILL:
            key = row["owner"], row["order_id"]
            wanted[key], traded[key] = row["lots"], 0
        else:
            for key in ((row["owner"], row["order_id"]), (row["resting_owner"], row["resting_id"])):
                traded[key] += row["lots"]
    assert [key for key in traded if traded[key] > wanted[key]] == []


@pytest.mark.parametrize("name", WORLDS)
def test_requests_are_the_events_of_the_tape(name):
    run = world(name)
    assert run.requests == np.count_nonzero(run.tape.rows["flags"] & 128)
    assert (run.tape.rows["sent_ns"] <= run.tape.rows["time_ns"]).all()
