"""The drawing fits the terminal, shows every curve where it is, and can do without colours and braille."""
import io

import polars
import pytest
from rich.console import Console

from lob.report.terminal import HEIGHT, terminal_curve


def markout_table(**curves):
    """Return a markout table of {agent: [realised at 0.1, 1 and 10 s]}, each with a standard error of 0.01."""
    lines = [
        {"agent": agent, "horizon_s": horizon_s, "fills": 10, "realised": realised, "standard_error": 0.01}
        for agent, means in curves.items() for horizon_s, realised in zip((0.1, 1.0, 10.0), means, strict=True)
    ]
    return polars.DataFrame(lines, schema={"agent": polars.String, "horizon_s": float, "fills": int, "realised": float, "standard_error": float})


def drawn(renderable, width=80, encoding="utf-8"):
    """Return what a console without colours prints, as lines."""
    console = Console(file=io.TextIOWrapper(io.BytesIO(), encoding=encoding), width=width, color_system=None)
    console.print(renderable)
    console.file.flush()
    return console.file.buffer.getvalue().decode(encoding).splitlines()


def test_a_falling_curve_begins_at_the_top_left_and_ends_at_the_bottom_right():
    lines = drawn(terminal_curve(markout_table(maker=[0.5, 0.0, -0.5])))
    marked = [line.index("●") for line in lines[1 : HEIGHT + 1] if "●" in line]
    assert (len(marked), marked[0], marked[-1]) == (3, 9, 79)


def test_zero_is_drawn_and_named():
    lines = drawn(terminal_curve(markout_table(maker=[0.5, 0.2, -0.5])))
    assert ["0 ┤" in line and "┄┄┄" in line for line in lines].count(True) == 1


def test_horizons_are_named_below_the_axis():
    assert drawn(terminal_curve(markout_table(maker=[0.5, 0.2, -0.5])))[HEIGHT + 2].split() == ["0.1", "1", "10"]


def test_each_curve_has_a_mark_of_its_own_and_its_last_value():
    lines = drawn(terminal_curve(markout_table(one=[0.5, 0.2, -0.5], two=[0.6, 0.5, 0.4])))
    assert lines[-2].strip() == "● one  -0.500 ± 0.020 at 10 s"
    assert lines[-1].strip() == "▲ two  +0.400 ± 0.020 at 10 s"


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_drawing_is_as_wide_as_the_terminal_and_no_wider_than_a_hundred(width):
    lines = drawn(terminal_curve(markout_table(maker=[0.5, 0.2, -0.5])), width)
    assert max(len(line) for line in lines[1:]) == min(width, 100)


def test_a_terminal_without_braille_gets_plain_characters():
    lines = drawn(terminal_curve(markout_table(one=[0.5, 0.2, -0.5], two=[0.6, 0.5, 0.4])), encoding="ascii")
    assert lines[-1].strip() == "x two  +0.400 +- 0.020 at 10 s"
    assert any("o" in line for line in lines[1 : HEIGHT + 1])


@pytest.mark.parametrize("means", [[0.0, 0.0, 0.0], [1e-9, 1e-9, 1e-9], [5e6, 1e6, -7e6], [-0.5, -0.5, -0.5], [3.0, 3.0, 3.0]])
def test_any_scale_can_be_drawn(means):
    assert len(drawn(terminal_curve(markout_table(maker=means)))) == HEIGHT + 4


def test_a_market_without_maker_fills_says_so():
    assert drawn(terminal_curve(markout_table()))[1] == "no maker was filled"
