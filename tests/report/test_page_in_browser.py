"""The page in a real browser: every chart is drawn, nothing complains, zoom and legends work, in the light, in the dark, on a phone and on paper.

Needs Chromium (Debian's package `chromium`); without it these tests are skipped.
"""
import json
import re

import numpy as np
import pytest
from browser import Browser, found
from random_market import random_tape

from lob.messages import REPORT, Side
from lob.report.page import compared_page, page, write_page
from lob.report.theme import DARK, PAPER
from lob.tape.record import Tape
from lob.tape.replay import book_at

pytestmark = pytest.mark.skipif(found() is None, reason="no Chromium on this machine to look at a page with: install Debian's package chromium")

MARKS = ".scatterlayer path, .barlayer path, .heatmaplayer image"


@pytest.fixture(scope="module")
def browser():
    browser = Browser(found())
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def tape():
    return random_tape(3_000, seed=21)


@pytest.fixture(scope="module")
def path(tape, tmp_path_factory):
    return write_page(page(tape), tmp_path_factory.mktemp("page") / "page.html")


def rgb(color):
    return "rgb({}, {}, {})".format(*(int(color[i:i + 2], 16) for i in (1, 3, 5)))


def middle_of(browser, selector):
    """Return the middle of an element in the window, scrolled to."""
    box = f"(e => {{ e.scrollIntoView({{block: 'center'}}); return e.getBoundingClientRect().toJSON(); }})({selector})"
    x, y, width, height = (browser.run(box)[name] for name in ("x", "y", "width", "height"))
    return x + width / 2, y + height / 2


def range_of(browser, chart):
    return browser.run(f"document.querySelector('[data-chart={chart}]')._fullLayout.xaxis.range")


def book_plot(name="book"):
    return f"document.querySelector('[data-live={name}] .plot')"


def test_every_chart_is_drawn_and_nothing_complains_or_asks_for_more(browser, path):
    browser.open(path)
    charts = browser.run(f"[...document.querySelectorAll('.plot')].map(e => [e.dataset.chart || 'book', e.querySelectorAll('{MARKS}').length])")
    assert len(charts) >= 18
    assert [name for name, marks in charts if marks == 0] == []
    assert browser.complaints == []
    assert browser.requests == [path.resolve().as_uri()]


def test_no_word_on_the_screen_is_nan_or_undefined(browser, path):
    browser.open(path)
    words = browser.run("document.body.innerText + [...document.querySelectorAll('svg text')].map(e => e.textContent).join(' ')")
    assert re.findall(r"\b(?:NaN|nan|undefined|Infinity|null)\b", words) == []


def test_dragging_zooms_and_a_double_click_goes_back(browser, path):
    browser.open(path)
    whole = range_of(browser, "pnl")
    x, y = middle_of(browser, "document.querySelector('[data-chart=pnl] .nsewdrag')")
    browser.drag((x - 60, y - 40), (x + 60, y + 40))
    browser.wait_for(f"{json.dumps(whole)}[1] > document.querySelector('[data-chart=pnl]')._fullLayout.xaxis.range[1]")
    low, high = range_of(browser, "pnl")
    assert whole[0] < low < high < whole[1]
    browser.double_click((x, y))
    browser.wait_for(f"document.querySelector('[data-chart=pnl]')._fullLayout.xaxis.range[1] === {whole[1]}")


def test_a_click_in_the_legend_hides_a_line_and_its_band(browser, path):
    browser.open(path)
    visible = "document.querySelector('[data-chart=markouts]')._fullData.map(t => t.visible === true)"
    assert all(browser.run(visible))
    browser.click(middle_of(browser, "document.querySelector('[data-chart=markouts] .legendtoggle')"))
    browser.wait_for(f"{visible}.includes(false)")
    assert browser.run(visible) == [False, False, True, True]


def test_the_book_zooms_down_to_single_events(browser, path):
    browser.open(path)
    assert "zoom in for single ones" in browser.run("document.querySelector('.book .status').textContent")
    for _ in range(3):
        x, y = middle_of(browser, f"{book_plot()}.querySelector('.nsewdrag')")
        before = browser.run("document.querySelector('.book').dataset.view")
        browser.drag((x - 60, y), (x + 60, y))
        browser.wait_for(f"document.querySelector('.book').dataset.view !== '{before}'")
    words = browser.run("document.querySelector('.book .status').textContent")
    assert re.search(r"each of \d+ changes is drawn", words), words
    browser.double_click((x, y))
    browser.wait_for("document.querySelector('.book').dataset.view.startsWith('0 ')")


