"""Worth: what fills were worth a little later, by whom, against whom, and in which state the order and the queues were."""
from lob.analytics.curse import winners_curse
from lob.report.numbers import number
from lob.report.parts import Chart, Column, Section, Table, layout, log_ticks, with_band
from lob.report.subject import HORIZON_NS
from lob.report.theme import SERIES

HOVER = "%{y:+.3f} ± %{customdata[0]:.3f} ticks a lot = %{customdata[1]:.3f} captured − %{customdata[2]:.3f} taken back, %{customdata[3]:,} fills"
CUTS = {"place": ("place at entry", "{}"), "age": ("age of the order", "{} old"), "left": ("left behind the fill", "{}"),
    "race": ("queues before it", "own queue {}")}


def section(subject):
    """Return the markout curves and their cuts."""
    parts = [_by_maker(subject), _by_counterparty(subject), _by_cut(subject), _curse(subject), _table(subject)]
    lead = (
        "A fill is a conditional event: whoever hit the quote chose to. The curves follow the mid after it; bands are two standard errors, by blocks of "
        "time."
    )
    return Section("worth", "Markouts", "What fills were worth", lead, parts)


def _curves(name, title, caption, table, column, names, note):
    import polars as pl

    known = table.filter(pl.col("fills") > 0)
    if known.height == 0:
        return Chart(name, title, caption, note=note)
    horizons, traces = known["horizon_s"].unique().sort().to_list(), []
    for k, word in enumerate(names):
        mine = known.filter(pl.col(column).cast(pl.String) == word)
        if mine.height:
            details = mine.select(2 * pl.col("standard_error").fill_null(0), "effective", "impact", "fills").rows()
            points = (mine["horizon_s"].to_list(), mine["realised"].to_list(), mine["standard_error"].to_list())
            traces += with_band(word, *points, SERIES[k % len(SERIES)], f"{word}, %{{x}} s: {HOVER}", details)
    axes = layout("seconds after the fill", "realised spread, ticks a lot", xaxis=log_ticks(horizons), yaxis={"rangemode": "tozero"})
    return Chart(name, title, caption, traces, axes)


def _by_maker(subject):
    owners = subject.few_makers
    caption = (
        "The profit on each lot filled, if it could be undone at the mid so much later. Flat: the spread is kept. Falling and staying down: the flow was "
        "informed. Dipping and coming back: it was noise."
    )
    names = [subject.name_of(owner) for owner in owners]
    return _curves("markouts", "Markout of each maker", caption, subject.markouts(owners), "agent", names,
        "No maker was filled, so there is no markout to draw.")


def _by_counterparty(subject):
    caption = (
        f"The fills of {subject.focus_name or 'the agent'} by who was on the other side. The kind whose curve falls most is whom to avoid being "
        "filled by."
    )
    note = "The agent in focus was never filled at rest, so there is no counterparty to tell apart."
    table = subject.markouts([subject.focus], ("counterparty_kind",))
    names = table.group_by("counterparty_kind").agg(lots=_first("lots")).sort("lots", descending=True)["counterparty_kind"].cast(str).to_list()
    return _curves("counterparties", "Who was on the other side", caption, table, "counterparty_kind", names[: len(SERIES)], note)


def _first(name):
    import polars as pl

    return pl.col(name).max()


def _by_cut(subject):
    import polars as pl

    title, caption = "What the fill looked like when it came", (
        f"Mean realised spread of {subject.focus_name or 'the agent'} after 1 s, with two standard errors. Good places are to the right of zero: quote "
        "where they are."
    )
    rows = []
    for cut, (words, label) in CUTS.items():
        table = subject.markouts([subject.focus], (cut,)).filter((pl.col("horizon_ns") == HORIZON_NS) & (pl.col("fills") > 0) & pl.col(cut).is_not_null())
        rows += [(words, label.format(str(line[cut]).removeprefix("own queue ")), line) for line in table.iter_rows(named=True)]
    if not rows:
        return Chart("cuts", title, caption, note="The agent in focus was never filled at rest, so there is nothing to sort.")
    traces = []
    for k, (words, _) in enumerate(CUTS.values()):
        mine = [(label, line) for of, label, line in rows if of == words]
        traces.append({
            "type": "scatter", "mode": "markers", "name": words, "y": [label for label, _ in mine], "x": [line["realised"] for _, line in mine],
            "error_x": {"type": "data", "array": [2 * (line["standard_error"] or 0) for _, line in mine], "color": SERIES[k], "thickness": 1.4, "width": 3},
            "marker": {"color": SERIES[k], "size": 8}, "customdata": [line["fills"] for _, line in mine],
            "hovertemplate": "%{y}: %{x:+.3f} ticks a lot, %{customdata:,} fills",
        })
    axes = layout("realised spread after 1 s, ticks a lot", "",
                  xaxis={"zeroline": True, "zerolinecolor": "$muted", "showgrid": True, "gridcolor": "$grid"},
                  yaxis={"autorange": "reversed", "zeroline": False, "tickfont": {"size": 12}, "gridcolor": "$grid"})
    return Chart("cuts", title, caption, traces, axes, height=90 + 24 * len(rows))


def _curse(subject):
    import polars as pl

    name = subject.focus_name
    title, caption = "The winner's curse", (
        f"The mid's way after orders of {name or 'the agent'} at the touch, in its own direction: those that were filled and those that were not. "
        "The gap is what choosing fills at random would hide."
    )
    table = winners_curse(subject.tape, book=subject.book).filter(pl.col("agent").cast(pl.String) == (name or ""))
    traces, has_both = [], False
    for k, (word, column) in enumerate((("filled", "drift_filled"), ("not filled", "drift_unfilled"))):
        known = table.filter(pl.col(column).is_not_null())
        has_both |= known.height > 0
        if known.height:
            points = (known["horizon_s"].to_list(), known[column].to_list(), known[f"{column}_error"].to_list())
            details = known["filled" if k == 0 else "unfilled"].to_list()
            traces += with_band(word, *points, SERIES[1 - k], f"{word}, %{{x}} s: %{{y:+.3f}} ticks, %{{customdata:,}} orders", details)
    if not has_both:
        return Chart("curse", title, caption, note="The agent in focus had no order at the touch, so there is none to compare.")
    axes = layout("seconds after the order's entry", "drift in its direction, ticks", xaxis=log_ticks(table["horizon_s"].to_list()))
    return Chart("curse", title, caption, traces, axes)


def _table(subject):
    table = subject.markouts(subject.few_makers)
    columns = [
        Column("maker", is_text=True), Column("horizon", "s"), Column("fills"), Column("lots"), Column("effective", "ticks a lot"),
        Column("realised", "ticks a lot"), Column("impact", "ticks a lot"), Column("std. error", "ticks a lot"), Column("left out", "fills"),
    ]
    rows = [
        [str(line["agent"]), f"{line['horizon_s']:g}", number(line["fills"]), number(line["lots"]), number(line["effective"], 3), number(line["realised"], 3),
         number(line["impact"], 3), number(line["standard_error"], 3), number(line["left_out"])]
        for line in table.iter_rows(named=True)
    ]
    caption = "effective − impact = realised, exactly. Left out: fills whose horizon lies beyond the end of the tape."
    note = None if rows else "No maker was filled, so there is no markout to list."
    return Table("markout-table", "The markouts in numbers", caption, columns, rows, note, signed=(5,))
