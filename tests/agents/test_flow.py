"""Flow without information: where it is placed, how it is split, by which schedule, how much of it is shown."""
import numpy as np
import pytest
from small_market import FAR, NEAR, StandingQuotes, crowd, fills_of, first_rows, rows_of, run_of

from agents import ExecutionTrader, IcebergTrader, MetaorderTrader, NoiseTrader, Spoofer
from agents.execution import PARTICIPATION, TWAP, VWAP
from lob import Action, Agent, ReportKind, Side


class DeepBook(Agent):
    """A bid and an ask at each of two hundred prices, more than anybody takes, a tick apart."""

    def on_start(self, market):
        for i in range(200):
            market.buy(market.opening_ticks - 1 - i, 1_000_000)
            market.sell(market.opening_ticks + i, 1_000_000)


def test_noise_that_is_placed_by_a_power_law_stands_at_distances_with_that_tail():
    run = run_of(DeepBook(), NoiseTrader(count=40, rate_hz=20.0, market_share=0.0, placement_alpha=0.8, distance_max_ticks=150, latency=FAR), seconds=60)
    rows = rows_of(run, "NoiseTrader")
    accepted = rows[(rows["kind"] == ReportKind.ACCEPTED) & (rows["action"] == Action.LIMIT)]
    # The touch is 9,999 to 10,000 throughout: there is no price inside it.
    distance = np.where(accepted["side"] > 0, 10_000 - accepted["price_ticks"], accepted["price_ticks"] - 9_999)
    count = len(distance)
    assert count > 10_000
    assert (distance.min(), distance.max()) == (1, 150)
    for least in (2, 5, 20, 100):
        expected = least**-0.8
        assert abs((distance >= least).mean() - expected) < 4 * (expected * (1 - expected) / count) ** 0.5


def test_metaorders_have_lengths_with_a_power_law_tail_and_one_side_each():
    run = run_of(StandingQuotes(), MetaorderTrader(rate_hz=1_000.0, alpha=1.5), seconds=60)
    rows = rows_of(run, "MetaorderTrader")
    children = rows[rows["kind"] == ReportKind.ACCEPTED]
    assert abs(len(children) - 60_000) < 5 * 60_000**0.5
    assert set(children["lots"]) == {1}
    assert set(children["action"]) == {Action.MARKET}
    # The side turns only between metaorders, half of the time: a run of one side is a geometric number of metaorders, which keeps the tail.
    runs = np.diff(np.flatnonzero(np.r_[True, np.diff(children["side"]) != 0]))
    assert len(runs) > 3_000
    # P(one metaorder >= n) = n^-1.5 for the single ones; a sum of a geometric number with mean 2 has asymptotically twice that tail.
    for least in (20, 50):
        expected = 2 * least**-1.5
        assert expected * 0.9 - 4 * (expected / len(runs)) ** 0.5 < (runs >= least).mean() < expected * 1.5 + 4 * (expected / len(runs)) ** 0.5


def executed(schedule, **parameters):
    """Return (time in seconds, lots done by then) of an order of 400 lots over 80 seconds in front of standing quotes."""
    trader = ExecutionTrader(schedule=schedule, total_lots=400, duration_s=80.0, slice_s=0.5, latency=NEAR, **parameters)
    taken, _ = fills_of(run_of(StandingQuotes(), crowd(), trader, seconds=100), "ExecutionTrader")
    assert set(taken["side"]) <= {parameters.get("side", 1)}
    return taken["time_ns"] / 1e9, np.cumsum(taken["lots"])


def done_at(time_s, executions):
    return executions[1][np.searchsorted(executions[0], time_s, side="right") - 1]


@pytest.mark.parametrize("side", [1, -1])
def test_a_time_weighted_schedule_does_the_same_in_every_second(side):
    executions = executed(TWAP, side=side)
    for time_s in (10.0, 20.0, 40.0, 60.0):
        assert done_at(time_s + 0.25, executions) == 5 * time_s
    assert executions[1][-1] == 400
    assert executions[0][-1] == pytest.approx(80.0, abs=0.01)


