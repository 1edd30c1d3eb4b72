"""ITCH rows: the step from decoded ITCH messages of one stock to REQUEST rows, a block at a time. The rules are in itch.py.

Owns the state that lies between two messages: the open orders, the sweep that may go on, and the phase. Knows no file. Cost: about 100 ns a message.
"""
import numpy as np

from lob.feeds import translator
from lob.feeds.itch_messages import MESSAGE
from lob.feeds.open_orders import add_lots, drop, entry_at, find, is_full, open_orders_at, put
from lob.feeds.translator import DONE, DUPLICATE, HALTED, QUOTING, ROOM_SHORT, ROWS_A_RECORD, TRADING, change_phase, end_event, pass_time, put_row
from lob.jit import jit, pool_reader
from lob.messages import LOTS_MAX, PRICE_MAX_TICKS, Action

COUNTS = (*translator.COUNTS, "adds", "executions", "cancels", "deletes", "replaces", "hidden_executions", "cross_prints", "price_executions")
STATE = np.dtype([(name, "i8") for name in (
    # is_open: a row was written in an event that may go on; sweep_side: of the resting orders that it executed, 0 if none.
    *translator.FIELDS, "is_open", "sweep_side", "trading_phase", *COUNTS,
)], align=True)
state_at, message_at = pool_reader(STATE), pool_reader(MESSAGE)

_LIMIT, _CANCEL, _EXECUTE, _PRINT = (int(a) for a in (Action.LIMIT, Action.CANCEL, Action.EXECUTE, Action.PRINT))
_S, _H, _h, _A, _F, _E, _C, _X, _D, _U, _P, _Q = (ord(c) for c in "SHhAFECXDUPQ")
_TRADING, _QUOTING, _END_OF_HOURS = ord("T"), ord("Q"), ord("E")


@jit
def translate(address, messages, first, count):
    """Turn messages [first, count) at an address into rows; return (how many are done, why it stopped)."""
    state = state_at(address, 0)
    book = open_orders_at(state.open_orders, 0)
    for i in range(first, count):
        message = message_at(messages, i)
        if state.count + ROWS_A_RECORD > state.capacity or is_full(book):
            return i, ROOM_SHORT
        kind = message.kind
        new_ref = message.ref if kind == _A or kind == _F else message.other_ref if kind == _U else 0
        if new_ref and not state.skips_duplicates and entry_at(book.orders.entries, find(book.orders, new_ref)).key:
            return i, DUPLICATE
        _follow(state, book, message)
    return count, DONE


@jit
def _follow(state, book, message):
    """Write the rows of one message; it goes on with the event before if it is part of the same sweep."""
    kind, price_ticks = message.kind, message.price // state.tick_units
    if state.is_open and not _goes_on(state, book, message):
        finish(state, book)
    pass_time(state, message.time_ns)
    before = state.count
    if kind == _A or kind == _F:
        state.adds += 1
        _add(state, book, message.ref, message.side, price_ticks, message.lots)
    elif kind == _E or kind == _C:
        _execute(state, book, message, price_ticks)
    elif kind == _X or kind == _D:
        state.cancels += kind == _X
        state.deletes += kind == _D
        _cancel(state, book, message.ref, message.lots)
    elif kind == _U:
        _replace(state, book, message, price_ticks)
    elif kind == _P or kind == _Q:
        state.hidden_executions += kind == _P
        state.cross_prints += kind == _Q
        if 0 < message.lots <= LOTS_MAX and 0 < price_ticks <= PRICE_MAX_TICKS:
            put_row(state, _PRINT, 0, 0, price_ticks, message.lots)
    if state.count > before:
        state.is_open = 1
        if not (kind == _E or kind == _C or (kind == _P and state.sweep_side)):
            finish(state, book)
    if kind == _H or kind == _h or kind == _S:
        _note_status(state, message)


