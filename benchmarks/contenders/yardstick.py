"""The yardstick in C++, the other end of the scale: see yardstick.cpp."""
import numpy as np
from matcher import build_yardstick, time_yardstick, to_records

from contenders import Contender, Outcome

COMPILED = build_yardstick()
if COMPILED is None:
    raise ImportError("no C++ compiler")


class Yardstick(Contender):
    name, package, does = "C++ yardstick", None, "matches"
    how = "the same algorithm and the same rows by hand, without checks, owners and growth"
    is_bare = False

    def __init__(self, stream):
        self.seen = None
        above_all = int(max(stream.warm["price_ticks"].max(), stream.timed["price_ticks"].max())) + 1
        self.records, self.warm_count = to_records(np.concatenate([stream.warm, stream.timed]), above_all), len(stream.warm)

    def nanoseconds(self):
        """Return what the timed part took, the second time that the yardstick went through all of it, with as much room as `lob.bench.prepared_book` makes."""
        room = 2 * max(self.warm_count, 8192)
        ns, self.seen = time_yardstick(COMPILED, self.records, room, self.is_bare, repeats=1, warm=self.warm_count)
        return ns * (len(self.records) - self.warm_count)

    def outcome(self):
        fills, volume_lots, best_bid_ticks, best_ask_ticks = self.seen
        return Outcome(fills, volume_lots, touch=(best_bid_ticks or None, best_ask_ticks or None))


class BareYardstick(Yardstick):
    name = "C++ yardstick, bare"
    how = "orders found by their id in one array, trades counted, no rows at all: a bound"
    is_bare = True


CONTENDERS = (BareYardstick, Yardstick)
