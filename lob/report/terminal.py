"""Terminal: the markout curve drawn with braille dots, for those who have only a terminal.

Owns the canvas: a character is two dots wide and four high. Each line has a colour and a mark of its own, so it can be told apart without colours.
"""
import math
from dataclasses import dataclass
from itertools import pairwise

from rich.measure import Measurement
from rich.text import Text

COLORS = ("bright_blue", "orange3", "green3", "medium_purple2", "gold3", "hot_pink3")
MARKS, ASCII_MARKS = "●▲■◆▼★", "oxs#+*"
HEIGHT, WIDTH_MAX, MARGIN = 15, 100, 9
# Bit of each dot in a braille character, by row and column within it (Unicode 2800 block).
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


def terminal_curve(table, title="markout curve", line="agent"):
    """Return a rich renderable of a markout table: realised spread in ticks per lot, a bar of two standard errors at every horizon.

    table: what `markouts` returns; line: the column that tells its lines apart. Fits the console, at most 100 columns wide.
    """
    curves = []
    known = table.filter(table["fills"] > 0)
    for name in known[line].unique(maintain_order=True).cast(str).to_list():
        rows = known.filter(known[line].cast(str) == name)
        curves.append((name, list(zip(rows["horizon_s"].to_list(), rows["realised"].to_list(), rows["standard_error"].fill_null(0).to_list(), strict=True))))
    return TerminalCurve(title, curves)


@dataclass
class TerminalCurve:
    """The drawing: curves are (name, [(horizon_s, realised, standard_error), ...])."""

    title: str
    curves: list

    def __rich_measure__(self, console, options):
        return Measurement(40, min(options.max_width, WIDTH_MAX))

    def __rich_console__(self, console, options):
        yield Text(f"{self.title}: realised spread, ticks per lot, after so many seconds", style="bold")
        if not self.curves:
            yield Text("no maker was filled", style="dim")
            return
        canvas = _Canvas(min(options.max_width, WIDTH_MAX) - MARGIN, self.curves, options.ascii_only)
        for i, curve in enumerate(self.curves):
            canvas.draw(i, curve[1])
        yield from canvas.lines()
        yield from self._legend(canvas)

    def _legend(self, canvas):
        for i, (name, points) in enumerate(self.curves):
            horizon, realised, error = points[-1]
            sign = "+-" if canvas.ascii_only else "±"
            last = f"{realised:+.3f} {sign} {2 * error:.3f} at {horizon:g} s"
            yield Text.assemble(" " * MARGIN, (canvas.mark(i) + " " + name, canvas.style(i)), "  ", (last, "dim"))


class _Canvas:
    """A plot area in dots, with both axes; y grows downwards in dots and upwards in ticks."""

    def __init__(self, width, curves, ascii_only):
        self.width, self.ascii_only = width, ascii_only
        self.dots = [[0] * width for _ in range(HEIGHT)]
        self.marks = [[""] * width for _ in range(HEIGHT)]
        self.styles = [[""] * width for _ in range(HEIGHT)]
        horizons = sorted({point[0] for _, points in curves for point in points})
        self.horizons = horizons
        self.left, self.span = math.log(horizons[0]), (math.log(horizons[-1]) - math.log(horizons[0])) or 1.0
        low = min(0.0, *(point[1] - 2 * point[2] for _, points in curves for point in points))
        high = max(0.0, *(point[1] + 2 * point[2] for _, points in curves for point in points))
        self.step = _round_step((high - low) / 4)
        self.low = math.floor(low / self.step) * self.step
        self.high = max(math.ceil(high / self.step) * self.step, self.low + self.step)

    def mark(self, i):
        marks = ASCII_MARKS if self.ascii_only else MARKS
        return marks[i % len(marks)]

    def style(self, i):
        return COLORS[i % len(COLORS)]

    def x(self, horizon):
        return round((math.log(horizon) - self.left) / self.span * (2 * self.width - 1))

    def y(self, value):
        return round((self.high - value) / (self.high - self.low) * (4 * HEIGHT - 1))

    def draw(self, i, points):
        """Draw one curve: dots between the means, a bar of two standard errors and a mark at each."""
        for (x0, y0, _), (x1, y1, _) in pairwise(points):
            steps = max(abs(self.x(x1) - self.x(x0)), abs(self.y(y1) - self.y(y0)), 1)
            for k in range(steps + 1):
                self._dot(round(self.x(x0) + (self.x(x1) - self.x(x0)) * k / steps), round(self.y(y0) + (self.y(y1) - self.y(y0)) * k / steps), i)
        for horizon, mean, error in points:
            for y in range(self.y(mean + 2 * error), self.y(mean - 2 * error) + 1):
                self._dot(self.x(horizon), y, i)
        for horizon, mean, _ in points:
            row, column = self.y(mean) // 4, self.x(horizon) // 2
            self.marks[row][column], self.styles[row][column] = self.mark(i), self.style(i)

    def _dot(self, x, y, i):
        self.dots[y // 4][x // 2] |= DOTS[y % 4][x % 2]
        self.styles[y // 4][x // 2] = self.style(i)

    def lines(self):
        """Yield the rows of the plot as Text, the y axis to their left and the x axis below."""
        labels = self._y_labels()
        wall, tick, zero = ("|", "+", "-") if self.ascii_only else ("│", "┤", "┄")
        zero_row = self.y(0.0) // 4
        for row in range(HEIGHT):
            text = Text(f"{labels.get(row, ''):>{MARGIN - 2}} " + (tick if row in labels else wall), style="dim")
            for column in range(self.width):
                empty = zero if row == zero_row else " "
                text.append(*self._character(row, column, empty))
            yield text
        yield from self._x_axis()

    def _character(self, row, column, empty):
        style = f"not dim {self.styles[row][column]}"
        if self.marks[row][column]:
            return self.marks[row][column], f"bold {style}"
        if self.dots[row][column]:
            return "." if self.ascii_only else chr(0x2800 + self.dots[row][column]), style
        return empty, "dim"

    def _y_labels(self):
        digits = max(0, -math.floor(math.log10(self.step)))
        count = round((self.high - self.low) / self.step)
        values = [round((self.low + k * self.step) / self.step) * self.step for k in range(count + 1)]
        return {self.y(value) // 4: f"{value:+.{digits}f}" if value else "0" for value in values}

    def _x_axis(self):
        corner, tick, bar = ("+", "+", "-") if self.ascii_only else ("└", "┬", "─")
        axis, names = [bar] * self.width, [" "] * (self.width + 4)
        free_from = 0
        for horizon in self.horizons:
            column, name = self.x(horizon) // 2, f"{horizon:g}"
            axis[column] = tick
            start = min(max(column - len(name) // 2, 0), self.width - len(name))
            if start >= free_from:
                names[start : start + len(name)] = name
                free_from = start + len(name) + 1
        yield Text(" " * (MARGIN - 1) + corner + "".join(axis), style="dim")
        yield Text(" " * MARGIN + "".join(names).rstrip(), style="dim")


def _round_step(step):
    """Return the next of 1, 2, 5 times a power of ten at or above `step`."""
    power = 10.0 ** math.floor(math.log10(step)) if step > 0 else 0.1
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step)
