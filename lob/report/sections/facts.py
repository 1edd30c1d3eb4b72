"""Facts: is this like a market? The stylised facts beside published ranges, and the profiles behind them."""
from lob.analytics.stylised import stylised
from lob.report.numbers import UNKNOWN, number, significant
from lob.report.parts import Chart, Column, Section, Table, layout

VERDICTS = {True: "within", False: "outside", None: ""}


def section(subject):
    """Return the table and the profiles."""
    found = stylised(subject.tape, book=subject.book)
    lead = "A published range says where the literature lies for liquid markets, not where a tape must lie. Outside is a fact about this market, not an error."
    return Section("facts", "Facts", "Is it like a market?", lead, [_facts(found), _depth(found), _spreads(found), _volume(subject, found), _signature(found)])


def _facts(found):
    columns = [
        Column("fact", is_text=True), Column("this tape"), Column("std. error"), Column("unit", is_text=True), Column("published", is_text=True),
        Column("", is_text=True), Column("source, or why there is none", is_text=True),
    ]
    rows = [
        [line["fact"], significant(line["value"]), significant(line["error"], 2), line["unit"], _range(line["published_from"], line["published_to"]),
         VERDICTS[line["is_within"]], line["note"] or line["source"]]
        for line in found.facts.iter_rows(named=True)
    ]
    return Table("facts", "Stylised facts", "Value and standard error on this tape, and where published measurements lie.", columns, rows)


def _range(low, high):
    if low is None and high is None:
        return UNKNOWN
    return f"{number(low, 2)} to {number(high, 2)}" if high is not None else f"above {number(low, 2)}"


def _depth(found):
    title, caption = "Depth by distance", "Mean displayed lots by distance from the best price of the side, at even moments. A hump behind the touch is usual."
    if found.depth.height == 0:
        return Chart("depth", title, caption, note="No order ever rested at the moments looked at.")
    traces = []
    for side, word, color in ((1, "bids", "$bid"), (-1, "asks", "$ask")):
        mine = found.depth.filter(found.depth["side"] == side)
        traces.append({"type": "bar", "name": word, "x": mine["distance_ticks"].to_list(), "y": mine["lots"].to_list(), "marker": {"color": color},
                       "hovertemplate": "%{y:.1f} lots %{x} ticks behind the best " + word[:-1]})
    return Chart("depth", title, caption, traces, layout("ticks behind the touch", "lots, mean", barmode="group"))


def _spreads(found):
    title, caption = "Spread", "Share of time at each spread. One tick most of the time: the queue is what matters; wide: the price is."
    if found.spreads["share"].sum() == 0:
        return Chart("spreads", title, caption, note="There never were a bid and an ask at the same time.")
    words = ["20 or more" if ticks == 20 else f"{ticks}" for ticks in found.spreads["spread_ticks"].to_list()]
    trace = {"type": "bar", "x": words, "y": found.spreads["share"].to_list(), "marker": {"color": "$series1"},
        "hovertemplate": "%{x} ticks: %{y:.1%} of the time"}
    return Chart("spreads", title, caption, [trace], layout("spread, ticks", "share of time", xaxis={"type": "category"}, yaxis={"tickformat": ".0%"}))


def _volume(subject, found):
    title, caption = "Volume through time", "Lots traded in each twentieth of the tape; the lighter part is what buyers took."
    if found.volume.height == 0 or found.volume["lots"].sum() == 0:
        return Chart("volume", title, caption, note="Nothing traded on this tape.")
    start_ns = subject.tape.start_ns
    unit_ns, unit = (60_000_000_000, "minutes") if subject.tape.end_ns - start_ns > 300_000_000_000 else (1_000_000_000, "seconds")
    middle = ((found.volume["from_ns"] + found.volume["to_ns"]) / 2 - start_ns) / unit_ns
    bought = (found.volume["lots"] * found.volume["buy_share"].fill_null(0)).to_list()
    sold = [lots - part for lots, part in zip(found.volume["lots"].to_list(), bought, strict=True)]
    traces = [
        {"type": "bar", "name": name, "x": middle.to_list(), "y": values, "marker": {"color": color},
            "hovertemplate": f"%{{y:,.0f}} lots {name} around %{{x:.1f}} {unit}"}
        for name, values, color in (("bought by takers", bought, "$bid/0.7"), ("sold by takers", sold, "$ask"))
    ]
    return Chart("volume", title, caption, traces, layout(f"{unit} since the start", "lots", barmode="stack"))


def _signature(found):
    title, caption = "Volatility by step", (
        "Variance of the mid per second, by the length of the step it is measured with; two standard errors. Falling: the mid bounces. Rising: it trends. "
        "Flat: it walks."
    )
    known = found.signature.filter(found.signature["variance_per_s"].is_not_null())
    if known.height == 0:
        return Chart("signature", title, caption, note="The tape is too short for twenty returns of any step.")
    steps = known["step_s"].to_list()
    trace = {
        "type": "scatter", "mode": "lines+markers", "x": steps, "y": known["variance_per_s"].to_list(), "line": {"color": "$series1", "width": 1.6},
        "marker": {"size": 7, "color": "$series1"}, "customdata": known["returns"].to_list(),
        "error_y": {"type": "data", "array": (2 * known["error"].fill_null(0)).to_list(), "color": "$series1/0.6", "thickness": 1.2, "width": 3},
        "hovertemplate": "steps of %{x} s: %{y:.3f} ticks² a second, %{customdata:,} returns",
    }
    axes = layout("step, seconds", "ticks² a second", showlegend=False, yaxis={"rangemode": "tozero"})
    axes["xaxis"] |= {"type": "log", "tickvals": steps, "ticktext": [f"{step:g}" for step in steps]}
    return Chart("signature", title, caption, [trace], axes)
