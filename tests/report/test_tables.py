"""The tables say who made and lost what, in eighty columns."""
import io

import pytest
from random_market import random_tape
from rich.console import Console

from lob.analytics.markouts import fill_markouts, markouts
from lob.analytics.profit import profit_everywhere
from lob.report.tables import agents_table, markouts_table


@pytest.fixture(scope="module")
def tape():
    return random_tape(3_000, seed=21)


def drawn(table, width=80):
    """Return what a console without colours prints, as lines."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(table)
    return console.file.getvalue().splitlines()


def test_agents_are_listed_by_what_they_made(tape):
    profits = profit_everywhere(tape)
    lines = drawn(agents_table(profits))
    names = [line.split()[0] for line in lines if line.strip().startswith("agent-")]
    assert names == profits.sort("pnl_ticks", descending=True)["agent"].to_list()


def test_a_line_says_what_the_frame_says(tape):
    agent = profit_everywhere(tape).row(2, named=True)
    line = next(line for line in drawn(agents_table(profit_everywhere(tape))) if "agent-3" in line)
    assert line.split()[1:3] == [f"{agent['fills']:,}", f"{agent['inventory_lots'][0]:,}"]
    assert line.split()[-1] == f"{agent['pnl_ticks']:,.0f}"


def test_a_crowd_of_flow_shares_one_line_a_kind_beside_the_makers(tape):
    lines = drawn(agents_table(profit_everywhere(tape), agents_max=5))
    assert {" ".join(line.split()[:3]) for line in lines if "×" in line} == {"2 × NoiseTrader", "2 × InformedTrader"}
    assert {line.split()[0] for line in lines if line.strip().startswith("agent-")} == {"agent-3", "agent-6"}


def test_the_markout_table_has_a_line_for_every_maker_and_horizon(tape):
    table = markouts(fill_markouts(tape))
    lines = drawn(markouts_table(table))
    assert len([line for line in lines if " s " in line]) == table.height
    assert len([line for line in lines if "agent-" in line]) == 6


def test_tables_fit_eighty_columns_without_cutting_a_number(tape):
    lines = drawn(agents_table(profit_everywhere(tape))) + drawn(markouts_table(markouts(fill_markouts(tape))))
    assert max(len(line) for line in lines) <= 80
    assert "…" not in "".join(lines)


def test_a_horizon_without_fills_has_no_numbers(tape):
    table = markouts(fill_markouts(tape, horizons_ns=[10**15]))
    assert drawn(markouts_table(table))[4].split() == ["agent-1", "1e+06", "s", "0", "-", "-", "-", "-"]
