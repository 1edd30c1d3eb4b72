"""Cuts: the classes of fills by which markouts are compared.

Owns what was known about a maker's order when it was filled: its place in the queue at entry, its age, what was left behind it, and the state of the race,
by how large its own queue was beside the opposite one just before the fill.
"""
import numpy as np

from lob.analytics.fills import fills as every_fill
from lob.analytics.labels import class_column
from lob.analytics.notes import where_known
from lob.analytics.quotes import quotes
from lob.analytics.records import last_at, select
from lob.analytics.stays import walk
from lob.messages import NOBODY

PLACES = ("first in line", "1-9 lots ahead", "10-99 lots ahead", "100 or more ahead")
AGES = ("under 10 ms", "10-100 ms", "0.1-1 s", "1-10 s", "10 s or more")
LEFT = ("level gone", "1-9 lots left", "10-99 lots left", "100 or more left")
RACES = ("own queue under 20 %", "20-40 %", "40-60 %", "60-80 %", "80 % or more")
LOTS_EDGES, AGE_EDGES_NS, SHARE_EDGES = (1, 10, 100), (10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000), (0.2, 0.4, 0.6, 0.8)


def fill_classes(tape, fills, book=0):
    """Return what sorts the makers' fills of a book, as columns: {name: array or polars Series}.

    fills: FILL[n], what `maker_fills` returns. Columns: lots_ahead (at entry), age_ns (since its entry), own_share (lots of its side of the touch just before
    the fill, over both), and their classes place, age, left, race. Null for hidden orders, which stand in no displayed queue, and before the first touch.
    """
    found = walk(tape, book)
    number = found.fill_stays[every_fill(tape, book)["resting_owner"] > NOBODY]
    has_stay = number >= 0
    stays = select(found.stays, np.where(has_stay, number, 0)) if len(found.stays) else np.zeros(len(fills), found.stays.dtype)
    lots_ahead, age_ns = np.ascontiguousarray(stays["lots_ahead"]), fills["time_ns"] - stays["time_ns"]
    share, is_known = own_share(quotes(tape, book), fills["sequence"], -fills["side"])
    return {
        "lots_ahead": where_known(lots_ahead, has_stay), "age_ns": where_known(age_ns, has_stay), "own_share": where_known(share, is_known),
        "place": class_column(lots_ahead, LOTS_EDGES, PLACES, has_stay), "age": class_column(age_ns, AGE_EDGES_NS, AGES, has_stay),
        "left": class_column(np.ascontiguousarray(fills["level_lots"]), LOTS_EDGES, LEFT), "race": class_column(share, SHARE_EDGES, RACES, is_known),
    }


def own_share(touches, sequence, side):
    """Return (share of a side's queue in both queues at the touch just before the event of each row, is_known): float64[n], bool[n]."""
    if len(touches) == 0:
        return np.full(len(sequence), 0.5), np.zeros(len(sequence), bool)
    i = last_at(touches["sequence"], sequence - 1)
    bid, ask = touches["bid_lots"][i], touches["ask_lots"][i]
    is_known = (i >= 0) & (bid > 0) & (ask > 0)
    return np.where(is_known, np.where(side > 0, bid, ask) / np.maximum(bid + ask, 1), 0.5), is_known
