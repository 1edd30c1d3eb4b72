"""Curve: the markout curve as a figure for the browser.

Owns the look of the figure: realised spread against horizon on a logarithmic axis, a band of two standard errors, one line a maker, zero drawn.
"""
from pathlib import Path

from lob.analytics.markouts import HORIZONS_NS, fill_markouts_everywhere, markouts
from lob.errors import TapeError
from lob.files import whole_file

# Six hues that keep apart from each other in print and for the colour-blind; a seventh line should be another figure.
COLORS = ("#2a78d6", "#eb6834", "#1baf7a", "#9a5bd0", "#b8860b", "#d6457b")
LINES_MAX = len(COLORS)
INK, MUTED, GRID = "#1f2328", "#59636e", "#e6e8eb"


def maker_curves(tape, horizons_ns=HORIZONS_NS):
    """Return (markout table, name of its first column): one line a maker, or one a kind of maker where there are too many to tell apart.

    Makers are the agents whose role is "maker", at whichever venue; if no agent on the tape has it, all agents are.
    """
    import polars

    fills = fill_markouts_everywhere(tape, horizons_ns)
    makers = fills.filter(polars.col("role") == "maker") if "maker" in fills["role"].cast(polars.String).unique() else fills
    line = "agent" if makers["agent"].n_unique() <= LINES_MAX else "kind"
    return markouts(makers, by=line), line


def curve(table, title, line="agent"):
    """Return the plotly figure of a markout table: realised spread in ticks per lot against horizon, one line a value of the column `line`."""
    figure = _panels([title])
    _draw(figure, table, line, 1, dict(zip(_lines(table, line), COLORS, strict=False)))
    return figure


def compare(tape_a, tape_b):
    """Return the plotly figure of two tapes' maker curves side by side, on one scale; a maker of the same name has the same colour."""
    tables = [maker_curves(tape) for tape in (tape_a, tape_b)]
    names = dict.fromkeys(name for table, line in tables for name in _lines(table, line))
    colors = dict(zip(names, COLORS * (1 + len(names) // LINES_MAX), strict=False))
    figure = _panels([tape.provenance.get("scenario") or "tape" for tape in (tape_a, tape_b)])
    for column, (table, line) in enumerate(tables, start=1):
        _draw(figure, table, line, column, colors)
    return figure


def write_html(figure, path):
    """Write a figure as one HTML file that needs no network, and return its path; raises TapeError if it cannot be written."""
    with whole_file(path, TapeError, "the figure cannot be written") as part:
        part.write_text(figure.to_html(include_plotlyjs=True, full_html=True, config={"displayModeBar": False}), encoding="utf-8")
    return Path(path)


def _lines(table, line):
    return table.filter(table["fills"] > 0)[line].unique(maintain_order=True).cast(str).to_list()


def _panels(titles):
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=len(titles), shared_yaxes=True, horizontal_spacing=0.04, subplot_titles=[f"<b>{title}</b>" for title in titles])
    figure.update_layout(
        template="simple_white", width=640 if len(titles) == 1 else 1080, height=460, margin={"l": 70, "r": 30, "t": 60, "b": 95},
        font={"family": "Inter, Helvetica, Arial, sans-serif", "size": 14, "color": INK}, paper_bgcolor="white", plot_bgcolor="white",
        legend={"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top", "font": {"size": 13}}, hovermode="x unified",
        legend_title={"text": "mean ± 2 standard errors:  ", "font": {"size": 13, "color": MUTED}},
    )
    figure.update_xaxes(type="log", showgrid=False, linecolor=MUTED, ticks="outside", tickcolor=MUTED, title=_muted("time after the fill, seconds"))
    figure.update_yaxes(gridcolor=GRID, showgrid=True, showline=False, ticks="", zeroline=True, zerolinecolor=INK, zerolinewidth=1.4, rangemode="tozero")
    figure.update_yaxes(title=_muted("realised spread, ticks per lot"), col=1)
    return figure


def _muted(text):
    return {"text": text, "font": {"color": MUTED, "size": 14}}


def _draw(figure, table, line, column, colors):
    horizons = table["horizon_s"].unique().sort().to_list()
    figure.update_xaxes(tickvals=horizons, ticktext=[f"{horizon:g}" for horizon in horizons], col=column)
    known = table.filter(table["fills"] > 0)
    for name in _lines(table, line):
        rows = known.filter(known[line].cast(str) == name)
        is_new = not any(trace.name == name and trace.showlegend for trace in figure.data)
        for trace in _traces(rows, name, colors[name], is_new):
            figure.add_trace(trace, row=1, col=column)


def _traces(rows, name, color, in_legend):
    """Return a line with its band: two standard errors to either side of the mean."""
    from plotly.graph_objects import Scatter

    x, mean = rows["horizon_s"].to_list(), rows["realised"]
    error = 2 * rows["standard_error"].fill_null(0)
    edges = (mean + error).to_list() + (mean - error).to_list()[::-1]
    details = rows.select("effective", "impact", "standard_error", "fills").rows()
    hover = "%{y:.3f} ± %{customdata[2]:.3f} = %{customdata[0]:.3f} effective − %{customdata[1]:.3f} impact, %{customdata[3]:,} fills"
    return [
        Scatter(
            x=x + x[::-1], y=edges, mode="lines", fill="toself", fillcolor=color, opacity=0.18, line={"width": 0},
            hoverinfo="skip", showlegend=False, legendgroup=name,
        ),
        Scatter(
            x=x, y=mean.to_list(), name=name, mode="lines+markers", line={"color": color, "width": 2.4}, marker={"size": 7}, customdata=details,
            hovertemplate=hover, showlegend=in_legend, legendgroup=name,
        ),
    ]
