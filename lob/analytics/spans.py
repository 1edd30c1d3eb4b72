"""Spans: the lengths of time that a user may set, a horizon, a window or a step. Owns their rule, the same for every analysis."""
from lob.errors import LobError
from lob.integers import whole

SPAN_MAX_NS = 2**60
HORIZON_NS = 1_000_000_000  # at which a fill is judged, where there is one horizon


def checked_span_ns(name, span_ns, least_ns=1):
    """Return a length of time as an int; raises LobError if it is no whole number of nanoseconds from least_ns on."""
    checked_ns = whole(span_ns, least_ns, SPAN_MAX_NS)
    if checked_ns is None:
        raise LobError(f"{name} must be a whole number of nanoseconds from {least_ns} to 2^60, was {span_ns!r}")
    return checked_ns


def checked_horizons_ns(horizons_ns):
    """Return horizons as a list of int; raises LobError if they are no list of whole numbers of nanoseconds from 0 on."""
    if not hasattr(horizons_ns, "__iter__"):
        raise LobError(f"horizons_ns must be a list of whole numbers of nanoseconds, was {horizons_ns!r}")
    return [checked_span_ns(f"horizons_ns[{i}]", horizon_ns, 0) for i, horizon_ns in enumerate(horizons_ns)]
