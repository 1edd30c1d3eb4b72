"""Flow: what the order flow does to the mid, to itself, and how long it remembers."""
import numpy as np

from lob.analytics.flow import flow
from lob.report.numbers import number, percent, significant, with_error
from lob.report.parts import Chart, Column, Section, Table, layout
from lob.report.theme import SERIES

CLOCKS = {"event": "one sign a trade", "fill": "one sign a fill", "block": "net sign of each second"}


def section(subject):
    """Return imbalance, memory, bursts, metaorders and their impact."""
    found = flow(subject.tape, book=subject.book)
    lead = "Order flow imbalance is the symptom; self-excitation and large orders in small pieces are two models of the cause."
    return Section("flow", "Flow", "Flow and memory", lead, [_memory(found), _imbalance(found), _memory_table(found), _bursts(found), _impact(found),
        _splitters(found)])


def _memory(found):
    title, caption = "How long trades remember their side", (
        "Autocorrelation of trade signs by lag, both axes logarithmic. A straight slow decline is long memory: someone is still working an order. "
        "Below the dotted line of its colour, two standard errors of a series without memory, it cannot be told from none; points below a quarter of that "
        "are not drawn."
    )
    table, traces = found.autocorrelation, []
    for k, clock in enumerate(CLOCKS):
        # On a logarithmic axis a value near zero, which says nothing, would take more room than all that say something.
        mine = table.filter((table["clock"] == clock) & (table["autocorrelation"] > table["error"] / 2))
        if mine.height < 2:
            continue
        kept = np.unique(np.geomspace(1, mine.height, 60).astype(int)) - 1
        lags, values = mine["lag"].to_numpy()[kept], mine["autocorrelation"].to_numpy()[kept]
        traces.append({"type": "scatter", "mode": "lines+markers", "name": clock, "x": lags, "y": values, "line": {"color": SERIES[k], "width": 1.6},
                       "marker": {"size": 5, "color": SERIES[k]}, "hovertemplate": f"{clock} clock, lag %{{x}}: %{{y:.4f}}", "legendgroup": clock})
        noise = 2 * mine["error"][0]
        traces.append({"type": "scatter", "mode": "lines", "x": [int(lags[0]), int(lags[-1])], "y": [noise, noise], "showlegend": False, "legendgroup": clock,
                       "line": {"color": SERIES[k], "width": 1.2, "dash": "dot"}, "hoverinfo": "skip", "name": clock})
    if not traces:
        return Chart("memory", title, caption, note="There are too few trades for an autocorrelation: a lag needs ten times as many signs.")
    axes = layout("lag, trades, fills or seconds", "autocorrelation", xaxis={"type": "log", "dtick": 1},
        yaxis={"type": "log", "dtick": 1, "tickformat": "~g"})
    return Chart("memory", title, caption, traces, axes)


def _memory_table(found):
    columns = [
        Column("clock", is_text=True), Column("signs"), Column("γ", "± 2 errors"), Column("γ, log–log", "± 2 errors"), Column("α of lengths", "± 2 errors"),
        Column("α − γ − 1", "± 2 errors"), Column("splitters", "by the test"), Column("splitters", "by the barometer"), Column("note", is_text=True),
    ]
    rows = [
        [line["clock"], number(line["count"]), _plain(line["gamma"], line["gamma_error"]), _plain(line["gamma_loglog"], line["gamma_loglog_error"]),
         _plain(line["alpha"], line["alpha_error"]), with_error(line["difference"], line["difference_error"]), number(line["splitters"]),
         significant(line["splitters_barometer"], 2), line["note"] or ""]
        for line in found.memory.iter_rows(named=True)
    ]
    caption = (
        "γ: the autocorrelation decays as lag^−γ. α: metaorder lengths fall as L^−(α+1). Theory has α = γ + 1 in the event clock. The barometer takes all "
        "splitters for equally active, with nobody else trading: it tells high from low, it is no census."
    )
    return Table("memory-table", "The memory in numbers", caption, columns, rows).without_empty_notes()


def _plain(value, error):
    return with_error(value, error, sign=False)


