"""The side-by-side as a picture: horizontal bars on a logarithmic scale, written as SVG by hand, so that it needs no library and its text stays text."""
import math
from html import escape
from pathlib import Path

WIDTH, LEFT, RIGHT, TOP, ROW, BAR = 800, 218, 112, 74, 30, 18
OURS, OTHERS, INK, FAINT, GRID = "#0969da", "#8c959f", "#1f2328", "#59636e", "#d8dee4"
BOOK_ONLY = "url(#book)"
HATCH = (
    '<pattern id="book" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="6" height="6" fill="{OTHERS}" fill-opacity="0.3"/><rect width="3" height="6" fill="{OTHERS}" fill-opacity="0.65"/></pattern>'
)
FONT = "-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"


def draw(result, path):
    """Write the picture of a result of `side_by_side.py` to `path`, 800 pixels wide."""
    Path(path).write_text(svg(result), encoding="utf-8")


def svg(result):
    """Return the picture: one bar for each row, the fastest first."""
    rows = sorted(result["rows"], key=lambda row: row["ns_per_message"])
    low, high = math.floor(math.log10(rows[0]["ns_per_message"] / 2)), math.log10(rows[-1]["ns_per_message"])
    bottom = TOP + ROW * len(rows)
    height = bottom + 58

    def x_of(ns):
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(ns) - low) / (high - low)

    parts = [*_title(result), *_grid(low, high, x_of, bottom)]
    for i, row in enumerate(rows):
        parts += _bar(row, TOP + ROW * i, x_of)
    parts += _legend(bottom + 40)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" font-family="{FONT}" font-size="13">'
    return "\n".join([head, HATCH, f'<rect width="{WIDTH}" height="{height}" rx="6" fill="#ffffff"/>', *parts, "</svg>"]) + "\n"


def _text(x, y, text, colour=INK, anchor="start", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _title(result):
    stream = f"{result['messages']:,} messages: adds, cancels and market orders; about {result['resting_orders']:,} orders rest. Logarithmic, shorter is faster"
    return [_text(20, 30, "Nanoseconds a message, the same stream through each", more=' font-size="17" font-weight="600"'), _text(20, 52, stream, FAINT)]


def _grid(low, high, x_of, bottom):
    names = {power: f"{10**power:,} ns" if power < 3 else f"{10**(power - 3):,} µs" for power in range(low, math.floor(high) + 1)}
    lines = [f'<line x1="{x_of(10**power):.1f}" x2="{x_of(10**power):.1f}" y1="{TOP - 6}" y2="{bottom}" stroke="{GRID}"/>' for power in names]
    return lines + [_text(x_of(10**power), bottom + 16, name, FAINT, "middle", ' font-size="12"') for power, name in names.items()]


def _bar(row, y, x_of):
    is_ours = row["engine"].startswith("lob,")
    matches = row["does"] == "matches"
    colour = OURS if is_ours else (OTHERS if matches else BOOK_ONLY)
    ns, middle = row["ns_per_message"], y + ROW / 2
    bar = f'<rect x="{LEFT}" y="{middle - BAR / 2:.1f}" width="{x_of(ns) - LEFT:.1f}" height="{BAR}" rx="2" fill="{colour}"/>'
    value = f"{ns:,.0f} ns" if ns < 1000 else f"{ns / 1000:,.1f} µs"
    weight = ' font-weight="600"' if is_ours else ""
    disagrees = "" if row["agrees"] else ", disagrees"
    return [_text(LEFT - 10, middle + 4.5, row["engine"], anchor="end", more=weight), bar, _text(x_of(ns) + 8, middle + 4.5, value + disagrees, more=weight)]


def _legend(y):
    parts, x = [], LEFT
    entries = (OURS, "this project", 116), (OTHERS, "matches orders", 136), (BOOK_ONLY, "keeps a book only, told what the messages do to it", 0)
    for colour, text, width in entries:
        parts += [f'<rect x="{x}" y="{y - 10}" width="14" height="12" rx="2" fill="{colour}"/>', _text(x + 20, y, text, FAINT, more=' font-size="12"')]
        x += width
    return parts
