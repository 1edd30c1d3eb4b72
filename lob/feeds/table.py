"""Tables of decimal numbers in text: comma-separated rows without a header, to scaled integers, a block of whole rows at a time.

Owns the one pass over the bytes. Knows no meaning of a column. No float is made on the way: a column with 9 decimals turns
34200.01399412 into 34200013994120. Digits beyond its decimals round to the nearest, since a writer that went through a float leaves a tail now
and then: LOBSTER's AMZN sample has one time of 43002.632812672004. Cost: about 2 ns a byte.
"""
from dataclasses import dataclass

import numpy as np

from lob.errors import FeedError
from lob.jit import jit

DIGITS_MAX = 18  # what always fits in an int64
ROW_BYTES_MAX = 2**20
BLOCK_BYTES = 2**20
WHOLE, TOO_FEW, TOO_MANY, NOT_A_NUMBER, TOO_LONG = range(5)
FAULTS = 8  # more than there are: a row's fault is its column times this, plus which one

_MINUS, _POINT, _COMMA, _NEWLINE, _RETURN, _ZERO = (ord(c) for c in "-.,\n\r0")


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows of a text, one after the other."""

    columns: dict           # {name: decimals}
    text: np.ndarray        # uint8[n]
    offset: int             # the byte of the file that the text begins at
    first: int              # the row of the file that it begins with
    starts: np.ndarray      # int64[rows], where in the text they begin
    values: np.ndarray      # int64[rows, columns], each number times 10 to the power of its column's decimals
    faults: np.ndarray      # int64[rows], WHOLE, or why a row is not that many numbers

    def line(self, i):
        """Return row i as text; what is not ASCII is shown as an escape."""
        start = int(self.starts[i])
        return bytes(self.text[start:_line_end(self.text, start)]).decode("ascii", "backslashreplace").rstrip("\r")

    def explain(self, i):
        """Return the rule that row i breaks and the value that breaks it, if it has a fault."""
        column, fault = divmod(int(self.faults[i]), FAULTS)
        return f"{self._rule(column, fault, self.line(i))}, at byte {self.offset + int(self.starts[i]):,}"

    def _rule(self, column, fault, line):
        if fault in (TOO_FEW, TOO_MANY):
            return f"a row must have {len(self.columns)} columns, was {line[:200]!r}"
        name, decimals = list(self.columns.items())[column]
        value = line.split(",")[column]
        if fault == TOO_LONG:
            return f"{name} must have at most {DIGITS_MAX - decimals} digits before the point, was {value[:200]!r}"
        return f"{name} must be {'a decimal' if decimals else 'a whole'} number, was {value[:200]!r}"


def read_rows(packed, columns_of, block_bytes=BLOCK_BYTES):
    """Yield the Rows of a Packed, a block at a time. Line breaks at the end of the file do not count.

    columns_of: a function of the first row, as text, that returns {name: decimals}. Raises FeedError if there is no row, if one has no end, and
    where the packing is damaged; whole rows before that have been given out by then.
    """
    rest, row, columns, is_last = np.zeros(0, np.uint8), 0, None, False
    while not is_last:
        new = packed.fill(block_bytes)
        is_last = len(new) < block_bytes
        text = np.concatenate([rest, new]) if len(rest) else new
        end = _end_of_rows(text, is_last and packed.failure is None)
        if end:
            columns = columns or columns_of(bytes(text[:_line_end(text, 0)]).decode("ascii", "backslashreplace"))
            yield _rows_of(text[:end], packed.offset - len(text), row, columns)
            row += np.count_nonzero(text[:end - 1] == _NEWLINE) + 1
        rest = text[end:]
        if len(rest) > ROW_BYTES_MAX and not is_last:
            raise FeedError(f"{packed.place}: row {row + 1}: must end within {ROW_BYTES_MAX:,} bytes, begins at byte {packed.offset - len(rest):,}")
    if packed.failure is not None:
        raise packed.failure
    if row == 0:
        raise FeedError(f"{packed.place}: a recording needs at least one row, the file holds none")


def _rows_of(text, offset, first, columns):
    count = np.count_nonzero(text[:-1] == _NEWLINE) + 1
    starts, values, faults = np.empty(count, np.int64), np.empty((count, len(columns)), np.int64), np.zeros(count, np.int64)
    _fill_table(text, np.array(list(columns.values()), np.int64), starts, values, faults)
    return Rows(columns, text, offset, first, starts, values, faults)


@jit
def _end_of_rows(text, is_last):
    """Return where the whole rows of a text end: behind a line break that more follows or may follow; all but the line breaks at its end if it is the last."""
    end = text.size
    while end and (text[end - 1] == _NEWLINE or text[end - 1] == _RETURN):
        end -= 1
    if is_last or end == 0:
        return end
    after = _line_end(text, end)
    if after < text.size:
        return after + 1
    while end and text[end - 1] != _NEWLINE:
        end -= 1
    return end


@jit
def _line_end(text, at):
    """Return where the line ends that the byte at `at` is in."""
    while at < text.size and text[at] != _NEWLINE:
        at += 1
    return at


@jit
def _fill_table(text, decimals, starts, values, faults):
    """Fill in each row of the text; a row with a fault ends with its line."""
    i = 0
    for row in range(starts.size):
        starts[row] = i
        i, faults[row] = _read_row(text, i, decimals, values[row])
        if faults[row] != WHOLE:
            i = _line_end(text, starts[row]) + 1


@jit
def _read_row(text, i, decimals, values):
    """Return where the row after the one at byte i begins, and its fault."""
    columns = values.size
    for column in range(columns):
        values[column], i, fault = _read_number(text, i, decimals[column])
        if fault != WHOLE:
            return i, column * FAULTS + fault
        at_end = i == text.size or text[i] == _NEWLINE
        if column < columns - 1 and at_end:
            return i, column * FAULTS + TOO_FEW
        if column == columns - 1 and not at_end:
            return i, column * FAULTS + (TOO_MANY if text[i] == _COMMA else NOT_A_NUMBER)
        if not at_end and text[i] != _COMMA:
            return i, column * FAULTS + NOT_A_NUMBER
        i += 1
    return i, WHOLE


@jit
def _read_number(text, i, decimals):
    """Return the scaled number at text[i:], the place of the byte after it, and its fault."""
    is_negative = i < text.size and text[i] == _MINUS
    if is_negative:
        i += 1
    value, digits, places, carry = np.int64(0), 0, -1, 0
    while i < text.size:
        digit = np.int64(text[i]) - _ZERO
        if 0 <= digit <= 9 and 0 < decimals <= places:
            carry = carry if places > decimals else digit // 5
            places += 1
        elif 0 <= digit <= 9:
            value = 10 * value + digit
            digits += 1
            places += places >= 0
        elif text[i] == _POINT and places < 0 < decimals:
            places = 0
        else:
            break
        i += 1
        if digits > DIGITS_MAX:
            return value, i, TOO_LONG
    missing = decimals - min(max(places, 0), decimals)
    if digits == 0:
        return value, i, NOT_A_NUMBER
    if digits + missing > DIGITS_MAX:
        return value, i, TOO_LONG
    value = value * 10**missing + carry
    if i + 1 < text.size and text[i] == _RETURN and text[i + 1] == _NEWLINE:
        i += 1
    return (-value if is_negative else value), i, WHOLE
