"""Provenance: what a tape says of its run. Owns the shape that it must have to be read back: a file may say anything. What it leaves out has a default."""
import numpy as np

from lob.errors import LobError, TapeError
from lob.instrument import Instrument
from lob.messages import REPORT

BOOKS_MAX, TIME_MAX_NS = int(np.iinfo(REPORT["book"]).max) + 1, 2**62
OF_A_RUN = {
    "scenario": str, "execution": str, "complete": bool, "books": int, "start_ns": int, "end_ns": int, "instrument": dict, "venue": dict, "agents": list,
    "venues": list, "feed": dict,
}
OF_AN_AGENT = {"owner": int, "name": str, "kind": str, "role": str, "parameters": dict, "venues": list}
OF_A_VENUE = {"name": str, "venue": dict, "instrument": dict}
MAY_BE_NONE = ("scenario", "start_ns", "end_ns", "feed")
RANGES = {"books": (1, BOOKS_MAX), "start_ns": (-TIME_MAX_NS, TIME_MAX_NS), "end_ns": (-TIME_MAX_NS, TIME_MAX_NS)}
WORDS = {str: "text", int: "a whole number", bool: "true or false", dict: "a table", list: "a list"}


def check_provenance(provenance, place):
    """Raise TapeError, naming the place, the key and its value, unless a provenance can be read."""
    _check_table(f"{place}: provenance", provenance, OF_A_RUN, ())
    for key, (low, high) in RANGES.items():
        if provenance.get(key) is not None and not low <= provenance[key] <= high:
            raise TapeError(f"{place}: provenance.{key} must be from {low:,} to {high:,}, was {provenance[key]}")
    for i, agent in enumerate(provenance.get("agents", [])):
        _check_table(f"{place}: provenance.agents[{i}]", agent, OF_AN_AGENT, ("owner",))
        for k, link in enumerate(agent.get("venues", [])):
            _check_table(f"{place}: provenance.agents[{i}].venues[{k}]", link, {"book": int, "latency": dict}, ("book", "latency"))
    for i, venue in enumerate(provenance.get("venues", [])):
        _check_table(f"{place}: provenance.venues[{i}]", venue, OF_A_VENUE, ("name", "venue"))
        _check_instrument(f"{place}: provenance.venues[{i}].instrument", venue)
    _check_instrument(f"{place}: provenance.instrument", provenance)


def _check_table(place, table, kinds, needed):
    if not isinstance(table, dict):
        raise TapeError(f"{place} must be a table, was {table!r}")
    for key, kind in kinds.items():
        value = table.get(key)
        is_there = key in table and not (key in MAY_BE_NONE and value is None)
        if (is_there or key in needed) and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise TapeError(f"{place}.{key} must be {WORDS[kind]}, was {value!r}")


def _check_instrument(place, table):
    try:
        Instrument(**table.get("instrument", {}))
    except (LobError, TypeError) as error:
        raise TapeError(f"{place} must be an instrument: {error}") from None
