"""Every section says in words what it shows, shows what the frames say, and where there is nothing it says so: no blank chart, no nan."""
import numpy as np
import pytest
from random_market import AGENTS, random_tape, ruled_requests

from lob.analytics.decomposition import decomposition
from lob.analytics.profit import profit_and_loss
from lob.errors import LobError
from lob.exchange.order_book import OrderBook
from lob.instrument import MICROTICKS
from lob.messages import REPORT, Phase, ReportKind
from lob.report.numbers import number
from lob.report.page import figures_of, sections_of
from lob.report.parts import Cards, Chart, Live, Table
from lob.report.sections import book, race, run, verdict, worst
from lob.report.subject import Subject
from lob.tape.record import Tape
from lob.tape.replay import book_at


def before_the_first_fill(tape):
    first = int((tape.rows["kind"] == ReportKind.FILL).argmax())
    ends = np.flatnonzero(tape.rows["flags"][:first] & 128)
    return Tape(tape.rows[: ends[-1] + 1], tape.provenance)


TAPES = {
    "a market": lambda: random_tape(3_000, seed=21),
    "every kind of order": lambda: Tape(OrderBook().send_many(ruled_requests(2_000, seed=4)), {"agents": AGENTS}),
    "no fill": lambda: before_the_first_fill(random_tape(300, seed=3)),
    "one row": lambda: Tape(random_tape(300, seed=3).rows[:1], {"agents": AGENTS[:1]}),
    "no row": lambda: Tape(np.zeros(0, REPORT), {"agents": AGENTS}),
    "no provenance": lambda: Tape(random_tape(500, seed=3).rows, {}),
    "nothing at all": lambda: Tape(np.zeros(0, REPORT), {}),
}


@pytest.fixture(scope="module", params=TAPES)
def parts(request):
    """Return every part of the page of a tape."""
    return [part for section in sections_of(TAPES[request.param]()) for part in section.parts]


@pytest.fixture(scope="module")
def tape():
    return TAPES["a market"]()


def words_in(part):
    """Return every word that a reader of the part sees."""
    if isinstance(part, Cards):
        return [word for card in part.cards for word in (card.question, card.answer, *card.words, *(text for _, _, text in card.bars))]
    words = [part.title, part.caption, part.note or ""]
    return words + [cell for row in part.rows for cell in row] if isinstance(part, Table) else words


def test_no_word_is_nan_or_infinite(parts):
    words = {piece.strip(".,;:()") for part in parts for word in words_in(part) for piece in word.split()}
    assert words.isdisjoint({"nan", "NaN", "null", "inf", "-inf", "−inf"})


def test_a_chart_draws_something_or_says_why_not(parts):
    for chart in (part for part in parts if isinstance(part, Chart)):
        drawn = [value for trace in chart.traces if trace.get("hoverinfo") != "skip" for value in np.ravel(np.asarray(trace["y"], object)) if value is not None]
        assert bool(drawn) != bool(chart.note), chart.name
        assert len(chart.caption) > 30, chart.name


def test_a_table_has_rows_or_says_why_not(parts):
    for table in (part for part in parts if isinstance(part, Table)):
        assert bool(table.rows) != bool(table.note), table.name
        assert all(len(row) == len(table.columns) for row in table.rows), table.name


def test_no_number_of_a_chart_is_nan(parts):
    for chart in (part for part in parts if isinstance(part, Chart)):
        for trace in chart.traces:
            numbers = [value for axis in ("x", "y") for value in np.ravel(np.asarray(trace.get(axis, []), object)) if isinstance(value, float)]
            assert np.isfinite(numbers).all(), chart.name


def test_names_of_parts_are_unique(parts):
    names = [part.name for part in parts]
    assert len(set(names)) == len(names)


def test_every_chart_is_a_figure_that_plotly_accepts(tape):
    figures = figures_of(tape)
    assert {"pnl", "inventory", "markouts", "calibration", "survival", "memory", "decomposition"} <= figures.keys()
    assert all(figure.data and figure.layout.font.color == "#1f2328" for name, figure in figures.items() if not figure.layout.annotations)


def test_a_figure_has_what_a_notebook_shows(tape, monkeypatch):
    import plotly.io

    monkeypatch.setattr(plotly.io.renderers, "default", "plotly_mimetype")
    shown = figures_of(tape)["markouts"]._repr_mimebundle_()
    assert [trace["type"] for trace in shown["application/vnd.plotly.v1+json"]["data"]]


def test_a_forecast_that_is_worse_than_none_is_called_so():
    import polars as pl

    scores = {"forecast": ["hazards", "queues", "imbalance"], "brier": [0.41, 0.26, 0.23], "brier_error": [0.01, 0.01, 0.01], "uncertainty": [0.25] * 3}
    assert ["hazards did worse" in sentence for sentence in race._warning(pl.DataFrame(scores))] == [True]
    assert race._warning(pl.DataFrame(scores | {"brier": [0.2, 0.26, 0.25]})) == []


def test_the_page_names_the_file_of_a_recorded_day_and_its_hash_but_no_folder(tape):
    feed = {"source": "/home/me/data/day.csv", "sha256": "ab12", "seed_rows": 3}
    rows = dict(run.section(Subject(Tape(tape.rows, tape.provenance | {"feed": feed}))).parts[0].rows)
    assert [rows[name] for name in ("recorded day", "SHA-256 of its file", "what was read")] == ["day.csv", "ab12", "seed rows 3"]


