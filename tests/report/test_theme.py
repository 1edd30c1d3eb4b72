"""Colours are words in a figure until somebody says on what it is drawn."""
from lob.report.theme import DARK, PAPER, as_css, painted


def test_both_palettes_have_the_same_words():
    assert PAPER.keys() == DARK.keys()


def test_words_become_colours_at_any_depth_and_other_words_stay():
    figure = {"data": [{"line": {"color": "$ink"}, "name": "$100 a lot", "x": [1, 2]}], "scale": [[0, "$bid/0.5"]]}
    assert painted(figure) == {"data": [{"line": {"color": PAPER["ink"]}, "name": "$100 a lot", "x": [1, 2]}], "scale": [[0, "rgba(42,120,214,0.5)"]]}


def contrast(one, other):
    """Return the contrast of two colours. Source: WCAG 2.2, relative luminance."""
    def luminance(color):
        parts = [int(color[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    high, low = sorted([luminance(one), luminance(other)], reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_words_can_be_read_on_paper_and_in_the_dark():
    for colors in (PAPER, DARK):
        for ground in ("page", "panel"):
            assert min(contrast(colors[name], colors[ground]) for name in ("ink", "muted", "gain", "loss")) >= 4.5


def test_the_style_rules_have_every_colour_of_both():
    assert all(f"--{name}:{color}" in as_css() for colors in (PAPER, DARK) for name, color in colors.items())
