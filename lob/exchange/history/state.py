"""State: what a recorded day remembers beside its two books.

Owns the HISTORY record, the moment at which each order took its place, and the lots of recorded orders that went another way than the recording says.
"""
import numpy as np

from lob.exchange.book import book_at, find, level_key, map_at, order_of, reduce, remove, rest
from lob.exchange.ladder import is_price, key_of
from lob.exchange.reports import begin
from lob.exchange.rules.fees import charge_agents, costs_too_much
from lob.exchange.rules.state import fees_of, rules_of
from lob.jit import jit, pool_reader
from lob.messages import NOBODY, Action, ReportKind, anonymous_id

HISTORY = np.dtype(
    [
        ("recorded", "i8"),   # addresses of BOOK records: the recorded orders,
        ("agents", "i8"),     # those of agents,
        ("departed", "i8"),   # and, under `displace`, recorded orders that are gone while the recording has more to say of them
        # Address of a number for each slot of the recorded book: of the lots that the recording shows there, those that agents traded; below 0 spare ones.
        ("taken", "i8"),
        ("displaces", "i8"),  # whether the execution rule is `displace`
        ("is_halted", "i8"),  # whether the recording says that nothing trades now
    ],
    align=True,
)
history_at = pool_reader(HISTORY)
anonymous_id_of = jit(anonymous_id)

FILL, LIMIT = int(ReportKind.FILL), int(Action.LIMIT)


@jit(inline=True)
def stamp_of(book, slot):
    return map_at(book.stamps, slot).value


@jit(inline=True)
def taken_of(history, slot):
    """Return the word that counts the lots of a recorded order that agents have traded."""
    return map_at(history.taken, slot)


@jit(inline=True)
def available(history, recorded, slot):
    """Return the lots of a recorded order that an agent can trade with: under `passive` those traded before are still on display."""
    lots = order_of(recorded, slot).lots
    return lots if history.displaces else lots - taken_of(history, slot).value


@jit
def give_stamp(recorded, agents):
    # One count for both books: the next order of either stands behind every order of both.
    latest = max(recorded.stamp, agents.stamp)
    recorded.stamp, agents.stamp = latest, latest


@jit(inline=True)
def is_before(book, slot, other_book, other):
    """Return whether an order stands before another of the same side, by price and then by stamp."""
    key, other_key = level_key(order_of(book, slot)), level_key(order_of(other_book, other))
    return key > other_key or (key == other_key and stamp_of(book, slot) < stamp_of(other_book, other))


@jit
def find_anonymous(recorded, side, price_ticks):
    """Return the slot of the anonymous volume at a side and price, 0 if there is none, as there is not at a side or price that cannot be."""
    if side * side != 1 or not is_price(price_ticks):
        return 0
    slot = find(recorded, NOBODY, anonymous_id_of(side, price_ticks))
    if slot:
        order = order_of(recorded, slot)
        if order.side != side or key_of(order.side, level_key(order)) != price_ticks:
            return 0
    return slot


# Fees: the agents' book has the rules of its venue if there are any.

@jit(inline=True)
def charge_row(agents, row):
    if agents.rules and fees_of(rules_of(agents)).tier_count:
        charge_agents(fees_of(rules_of(agents)), row)


@jit(inline=True)
def is_too_dear(agents, request):
    return agents.rules and costs_too_much(fees_of(rules_of(agents)), request.price_ticks, request.lots)


# What flow and agents do to an order.

@jit
def _flow_row(book, request, reports, slot, lots):
    """Return the row of recorded flow that trades lots of an order that rests in either book."""
    order = order_of(book, slot)
    row = begin(reports, request, FILL)
    row.order_id = request.order_id if request.action == LIMIT else 0
    row.resting_id, row.resting_owner, row.resting_open_lots = order.id, order.owner, order.lots - lots
    row.side, row.price_ticks, row.lots = -order.side, key_of(order.side, level_key(order)), lots
    return row


@jit
def fill_agent(agents, request, reports, slot, lots):
    """Let recorded flow trade lots of an agent's order."""
    row = _flow_row(agents, request, reports, slot, lots)
    row.level_lots = reduce(agents, slot, lots)
    charge_row(agents, row)


@jit
def fill_recorded(history, recorded, request, reports, slot, lots):
    """Let recorded flow trade lots of a recorded order; what the recording shows more of it than rests is counted as taken already."""
    row = _flow_row(recorded, request, reports, slot, lots)
    row.level_lots = take_recorded(history, recorded, slot, lots)


# What the rule `displace` keeps of recorded orders.

@jit(inline=True)
def recorded_lots(history, recorded, slot):
    """Return the lots that the recording shows of an order under `displace`."""
    return order_of(recorded, slot).lots + taken_of(history, slot).value


@jit
def take_recorded(history, recorded, slot, lots):
    """Take lots off a recorded order; return what is left at its price. One that is gone while the recording shows some of it departs."""
    order, missing = order_of(recorded, slot), taken_of(history, slot).value
    if lots == order.lots and missing > 0:
        depart(history, order.id, order.side, missing, stamp_of(recorded, slot))
    return reduce(recorded, slot, lots)


@jit
def depart(history, order_id, side, lots, stamp):
    """Remember that the recording has more to say of so many lots of an order that is gone. Only its name is needed: all stand at one price, the furthest."""
    departed = book_at(history.departed, 0)
    map_at(departed.stamps, rest(departed, NOBODY, order_id, side, key_of(side, 1), lots)).value = stamp


@jit
def find_departed(history, order_id, side, price_ticks):
    """Return the slot of a departed order or, if there is none of that name, of the anonymous volume at a side and price, 0 if neither departed."""
    departed = book_at(history.departed, 0)
    slot = find(departed, NOBODY, order_id)
    if slot or side * side != 1 or not is_price(price_ticks):
        return slot
    return find(departed, NOBODY, anonymous_id_of(side, price_ticks))


@jit
def forget_departed(history, order_id):
    departed = book_at(history.departed, 0)
    slot = find(departed, NOBODY, order_id)
    if slot:
        remove(departed, slot)
