"""Page: one self-contained HTML file of a tape, or of two side by side.

Owns the order of the sections, and the file: its words, its data, the code that draws them and plotly, each once. Nothing is fetched from anywhere.
"""
from dataclasses import replace
from html import escape
from importlib import resources
from pathlib import Path

from lob.errors import TapeError
from lob.files import whole_file
from lob.report.markup import part_html, section_html
from lob.report.numbers import number
from lob.report.packing import as_json
from lob.report.parts import Cards, Chart, Live, Section
from lob.report.sections import behaviour, book, differences, facts, flow, money, queues, race, run, verdict, worst, worth
from lob.report.subject import Subject
from lob.report.theme import DARK, PAPER, as_css

SECTIONS = (verdict, money, worth, worst, book, race, queues, flow, behaviour, facts, run)
SCRIPTS = ("page.js", "book.js", "replay.js")
SIDES = ("A", "B")


def sections_of(tape, agent=None, book=0):
    """Return the sections of a tape's page: [Section]. agent: the name of whose questions are answered first; book: which of the tape's books."""
    subject = Subject(tape, agent, book)
    return [module.section(subject) for module in SECTIONS]


def figures_of(tape, agent=None, book=0):
    """Return the charts of a tape's page as plotly figures by name, for a notebook: {name: Figure}."""
    return {part.name: part.figure() for section in sections_of(tape, agent, book) for part in section.parts if isinstance(part, Chart)}


def page(tape, agent=None, book=0):
    """Return the page of a tape as HTML."""
    sections = sections_of(tape, agent, book)
    title = sections[0].title
    body = "".join(section_html(section, _grouped(section.parts)) for section in sections)
    return _document(title, sections, body, [part for section in sections for part in section.parts])


def compared_page(tapes, agent=None, book=0):
    """Return the page of two tapes side by side as HTML: what differs in numbers, then every section of the one beside that of the other."""
    first = Subject(tapes[0], agent, book)
    names = tapes[1].agents.values()
    second = Subject(tapes[1], agent or (first.focus_name if first.focus_name in [one["name"] for one in names] else None), book)
    pairs = [[module.section(subject) for subject in (first, second)] for module in SECTIONS]
    top = differences.section(first, second)
    merged, body, parts = [top], section_html(top, _grouped(top.parts)), list(top.parts)
    for pair in pairs:
        sections = [_renamed(section, side) for section, side in zip(pair, SIDES, strict=True)]
        lead = " ".join(dict.fromkeys(section.lead for section in pair)) if pair[0].name != "verdict" else "A above, B below."
        merged.append(Section(pair[0].name, pair[0].label, "The two runs" if pair[0].name == "verdict" else pair[0].title, lead, []))
        body += section_html(merged[-1], _side_by_side(sections))
        parts += [part for section in sections for part in section.parts]
    return _document(top.title, merged, body, parts)


def write_page(html, path):
    """Write a page and return its path; raises TapeError if it cannot be written."""
    with whole_file(path, TapeError, "the page cannot be written") as part:
        part.write_text(html, encoding="utf-8")
    return Path(path)


def _grouped(parts):
    """Return parts as HTML, charts that follow each other two to a row where the screen is wide."""
    html, open_row = [], False
    for part in parts:
        is_chart = isinstance(part, Chart)
        if is_chart != open_row:
            html.append('<div class="row">' if is_chart else "</div>")
            open_row = is_chart
        html.append(part_html(part))
    return "".join(html) + ("</div>" if open_row else "")


def _renamed(section, side):
    """Return a section whose parts say which run they are of."""
    parts = []
    for part in section.parts:
        name = f"{part.name}-{side.lower()}"
        parts.append(replace(part, name=name) if isinstance(part, Cards) else replace(part, name=name, title=f"{side} · {part.title}"))
    return replace(section, parts=parts)


def _side_by_side(sections):
    rows, names = {}, list(dict.fromkeys(part.name[:-2] for section in sections for part in section.parts))
    for section in sections:
        rows |= {part.name: part for part in section.parts}
    html = []
    for name in names:
        pair = [rows[f"{name}-{side.lower()}"] for side in SIDES if f"{name}-{side.lower()}" in rows]
        kind = "row pair" if all(isinstance(part, Chart) for part in pair) else "stack"
        html.append(f'<div class="{kind}">' + "".join(part_html(part) for part in pair) + "</div>")
    return "".join(html)


def _document(title, sections, body, parts):
    charts = {part.name: {"data": part.traces, "layout": part.layout} for part in parts if isinstance(part, Chart) and not part.note}
    live = {part.name: {"kind": part.kind, "data": part.data} for part in parts if isinstance(part, Live) and not part.note}
    data = as_json({"charts": charts, "live": live, "colors": {"paper": PAPER, "dark": DARK}})
    links = "".join(f'<a href="#{section.name}">{escape(section.label)}</a>' for section in sections)
    plotly, style, code = _plotly(), as_css() + _asset("page.css"), "\n".join(_asset(name) for name in SCRIPTS)
    size = sum(len(text) for text in (body, data, plotly, style, code))
    footer = (
        f"Everything is in this file: {number(size / 1e6, 1)} MB, of which {number(len(plotly) / 1e6, 1)} MB are plotly.js, which draws the charts, and "
        f"{number(len(data) / 1e6, 1)} MB data. It asks no network for anything. Made by lob report of queuerace."
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body><nav>{links}</nav><main>{body}</main><footer>{escape(footer)}</footer>"
        f'<script>{plotly}</script><script type="application/json" id="report-data">{data}</script><script>{code}</script></body></html>\n'
    )


def _asset(name):
    return resources.files("lob.report").joinpath("assets", name).read_text(encoding="utf-8")


def _plotly():
    """Return plotly.js as the Python package ships it, the one bundle that is there without a network."""
    from plotly.offline import get_plotlyjs

    return get_plotlyjs()
