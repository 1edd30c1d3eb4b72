"""Window: what a recording of the best levels says about the book behind it.

Owns the step from messages (and, where there are any, the book rows after them) to REQUEST rows. Knows no file.

A recording of L levels forgets what leaves its window: orders beyond it come and go unseen, and messages alone do not rebuild the book. So
where a price enters the window, the volume that the book row shows, less what the message itself brings, is put there as the level's
anonymous order. It is put there *before* the message: it was there all along, and the side is never empty in between. Where a price leaves,
its level is dropped *after* the message. A level gets a new epoch at each entry, and an order rests only while the level at its price has
the epoch under which it was added: so dropping a level forgets its orders in one step.

A message that names an order which does not rest is tried against the anonymous order of its level, as the exchange does it. Where the
book row still disagrees after the message (a damaged recording), the level is dropped and put back as anonymous volume, and counted.
Worst case: one message replaces every level of a side, L entries and L drops.
"""
from collections import namedtuple

import numpy as np

from lob.jit import jit
from lob.messages import REQUEST, Action, Side, anonymous_id

# One message in ticks. `action` is what it becomes, or NO_ACTION; `is_whole`: the cancel means all that is left of the order.
MESSAGE = np.dtype([(name, "i8") for name in ("time_ns", "action", "order_id", "lots", "price_ticks", "side", "is_whole")])
NO_ACTION = -1

# The place of a side in a book row, as LOBSTER has it: the ask first.
SIDES = (int(Side.SELL), int(Side.BUY))
FINE, DUPLICATE_ORDER, ORDER_ELSEWHERE, MORE_THAN_OPEN = range(4)

ORDER = np.dtype([(name, "i8") for name in ("price_ticks", "side", "lots", "epoch")])
LEVEL = np.dtype([(name, "i8") for name in ("price_ticks", "lots", "anonymous_lots", "epoch", "is_kept")])
COUNTS = np.dtype([(name, "i8") for name in (
    "rows", "epoch", "fault", "fault_message", "entries", "drops", "anonymous_references", "unknown_references",
    "unexplained", "unexplained_first", "unexplained_last",
)])

_FIRST_EPOCH = 1
_LIMIT, _CANCEL, _EXECUTE, _DROP_LEVEL = int(Action.LIMIT), int(Action.CANCEL), int(Action.EXECUTE), int(Action.DROP_LEVEL)
_anonymous_id = jit(anonymous_id)

# levels: LEVEL[2, 2, L + 1], the windows (before and after a message, ask and bid, best first, closed by a level without a price).
Work = namedtuple("Work", "messages slots book levels orders rows event_ends counts")


def requests_of(messages, book):
    """Return (rows, event_ends, counts): the requests that build the first book row and then follow the messages.

    messages: MESSAGE[n]; book: int64[m, L, 2, 2] by (level, ask or bid, price_ticks or lots), a level without a price empty: m = n, row k the book
    after message k; or m = 1, only the first, and the rest follows from messages alone; or m = 0, a blind start. With a first row, message 0 is
    only its time. rows: REQUEST; event_ends[k]: the rows up to and including message k; counts: a COUNTS record, whose `fault` other than
    FINE says that the work stopped at `fault_message`.
    """
    work = _work_of(messages, book, np.zeros(1, REQUEST))
    _follow(work)
    work = _work_of(messages, book, np.zeros(work.counts[0]["rows"] + 1, REQUEST), work.slots)
    _follow(work)
    return work.rows[:-1], work.event_ends, work.counts[0]


def count_unexplained(messages, book):
    """Return how many of the book rows after the first do not follow from the row before and their message; a fault leaves none explained."""
    work = _work_of(messages, book, np.zeros(1, REQUEST))
    _follow(work)
    counts = work.counts[0]
    return int(counts["unexplained"]) if counts["fault"] == FINE else len(messages)


def _work_of(messages, book, rows, slots=None):
    """Return the Work of one pass; with too few rows it counts them, and the last one is overwritten again and again."""
    if slots is None:
        slots = np.unique(messages["order_id"], return_inverse=True)[1]
    orders = np.zeros(slots.max(initial=0) + 1, ORDER)
    levels = np.zeros((2, 2, book.shape[1] + 1), LEVEL)
    return Work(messages, slots, book, levels, orders, rows, np.zeros(messages.size, np.int64), np.zeros(1, COUNTS))


def _follow(work):
    _seed(work)
    if 0 < len(work.book) == len(work.messages):
        _follow_window(work)
    else:
        _follow_messages(work)


