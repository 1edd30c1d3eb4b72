"""The yardstick in C++, the other end of the scale: see yardstick.cpp."""
import numpy as np
from matcher import build_yardstick, time_yardstick, to_records

from contenders import Contender, Outcome

COMPILED = build_yardstick()
if COMPILED is None:
    raise ImportError("no C++ compiler")


class Yardstick(Contender):
    name, package, does = "C++ yardstick", None, "matches"
    how = "the same algorithm and the same rows by hand, without checks, owners and growth; the whole stream less its warm part"
    is_bare = False

    def __init__(self, stream):
        self.seen = None
        above_all = int(max(stream.warm["price_ticks"].max(), stream.timed["price_ticks"].max())) + 1
        self.warm, self.all = to_records(stream.warm, above_all), to_records(np.concatenate([stream.warm, stream.timed]), above_all)
        self.order_capacity = 4 * len(stream.warm)

    def nanoseconds(self):
        """Return what the timed part took. The yardstick begins with an empty book, so it is what the whole took less what its warm part takes."""
        warm_ns, _ = time_yardstick(COMPILED, self.warm, self.order_capacity, self.is_bare, repeats=1)
        ns, self.seen = time_yardstick(COMPILED, self.all, self.order_capacity, self.is_bare, repeats=1)
        return ns * len(self.all) - warm_ns * len(self.warm)

    def outcome(self):
        fills, volume_lots, best_bid_ticks, best_ask_ticks = self.seen
        return Outcome(fills, volume_lots, touch=(best_bid_ticks or None, best_ask_ticks or None))


class BareYardstick(Yardstick):
    name = "C++ yardstick, bare"
    how = "orders found by their id in one array, trades counted, no rows at all: a bound; the whole stream less its warm part"
    is_bare = True


CONTENDERS = (BareYardstick, Yardstick)