def test_what_the_book_shows_at_a_time_is_what_the_tape_says(browser, path, tape):
    browser.open(path)
    start_ns = int(tape.rows["time_ns"][0])
    for time_ns in np.quantile(tape.rows["time_ns"], [0.3, 0.6, 0.9]).astype(np.int64).tolist():
        seconds = (time_ns - start_ns) / 1e9 + 1e-6  # what happens at the end of a view is beyond it
        browser.run(f"report.live.book.show({seconds - 0.5}, {seconds})")
        for index, side in enumerate((Side.BUY, Side.SELL)):
            shown = browser.run(f"(t => t.y.map((price, i) => [price, t.z[i][t.z[i].length - 1]]).filter(pair => pair[1] !== "
            f"null))({book_plot()}.data[{index}])")
            depth = {int(level["price_ticks"]): int(level["lots"]) for level in book_at(tape, time_ns).depth(side, None)}
            assert shown
            assert all(depth[price] == lots for price, lots in shown)


def test_the_next_fill_comes_to_the_middle(browser, path):
    browser.open(path)
    browser.run("[...document.querySelectorAll('.book button')].find(e => e.textContent === 'Next fill').click()")
    begin, end = map(float, browser.run("document.querySelector('.book').dataset.view").split())
    assert end - begin <= 4
    fills = browser.run(f"{book_plot()}.data[5].x")
    assert any(begin <= time <= end for time in fills)


def test_a_worst_fill_is_replayed_event_by_event(browser, path):
    browser.open(path)
    browser.click(middle_of(browser, "document.querySelector('#worst-fills tbody tr:nth-child(3) button')"))
    browser.wait_for("document.querySelector('.replay').dataset.scene === '2'")
    step, ladder = browser.run("document.querySelector('.replay').dataset.step"), browser.run("document.querySelector('.ladder').innerText")
    assert browser.run("document.querySelector('.events .now').classList.contains('fill')")
    assert browser.run("document.querySelector('#worst-fills tr.chosen').rowIndex") == 3
    browser.run("document.querySelector('.replay button[title=\"The event before\"]').click()")
    assert browser.run("document.querySelector('.replay').dataset.step") == str(int(step) - 1)
    assert browser.run("document.querySelector('.ladder').innerText") != ladder


def test_in_the_dark_ground_words_and_lines_change_and_change_back(browser, path):
    browser.open(path, is_dark=True)
    looks = "[getComputedStyle(document.body).backgroundColor, document.querySelector('[data-chart=pnl]')._fullLayout.font.color]"
    assert browser.run(looks) == [rgb(DARK["page"]), DARK["ink"]]
    browser.set_dark(False)
    browser.wait_for(f"document.querySelector('[data-chart=pnl]')._fullLayout.font.color === '{PAPER['ink']}'")
    assert browser.run(looks) == [rgb(PAPER["page"]), PAPER["ink"]]
    assert browser.complaints == []


def test_on_a_phone_nothing_is_wider_than_the_screen(browser, path):
    browser.open(path, width=375, height=812, is_phone=True)
    assert browser.run("document.documentElement.scrollWidth") <= 375
    assert browser.run("Math.max(...[...document.querySelectorAll('.plot .main-svg')].map(e => e.getBoundingClientRect().right))") <= 375
    assert browser.run("document.querySelector('[data-chart=pnl]')._fullLayout.dragmode") is False, "a finger scrolls the page"
    assert browser.complaints == []


def test_on_paper_the_colours_are_those_of_paper_even_in_the_dark(browser, path, tmp_path):
    browser.open(path, is_dark=True)
    browser.run("window.onafterprint = null; window.addEventListener('beforeprint', () => { window.printed = "
    "document.querySelector('[data-chart=pnl]')._fullLayout; "
                "window.printed = [window.printed.font.color, window.printed.width]; })")
    data = browser.print(tmp_path / "page.pdf")
    color, width = browser.run("window.printed")
    assert (color, width < 400) == (PAPER["ink"], True)
    assert data.startswith(b"%PDF")
    assert browser.run("document.querySelector('[data-chart=pnl]')._fullLayout.font.color") == DARK["ink"]


def test_two_runs_share_their_axes(browser, tape, tmp_path):
    browser.open(write_page(compared_page([tape, Tape(tape.rows[:3_000], tape.provenance)]), tmp_path / "compared.html"))
    for axis in ("xaxis", "yaxis"):
        first, second = (browser.run(f"document.querySelector('[data-chart=pnl-{side}]')._fullLayout.{axis}.range") for side in "ab")
        assert first == second
    assert browser.run("Object.keys(report.live).sort()") == ["book-a", "book-b", "replay-a", "replay-b"]
    assert browser.complaints == []


def test_an_empty_tape_has_a_page_of_sentences(browser, tmp_path):
    browser.open(write_page(page(Tape(np.zeros(0, REPORT), {})), tmp_path / "empty.html"))
    assert browser.run("document.querySelectorAll('.plot').length") == 0
    assert browser.run("document.querySelectorAll('.note').length") >= 20
    assert browser.complaints == []
