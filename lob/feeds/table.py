"""Tables of decimal numbers in text: comma-separated rows without a header, to scaled integers.

Owns the one pass over the bytes. Knows no meaning of a column. No float is made on the way: a column with 9 decimals turns
34200.01399412 into 34200013994120. Digits beyond its decimals round to the nearest, since a writer that went through a float leaves a tail now
and then: LOBSTER's AMZN sample has one time of 43002.632812672004. Cost: about 2 ns a byte.
"""
import numpy as np

from lob.errors import FeedError
from lob.jit import jit

DIGITS_MAX = 18  # what always fits in an int64
WHOLE, TOO_FEW, TOO_MANY, NOT_A_NUMBER, TOO_LONG = range(5)

_MINUS, _POINT, _COMMA, _NEWLINE, _RETURN, _ZERO = (ord(c) for c in "-.,\n\r0")


def read_table(text, columns, place, damage):
    """Return int64[rows, columns] of the text, each number times 10 to the power of its column's decimals, and int64[rows], their rows in the text.

    text: uint8[n]; columns: {name: decimals}; place: the file, as an error names it. Line breaks at the end of the text do not count. damage: the Damage
    that is told of a row that is not that many numbers: it raises FeedError, or the row is left out.
    """
    end = text.size
    while end and text[end - 1] in (_NEWLINE, _RETURN):
        end -= 1
    if end == 0:
        raise FeedError(f"{place}: a recording needs at least one row, the file holds none")
    text = text[:end]
    table = np.empty((np.count_nonzero(text == _NEWLINE) + 1, len(columns)), np.int64)
    decimals, skipped = np.array(list(columns.values()), np.int64), []
    row, column, at, fault = _fill_table(text, decimals, table, 0, 0)
    while fault != WHOLE:
        skipped.append(row + len(skipped))
        damage.note(f"{place}: row {skipped[-1] + 1}: {_explain(text, at, column, fault, columns)}, at byte {at:,}")
        row, column, at, fault = _fill_table(text, decimals, table, row, _line_end(text, at) + 1)
    if row == 0:
        raise FeedError(f"{place}: a recording needs at least one row, no row of the file can be read")
    return table[:row], np.delete(np.arange(len(table)), skipped)


def _explain(text, at, column, fault, columns):
    """Return the broken rule and the value that broke it, of the row that begins at a byte."""
    line = _shown(text[at:_line_end(text, at)])
    if fault in (TOO_FEW, TOO_MANY):
        return f"a row must have {len(columns)} columns, was {line[:200]!r}"
    name, decimals = list(columns.items())[column]
    value = line.split(",")[column]
    if fault == TOO_LONG:
        return f"{name} must have at most {DIGITS_MAX - decimals} digits before the point, was {value[:200]!r}"
    return f"{name} must be {'a decimal' if decimals else 'a whole'} number, was {value[:200]!r}"


def line_at(text, row):
    """Return a row of the text; what is not ASCII is shown as an escape."""
    breaks = np.flatnonzero(text == _NEWLINE)
    start = breaks[row - 1] + 1 if row else 0
    end = breaks[row] if row < breaks.size else text.size
    return _shown(text[start:end])


def _shown(line):
    return bytes(line).decode("ascii", "backslashreplace").rstrip("\r")


@jit
def _line_end(text, at):
    """Return where the line ends that the byte at `at` is in."""
    while at < text.size and text[at] != _NEWLINE:
        at += 1
    return at


@jit
def _fill_table(text, decimals, table, first, i):
    """Fill the table from row `first` and byte i on; return (row, column, where the row begins, fault) of the first fault, or of the end with WHOLE."""
    columns = table.shape[1]
    row = first
    while i < text.size:
        start = i
        for column in range(columns):
            value, i, fault = _read_number(text, i, decimals[column])
            if fault != WHOLE:
                return row, column, start, fault
            table[row, column] = value
            at_end = i == text.size or text[i] == _NEWLINE
            if column < columns - 1 and at_end:
                return row, column, start, TOO_FEW
            if column == columns - 1 and not at_end:
                return row, column, start, TOO_MANY if text[i] == _COMMA else NOT_A_NUMBER
            if not at_end and text[i] != _COMMA:
                return row, column, start, NOT_A_NUMBER
            i += 1
        row += 1
    return row, 0, i, WHOLE


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
