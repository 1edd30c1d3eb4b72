"""Parts: what a page is made of, before it is a page.

Owns Chart, Table, Cards and Section: plain records with their words. A chart is data and layout as plotly takes them, with colours as words (see `theme`); a
part that has nothing to show carries a sentence that says so instead. Knows no HTML.
"""
from dataclasses import dataclass, field, replace

from lob.report.theme import FONT, SERIES, painted

BAND_OPACITY = 0.16


@dataclass(frozen=True)
class Chart:
    """A figure. name: unique on the page; caption: in plain words, what to read from it; note: what stands in its place if there is nothing to draw."""

    name: str
    title: str
    caption: str
    traces: list = field(default_factory=list)
    layout: dict = field(default_factory=dict)
    note: str | None = None
    height: int = 340

    def figure(self):
        """Return it as a plotly figure on paper; without anything to draw, an empty one that says why."""
        from plotly.graph_objects import Figure

        layout = {"title": {"text": self.title, "font": {"size": 15}}, **self.layout, "height": self.height + 60,
            "margin": {"l": 64, "r": 20, "t": 84, "b": 52}}
        if self.note:
            words = {"text": self.note, "showarrow": False, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper"}
            layout = {"title": layout["title"], "annotations": [words], "xaxis": {"visible": False}, "yaxis": {"visible": False}}
        return Figure(painted({"data": [] if self.note else self.traces, "layout": layout}))


@dataclass(frozen=True)
class Column:
    """A table's column. unit: below its name; is_text: words stand left, numbers right."""

    name: str
    unit: str = ""
    is_text: bool = False


@dataclass(frozen=True)
class Table:
    """A table of finished words. columns: [Column]; rows: [[word]]; signed: indices of columns coloured by their sign."""

    name: str
    title: str
    caption: str
    columns: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    note: str | None = None
    signed: tuple = ()

    def without_empty_notes(self):
        """Return the table without its last column if that is empty."""
        if any(row[-1] for row in self.rows):
            return self
        return replace(self, columns=self.columns[:-1], rows=[row[:-1] for row in self.rows])


@dataclass(frozen=True)
class Card:
    """One question, its answer in large, and the sentences behind it; tone: gain, loss or empty; bars: [(word, value, text)] of what it is made of."""

    question: str
    answer: str
    words: list
    tone: str = ""
    bars: list = field(default_factory=list)


@dataclass(frozen=True)
class Cards:
    """Questions side by side."""

    name: str
    cards: list


@dataclass(frozen=True)
class Live:
    """A part that the page's own code draws from data: `kind` names which (book, replay); data: dict of numbers, words and arrays."""

    name: str
    kind: str
    title: str
    caption: str
    data: dict = field(default_factory=dict)
    note: str | None = None


@dataclass(frozen=True)
class Section:
    """A part of the page under one heading. label: its name in the bar at the top; lead: the sentence under the heading."""

    name: str
    label: str
    title: str
    lead: str
    parts: list


def layout(x, y, **more):
    """Return the layout of a chart: titles of both axes, with their units; more: what differs, as plotly has it, axes by update."""
    axis = {
        "gridcolor": "$grid", "linecolor": "$line", "zerolinecolor": "$muted", "tickcolor": "$line", "automargin": True, "separatethousands": True,
        "exponentformat": "none",
    }
    x_axis = {**axis, "title": _title(x), "showgrid": False, "showline": True, "ticks": "outside", "zeroline": False, "tickangle": 0, **more.pop("xaxis", {})}
    y_axis = {**axis, "title": _title(y), "showline": False, "zeroline": True, "zerolinewidth": 1.2, **more.pop("yaxis", {})}
    return {
        "xaxis": x_axis, "yaxis": y_axis, "font": {"family": FONT, "size": 13, "color": "$ink"}, "paper_bgcolor": "$page/0", "plot_bgcolor": "$page/0",
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 12}}, "hovermode": "closest",
        "hoverlabel": {"bgcolor": "$panel", "bordercolor": "$line", "font": {"color": "$ink", "size": 12}}, "colorway": list(SERIES), **more,
    }


def _title(text):
    return {"text": text, "standoff": 8, "font": {"size": 12, "color": "$muted"}}


def log_ticks(values):
    """Return the axis settings of a logarithmic axis with a tick at each value."""
    return {"type": "log", "tickvals": list(values), "ticktext": [f"{value:g}" for value in values]}


def line(name, x, y, color, **more):
    """Return a line through known points; a gap where y is None."""
    return {"type": "scatter", "mode": "lines", "name": name, "x": x, "y": y, "line": {"color": color, "width": 2}, **more}


def band(name, x, low, high, color):
    """Return the area between two lines, shown and hidden with the line of the same name."""
    return {
        "type": "scatter", "mode": "lines", "x": [*x, *reversed(x)], "y": [*high, *reversed(low)], "fill": "toself", "fillcolor": f"{color}/{BAND_OPACITY}",
        "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False, "legendgroup": name, "name": name,
    }


def with_band(name, x, mean, error, color, hover, customdata=None):
    """Return the traces of means with a band of two standard errors to either side, points without an error as if it were none."""
    errors = [2 * (one or 0) for one in error]
    low, high = ([value + sign * width for value, width in zip(mean, errors, strict=True)] for sign in (-1, 1))
    more = {"mode": "lines+markers", "marker": {"size": 6, "color": color}, "legendgroup": name, "hovertemplate": hover, "customdata": customdata}
    return [band(name, x, low, high, color), line(name, x, mean, color, **more)]


def renamed(part, name):
    """Return a part under another name."""
    return replace(part, name=name)
