"""Behaviour: what depth does when it is needed, what latency cost, and how well what is hidden can be seen."""
from lob.analytics.depth_behaviour import depth_behaviour
from lob.report.numbers import duration, number, percent, with_error
from lob.report.parts import Chart, Column, Section, Table, layout, log_ticks, with_band


def section(subject):
    """Return refills and returns, lives of orders, detection, and latency's losses."""
    found = depth_behaviour(subject.tape, book=subject.book)
    lead = "Depth is a behaviour: what counts is not what is displayed but what is still there, or comes back, when somebody needs it."
    parts = [_refill(found), _returns(found), _lives(found), _late(subject), _stale(subject), _detection(found)]
    return Section("behaviour", "Depth", "Depth and latency", lead, parts)


def _refill(found):
    title, caption = "What comes back after the touch was eaten", (
        "Lots added at the touch within a time after it was eaten, over the lots eaten, and the same at the mean rate of the whole tape. "
        "Above the usual: the book answers. Below: who was there has left."
    )
    known = found.refill.filter(found.refill["refilled"].is_not_null())
    if known.height == 0:
        return Chart("refill", title, caption, note="The touch was never eaten with time left on the tape, so there is no refill to measure.")
    seconds = known["horizon_s"].to_list()
    hover = "%{y:.2f} of the lots eaten were added within %{x} s"
    traces = with_band("after it was eaten", seconds, known["refilled"].to_list(), known["refilled_error"].to_list(), "$series1", hover)
    traces.append({"type": "scatter", "mode": "lines", "name": "usual", "x": seconds, "y": known["usual"].to_list(),
        "hovertemplate": "usually %{y:.2f} within %{x} s",
                   "line": {"color": "$faint", "dash": "dash", "width": 1.6}})
    return Chart("refill", title, caption, traces, layout("seconds", "lots added / lots eaten", xaxis=log_ticks(seconds), yaxis={"type": "log", "dtick": 1}))


def _returns(found):
    title, caption = "Does a lost price come back?", (
        "How often a best price that was traded through was the best of its side again within a time. Low and flat: trades move the market for good."
    )
    known, traces = found.returns.filter(found.returns["returned"].is_not_null()), []
    for side, word, color in ((1, "bid", "$bid"), (-1, "ask", "$ask")):
        mine = known.filter(known["side"] == side)
        if mine.height:
            points = (mine["horizon_s"].to_list(), mine["returned"].to_list(), mine["returned_error"].to_list())
            traces += with_band(word, *points, color, f"{word}: %{{y:.1%}} were back within %{{x}} s, of %{{customdata:,}}", mine["depletions"].to_list())
    if not traces:
        return Chart("returns", title, caption, note="No best price was ever traded through, so none could come back.")
    axes = layout("seconds", "share that came back", xaxis=log_ticks(known["horizon_s"].unique().sort().to_list()),
        yaxis={"tickformat": ".0%", "rangemode": "tozero"})
    return Chart("returns", title, caption, traces, axes)


def _lives(found):
    columns = [
        Column("entered", is_text=True), Column("orders"), Column("filled"), Column("cancelled"), Column("gone before", "the touch came"), Column("life 10 %"),
        Column("life 50 %"), Column("life 90 %"),
    ]
    rows = [
        ["on an empty side" if line["gap"] is None else str(line["gap"]), number(line["orders"]), percent(line["filled_share"], 1),
            percent(line["cancelled_share"], 1),
         percent(line["unseen_share"], 1), *(duration(None if line[f"life_{q}_s"] is None else line[f"life_{q}_s"] * 1e9) for q in (10, 50, 90))]
        for line in found.lives.iter_rows(named=True)
    ]
    caption = (
        "Orders by how far from the touch they entered. Life: quantiles of those cancelled or moved without a fill. Much depth that is gone before "
        "the touch comes is for show."
    )
    return Table("lives", "How orders lived", caption, columns, rows, None if rows else "No order ever rested on this tape.")


def _of_makers(subject, frame):
    import polars as pl

    names = [subject.name_of(owner) for owner in subject.few_makers]
    return frame.filter(pl.col("agent").cast(pl.String).is_in(names))


def _late(subject):
    columns = [
        Column("maker", is_text=True), Column("cancels sent"), Column("too late"), Column("share"), Column("lots"), Column("late by", "median"),
        Column("cost", "ticks a lot"), Column("cost", "ticks × lots"),
    ]
    rows = [
        [str(line["agent"]), number(line["requests"]), number(line["lost"]), percent(line["lost_share"], 1), number(line["lost_lots"]),
            duration(line["late_ns"]),
         with_error(line["cost"], line["cost_error"]), number(line["cost_ticks"], 1)]
        for line in _of_makers(subject, subject.latency.cancels).iter_rows(named=True)
    ]
    caption = (
        "Cancels and moves that were on their way when the order traded: right, and too late. The cost is at 1 s after the fill; below zero the fill "
        "was lucky."
    )
    return Table("late", "Cancels that lost their race", caption, columns, rows,
        None if rows else "No maker's cancel or move travelled at all, so none could be late.")


def _stale(subject):
    columns = [
        Column("maker", is_text=True), Column("fills"), Column("stale"), Column("share"), Column("lots"), Column("mid had moved", "ticks, mean"),
        Column("cost", "ticks a lot"), Column("of the others", "ticks a lot"), Column("cost", "ticks × lots"),
    ]
    rows = [
        [str(line["agent"]), number(line["fills"]), number(line["stale"]), percent(line["stale_share"], 1), number(line["stale_lots"]),
            number(line["moved"], 2),
         with_error(line["cost"], line["cost_error"]), number(line["fresh_cost"], 2, sign=True), number(line["cost_ticks"], 1)]
        for line in _of_makers(subject, subject.latency.quotes).iter_rows(named=True)
    ]
    caption = (
        "Fills within the owner's own reaction time (feed and order latency) after the mid moved against its quote: no rule of quoting could have "
        "saved these, only speed."
    )
    return Table("stale", "Quotes that were stale when hit", caption, columns, rows, None if rows else "No maker was filled, so no quote was stale.")


def _detection(found):
    columns = [Column("order", is_text=True), Column("trades watched"), Column("there in truth"), Column("seen"), Column("right"), Column("precision"),
        Column("recall"),
               Column("note", is_text=True)]
    rows = [
        [line["what"], number(line["trades"]), number(line["present"]), number(line["seen"]), number(line["right"]), percent(line["precision"]),
         percent(line["recall"]), line["note"] or ""]
        for line in found.detection.iter_rows(named=True)
    ]
    caption = "How well a watcher of the displayed touch and the trades tells icebergs and hidden orders, against what the tape knows."
    return Table("detection", "Can what is hidden be seen?", caption, columns, rows).without_empty_notes()
