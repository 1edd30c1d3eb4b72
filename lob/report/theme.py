"""Theme: the colours of every figure, once.

Owns the palette as words, for paper and for the dark, and their place in a figure. A chart names colours as "$ink" or "$bid/0.2" (with its opacity); the
page puts in what the reader's scheme asks for, a notebook or a file the colours of paper.
"""
import re

PAPER = {
    "page": "#ffffff", "panel": "#f6f7f9", "ink": "#1f2328", "muted": "#59636e", "faint": "#8c959f", "grid": "#e6e8eb", "line": "#d0d7de",
    "series1": "#2a78d6", "series2": "#eb6834", "series3": "#1baf7a", "series4": "#9a5bd0", "series5": "#b8860b", "series6": "#d6457b",
    "bid": "#2a78d6", "ask": "#eb6834", "gain": "#137a52", "loss": "#c62f3b",
}
DARK = {
    "page": "#0f1318", "panel": "#171c23", "ink": "#e6e9ed", "muted": "#a2acb8", "faint": "#6f7a87", "grid": "#252c35", "line": "#343d48",
    "series1": "#5b9ff0", "series2": "#f58b5f", "series3": "#3fcf9a", "series4": "#bb8bea", "series5": "#d6a93a", "series6": "#ee7aa4",
    "bid": "#5b9ff0", "ask": "#f58b5f", "gain": "#45c68f", "loss": "#f0737c",
}
FONT = "Inter, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
SERIES = tuple(f"$series{k}" for k in range(1, 7))
TOKEN = re.compile(r"\$([a-z]+[0-9]?)(?:/([0-9.]+))?")


def painted(value, colors=PAPER):
    """Return a figure's dict, list or word with its colours put in."""
    if isinstance(value, dict):
        return {key: painted(item, colors) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [painted(item, colors) for item in value]
    found = TOKEN.fullmatch(value) if isinstance(value, str) else None
    return _color(colors[found[1]], found[2]) if found else value


def _color(color, opacity):
    if opacity is None:
        return color
    red, green, blue = (int(color[i:i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def as_css():
    """Return the palettes as style rules: of paper, and of the dark where the screen asks for it."""
    paper, dark = ("".join(f"--{name}:{color};" for name, color in colors.items()) for colors in (PAPER, DARK))
    return f":root{{{paper}color-scheme:light}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}color-scheme:dark}}}}"
