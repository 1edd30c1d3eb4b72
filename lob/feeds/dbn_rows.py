"""DBN rows: the step from Databento's market-by-order records to REQUEST rows, a block at a time. The rules are in databento.py.

Owns the state that lies between two records: the open orders, the trade whose fills follow, and the phase. Knows no file. Cost: about 100 ns a record.
"""
import numpy as np

from lob.feeds import translator
from lob.feeds.dbn import MBO
from lob.feeds.open_orders import add_lots, clear, drop, entry_at, find, is_full, open_orders_at, put
from lob.feeds.translator import DONE, DUPLICATE, QUOTING, ROOM_SHORT, ROWS_A_RECORD, TRADING, UNKNOWN, change_phase, close_event, end_event, pass_time, put_row
from lob.jit import jit, pool_reader
from lob.messages import PRICE_MAX_TICKS, Action

COUNTS = (*translator.COUNTS, "adds", "modifies", "cancels", "trades", "fills", "clears", "own_fills", "auction_lots", "print_lots")
STATE = np.dtype([(name, "i8") for name in (
    *translator.FIELDS, "filled", "filled_count", "filled_capacity", "midnight_ns", "taker_id", "taker_side", "trade_lots", "trade_ticks", "is_auction",
    "has_traded", "is_seeding", "seed_count", *COUNTS,
)], align=True)
ID = np.dtype([("id", "i8")], align=True)
state_at, record_at, id_at = pool_reader(STATE), pool_reader(MBO), pool_reader(ID)

LAST_OF_EVENT, SNAPSHOT = 128, 32
_LIMIT, _CANCEL, _EXECUTE, _DROP_LEVEL, _PRINT = (int(a) for a in (Action.LIMIT, Action.CANCEL, Action.EXECUTE, Action.DROP_LEVEL, Action.PRINT))
_A, _M, _C, _R, _T, _F, _BID, _ASK = (ord(c) for c in "AMCRTFBA")


@jit
def translate(address, records, first, count):
    """Turn records [first, count) at an address into rows; return (how many are done, why it stopped)."""
    state = state_at(address, 0)
    book = open_orders_at(state.open_orders, 0)
    for i in range(first, count):
        record = record_at(records, i)
        needed = ROWS_A_RECORD + (book.levels.count if record.action == _R else 0)
        if state.count + needed > state.capacity or state.filled_count == state.filled_capacity or is_full(book):
            return i, ROOM_SHORT
        if record.action == _A and not state.skips_duplicates and entry_at(book.orders.entries, find(book.orders, record.order_id)).key:
            return i, DUPLICATE
        _follow(state, book, record)
    return count, DONE


@jit
def _follow(state, book, record):
    """Write the rows of one record, and close the event if it is the last of it."""
    is_snapshot = record.flags & SNAPSHOT != 0
    time_ns = (record.ts_recv if is_snapshot else record.ts_event) - state.midnight_ns
    if state.is_seeding and not is_snapshot:
        _end_seed(state, time_ns)
    pass_time(state, time_ns)
    action, side = record.action, np.int64(record.side == _BID) - np.int64(record.side == _ASK)
    if action != _F:
        _end_trade(state)
    price_ticks = record.price // state.tick_units
    if action == _A:
        _add(state, book, record, side, price_ticks)
    elif action == _M:
        _modify(state, book, record, side, price_ticks)
    elif action == _C:
        _cancel(state, book, record, side, price_ticks)
    elif action == _F:
        _fill(state, book, record, side, price_ticks)
    elif action == _T:
        _trade(state, record, side, price_ticks)
    elif action == _R:
        _clear(state, book)
    if record.flags & LAST_OF_EVENT and not is_snapshot:
        _end_event(state, book)


@jit
def _add(state, book, record, side, price_ticks):
    state.adds += 1
    order = put(book.orders, record.order_id)
    if order.lots:
        state.duplicate_orders += 1
        return
    _enter(state, book, order, side, price_ticks, np.int64(record.size))


@jit
def _enter(state, book, order, side, price_ticks, lots):
    order.side, order.price_ticks, order.lots = side, price_ticks, lots
    add_lots(book, side, price_ticks, lots)
    put_row(state, _LIMIT, order.key, side, price_ticks, lots)


@jit
def _modify(state, book, record, side, price_ticks):
    state.modifies += 1
    order, lots = put(book.orders, record.order_id), np.int64(record.size)
    if order.side == 0:
        state.unknown_references += 1
    keeps_place = order.lots >= lots and order.price_ticks == price_ticks and order.side == side
    gone = order.lots - lots if keeps_place else order.lots
    if gone:
        _take(book, order, gone)
        put_row(state, _CANCEL, order.key, order.side, order.price_ticks, gone)
    order.executed_lots = 0
    if not keeps_place:
        _enter(state, book, order, side, price_ticks, lots)


