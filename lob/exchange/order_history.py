"""OrderHistory: the Python face of a recorded day. A feed's rows go in, and orders of agents among them; what it shows is the recording."""
import numpy as np

from lob.errors import LobError
from lob.exchange import history
from lob.exchange.audit import check_book
from lob.exchange.history import history_at
from lob.exchange.inputs import checked_number, checked_venue
from lob.exchange.ladder import key_of
from lob.exchange.memory import HistoryMemory
from lob.exchange.order_book import OrderBook, slot_in
from lob.exchange.reports import reports_at, request_at
from lob.jit import jit
from lob.messages import NOBODY

RULES = ("passive", "displace")


@jit
def apply_many(history_address, requests, first, count, reports_address):
    """Apply requests [first, count); return the number of the one that met a Shortage, which is not done, or count."""
    venue, reports = history_at(history_address, 0), reports_at(reports_address, 0)
    for i in range(first, count):
        if history.apply(venue, request_at(requests, i), reports) < 0:
            return i
    return count


class _Shown(OrderBook):
    """A book that somebody else changes: only to be looked at."""

    def __init__(self, memory):
        self.memory = memory


class OrderHistory(OrderBook):
    """A recorded day that agents trade in, with the face of OrderBook.

    A request of owner 0 is a row of the recording, any other an agent's order. Touch, depth, lots and orders at a price are those of the recorded book;
    `queue_at` and `queue_ahead` show agents' orders in their places among the recorded ones. Each request answers with the rows of its event, REPORT[n];
    the only one without any is a dropped level where nothing rests.
    replace_keeps_place: whether an agent's replace that only shrinks keeps its place. book: the number that requests must carry. venue: a Venue that has
    fees and self_trade and no other setting; fills that name an agent carry what agents pay. execution: the rule, "passive" or "displace".
    """

    _apply_many = staticmethod(apply_many)

    def __init__(self, replace_keeps_place=True, book=0, venue=None, execution="passive"):
        if execution not in RULES:
            raise LobError(f"execution must be one of {', '.join(RULES)}, was {execution!r}")
        self.history = HistoryMemory(checked_number(book), bool(replace_keeps_place), displaces=execution == "displace")
        self.history.open(checked_venue(venue))
        self.memory, self.agents = self.history.recorded, _Shown(self.history.agents)
        self._open(book, self.history.address)

    def make_room(self, request, reports):
        """Make room for one more order on either book, and for twice as many rows."""
        self.history.grow()
        reports.grow()

    def save(self, path):
        """Refuse, with a LobError: a snapshot holds one book, and a recorded day is two with the places that their orders have among each other."""
        raise LobError(f"{path}: a recorded day cannot be saved, only a book")

    def __reduce__(self):
        raise LobError("a recorded day cannot be copied or pickled, only a book")

    def queue_at(self, side, price_ticks):
        """Return the orders of one side at a price, recorded ones (owner 0) and agents', first in line first: QUEUED[n]."""
        orders = np.concatenate([self.orders_at(side, price_ticks), self.agents.orders_at(side, price_ticks)])
        stamps = [memory.stamps[slot] for memory, slot in map(self._find, orders["order_id"], orders["owner"])]
        return orders[np.argsort(stamps, kind="stable")]

    def queue_ahead(self, order_id, owner=NOBODY):
        """Return how many lots, displayed ones and agents', are in front of an order at its price, None if it does not rest."""
        memory, slot = self._find(order_id, owner)
        if slot == 0:
            return None
        side = int(memory.orders["side"][slot])
        queue = self.queue_at(side, key_of.py_func(side, int(memory.orders["key"][slot])))
        place = np.flatnonzero((queue["order_id"] == order_id) & (queue["owner"] == owner))[0]
        return int(queue["lots"][:place].sum())

    def _find(self, order_id, owner):
        """Return the memory of the book that an order belongs to and its slot there, 0 if it does not rest."""
        memory = self.history.recorded if owner == NOBODY else self.history.agents
        return memory, slot_in(memory, order_id, owner)

    def check(self):
        """Assert every invariant by full scan."""
        for book in (self.history.recorded, self.history.agents, self.history.departed):
            check_book(book)
        recorded = self.history.recorded.orders
        rests = recorded["lots"] > 0
        taken = self.history.taken[rests]
        if self.history.record["displaces"][0]:
            assert (taken >= -recorded["lots"][rests]).all(), "no order has more spare lots than it shows"
        else:
            assert (taken >= 0).all() and (taken <= recorded["lots"][rests]).all(), "nobody traded more of a recorded order than it shows"