@pytest.mark.parametrize(("rule", "words"), [
    ("live", "every order moves the book"), ("passive", "does not react"), ("displace", "missing for others"), ("reactive", "matched anew"),
])
def test_the_page_says_by_which_rule_agents_met_the_book(tape, rule, words):
    subject = Subject(Tape(tape.rows, tape.provenance | {"execution": rule}))
    told = dict(run.section(subject).parts[0].rows)["execution"]
    assert told.startswith(f"{rule}: ") and words in told
    lead = verdict.section(subject).lead
    assert ("recorded day" in lead) == (rule != "live") and (rule == "live" or words in lead)


def cards_of(tape, agent=None):
    return verdict.section(Subject(tape, agent)).parts[0].cards


def test_the_first_card_says_what_the_agent_in_focus_made(tape):
    made = profit_and_loss(tape).row(2, named=True)
    assert cards_of(tape, made["agent"])[0].answer == number(made["pnl_ticks"], sign=True)


def test_the_bars_of_the_second_card_add_up_to_the_profit(tape):
    parts = decomposition(tape)
    made = parts.filter(parts["agent"] == "agent-3")["pnl_microticks"].sum() / MICROTICKS
    assert sum(value for _, value, _ in cards_of(tape, "agent-3")[1].bars) == pytest.approx(made, abs=1e-9)


def test_the_table_of_accounts_has_every_agent_or_its_kind(tape):
    assert {row[0] for row in verdict.accounts(Subject(tape)).rows} == {agent["name"] for agent in AGENTS}
    crowd = [{**AGENTS[0], "owner": owner, "name": f"m-{owner}", "role": "flow"} for owner in range(1, 31)]
    rows = verdict.accounts(Subject(Tape(tape.rows, {"agents": crowd}))).rows
    assert len(rows) < 12
    assert any("×" in row[0] for row in rows)


def test_the_maker_that_was_filled_most_is_in_focus_unless_another_is_named(tape):
    lots = profit_and_loss(tape).filter(profit_and_loss(tape)["role"] == "maker").sort("maker_lots", descending=True)
    assert Subject(tape).focus_name == lots["agent"][0]
    assert Subject(tape, "agent-1").focus_name == "agent-1"
    with pytest.raises(LobError, match="agent must be one of those on the tape: agent-1, .*; was 'nobody'"):
        Subject(tape, "nobody")


def test_what_is_left_out_of_the_book_is_said(tape, monkeypatch):
    def caption_and_data():
        live = book.section(Subject(tape)).parts[0]
        return live.caption, live.data
    whole, everything = caption_and_data()
    monkeypatch.setattr(book, "CHANGES_MAX", 500)
    monkeypatch.setattr(book, "TRADES_MAX", 50)
    fewer, less = caption_and_data()
    assert "none left out" in whole
    assert "made fewer" in fewer
    assert "the largest 50 are here" in fewer
    assert len(less["changes"]["time"]) <= 500 < len(everything["changes"]["time"])
    assert len(less["trades"]["time"]) == 50


def test_the_book_of_a_recorded_day_begins_with_its_run_as_it_stood_then(tape):
    times_ns = np.unique(tape.rows["time_ns"])[100:-100]
    start_ns = max(times_ns.tolist(), key=lambda time_ns: sum(len(book_at(tape, time_ns - 1).depth(side, 100)) for side in (1, -1)))
    day = Tape(tape.rows, tape.provenance | {"start_ns": start_ns})
    data = book.section(Subject(day)).parts[0].data
    assert data["end_s"] == (day.end_ns - day.start_ns) / 1e9
    assert data["trades"]["time"].min() >= 0
    stood, shown = book_at(tape, start_ns - 1), {}
    for key, lots in zip(data["changes"]["key"].tolist(), data["changes"]["lots"].tolist(), strict=True):
        side, price_ticks = (1 if key % 2 else -1), data["low"] + key // 2
        if (side, price_ticks) in shown:
            break
        shown[side, price_ticks] = lots
    levels = {(side, int(level["price_ticks"])): int(level["lots"]) for side in (1, -1) for level in stood.depth(side, 100)}
    assert len(levels) > 6
    assert {place: shown[place] for place in levels} == levels


def test_what_the_book_says_itself_is_in_words():
    row = np.zeros(1, REPORT)[0]
    row["kind"], row["price_ticks"] = ReportKind.STATUS, 2
    assert worst._words(None, row) == "trading is continuous"
    row["kind"], row["price_ticks"] = ReportKind.PHASE, Phase.CLOSING_AUCTION
    assert worst._words(None, row) == "the book is in closing auction"


def test_the_book_made_smaller_ends_as_the_whole_one_does(tape, monkeypatch):
    def last_lots():
        changes = book.section(Subject(tape)).parts[0].data["changes"]
        lots = dict(zip(changes["key"].tolist(), changes["lots"].tolist(), strict=True))
        return {key: value for key, value in lots.items() if value}
    whole = last_lots()
    monkeypatch.setattr(book, "CHANGES_MAX", 500)
    assert last_lots() == whole


def test_a_part_drawn_by_the_pages_own_code_has_data_or_a_note(parts):
    assert all(bool(part.data) != bool(part.note) for part in parts if isinstance(part, Live))
