"""Curves of profit and inventory end where the accounts do, and are at every moment what a slow count says."""
import numpy as np
import polars as pl
import pytest
from random_market import random_tape

from lob.analytics.equity import equity
from lob.analytics.profit import profit_and_loss
from lob.messages import REPORT
from lob.tape.accounts import accounts
from lob.tape.record import Tape


@pytest.fixture(scope="module")
def tape():
    return random_tape(3_000, seed=21)


def test_every_curve_ends_at_the_account(tape):
    ends = equity(tape).group_by("agent", maintain_order=True).last()
    held = profit_and_loss(tape)
    assert ends["inventory_lots"].to_list() == held["inventory_lots"].to_list()
    assert ends["pnl_ticks"].to_list() == pytest.approx(held["pnl_ticks"].to_list(), abs=1e-6)


def test_a_curve_is_at_every_moment_what_the_fills_up_to_it_add_up_to(tape):
    frame = equity(tape, [3], moments=7)
    for line in frame.iter_rows(named=True):
        account = accounts(tape, line["time_ns"]).get(3)
        assert line["inventory_lots"] == (account.inventory_lots if account else 0)


def test_a_kind_is_the_sum_of_its_agents(tape):
    by_agent, by_kind = equity(tape, moments=50), equity(tape, by="kind", moments=50)
    for column in ("inventory_lots", "pnl_ticks"):
        sums, totals = (frame.group_by("time_ns").agg(pl.col(column).sum()).sort("time_ns")[column] for frame in (by_agent, by_kind))
        assert np.allclose(sums.to_numpy(), totals.to_numpy(), equal_nan=True)


def test_profit_is_null_before_the_first_mid_and_a_tape_without_rows_has_no_curve(tape):
    assert equity(Tape(tape.rows[:1], tape.provenance), moments=3)["pnl_ticks"].null_count() == 18
    assert equity(Tape(np.zeros(0, REPORT), tape.provenance)).height == 0
