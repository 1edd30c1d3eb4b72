"""The figure shows each maker's realised spread with its band, and stands by itself."""
import numpy as np
import pytest
from random_market import AGENTS, random_tape

from lob.errors import TapeError
from lob.messages import REPORT
from lob.report.curve import LINES_MAX, compare, curve, maker_curves, write_html
from lob.tape.record import Tape

MAKERS = ["agent-3", "agent-6"]


@pytest.fixture(scope="module")
def tape():
    return random_tape(3_000, seed=21)


def lines_of(figure):
    return [trace for trace in figure.data if trace.mode == "lines+markers"]


def bands_of(figure):
    return [trace for trace in figure.data if trace.fill == "toself"]


def test_every_maker_has_a_line_through_its_means(tape):
    table, line = maker_curves(tape)
    lines = lines_of(curve(table, "random", line))
    assert [trace.name for trace in lines] == MAKERS
    assert list(lines[0].y) == table.filter(table["agent"] == "agent-3")["realised"].to_list()
    assert list(lines[0].x) == [0.1, 0.5, 1, 2, 5, 10]


def test_a_band_is_two_standard_errors_to_either_side(tape):
    table, line = maker_curves(tape)
    band, first = bands_of(curve(table, "random", line))[0], table.row(0, named=True)
    assert (band.y[0], band.y[-1]) == pytest.approx((first["realised"] + 2 * first["standard_error"], first["realised"] - 2 * first["standard_error"]))


def test_the_axis_of_horizons_is_logarithmic_and_zero_is_in_sight(tape):
    layout = curve(*maker_curves(tape)[:1], title="random").layout
    assert (layout.xaxis.type, layout.yaxis.rangemode, layout.yaxis.zeroline) == ("log", "tozero", True)


def test_flow_that_happens_to_rest_is_not_drawn_as_a_maker(tape):
    assert set(maker_curves(tape)[0]["agent"]) == set(MAKERS)


def test_without_any_maker_by_role_everyone_who_was_filled_is_drawn(tape):
    flow = [agent | {"role": "flow"} for agent in AGENTS]
    assert maker_curves(Tape(tape.rows, {"agents": flow}))[0]["agent"].n_unique() == len(AGENTS)


def test_too_many_makers_to_tell_apart_are_drawn_by_kind():
    crowd = [{"owner": owner, "name": f"m-{owner}", "kind": f"Maker{owner % 2}", "role": "maker"} for owner in range(1, LINES_MAX + 2)]
    rows = random_tape(3_000, seed=21).rows.copy()
    rows["resting_owner"] = np.where(rows["resting_owner"] > 0, rows["sequence"] % len(crowd) + 1, 0)
    table, line = maker_curves(Tape(rows, {"agents": crowd}))
    assert (line, sorted(table["kind"].unique())) == ("kind", ["Maker0", "Maker1"])


def test_two_tapes_are_compared_in_two_panels_with_the_same_colours(tape):
    figure = compare(Tape(tape.rows, tape.provenance | {"scenario": "toxic"}), Tape(tape.rows[:4_000], tape.provenance | {"scenario": "calm"}))
    assert [annotation.text for annotation in figure.layout.annotations] == ["<b>toxic</b>", "<b>calm</b>"]
    assert [(trace.name, trace.xaxis) for trace in lines_of(figure)] == [("agent-3", "x"), ("agent-6", "x"), ("agent-3", "x2"), ("agent-6", "x2")]
    assert lines_of(figure)[0].line.color == lines_of(figure)[2].line.color != lines_of(figure)[1].line.color
    assert [trace.showlegend for trace in lines_of(figure)] == [True, True, False, False]


def test_a_tape_without_fills_gives_an_empty_figure():
    table, line = maker_curves(Tape(np.zeros(0, REPORT), {}))
    assert len(curve(table, "empty", line).data) == 0


def test_the_page_needs_no_network(tape, tmp_path):
    text = write_html(curve(*maker_curves(tape)[:1], title="random"), tmp_path / "curve.html").read_text(encoding="utf-8")
    assert "Plotly.newPlot" in text
    assert '<script src="http' not in text


def test_a_page_that_cannot_be_written_is_an_error(tape, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TapeError, match="the figure cannot be written"):
        write_html(curve(*maker_curves(tape)[:1], title="random"), tmp_path / "file" / "curve.html")