def _imbalance(found):
    title, caption = "What moves the mid: orders or trades", (
        "Share of the mid's variance in windows of one length that a straight line on order flow imbalance explains, and on signed trades alone. "
        "Where imbalance is far above, quotes move the price and trades only confirm it."
    )
    table = found.imbalance.filter(found.imbalance["r_squared"].is_not_null())
    if table.height == 0:
        return Chart("imbalance", title, caption, note="There are fewer than thirty windows of each length in which the mid moved, too few for a regression.")
    words = [f"{window:g} s" for window in table["window_s"].to_list()]
    traces = []
    for name, column, slope, color in (("order flow imbalance", "r_squared", "beta", "$series1"),
        ("signed trades", "trade_r_squared", "trade_beta", "$series2")):
        traces.append({
            "type": "bar", "name": name, "x": words, "y": table[column].to_list(), "marker": {"color": color},
            "customdata": table.select(slope, f"{slope}_error", "windows", "half_depth").fill_null(0).rows(),
            "hovertemplate": "%{x}: R² %{y:.2f}, slope %{customdata[0]:.4f} ± %{customdata[1]:.4f} ticks a lot, %{customdata[2]:,} windows",
        })
    return Chart("imbalance", title, caption, traces, layout("length of a window", "R²", barmode="group", bargap=0.4, yaxis={"range": [0, 1]}))


def _bursts(found):
    columns = [
        Column("model", is_text=True), Column("trades used"), Column("branching ratio", "± 2 errors"), Column("against Poisson", "p"),
        Column("misfit", "KS distance"), Column("misfit", "p"), Column("note", is_text=True),
    ]
    rows = [
        [line["model"], number(line["used"]), _plain(line["branching_ratio"], line["branching_error"]),
            "under 1e−300" if line["gain_p"] == 0 else significant(line["gain_p"], 2),
         significant(line["residual_distance"], 2), significant(line["residual_p"], 2), line["note"] or ""]
        for line in found.hawkes.iter_rows(named=True)
    ]
    caption = (
        "Hawkes processes fitted by maximum likelihood. The branching ratio is the share of trades brought on by earlier trades: near 0 they come by "
        "chance, near 1 one trade keeps the market busy. A misfit with a small p says that the kernel is not the true one."
    )
    return Table("bursts", "Bursts", caption, columns, rows).without_empty_notes()


def _impact(found):
    title, caption = "Impact of metaorders", (
        "How far the mid had moved when a run of trades by one owner on one side was over, by its size; both axes logarithmic, two standard errors. "
        "A slope of one half is the square-root law."
    )
    table = found.impact.filter((found.impact["impact_ticks"] > 0) & (found.impact["metaorders"] >= 5))
    if table.height < 2:
        return Chart("impact", title, caption, note="Too few runs of trades by one owner moved the mid their way for a curve.")
    trace = {
        "type": "scatter", "mode": "lines+markers", "x": table["lots"].to_list(), "y": table["impact_ticks"].to_list(),
        "line": {"color": "$series1", "width": 1.6},
        "marker": {"size": 7, "color": "$series1"}, "customdata": table["metaorders"].to_list(),
        "error_y": {"type": "data", "array": (2 * table["impact_error"].fill_null(0)).to_list(), "color": "$series1/0.6", "thickness": 1.2, "width": 0},
        "hovertemplate": "%{x:.0f} lots: %{y:.2f} ticks, %{customdata:,} metaorders",
    }
    # An error bar that reaches below zero has no end on a logarithmic axis; the axis is that of the means.
    span = [np.log10(table["impact_ticks"].min() / 2), np.log10(table["impact_ticks"].max() * 2)]
    axes = layout("lots", "move of the mid, ticks", showlegend=False, xaxis={"type": "log", "dtick": 1}, yaxis={"type": "log", "dtick": 1, "range": span})
    return Chart("impact", title, caption, [trace], axes)


def _splitters(found):
    columns = [Column("owner", is_text=True), Column("kind", is_text=True), Column("trades"), Column("metaorders"), Column("mean length", "trades"),
        Column("score", "sd")]
    most = found.traders.filter(found.traders["is_splitter"].fill_null(False)).sort("trades", descending=True)
    rows = [
        [str(line["agent"]), str(line["kind"]), number(line["trades"]), number(line["metaorders"]), number(line["mean_length"], 1), number(line["score"], 1)]
        for line in most.head(10).iter_rows(named=True)
    ]
    share = most["trades"].sum() / max(found.traders["trades"].sum(), 1)
    caption = (
        f"Owners whose trades change sides too seldom to be coin tosses, by a test at one in a hundred: {number(most.height)}, with {percent(share)} "
        "of all trades."
    )
    note = None if rows else "By the test at one in a hundred no owner split its orders, or none traded twenty times."
    return Table("splitters", "Who splits orders", caption, columns, rows, note)
