"""DBN rows: the step from Databento's market-by-order records to REQUEST rows, a block at a time. The rules are in databento.py.

Owns the state that lies between two records: the open orders, the trade whose fills follow, and the phase. Knows no file. Cost: about 100 ns a record.
"""
import numpy as np

from lob.feeds.dbn import MBO
from lob.feeds.feed import LAST, joined
from lob.feeds.open_orders import (
    OPEN_ORDERS,
    OpenOrders,
    add_lots,
    clear,
    drop,
    entry_at,
    find,
    is_crossed,
    is_full,
    open_orders_at,
    put,
)
from lob.jit import jit, pool_reader
from lob.messages import PRICE_MAX_TICKS, REQUEST, Action

COUNTS = (
    "adds", "modifies", "cancels", "trades", "fills", "clears", "events", "crossed_events", "unknown_references", "own_fills", "overfilled", "duplicate_orders",
    "times_raised", "auction_lots", "print_lots", "status_changes",
)
STATE = np.dtype([(name, "i8") for name in (
    # rows: REQUEST[capacity], count of them filled, event_end of them in events that have ended, total: handed on before.
    "rows", "count", "capacity", "event_end", "total", "filled", "filled_count", "filled_capacity", "open_orders",
    "midnight_ns", "time_ns", "tick_units", "taker_id", "taker_side", "trade_lots", "trade_ticks", "is_auction", "has_traded", "is_seeding",
    "seed_count", "phase", "skips_duplicates", *COUNTS,
)], align=True)
ID = np.dtype([("id", "i8")], align=True)
state_at, row_at, record_at, id_at = pool_reader(STATE), pool_reader(REQUEST), pool_reader(MBO), pool_reader(ID)

DONE, ROWS_SHORT, TABLES_SHORT, DUPLICATE = range(4)
QUOTING, TRADING = 1, 2
ROWS_A_RECORD = 8  # more than one record can bring, but for a clear
LAST_OF_EVENT, SNAPSHOT = 128, 32
_LIMIT, _CANCEL, _EXECUTE, _DROP_LEVEL, _PRINT, _STATUS = (
    int(a) for a in (Action.LIMIT, Action.CANCEL, Action.EXECUTE, Action.DROP_LEVEL, Action.PRINT, Action.STATUS))
_A, _M, _C, _R, _T, _F, _BID, _ASK = (ord(c) for c in "AMCRTFBA")


@jit
def translate(address, records, first, count):
    """Turn records [first, count) at an address into rows; return (how many are done, why it stopped)."""
    state = state_at(address, 0)
    book = open_orders_at(state.open_orders, 0)
    for i in range(first, count):
        record = record_at(records, i)
        needed = ROWS_A_RECORD + (book.levels.count if record.action == _R else 0)
        if state.count + needed > state.capacity or state.filled_count == state.filled_capacity:
            return i, ROWS_SHORT
        if is_full(book):
            return i, TABLES_SHORT
        if record.action == _A and not state.skips_duplicates and entry_at(book.orders.entries, find(book.orders, record.order_id)).key:
            return i, DUPLICATE
        _follow(state, book, record)
    return count, DONE


@jit
def _follow(state, book, record):
    """Write the rows of one record, and close the event if it is the last of it."""
    is_snapshot = record.flags & SNAPSHOT != 0
    if state.is_seeding and not is_snapshot:
        _end_seed(state)
    time_ns = (record.ts_recv if is_snapshot else record.ts_event) - state.midnight_ns
    state.times_raised += time_ns < state.time_ns
    state.time_ns = max(state.time_ns, time_ns)
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


@jit(inline=True)
def _put(state, action, order_id, side, price_ticks, lots):
    row = row_at(state.rows, state.count)
    state.count += 1
    row.time_ns = row.sent_ns = state.time_ns
    row.action, row.order_id, row.side, row.price_ticks, row.lots, row.flags = action, order_id, side, price_ticks, lots, 0


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
    _put(state, _LIMIT, order.key, side, price_ticks, lots)


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
        _put(state, _CANCEL, order.key, order.side, order.price_ticks, gone)
    order.executed_lots = 0
    if not keeps_place:
        _enter(state, book, order, side, price_ticks, lots)


@jit
def _cancel(state, book, record, side, price_ticks):
    state.cancels += 1
    order, lots = entry_at(book.orders.entries, find(book.orders, record.order_id)), np.int64(record.size)
    if order.key == 0:
        state.unknown_references += 1
        _put(state, _CANCEL, record.order_id, side, price_ticks, lots)
        return
    told = min(lots, order.executed_lots)  # by a fill of this event
    order.executed_lots -= told
    gone = min(lots - told, order.lots)
    if gone:
        _take(book, order, gone)
        _put(state, _CANCEL, order.key, order.side, order.price_ticks, gone)
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
        _put(state, _EXECUTE, record.order_id, side, price_ticks, lots)
        return
    state.overfilled += lots > order.lots
    lots = min(lots, order.lots)
    if lots:
        _take(book, order, lots)
        order.executed_lots += lots
        id_at(state.filled, state.filled_count).id = order.key
        state.filled_count += 1
        _put(state, _EXECUTE, order.key, order.side, order.price_ticks, lots)


