"""Cuts: the classes of fills by which markouts are compared.

Owns what was known about a maker's order when it was filled: its place in the queue at entry, its age, what was left behind it, and the state of the race,
by how large its own queue was beside the opposite one just before the fill.
"""
import numpy as np

from lob.analytics.fills import fills as every_fill
from lob.analytics.fills import is_maker_fill
from lob.analytics.labels import class_column
from lob.analytics.notes import where_known
from lob.analytics.quotes import quotes
from lob.analytics.records import last_at
from lob.analytics.stays import walk

PLACES = ("first in line", "1-9 lots ahead", "10-99 lots ahead", "100 or more ahead")
AGES = ("under 10 ms", "10-100 ms", "0.1-1 s", "1-10 s", "10 s or more")
LEFT = ("level gone", "1-9 lots left", "10-99 lots left", "100 or more left")
RACES = ("own queue under 20 %", "20-40 %", "40-60 %", "60-80 %", "80 % or more")
LOTS_EDGES, AGE_EDGES_NS, SHARE_EDGES = (1, 10, 100), (10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000), (0.2, 0.4, 0.6, 0.8)


CUTS = ("lots_ahead", "age_ns", "own_share", "place", "age", "left", "race")


def fill_class(tape, fills, name, book=0):
    """Return what sorts the makers' fills of a book: a polars Series.

    fills: FILL[n], what `maker_fills` returns. name: lots_ahead (at entry), age_ns (since its entry), own_share (lots of its side of the touch just before
    the fill, over both), or their classes place, age, race; left (the class of level_lots). Null for hidden orders, which stand in no displayed queue, and
    before the first touch.
    """
    if name == "left":
        return class_column(np.ascontiguousarray(fills["level_lots"]), LOTS_EDGES, LEFT)
    if name in ("own_share", "race"):
        share, is_known = own_share(quotes(tape, book), fills["sequence"], -fills["side"])
        return where_known(share, is_known) if name == "own_share" else class_column(share, SHARE_EDGES, RACES, is_known)
    found = walk(tape, book)
    number = found.fill_stays[is_maker_fill(every_fill(tape, book))]
    has_stay = number >= 0
    if len(found.stays) == 0:
        values = np.zeros(len(fills), np.int64)
    elif name in ("lots_ahead", "place"):
        values = found.stays["lots_ahead"][np.where(has_stay, number, 0)]
    else:
        values = fills["time_ns"] - found.stays["time_ns"][np.where(has_stay, number, 0)]
    if name in ("lots_ahead", "age_ns"):
        return where_known(values, has_stay)
    return class_column(values, LOTS_EDGES, PLACES, has_stay) if name == "place" else class_column(values, AGE_EDGES_NS, AGES, has_stay)


def own_share(touches, sequence, side):
    """Return (share of a side's queue in both queues at the touch just before the event of each row, is_known): float64[n], bool[n]."""
    if len(touches) == 0:
        return np.full(len(sequence), 0.5), np.zeros(len(sequence), bool)
    i = last_at(touches["sequence"], sequence - 1)
    bid, ask = touches["bid_lots"][i], touches["ask_lots"][i]
    is_known = (i >= 0) & (bid > 0) & (ask > 0)
    return np.where(is_known, np.where(side > 0, bid, ask) / np.maximum(bid + ask, 1), 0.5), is_known