@jit
def _cancel(state, book, record, side, price_ticks):
    state.cancels += 1
    order, lots = entry_at(book.orders.entries, find(book.orders, record.order_id)), np.int64(record.size)
    if order.key == 0:
        state.unknown_references += 1
        put_row(state, _CANCEL, record.order_id, side, price_ticks, lots)
        return
    told = min(lots, order.executed_lots)  # by a fill of this event
    order.executed_lots -= told
    gone = min(lots - told, order.lots)
    if gone:
        _take(book, order, gone)
        put_row(state, _CANCEL, order.key, order.side, order.price_ticks, gone)
    if order.lots == 0:
        drop(book.orders, order.key)


@jit
def _take(book, order, lots):
    order.lots -= lots
    add_lots(book, order.side, order.price_ticks, -lots)


@jit
def _trade(state, record, side, price_ticks):
    state.trades += 1
    state.taker_id, state.taker_side, state.trade_lots, state.trade_ticks = record.order_id, side, np.int64(record.size), price_ticks
    state.has_traded, state.is_auction = 1, int(side == 0)


@jit
def _fill(state, book, record, side, price_ticks):
    state.fills += 1
    if state.is_auction:
        return
    if record.order_id == state.taker_id:
        state.own_fills += 1
        return
    order, lots = entry_at(book.orders.entries, find(book.orders, record.order_id)), np.int64(record.size)
    if order.key and (order.price_ticks != price_ticks or side == 0):
        return  # its lots stay in the trade, which is a print
    state.trade_lots = max(state.trade_lots - lots, 0)
    if order.key == 0:
        state.unknown_references += 1
        put_row(state, _EXECUTE, record.order_id, side, price_ticks, lots)
        return
    state.overfilled += lots > order.lots
    lots = min(lots, order.lots)
    if lots:
        _take(book, order, lots)
        order.executed_lots += lots
        id_at(state.filled, state.filled_count).id = order.key
        state.filled_count += 1
        put_row(state, _EXECUTE, order.key, order.side, order.price_ticks, lots)


@jit
def _end_trade(state):
    """Print what is left of the trade before: no displayed order filled it."""
    if state.trade_lots and 0 < state.trade_ticks <= PRICE_MAX_TICKS:
        put_row(state, _PRINT, 0, state.taker_side, state.trade_ticks, state.trade_lots)
        state.auction_lots += state.trade_lots if state.is_auction else 0
        state.print_lots += 0 if state.is_auction else state.trade_lots
    state.trade_lots = 0


@jit
def _clear(state, book):
    state.clears += 1
    for i in range(book.levels.mask + 1):
        level = entry_at(book.levels.entries, i)
        if level.key and level.lots > 0:
            put_row(state, _DROP_LEVEL, 0, level.side, level.price_ticks, 0)
    clear(book)
    state.filled_count = 0
    change_phase(state, QUOTING)


@jit
def _end_event(state, book):
    _end_trade(state)
    for i in range(state.filled_count):
        order = entry_at(book.orders.entries, find(book.orders, id_at(state.filled, i).id))
        if order.key:
            order.executed_lots = 0
            if order.lots == 0:
                drop(book.orders, order.key)
    state.filled_count = 0
    if end_event(state, book):
        change_phase(state, QUOTING)
    elif state.has_traded:
        change_phase(state, TRADING)
    state.has_traded = state.is_auction = state.taker_id = 0


@jit
def _end_seed(state, time_ns):
    """Close the snapshot, and say that orders only collect: at its own time, or without one at the time of the first record."""
    state.is_seeding = 0
    close_event(state)
    if state.total + state.count == 0:
        state.time_ns = time_ns
    if state.phase == UNKNOWN:
        change_phase(state, QUOTING)
    state.seed_count = state.total + state.count


class DbnTranslator(translator.Translator):
    """The state of a translation of MBO records; `midnight_ns` says from when times are counted."""

    dtype, translate = STATE, staticmethod(translate)

    def __init__(self, tick_units, skips_duplicates, midnight_ns):
        super().__init__(tick_units, skips_duplicates, midnight_ns=midnight_ns, is_seeding=1)
        self.filled = np.zeros(64, ID)

    def _make_room(self, record_count):
        super()._make_room(record_count)
        if 2 * self["filled_count"] >= len(self.filled):
            self.filled = np.concatenate([self.filled, np.zeros(len(self.filled), ID)])
        self.state["filled"], self.state["filled_capacity"] = self.filled.ctypes.data, len(self.filled)