@jit
def _goes_on(state, book, message):
    """Return whether a message is of the same sweep as the executions before it: of one time, of one side, or what is left of the aggressor."""
    kind = message.kind
    if message.time_ns != state.time_ns:
        return False
    if kind == _E or kind == _C:
        return entry_at(book.orders.entries, find(book.orders, message.ref)).side == state.sweep_side
    return kind == _P or ((kind == _A or kind == _F) and message.side == -state.sweep_side)


@jit
def finish(state, book):
    """Close the event that is open."""
    state.is_open = state.sweep_side = 0
    end_event(state, book)


@jit
def _add(state, book, ref, side, price_ticks, lots):
    order = put(book.orders, ref)
    if order.lots:
        state.duplicate_orders += 1
        return
    order.side, order.price_ticks, order.lots = side, price_ticks, lots
    add_lots(book, side, price_ticks, lots)
    put_row(state, _LIMIT, ref, side, price_ticks, lots)


@jit
def _take(state, book, order, lots):
    """Take lots of an order that has them; it goes when none are left."""
    order.lots -= lots
    add_lots(book, order.side, order.price_ticks, -lots)
    if order.lots == 0:
        drop(book.orders, order.key)


@jit
def _execute(state, book, message, price_ticks):
    state.executions += 1
    order = entry_at(book.orders.entries, find(book.orders, message.ref))
    if order.key == 0:
        state.unknown_references += 1
        put_row(state, _EXECUTE, message.ref, 0, 0, message.lots)
        return
    state.overfilled += message.lots > order.lots
    lots, side, own_ticks = min(message.lots, order.lots), order.side, order.price_ticks
    state.sweep_side = side
    _take(state, book, order, lots)
    if message.kind == _E or (price_ticks == own_ticks and message.is_printable):
        put_row(state, _EXECUTE, message.ref, side, own_ticks, lots)
        return
    # At another price, or part of a cross that prints as a whole: the order goes, and the trade is what it was.
    state.price_executions += 1
    put_row(state, _CANCEL, message.ref, side, own_ticks, lots)
    if message.is_printable and 0 < price_ticks <= PRICE_MAX_TICKS:
        put_row(state, _PRINT, 0, -side, price_ticks, lots)


@jit
def _cancel(state, book, ref, lots):
    """Take lots off an order, all of them if 0."""
    order = entry_at(book.orders.entries, find(book.orders, ref))
    if order.key == 0:
        state.unknown_references += 1
        put_row(state, _CANCEL, ref, 0, 0, lots)
        return
    state.overfilled += lots > order.lots
    lots = order.lots if lots == 0 else min(lots, order.lots)
    put_row(state, _CANCEL, ref, order.side, order.price_ticks, lots)
    _take(state, book, order, lots)


@jit
def _replace(state, book, message, price_ticks):
    state.replaces += 1
    side = entry_at(book.orders.entries, find(book.orders, message.ref)).side
    is_known = entry_at(book.orders.entries, find(book.orders, message.ref)).key != 0
    _cancel(state, book, message.ref, 0)
    if is_known:
        _add(state, book, message.other_ref, side, price_ticks, message.lots)


@jit
def _note_status(state, message):
    """Follow the stock's trading state, a halt at this market alone, and the end of the day."""
    if message.kind == _H:
        state.trading_phase = TRADING if message.code == _TRADING else QUOTING if message.code == _QUOTING else HALTED
        change_phase(state, state.trading_phase)
    elif message.kind == _h:
        change_phase(state, state.trading_phase if message.code == _TRADING else HALTED)
    elif message.code == _END_OF_HOURS:
        change_phase(state, HALTED)


@jit
def finish_day(address):
    """Close the event that is open when there are no more messages."""
    state = state_at(address, 0)
    if state.is_open:
        finish(state, open_orders_at(state.open_orders, 0))


class ItchTranslator(translator.Translator):
    """The state of a translation of the MESSAGE records of one stock and of the market as a whole."""

    dtype, translate = STATE, staticmethod(translate)

    def __init__(self, tick_units, skips_duplicates):
        super().__init__(tick_units, skips_duplicates, trading_phase=TRADING)

    def _hand_on(self, all_rows):
        if all_rows:
            finish_day(self.state.ctypes.data)
        return super()._hand_on(all_rows)
