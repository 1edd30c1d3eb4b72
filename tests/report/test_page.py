"""The page is one file that needs no network, whatever the tape says."""
import re

import numpy as np
import pytest
from random_market import AGENTS, random_tape

from lob.errors import TapeError
from lob.messages import REPORT
from lob.report.page import SECTIONS, compared_page, page, write_page
from lob.tape.record import Tape

WICKED = [{**agent, "name": f"<img src=x onerror=alert({agent['owner']})>"} for agent in AGENTS]


@pytest.fixture(scope="module")
def tape():
    return random_tape(1_500, seed=21)


@pytest.fixture(scope="module")
def html(tape):
    return page(tape)


def body_of(html):
    """Return what is between the style and the scripts."""
    return html[html.index("<body>"): html.index("<script>")]


def test_the_page_fetches_nothing(html):
    assert re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)=',
        html.replace(html[html.index("<script>"): html.index('<script type="application/json"')], "")) == []
    assert "@import" not in html[: html.index("<body>")]
    assert "url(" not in html[: html.index("<body>")]


def test_plotly_is_in_it_once_and_its_size_is_said(html):
    assert html.count("plotly.js v") == 1
    size_mb, plotly_mb = re.search(r"in this file: ([\d.]+) MB, of which ([\d.]+) MB are plotly.js", html).groups()
    assert float(size_mb) == pytest.approx(len(html) / 1e6, abs=0.1)
    assert 4 < float(plotly_mb) < float(size_mb)


def test_every_section_is_in_the_bar_at_the_top(html):
    links = re.findall(r'<a href="#([\w-]+)">', body_of(html))
    assert links == re.findall(r'<section id="([\w-]+)">', body_of(html))
    assert len(links) == len(SECTIONS)


def test_what_a_tape_calls_its_agents_is_words_and_never_markup(tape):
    html = page(Tape(tape.rows, {"agents": WICKED, "scenario": "</script><script>alert(1)</script>"}))
    assert "<img" not in body_of(html)
    assert html.count("<script") == html.count("</script>") == page(tape).count("</script>")


def test_the_same_tape_gives_the_same_page(tape, html):
    assert page(Tape(tape.rows, tape.provenance)) == html


def test_two_runs_stand_side_by_side_with_names_of_their_own(tape):
    html = compared_page([tape, Tape(tape.rows[:2_000], tape.provenance)])
    names = re.findall(r'data-chart="([\w-]+)"', html)
    assert len(set(names)) == len(names)
    assert {name[:-2] for name in names if name.endswith("-a")} & {name[:-2] for name in names if name.endswith("-b")} >= {"pnl", "markouts", "survival"}
    assert "A · Profit through time" in html
    assert "B − A" in html


def test_a_run_with_an_agent_beside_one_without(tape):
    assert "the tape cannot tell" in compared_page([tape, Tape(np.zeros(0, REPORT), {})])


def test_a_page_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TapeError, match="the page cannot be written"):
        write_page("", tmp_path / "file" / "page.html")


def test_a_run_and_a_tape_write_their_page_and_give_their_figures(tape, tmp_path):
    path = tape.report(tmp_path / "new" / "page.html", agent="agent-3")
    assert "In focus: agent-3." in path.read_text(encoding="utf-8")
    assert "pnl" in tape.figures(agent="agent-3")
