"""Queues: how long an order waits by its place in the line, how the lots ahead of it went, and what the place was worth."""
from textwrap import wrap

from lob.analytics.queues import queues
from lob.report.numbers import duration, number, percent
from lob.report.parts import Chart, Column, Section, Table, layout, log_ticks, with_band
from lob.report.theme import SERIES

WORD_MAX = 9  # letters in a line below a chart


def section(subject):
    """Return survival by place and by imbalance, the table of progress, the value of a place."""
    found = queues(subject.tape, book=subject.book)
    lead = "All orders at the touch, whoever sent them. Two orders at one price are not the same order: one of them is first."
    survival = [
        _survival("survival", "Still waiting, by place at entry", found.by_place, "place",
                  "The chance that an order is not yet filled, if nobody ever cancelled (Kaplan–Meier; a cancel takes the order out of the count). "
                  "Steep: filled soon. The distance between the lines is what being early is worth in time."),
        _survival("survival-imbalance", "Still waiting, by the state of both queues", found.by_imbalance, "imbalance",
                  "The same by how long the own queue was beside the other one at entry. A short own queue fills sooner, because it is the one about to lose."),
    ]
    return Section("queues", "Queues", "Queues", lead, [*survival, _fates(found), _value(found), _progress(found)])


def _survival(name, title, table, by, caption):
    known = table.filter(table["survival"].is_not_null())
    if known.height == 0:
        return Chart(name, title, caption, note="No class of orders at the touch has twenty of them, too few for a curve.")
    traces = []
    for k, word in enumerate(known[by].unique().sort().to_list()[: len(SERIES)]):
        mine = known.filter(known[by] == word)
        hover = f"{word}: %{{y:.1%}} still wait after %{{x}} s, %{{customdata:,}} at risk"
        points = (mine["time_s"].to_list(), mine["survival"].to_list(), mine["survival_error"].to_list())
        traces += with_band(str(word), *points, SERIES[k], hover, mine["at_risk"].to_list())
    axes = layout("seconds since entry", "share not yet filled", xaxis=log_ticks(known["time_s"].unique().sort().to_list()),
                  yaxis={"tickformat": ".0%", "rangemode": "tozero"})
    return Chart(name, title, caption, traces, axes)


def _fates(found):
    title, caption = "Filled, or gone first", (
        "What became of orders within ten seconds, by place at entry, with cancels as what they are: filled, cancelled or moved first, or still there."
    )
    table = found.by_place.filter((found.by_place["time_ns"] == 10_000_000_000) & found.by_place["filled"].is_not_null())
    if table.height == 0:
        return Chart("fates", title, caption, note="No class of orders at the touch has twenty of them, too few for shares.")
    words, filled, cancelled = _in_lines(table["place"]), table["filled"].to_list(), table["cancelled"].to_list()
    rest = [max(1 - a - b, 0) for a, b in zip(filled, cancelled, strict=True)]
    traces = [
        {"type": "bar", "name": name, "x": words, "y": values, "marker": {"color": color}, "hovertemplate": "%{x}: %{y:.1%} " + name}
        for name, values, color in (("filled", filled, "$series3"), ("cancelled or moved", cancelled, "$series2"), ("still there", rest, "$faint/0.5"))
    ]
    return Chart("fates", title, caption, traces, layout("", "share of orders", barmode="stack", bargap=0.35, yaxis={"tickformat": ".0%"}))


def _in_lines(places):
    """Return words that stand below a chart, each in lines so short that seven of them stand upright side by side."""
    return ["<br>".join(wrap(word, WORD_MAX)) for word in places.cast(str).to_list()]


def _value(found):
    title, caption = "What a place was worth", (
        "What a lot entered at the touch earned one second after its fill, lots that were never filled counting nothing; two standard errors. "
        "The difference between the first and the last place is the value of the queue."
    )
    table = found.value.filter(found.value["value"].is_not_null())
    if table.height == 0:
        return Chart("value", title, caption, note="No order at the touch ended a second before the tape does, so no place can be valued.")
    trace = {
        "type": "scatter", "mode": "markers", "x": _in_lines(table["place"]), "y": table["value"].to_list(),
        "marker": {"size": 9, "color": "$series1"},
        "error_y": {"type": "data", "array": (2 * table["value_error"].fill_null(0)).to_list(), "color": "$series1", "thickness": 1.4, "width": 4},
        "customdata": table.select("orders", "filled_share").rows(),
        "hovertemplate": "%{x}: %{y:+.3f} ticks a lot entered, %{customdata[0]:,} orders, %{customdata[1]:.0%} of lots filled",
    }
    return Chart("value", title, caption, [trace], layout("", "ticks a lot entered", showlegend=False))


def _progress(found):
    columns = [
        Column("place at entry", is_text=True), Column("orders"), Column("lots"), Column("ahead", "lots, mean"), Column("of them traded"), Column("cancelled"),
        Column("still there"), Column("filled", "of orders"), Column("time to fill", "median"),
    ]
    rows = [
        [str(line["place"]), number(line["orders"]), number(line["lots"]), number(line["lots_ahead"], 1), percent(line["traded_share"]),
         percent(line["cancelled_share"]), percent(line["left_share"]), percent(line["filled_share"]),
         duration(None if line["fill_s"] is None else line["fill_s"] * 1e9)]
        for line in found.progress.iter_rows(named=True)
    ]
    caption = "How the lots ahead of an order went until its first fill or its end. A dash: there was nothing ahead, or no fill."
    return Table("progress", "How the line moved", caption, columns, rows, None if rows else "No order ever joined a touch that was there.")
