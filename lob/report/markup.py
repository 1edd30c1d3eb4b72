"""Markup: parts of a page as HTML. Owns the elements and their classes, which `assets/page.css` dresses; every word from a tape is escaped."""
from html import escape

from lob.report.numbers import MINUS
from lob.report.parts import Cards, Chart, Live, Table

SIGNS = {"+": "gain", MINUS: "loss"}


def section_html(section, parts_html):
    """Return a section around its parts."""
    return f'<section id="{section.name}"><h2>{escape(section.title)}</h2><p class="lead">{escape(section.lead)}</p>{parts_html}</section>'


def part_html(part):
    """Return any part of a section."""
    return {Chart: _chart, Table: _table, Cards: _cards, Live: _live}[type(part)](part)


def _figure(part, kind, inside):
    caption = f"<figcaption>{escape(part.caption)}</figcaption>" if part.caption else ""
    return f'<figure class="{kind}" id="{part.name}"><h3>{escape(part.title)}</h3>{inside}{caption}</figure>'


def _note(note):
    return f'<p class="note">{escape(note)}</p>'


def _chart(chart):
    if chart.note:
        return _figure(chart, "chart", _note(chart.note))
    size, title = f'data-height="{chart.height}" style="height:{chart.height}px"', escape(chart.title, quote=True)
    return _figure(chart, "chart", f'<div class="plot" data-chart="{chart.name}" {size} role="img" aria-label="{title}"></div>')


def _live(live):
    if live.note:
        return _figure(live, "live", _note(live.note))
    return _figure(live, "live", f'<div class="{live.kind}" data-live="{live.name}"></div>')


def _table(table):
    if table.note:
        return _figure(table, "table", _note(table.note))
    head = "".join(map(_head, table.columns))
    body = "".join("<tr>" + "".join(_cell(table, k, word) for k, word in enumerate(row)) + "</tr>" for row in table.rows)
    return _figure(table, "table", f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>')


def _head(column):
    kind, unit = ' class="text"' if column.is_text else "", f"<small>{escape(column.unit)}</small>" if column.unit else ""
    return f'<th{kind} scope="col">{escape(column.name)}{unit}</th>'


def _cell(table, k, word):
    names = ["text"] if table.columns[k].is_text else []
    if k in table.signed and any(digit in word for digit in "123456789"):
        names.append("loss" if word.startswith(MINUS) else "gain")
    return f"<td{' class=' + chr(34) + ' '.join(names) + chr(34) if names else ''}>{escape(word)}</td>"


def _cards(cards):
    return f'<div class="cards" id="{cards.name}-cards">' + "".join(_card(card) for card in cards.cards) + "</div>"


def _card(card):
    bars = _bars(card.bars) if card.bars else ""
    words = "".join(f"<p>{escape(word)}</p>" for word in card.words)
    return f'<article class="card {card.tone}"><h3>{escape(card.question)}</h3><p class="answer">{escape(card.answer)}</p>{bars}{words}</article>'


def _bars(bars):
    """Return amounts as bars to either side of zero, all on one scale."""
    low, high = min(0, *(value for _, value, _ in bars)), max(0, *(value for _, value, _ in bars))
    span = (high - low) or 1
    lines = []
    for name, value, text in bars:
        left, width = 100 * (min(value, 0) - low) / span, 100 * abs(value) / span
        tone = "gain" if value > 0 else "loss"
        lines.append(
            f'<li><span class="name">{escape(name)}</span><span class="amount">{escape(text)}</span>'
            f'<span class="track"><i class="{tone}" style="left:{left:.2f}%;width:{width:.2f}%"></i><b style="left:{-100 * low / span:.2f}%"></b></span></li>'
        )
    return f'<ul class="bars">{"".join(lines)}</ul>'