def test_a_volume_weighted_schedule_follows_its_profile():
    executions = executed(VWAP, profile=[4.0, 2.0, 1.0, 1.0, 1.0, 1.0, 2.0, 4.0])
    assert [done_at(10.0 * part + 0.25, executions) for part in range(1, 9)] == [100, 150, 175, 200, 225, 250, 300, 400]


def test_a_participating_schedule_is_a_share_of_what_others_trade_and_ends_when_it_is_done():
    trader = ExecutionTrader(schedule=PARTICIPATION, total_lots=10_000, participation=0.25, slice_s=0.5, latency=NEAR)
    run = run_of(StandingQuotes(), crowd(), trader, seconds=60)
    fills = run.tape.rows[run.tape.rows["kind"] == ReportKind.FILL]
    own = fills["owner"] == 22
    # What it has seen but not yet sent is at most a slice, and a slice of the others is far below three hundred lots.
    assert fills["lots"][own].sum() == pytest.approx(0.25 * fills["lots"][~own].sum(), abs=0.25 * 300)
    assert fills["lots"][own].sum() > 200
    assert executed(PARTICIPATION, participation=1.0)[1][-1] == 400


def test_an_execution_sends_again_what_it_did_not_find():
    class Trickle(Agent):
        """Offers one lot a second."""

        def on_start(self, market):
            market.wake_after(1_000_000_000)

        def on_timer(self, market):
            market.sell(10_000, 1)
            market.wake_after(1_000_000_000)

    run = run_of(Trickle(), ExecutionTrader(total_lots=20, duration_s=5.0, slice_s=0.25, latency=NEAR), seconds=40)
    taken, _ = fills_of(run, "ExecutionTrader")
    assert taken["lots"].sum() == 20
    assert run.agents[1].done_lots == 20


def test_an_iceberg_shows_no_more_than_its_share_and_refills():
    run = run_of(crowd(), IcebergTrader(rate_hz=2.0, total_lots=60, display_lots=5, latency=NEAR), seconds=60)
    rows = rows_of(run, "IcebergTrader")
    placed = rows[rows["kind"] == ReportKind.ACCEPTED]
    assert len(placed) >= 3
    assert set(placed["lots"]) == {60}
    refreshed = rows[rows["kind"] == ReportKind.REFRESHED]
    assert len(refreshed) > 20
    assert refreshed["lots"].max() == 5


def test_a_spoofer_is_filled_where_it_means_it_and_pulls_the_large_order_in_time():
    run = run_of(crowd(), Spoofer(latency=NEAR), seconds=300)
    rows = rows_of(run, "Spoofer")
    placed = rows[rows["kind"] == ReportKind.ACCEPTED]
    _, filled = fills_of(run, "Spoofer")
    is_spoof = np.isin(filled["resting_id"], placed["order_id"][placed["lots"] == 60])
    shares = [filled["lots"][chosen].sum() / placed["lots"][placed["lots"] == lots].sum() for lots, chosen in ((3, ~is_spoof), (60, is_spoof))]
    assert (placed["lots"] == 60).sum() > 50
    # A sweep through several prices can still reach it before its cancel does.
    assert shares[0] > 0.2
    assert shares[1] < 0.02


def test_a_spoofer_shows_the_large_order_on_the_side_opposite_to_the_one_it_means():
    rows = first_rows(rows_of(run_of(StandingQuotes(), Spoofer(latency=NEAR), seconds=60), "Spoofer"))
    meant, spoofs = (rows[(rows["action"] == Action.LIMIT) & (rows["lots"] == lots)] for lots in (3, 60))
    assert len(meant) == len(spoofs) > 5
    assert (meant["side"] == -spoofs["side"]).all()
    assert set(zip(spoofs["side"].tolist(), spoofs["price_ticks"].tolist(), strict=True)) <= {(Side.BUY, 9_987), (Side.SELL, 10_013)}