@jit
def _end_trade(state):
    """Print what is left of the trade before: no displayed order filled it."""
    if state.trade_lots and 0 < state.trade_ticks <= PRICE_MAX_TICKS:
        _put(state, _PRINT, 0, state.taker_side, state.trade_ticks, state.trade_lots)
        state.auction_lots += state.trade_lots if state.is_auction else 0
        state.print_lots += 0 if state.is_auction else state.trade_lots
    state.trade_lots = 0


@jit
def _clear(state, book):
    state.clears += 1
    for i in range(book.levels.mask + 1):
        level = entry_at(book.levels.entries, i)
        if level.key and level.lots > 0:
            _put(state, _DROP_LEVEL, 0, level.side, level.price_ticks, 0)
    clear(book)
    state.filled_count = 0
    _change_phase(state, QUOTING)


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
    state.events += 1
    _close(state)
    crossed = is_crossed(book)
    state.crossed_events += crossed
    if crossed:
        _change_phase(state, QUOTING)
    elif state.has_traded:
        _change_phase(state, TRADING)
    state.has_traded = state.is_auction = state.taker_id = 0


@jit(inline=True)
def _close(state):
    """Mark the last row as that of its event."""
    if state.count > state.event_end:
        row_at(state.rows, state.count - 1).flags = LAST
        state.event_end = state.count


@jit
def _change_phase(state, phase):
    """Say that the phase has changed: an event of its own."""
    if state.phase != phase:
        _close(state)
        _put(state, _STATUS, 0, 0, phase, 0)
        _close(state)
        state.phase, state.status_changes = phase, state.status_changes + 1


@jit
def _end_seed(state):
    state.is_seeding = 0
    _close(state)
    if state.count and state.phase == 0:
        _change_phase(state, QUOTING)
    state.seed_count = state.total + state.count


class Translator:
    """The state of a translation and its memory.

    tick_units: the price step in file units; midnight_ns: from which times are counted; skips_duplicates: count an added order whose id is
    open, instead of stopping there.
    """

    def __init__(self, tick_units, midnight_ns, skips_duplicates=False):
        self.open_orders = OpenOrders()
        self.state = np.zeros(1, STATE)
        self.rows, self.filled = np.zeros(0, REQUEST), np.zeros(64, ID)
        self.state["open_orders"], self.state["tick_units"], self.state["midnight_ns"] = self.open_orders.address, tick_units, midnight_ns
        self.state["skips_duplicates"], self.state["is_seeding"], self.state["time_ns"] = skips_duplicates, 1, -2**62

    def __getitem__(self, name):
        return int(self.state[name][0])

    def rows_of(self, records, is_last=False):
        """Return the rows of the events that end in MBO[n], REQUEST[m], and None or the number of a record whose order is open already.

        is_last: whether these are the last records; the rows of an event that does not end are given out too.
        """
        records, done, why = np.ascontiguousarray(records), 0, ROWS_SHORT
        while why != DONE:
            self._make_room(len(records) - done)
            done, why = translate(self.state.ctypes.data, records.ctypes.data, done, len(records))
            if why == DUPLICATE:
                break
        return self._hand_on(is_last or why == DUPLICATE), done if why == DUPLICATE else None

    def _make_room(self, record_count):
        self.open_orders.grow()
        free = 2 * record_count + 2 * ROWS_A_RECORD + int(self.open_orders.record["levels"]["count"][0])
        if self["count"] + free > len(self.rows):
            self.rows = _longer(self.rows, self["count"] + free)
        if 2 * self["filled_count"] >= len(self.filled):
            self.filled = _longer(self.filled, 2 * len(self.filled))
        self.state["rows"], self.state["capacity"] = self.rows.ctypes.data, len(self.rows)
        self.state["filled"], self.state["filled_capacity"] = self.filled.ctypes.data, len(self.filled)

    def _hand_on(self, all_rows):
        end, count = self["count" if all_rows else "event_end"], self["count"]
        rows, waiting = joined([self.rows[:end]]), joined([self.rows[end:count]])
        self.rows[:count - end].view(np.uint8)[:] = waiting.view(np.uint8)
        self.state["count"], self.state["event_end"] = count - end, 0
        self.state["total"] += end
        return rows


def _longer(array, length):
    longer = np.zeros(length, array.dtype)
    longer[:len(array)] = array
    return longer


assert OPEN_ORDERS.isalignedstruct
