"""Stay: an order's time at one place in one queue, and a change of the displayed lots: the records that `stays` makes and others read.

Owns the words and the layout, and that of the memory of the walk that fills them.
"""
from enum import IntEnum

import numpy as np

from lob.analytics.live_orders import LIVE
from lob.jit import pool_reader
from lob.messages import REPORT
from lob.tape.replay import TOUCH


class End(IntEnum):
    """How a stay ended."""

    RESTING = 0    # it did not: the tape ends
    FILLED = 1
    CANCELLED = 2  # by its owner, by an expiry, by the venue
    MOVED = 3      # a replace took it to another place
    REFRESHED = 4  # the shown lots of an iceberg are filled, the next ones are at the back
    UNSEEN = 5     # the recording no longer shows its price


class Change(IntEnum):
    """What changed the displayed lots."""

    ADDED = 0
    CANCELLED = 1
    TRADED = 2


STAY = np.dtype(
    [
        ("time_ns", "i8"),
        ("end_ns", "i8"),           # RESTING: the end of the tape
        ("first_fill_ns", "i8"),    # -1 without a fill
        ("lots_ahead", "i8"),       # at entry
        ("traded_ahead", "i8"),     # of them, until the first fill or the end
        ("cancelled_ahead", "i8"),
        ("entry_row", "i4"),        # index of the ACCEPTED, REPLACED, TRIGGERED or REFRESHED row, which has the price
        ("owner", "i4"),
        ("lots", "i4"),             # that came to rest, shown and reserve
        ("filled_lots", "i4"),      # while resting
        ("gap_ticks", "i4"),        # behind the touch before its event; negative where it improved it; GAP_UNKNOWN on an empty side
        ("touch", "i4"),            # index of the touch before its event, -1 before any
        ("flags", "u2"),            # of its entry row; with AUCTION if an auction filled of it
        ("side", "i1"),
        ("end", "u1"),
        ("was_at_touch", "u1"),     # whether its price was the best of its side at any time of the stay
    ],
    align=True,
)
# is_behind: its price lies behind the touch of its side, as that was before its event.
CHANGE = np.dtype([("time_ns", "i8"), ("lots", "i4"), ("side", "i1"), ("kind", "u1"), ("is_behind", "u1")], align=True)
GAP_UNKNOWN = -(2**31)

PLACE = np.dtype([("level", "i4"), ("place", "i4")], align=True)
LEVEL = np.dtype(
    [
        ("lots", "i8"), ("traded", "i8"), ("cancelled", "i8"),  # displayed now; that left since its places are numbered as they are
        ("touch_row", "i8"),                                    # until which row it was last the best
        ("first", "i4"), ("room", "i4"),                        # its block of the tree, and how many places that has
        ("used", "i4"), ("live", "i4"),                         # places given, and how many of their stays have not ended
        ("is_best", "i4"),
    ],
    align=True,
)
LEFT = np.dtype([("traded", "i8"), ("cancelled", "i8")], align=True)
INDEX, KEY = np.dtype([("value", "i4")], align=True), np.dtype([("value", "i8")], align=True)
WALK = np.dtype(
    [
        ("live", LIVE),
        ("book", "i8"), ("is_passive", "i8"), ("rows", "i8"), ("next_row", "i8"),
        ("touches", "i8"), ("touch_count", "i8"), ("touch", "i8"),             # touch: index of the one before the event, -1 for none
        ("levels", "i8"), ("level_count", "i8"), ("low", "i8"),                # LEVEL[], and the key of the first of them
        ("keys", "i8"),                                                        # KEY[level_count] where levels are not one a key: sorted; else 0
        ("tree", "i8"), ("tree_used", "i8"),                                   # LEFT[], a block of places a level
        ("places", "i8"), ("stays", "i8"), ("stay_count", "i8"),
        ("changes", "i8"), ("change_count", "i8"), ("fill_stays", "i8"), ("fill_count", "i8"),
        ("pending_lots", "i8"), ("pending_row", "i8"), ("pending_id", "i8"), ("pending_owner", "i8"),
    ],
    align=True,
)
walk_at, report_at, touch_at, stay_at, change_at = (pool_reader(dtype) for dtype in (WALK, REPORT, TOUCH, STAY, CHANGE))
level_at, place_at, left_at, index_at, key_at = (pool_reader(dtype) for dtype in (LEVEL, PLACE, LEFT, INDEX, KEY))
ROOM_MIN = 4  # places of a level's first block of the tree
