"""Window: what a recording of the best levels says about the book behind it.

Owns the step from messages (and, where there are any, the book rows after them) to REQUEST rows, a block at a time, and the state that lies between two
messages. Knows no file.

A recording of L levels forgets what leaves its window: orders beyond it come and go unseen, and messages alone do not rebuild the book. So
where a price enters the window, the volume that the book row shows, less what the message itself brings, is put there as the level's
anonymous order. It is put there *before* the message: it was there all along, and the side is never empty in between. Where a price leaves,
its level is dropped *after* the message. A level gets a new epoch at each entry, and an order is open only while the level at its price has
the epoch under which it was added: so dropping a level forgets its orders in one step, and the table of orders is swept when it is full.

A message that names an order which does not rest is tried against the anonymous order of its level, as the exchange does it. Where the
book row still disagrees after the message (a damaged recording), the level is dropped and put back as anonymous volume, and counted.
The file has a row for each order that an aggressor met, then perhaps one for what is left of it; rows of one time and one side are taken to be one event.
Worst case: one message replaces every level of a side, L entries and L drops.
"""
from collections import namedtuple

import numpy as np

from lob.feeds import translator
from lob.feeds.open_orders import drop, entry_at, find, is_full, open_orders_at, put
from lob.feeds.translator import DONE, DUPLICATE, ROOM_SHORT, close_event, put_row
from lob.jit import jit, pool_reader
from lob.messages import Action, Side, anonymous_id

# One message in ticks. `action` is what it becomes, or NO_ACTION; `is_whole`: the cancel means all that is left of the order.
MESSAGE = np.dtype([(name, "i8") for name in ("time_ns", "action", "order_id", "lots", "price_ticks", "side", "is_whole")])
NO_ACTION = -1

# The place of a side in a book row, as LOBSTER has it: the ask first.
SIDES = (int(Side.SELL), int(Side.BUY))
# How a message may contradict what came before it, beside the reasons of a translation to stop.
FINE, DUPLICATE_ORDER, ORDER_ELSEWHERE, MORE_THAN_OPEN = DONE, DUPLICATE, DUPLICATE + 1, DUPLICATE + 2

LEVEL = np.dtype([(name, "i8") for name in ("price_ticks", "lots", "anonymous_lots", "epoch", "is_kept")])
COUNTS = ("entries", "drops", "anonymous_references", "unknown_references", "unexplained")
# messages: followed so far; before: which of the two windows is the one before the next message; trade_ns, trade_side: of the last message, 0 if it is no
# trade, and the side of the order that it met.
STATE = np.dtype([(name, "i8") for name in (
    *translator.FIELDS, "messages", "before", "epoch", "trade_ns", "trade_side", "unexplained_first", "unexplained_last", *COUNTS,
)], align=True)
state_at = pool_reader(STATE)

_FIRST_EPOCH = 1
_LIMIT, _CANCEL, _EXECUTE, _DROP_LEVEL, _PRINT = (int(a) for a in (Action.LIMIT, Action.CANCEL, Action.EXECUTE, Action.DROP_LEVEL, Action.PRINT))
_anonymous_id = jit(anonymous_id)

# levels: LEVEL[2, 2, L + 1], the windows (the one before and the one after a message by turns, ask and bid, best first, closed by a level without a price).
Work = namedtuple("Work", "messages book levels row_ends")


class Window(translator.Translator):
    """The state of a translation, between blocks.

    level_count: L; has_books: whether there is a book row after each message, or all follows from messages alone, from a seed on or from nothing.
    """

    dtype = STATE

    def __init__(self, level_count, has_books):
        super().__init__(1, epoch=_FIRST_EPOCH, unexplained_last=-1)
        self.has_books, self.levels = has_books, np.zeros((2, 2, level_count + 1), LEVEL)
        if not has_books:
            self.levels["epoch"] = _FIRST_EPOCH  # the level that closes a window stands for every price that the seed did not show

    def seed(self, message, book):
        """Put a book row, int64[L, 2, 2] by (level, ask or bid, price_ticks or lots), a level without a price empty, as it was after a message: MESSAGE[1]."""
        self._make_room(1)
        _seed(self.state.ctypes.data, Work(message, book[np.newaxis], self.levels, np.zeros(1, np.int64)))

    def follow(self, messages, book, contradicted):
        """Return the rows of the events that end in MESSAGE[n], REQUEST[m], and int64[n], how many rows there are in all up to and including each message.

        book: int64[n, L, 2, 2], the rows after them, n = 0 without. contradicted: told (number, fault) of a message that contradicts the ones before
        it; if it returns, the message counts for nothing.
        """
        work, done = Work(messages, book, self.levels, np.zeros(len(messages), np.int64)), 0
        while done < len(messages):
            self._make_room(len(messages) - done)
            done, why = _follow(self.state.ctypes.data, work, done, self.has_books)
            if why >= DUPLICATE:
                contradicted(done, why)
                messages["action"][done] = NO_ACTION
        return self._hand_on(False), work.row_ends

    def end(self):
        """Return the rows of the last event."""
        _end(self.state.ctypes.data)
        return self._hand_on(True)

    def _make_room(self, record_count):
        if self.has_books and _is_swept(self.state.ctypes.data, self.levels):
            self.open_orders.grow(4)
        super()._make_room(record_count, 4 * self.levels.shape[2])


