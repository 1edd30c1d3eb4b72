"""Numbers: how amounts are written for people.

Owns thousands separators, signs, digits and units in tables and sentences. What is not known is a dash, never nan.
"""
import math

UNKNOWN, MINUS = "–", "−"
ROUNDED_UP = 0.9995  # of a unit is one of it to three digits


def number(value, digits=0, sign=False):
    """Return a number with thousands separators and a true minus; a dash for None and nan."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    text = f"{value:{'+' if sign else ''},.{digits}f}"
    if not any(digit in text for digit in "123456789"):
        text = text.lstrip("+-")
    return text.replace("-", MINUS)


def significant(value, digits=3):
    """Return a number to so many significant digits, without an exponent where it is readable; a dash for None and nan."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value != 0 and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.{digits - 1}e}".replace("e-0", "e-").replace("e+0", "e").replace("-", MINUS)
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0) if value else 0
    return number(value, places)


def with_error(value, error, digits=2, sign=True):
    """Return "mean ± two standard errors"; the mean alone where the error is not known."""
    return number(value, digits, sign) if error is None or value is None else f"{number(value, digits, sign)} ± {number(2 * error, digits)}"


def percent(share, digits=0):
    """Return a share of one as per cent; a dash for None."""
    return UNKNOWN if share is None or not math.isfinite(share) else f"{number(100 * share, digits)} %"


def duration(nanoseconds):
    """Return a length of time in the unit that suits it: ns, µs, ms, s, min or h; a dash for None."""
    if nanoseconds is None:
        return UNKNOWN
    steps = ((3_600_000_000_000, "h"), (60_000_000_000, "min"), (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"))
    for size, unit in steps:
        if abs(nanoseconds) >= (2 * size if size > 1_000_000_000 else ROUNDED_UP * size):
            text = significant(nanoseconds / size)
            return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {unit}"
    return f"{number(nanoseconds)} ns"


def count(value, word, many=None):
    """Return "1 fill", "2,000 fills"."""
    return f"{number(value)} {word if value == 1 else many or word + 's'}"


def clock(time_ns, digits=6):
    """Return a time of the tape as h:mm:ss.ffffff from its zero: midnight on a recorded day, the start of a simulation."""
    seconds, rest = divmod(int(time_ns), 1_000_000_000)
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{hours}:{minutes:02d}:{seconds:02d}" + (f".{rest:09d}"[: digits + 1] if digits else "")