@jit
def _seed(work):
    """Write the first book row, if there is one, as anonymous volume at the time of message 0."""
    counts = work.counts[0]
    counts.epoch = _FIRST_EPOCH
    if work.book.shape[0] == 0:
        return
    for s in range(2):
        for j in range(work.book.shape[1]):
            if work.book[0, j, s, 0] == 0:
                break
            level = work.levels[0, s, j]
            level.price_ticks, level.lots = work.book[0, j, s, 0], work.book[0, j, s, 1]
            level.anonymous_lots, level.epoch = level.lots, _FIRST_EPOCH
            _put_anonymous(work.rows, counts, work.messages[0].time_ns, SIDES[s], level)
    work.event_ends[0] = counts.rows


@jit
def _follow_messages(work):
    """Follow the messages with nothing to compare them to: no level leaves, and an order rests until messages have taken it off."""
    counts, windows = work.counts[0], work.levels[0]
    for s in range(2):
        windows[s, _find(windows[s], 0)].epoch = _FIRST_EPOCH  # the level that stands for every price the seed did not show
    for k in range(min(1, work.book.shape[0]), work.messages.shape[0]):
        message = work.messages[k]
        lots = message.lots
        if _moves_book(message):
            s = int(message.side == SIDES[1])
            order = work.orders[work.slots[k]]
            counts.fault = _fault_of(message, order)
            if counts.fault != FINE:
                counts.fault_message = k
                return
            lots = _apply(message, order, windows[s, _find(windows[s], message.price_ticks)], counts)
        _put_message(work.rows, counts, message, lots)
        work.event_ends[k] = counts.rows


@jit
def _follow_window(work):
    """Follow the messages and the book rows together, so that after each message the visible window is the book row's."""
    counts, before, after = work.counts[0], work.levels[0], work.levels[1]
    for k in range(1, work.messages.shape[0]):
        message = work.messages[k]
        for s in range(2):
            _enter(work, k, s, before[s], after[s])
        if _moves_book(message):
            counts.fault = _fault_of(message, work.orders[work.slots[k]])
            if counts.fault != FINE:
                counts.fault_message = k
                return
            _move(work, k, before, after)
        else:
            _put_message(work.rows, counts, message, message.lots)
        for s in range(2):
            _leave(work, k, s, before[s], after[s])
            _settle(work, k, s, after[s])
        work.event_ends[k] = counts.rows
        before, after = after, before


@jit
def _enter(work, k, s, before, after):
    """Fill `after` with the prices of book row k and what rests there before message k; put what enters the window."""
    counts, message = work.counts[0], work.messages[k]
    change = _change(message) if message.side == SIDES[s] else 0
    i = 0
    for j in range(work.book.shape[1] + 1):
        level = after[j]
        level.price_ticks = work.book[k, j, s, 0] if j < work.book.shape[1] else 0
        level.lots = level.anonymous_lots = level.epoch = level.is_kept = 0
        if level.price_ticks == 0:
            break
        while before[i].price_ticks != 0 and SIDES[s] * (before[i].price_ticks - level.price_ticks) > 0:
            i += 1
        if before[i].price_ticks == level.price_ticks:
            before[i].is_kept = 1
            level.lots, level.anonymous_lots, level.epoch = before[i].lots, before[i].anonymous_lots, before[i].epoch
            i += 1
            continue
        lots = work.book[k, j, s, 1] - (change if level.price_ticks == message.price_ticks else 0)
        if lots < 0 or (lots > 0 and i < work.book.shape[1]):
            _note_unexplained(counts, k)  # only beyond a full window can a price have been there unseen
        counts.epoch += 1
        level.epoch = counts.epoch
        if lots > 0:
            counts.entries += 1
            level.lots = level.anonymous_lots = lots
            _put_anonymous(work.rows, counts, message.time_ns, SIDES[s], level)


@jit
def _move(work, k, before, after):
    """Apply message k to the level at its price and put its row; outside both windows it says nothing about the visible book."""
    counts, message = work.counts[0], work.messages[k]
    s = int(message.side == SIDES[1])
    window, j = after[s], _find(after[s], message.price_ticks)
    if window[j].price_ticks == 0:
        window, j = before[s], _find(before[s], message.price_ticks)
    if window[j].price_ticks == 0:
        _note_unexplained(counts, k)
        return
    lots = _apply(message, work.orders[work.slots[k]], window[j], counts)
    _put_message(work.rows, counts, message, lots)