@jit
def _is_swept(address, levels):
    """Forget the orders whose level has gone, if there is no room for another; return whether there was none."""
    state = state_at(address, 0)
    book = open_orders_at(state.open_orders, 0)
    if not is_full(book):
        return False
    for i in range(book.orders.mask + 1):
        entry = entry_at(book.orders.entries, i)
        while entry.key and not _is_open(entry, levels[state.before]):  # what is dropped may make room for another at the same place
            drop(book.orders, entry.key)
    return True


@jit
def _is_open(entry, windows):
    """Return whether the level at an order's price is still the one that it came to."""
    window = windows[int(entry.side == SIDES[1])]
    level = window[_find(window, entry.price_ticks)]
    return level.price_ticks != 0 and level.epoch == entry.epoch


@jit
def _seed(address, work):
    state = state_at(address, 0)
    state.time_ns = work.messages[0].time_ns
    _begin(state, work.messages[0])
    for s in range(2):
        for j in range(work.book.shape[1]):
            if work.book[0, j, s, 0] == 0:
                break
            level = work.levels[0, s, j]
            level.price_ticks, level.lots = work.book[0, j, s, 0], work.book[0, j, s, 1]
            level.anonymous_lots, level.epoch = level.lots, _FIRST_EPOCH
            _put_anonymous(state, SIDES[s], level)


@jit
def _follow(address, work, first, has_books):
    """Follow the messages from number `first` on; return (how many are done, why it stopped)."""
    state = state_at(address, 0)
    book = open_orders_at(state.open_orders, 0)
    rows_max = 8 * work.levels.shape[2]  # every level of both sides may enter or leave, and be put right
    for k in range(first, work.messages.shape[0]):
        message = work.messages[k]
        if state.count + rows_max > state.capacity or is_full(book):
            return k, ROOM_SHORT
        if _moves_book(message):
            fault = _fault_of(message, book.orders, work.levels[state.before], has_books)
            if fault != FINE:
                return k, fault
        state.time_ns = message.time_ns
        _begin(state, message)
        if has_books:
            _follow_window(state, book.orders, work, k)
        else:
            _follow_message(state, book.orders, message, work.levels[0])
        work.row_ends[k] = state.total + state.count
        state.messages += 1
    return work.messages.shape[0], DONE


@jit
def _end(address):
    close_event(state_at(address, 0))


@jit
def _begin(state, message):
    """Close the event before a message unless it belongs to it, as a sweep's next execution or as the aggressor's rest."""
    side = message.side if message.action == _EXECUTE else -message.side if message.action == _PRINT else 0
    is_rest = message.action == _LIMIT and message.side == -state.trade_side
    if state.trade_side == 0 or message.time_ns != state.trade_ns or not (is_rest or side == state.trade_side):
        close_event(state)
    state.trade_ns, state.trade_side = message.time_ns, side


@jit
def _follow_message(state, orders, message, windows):
    """Follow a message with nothing to compare it to: no level leaves, and an order rests until messages have taken it off."""
    lots = message.lots
    if _moves_book(message):
        window = windows[int(message.side == SIDES[1])]
        lots = _apply(state, orders, message, window[_find(window, message.price_ticks)])
    _put_message(state, message, lots)


@jit
def _follow_window(state, orders, work, k):
    """Follow message k and the book row after it, so that then the visible window is the book row's."""
    message, before, after = work.messages[k], work.levels[state.before], work.levels[1 - state.before]
    for s in range(2):
        _enter(state, work.book[k], message, s, before[s], after[s])
    if _moves_book(message):
        _move(state, orders, message, before, after)
    else:
        _put_message(state, message, message.lots)
    for s in range(2):
        _leave(state, s, before[s], after[s])
        _settle(state, work.book[k], s, after[s])
    state.before = 1 - state.before


@jit
def _enter(state, shown, message, s, before, after):
    """Fill `after` with the prices of a book row and what rests there before its message; put what enters the window."""
    change = _change(message) if message.side == SIDES[s] else 0
    i = 0
    for j in range(shown.shape[0] + 1):
        level = after[j]
        level.price_ticks = shown[j, s, 0] if j < shown.shape[0] else 0
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
        lots = shown[j, s, 1] - (change if level.price_ticks == message.price_ticks else 0)
        if lots < 0 or (lots > 0 and i < shown.shape[0]):
            _note_unexplained(state)  # only beyond a full window can a price have been there unseen
        state.epoch += 1
        level.epoch = state.epoch
        if lots > 0:
            state.entries += 1
            level.lots = level.anonymous_lots = lots
            _put_anonymous(state, SIDES[s], level)


@jit
def _move(state, orders, message, before, after):
    """Apply a message to the level at its price and put its row; outside both windows it says nothing about the visible book."""
    s = int(message.side == SIDES[1])
    window, j = after[s], _find(after[s], message.price_ticks)
    if window[j].price_ticks == 0:
        window, j = before[s], _find(before[s], message.price_ticks)
    if window[j].price_ticks == 0:
        _note_unexplained(state)
        return
    lots = _apply(state, orders, message, window[j])
    _put_message(state, message, lots)


@jit
def _leave(state, s, before, after):
    """Drop the levels that the book row no longer shows and that the message has not emptied."""
    shown_count, level_count = _find(after, 0), after.shape[0] - 1
    for j in range(level_count):
        level = before[j]
        if level.price_ticks == 0:
            break
        if level.is_kept or level.lots == 0:
            continue
        state.drops += 1
        _put_drop(state, SIDES[s], level)
        if shown_count < level_count or SIDES[s] * (level.price_ticks - after[shown_count - 1].price_ticks) > 0:
            _note_unexplained(state)  # only from behind a full window can a price have left unseen


@jit
def _settle(state, shown, s, after):
    """Put right what the book row shows otherwise."""
    for j in range(_find(after, 0)):
        level, lots = after[j], shown[j, s, 1]
        if level.lots == lots:
            continue
        _note_unexplained(state)
        state.epoch += 1
        level.epoch = state.epoch
        level.lots = level.anonymous_lots = lots
        _put_drop(state, SIDES[s], level)
        _put_anonymous(state, SIDES[s], level)


@jit
def _note_unexplained(state):
    if state.unexplained_last == state.messages:  # once for a message
        return
    if state.unexplained == 0:
        state.unexplained_first = state.messages
    state.unexplained += 1
    state.unexplained_last = state.messages


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
def _fault_of(message, orders, windows, has_books):
    """Return how the message contradicts what was last seen of the order it names; an order that left with its level is forgotten."""
    order = entry_at(orders.entries, find(orders, message.order_id))
    if order.key == 0:
        return FINE
    if has_books and not _is_open(order, windows):
        drop(orders, message.order_id)
        return FINE
    if message.action == _LIMIT:
        return DUPLICATE_ORDER
    if order.price_ticks != message.price_ticks or order.side != message.side:
        return ORDER_ELSEWHERE
    return MORE_THAN_OPEN if message.lots > order.lots else FINE


@jit
def _apply(state, orders, message, level):
    """Move the message's lots at its level; return the lots of its request."""
    if message.action == _LIMIT:
        order = put(orders, message.order_id)
        order.price_ticks, order.side, order.lots, order.epoch = message.price_ticks, message.side, message.lots, level.epoch
        level.lots += message.lots
        return message.lots
    order = entry_at(orders.entries, find(orders, message.order_id))
    if order.key and order.epoch == level.epoch:
        # A delete takes all: in a book without rows an earlier partial cancel may have gone by unseen.
        taken = order.lots if message.is_whole else message.lots
        order.lots -= taken
        level.lots -= taken
        if order.lots == 0:
            drop(orders, message.order_id)
        return 0 if message.is_whole else taken
    if level.anonymous_lots >= message.lots:
        state.anonymous_references += 1
        level.anonymous_lots -= message.lots
        level.lots -= message.lots
    else:
        state.unknown_references += 1
        level.anonymous_lots, level.lots = 0, -1  # what the exchange makes of it is not known here: the level must be settled
    return message.lots


@jit
def _put_message(state, message, lots):
    if message.action != NO_ACTION:
        put_row(state, message.action, message.order_id, message.side, message.price_ticks, lots)


@jit
def _put_anonymous(state, side, level):
    put_row(state, _LIMIT, _anonymous_id(side, level.price_ticks), side, level.price_ticks, level.lots)


@jit
def _put_drop(state, side, level):
    put_row(state, _DROP_LEVEL, 0, side, level.price_ticks, 0)