@jit
def _leave(work, k, s, before, after):
    """Drop the levels that the book row after message k no longer shows and that the message has not emptied."""
    counts = work.counts[0]
    shown_count = _find(after, 0)
    for j in range(work.book.shape[1]):
        level = before[j]
        if level.price_ticks == 0:
            break
        if level.is_kept or level.lots == 0:
            continue
        counts.drops += 1
        _put_drop(work.rows, counts, work.messages[k].time_ns, SIDES[s], level)
        if shown_count < work.book.shape[1] or SIDES[s] * (level.price_ticks - after[shown_count - 1].price_ticks) > 0:
            _note_unexplained(counts, k)  # only from behind a full window can a price have left unseen


@jit
def _settle(work, k, s, after):
    """Put right what the book row after message k shows otherwise."""
    counts, time_ns = work.counts[0], work.messages[k].time_ns
    for j in range(_find(after, 0)):
        level, lots = after[j], work.book[k, j, s, 1]
        if level.lots == lots:
            continue
        _note_unexplained(counts, k)
        counts.epoch += 1
        level.epoch = counts.epoch
        level.lots = level.anonymous_lots = lots
        _put_drop(work.rows, counts, time_ns, SIDES[s], level)
        _put_anonymous(work.rows, counts, time_ns, SIDES[s], level)


@jit
def _note_unexplained(counts, k):
    if counts.unexplained_last == k:  # once for a message
        return
    if counts.unexplained == 0:
        counts.unexplained_first = k
    counts.unexplained += 1
    counts.unexplained_last = k


@jit
def _moves_book(message):
    return message.action == _LIMIT or message.action == _CANCEL or message.action == _EXECUTE


@jit
def _change(message):
    """Return by how many lots the message changes its level."""
    if not _moves_book(message):
        return 0
    return message.lots if message.action == _LIMIT else -message.lots


@jit
def _find(window, price_ticks):
    """Return the place of a price in a window, or of the level without a price that closes it."""
    i = 0
    while window[i].price_ticks != price_ticks and window[i].price_ticks != 0:
        i += 1
    return i


@jit
def _fault_of(message, order):
    """Return how the message contradicts what was last seen of the order it names."""
    if order.lots == 0:
        return FINE
    if message.action == _LIMIT:
        return DUPLICATE_ORDER
    if order.price_ticks != message.price_ticks or order.side != message.side:
        return ORDER_ELSEWHERE
    return MORE_THAN_OPEN if message.lots > order.lots else FINE


@jit
def _apply(message, order, level, counts):
    """Move the message's lots at its level; return the lots of its request."""
    if message.action == _LIMIT:
        order.price_ticks, order.side, order.lots, order.epoch = message.price_ticks, message.side, message.lots, level.epoch
        level.lots += message.lots
        return message.lots
    if order.lots > 0 and order.epoch == level.epoch:
        # A delete takes all: in a book without rows an earlier partial cancel may have gone by unseen.
        taken = order.lots if message.is_whole else message.lots
        order.lots -= taken
        level.lots -= taken
        return 0 if message.is_whole else taken
    if level.anonymous_lots >= message.lots:
        counts.anonymous_references += 1
        level.anonymous_lots -= message.lots
        level.lots -= message.lots
    else:
        counts.unknown_references += 1
        level.anonymous_lots, level.lots = 0, -1  # what the exchange makes of it is not known here: the level must be settled
    return message.lots


@jit
def _row(rows, counts, time_ns, action):
    """Return the next row, cleared but for its time and action."""
    row = rows[min(counts.rows, rows.shape[0] - 1)]
    counts.rows += 1
    row.time_ns = row.sent_ns = time_ns
    row.action = action
    row.order_id = row.price_ticks = row.lots = row.side = 0
    return row


@jit
def _put_message(rows, counts, message, lots):
    if message.action == NO_ACTION:
        return
    row = _row(rows, counts, message.time_ns, message.action)
    row.order_id, row.price_ticks, row.side, row.lots = message.order_id, message.price_ticks, message.side, lots


@jit
def _put_anonymous(rows, counts, time_ns, side, level):
    row = _row(rows, counts, time_ns, _LIMIT)
    row.order_id = _anonymous_id(side, level.price_ticks)
    row.price_ticks, row.side, row.lots = level.price_ticks, side, level.lots


@jit
def _put_drop(rows, counts, time_ns, side, level):
    row = _row(rows, counts, time_ns, _DROP_LEVEL)
    row.price_ticks, row.side = level.price_ticks, side
