"""Replay: the book, rebuilt from the rows of a tape.

Owns what a row does to the lots at a price. Needs no matcher: a row says what happened, not what should have.
Within an event the incoming order is *pending*: ACCEPTED or REPLACED opens it, each FILL takes from it and from the resting side, and what is
left of it rests when the event ends. In an auction both orders come from the book, and the rows say what is left at the price of each.
Hidden orders and waiting stops are never displayed; of an iceberg the rows say what it shows. On a passive tape the rows of agents never move the
recorded book; on one of the rule `displace` only what they take from recorded orders does.

Cost: one pass of compiled code, about 20 ns a row; memory for the touches, not for the rows.
"""
import numpy as np

from lob.errors import TapeError
from lob.exchange.ladder import LADDER, LadderMemory, key_of, ladder_at, level_of, lots_at, next_key, occupy, open_level, page_of, vacate
from lob.exchange.queries import DEPTH, depth_at
from lob.exchange.reports import report_at
from lob.jit import jit, pool_reader
from lob.messages import CancelReason, Flag, ReportKind, Side

TOUCH = np.dtype(
    [
        ("time_ns", "i8"),
        ("sequence", "i8"),        # of the last row of the event that changed the touch
        ("best_bid_ticks", "i8"),  # 0 when the side is empty
        ("best_ask_ticks", "i8"),
        ("bid_lots", "i8"),
        ("ask_lots", "i8"),
    ],
    align=True,
)
REPLAYED = np.dtype(
    [
        ("ladders", "i8"),             # address of LADDER[2]: bids, asks; a level's head counts its orders
        ("book", "i8"),                # rows of other books are passed over
        ("is_passive", "i8"),          # agents' orders are not displayed, and what they trade is
        ("displaces", "i8"),           # not seen, or seen where it is recorded orders' lots
        ("pending_lots", "i8"),        # of the order that this event brought in, 0 if it will not be displayed
        ("pending_display", "i8"),     # how many of them it will show
        ("pending_id", "i8"),
        ("pending_owner", "i8"),
        ("pending_side", "i8"),
        ("pending_price_ticks", "i8"),
        ("touch", TOUCH),              # the last one written
        ("next_row", "i8"),            # the first row not yet read
    ],
    align=True,
)
TOUCHES_A_CHUNK = 2**18
replayed_at, touch_at = pool_reader(REPLAYED), pool_reader(TOUCH)

# Compiled code sees these as numbers.
ACCEPTED, FILL, CANCELLED, REDUCED, REPLACED = (int(ReportKind[name]) for name in ("ACCEPTED", "FILL", "CANCELLED", "REDUCED", "REPLACED"))
REFRESHED, TRIGGERED = int(ReportKind.REFRESHED), int(ReportKind.TRIGGERED)
UNFILLED, FILL_OR_KILL, TOO_FEW, SELF_TRADE = (int(CancelReason[name]) for name in ("UNFILLED", "FILL_OR_KILL", "MINIMUM", "SELF_TRADE"))
LAST, HIDDEN, ICEBERG, UNSEEN, IN_AUCTION = int(Flag.LAST), int(Flag.HIDDEN), int(Flag.ICEBERG), int(Flag.HIDDEN | Flag.STOP), int(Flag.AUCTION)


@jit
def _side_ladder(replayed, side):
    return ladder_at(replayed.ladders, side < 0)


@jit
def _take_lots(replayed, side, price_ticks, lots, orders):
    """Take lots, and `orders` that are gone with them, off a level; False if they are not there."""
    ladder, key = _side_ladder(replayed, side), key_of(side, price_ticks)
    page = page_of(ladder, key)
    if page == 0:
        return False
    level = level_of(page, key)
    if level.lots < lots or level.head < orders:
        return False
    level.lots -= lots
    level.head -= orders
    if level.lots == 0 and lots > 0:
        level.head = 0
        vacate(ladder, key)
    return True


@jit
def _set_level(replayed, side, price_ticks, lots, orders):
    """Leave so many lots at a level, where `orders` have gone; False if that cannot be. At price 0 nothing was displayed."""
    if price_ticks == 0:
        return True
    ladder, key = _side_ladder(replayed, side), key_of(side, price_ticks)
    page = page_of(ladder, key)
    if page == 0:
        return False
    level = level_of(page, key)
    if level.lots == 0 or level.head < orders or (lots > 0) != (level.head > orders):
        return False
    level.lots, level.head = lots, level.head - orders
    if lots == 0:
        vacate(ladder, key)
    return True


@jit
def _rest_pending(replayed):
    """Add what is left of the incoming order to its level: the event is over."""
    lots, side = min(replayed.pending_lots, replayed.pending_display), replayed.pending_side
    ladder, key = _side_ladder(replayed, side), key_of(side, replayed.pending_price_ticks)
    level = open_level(ladder, key)
    if level.lots == 0:
        occupy(ladder, key)
    level.lots += lots
    level.head += 1
    replayed.pending_lots = 0


@jit
def _apply_row(replayed, row):
    """Do what one row says; False if the book cannot have been so."""
    if row.kind == ACCEPTED or row.kind == REPLACED or row.kind == TRIGGERED:
        _open_pending(replayed, row)
        return True
    if row.kind == FILL and row.flags & IN_AUCTION:
        left_there = _set_level(replayed, -1, row.offset_ticks, row.level_lots, row.resting_open_lots == 0)
        return _set_level(replayed, 1, row.trigger_ticks, row.lots_ahead, row.open_lots == 0) and left_there
    if row.kind == FILL:
        replayed.pending_lots = max(replayed.pending_lots - row.lots, 0)
        return row.flags & HIDDEN != 0 or _take_lots(replayed, -row.side, row.price_ticks, row.lots, row.resting_open_lots == 0)
    if row.kind == CANCELLED or row.kind == REDUCED:
        if _is_about_pending(replayed, row):
            replayed.pending_lots = max(replayed.pending_lots - row.lots, 0)
            return True
        lots = row.display_lots if row.flags & ICEBERG else row.lots
        return row.flags & UNSEEN != 0 or row.price_ticks == 0 or _take_lots(replayed, row.side, row.price_ticks, lots, row.kind == CANCELLED)
    if row.kind == REFRESHED:
        _refresh(replayed, row)
    return True


@jit
def _open_pending(replayed, row):
    """Note the order that an event brings in: hidden orders, stops that wait and market orders are never displayed."""
    replayed.pending_lots = 0 if row.flags & UNSEEN or row.price_ticks == 0 else row.lots
    replayed.pending_display = row.display_lots if row.flags & ICEBERG else row.lots
    replayed.pending_id, replayed.pending_owner, replayed.pending_side, replayed.pending_price_ticks = row.order_id, row.owner, row.side, row.price_ticks


@jit
def _is_about_pending(replayed, row):
    """Return whether it is the incoming order that loses lots, and not one that rests."""
    if row.reason == SELF_TRADE:
        return row.order_id == replayed.pending_id and row.owner == replayed.pending_owner
    return row.reason == UNFILLED or row.reason == FILL_OR_KILL or row.reason == TOO_FEW


@jit
def _refresh(replayed, row):
    """Show the next lots of an iceberg: it has been counted among the orders all the while, unless its level was empty."""
    ladder, key = _side_ladder(replayed, row.side), key_of(row.side, row.price_ticks)
    level = open_level(ladder, key)
    if level.lots == 0:
        level.head = 1
        occupy(ladder, key)
    level.lots += row.lots


@jit
def _write_touch(replayed, row, touch):
    """Write the touch if it is not as it was; return how many were written."""
    bids, asks, last = _side_ladder(replayed, 1), _side_ladder(replayed, -1), replayed.touch
    bid_ticks, ask_ticks = bids.best_key, key_of(-1, asks.best_key) if asks.best_key else 0
    bid_lots = lots_at(bids, bids.best_key) if bids.best_key else 0
    ask_lots = lots_at(asks, asks.best_key) if asks.best_key else 0
    if bid_ticks == last.best_bid_ticks and ask_ticks == last.best_ask_ticks and bid_lots == last.bid_lots and ask_lots == last.ask_lots:
        return 0
    last.best_bid_ticks, last.best_ask_ticks, last.bid_lots, last.ask_lots = bid_ticks, ask_ticks, bid_lots, ask_lots
    touch.time_ns, touch.sequence = row.time_ns, row.sequence
    touch.best_bid_ticks, touch.best_ask_ticks, touch.bid_lots, touch.ask_lots = bid_ticks, ask_ticks, bid_lots, ask_lots
    return 1


@jit
def _is_displayed(replayed, row):
    """Return whether a row says something of displayed orders, and not only of those of agents inside a recorded day."""
    if replayed.is_passive == 0 or (row.owner == 0 and row.resting_owner == 0):
        return True
    if replayed.displaces and row.kind == FILL and row.resting_owner > 0:
        # A recorded order on its way in has traded with an agent's, which was never displayed.
        replayed.pending_lots = max(replayed.pending_lots - row.lots, 0)
        return False
    return replayed.displaces != 0 and row.kind == FILL


@jit
def apply_event_row(replayed, row, touch):
    """Do what a row of this book says, and close its event if it is the last; return the touches written, or -1 for a contradiction."""
    if _is_displayed(replayed, row) and not _apply_row(replayed, row):
        return -1
    if not row.flags & LAST:
        return 0
    if replayed.pending_lots:
        _rest_pending(replayed)
    return _write_touch(replayed, row, touch)


@jit
def _advance(replayed_address, rows, row_count, touches, capacity):
    """Read rows up to row_count; return the number of touches written, or -1 if row `next_row` contradicts the book.

    Stops short, with next_row at the row to go on from, when `capacity` touches are written or a side has no free page.
    """
    replayed = replayed_at(replayed_address, 0)
    bids, asks = _side_ladder(replayed, 1), _side_ladder(replayed, -1)
    written = 0
    while replayed.next_row < row_count and written < capacity and bids.free_pages > 0 and asks.free_pages > 0:
        row = report_at(rows, replayed.next_row)
        if row.book == replayed.book:
            change = apply_event_row(replayed, row, touch_at(touches, written))
            if change < 0:
                return -1
            written += change
        replayed.next_row += 1
    return written


class ReplayedBook:
    """The lots at every price after some rows of a tape; the face of OrderBook without the orders themselves."""

    def __init__(self, execution="live", book=0):
        self._replayed, self._sides = np.zeros(1, REPLAYED), np.zeros(2, LADDER)
        self._ladders = [LadderMemory(self._sides[i : i + 1]) for i in range(2)]
        self._replayed["ladders"] = self._sides.ctypes.data
        self._replayed["book"], self._replayed["is_passive"] = book, execution in ("passive", "displace")
        self._replayed["displaces"] = execution == "displace"

    def advance(self, rows):
        """Apply REPORT[n], the rows that follow those already applied, and yield the changes of the touch as TOUCH arrays.

        Raises TapeError at a row that takes lots which the book does not have.
        """
        yield from self.advance_by(_advance, rows, TOUCH, min(TOUCHES_A_CHUNK, len(rows)))

    def advance_by(self, read, rows, dtype, capacity):
        """Apply REPORT[n] with a compiled reader, and yield what it writes, dtype[m] at a time, m <= capacity.

        read: (address of REPLAYED, address of rows, their count, address to write at, capacity) -> records written, or -1 for a contradiction; it stops short
        when it has no room or a side has no free page.
        """
        found = np.empty(capacity, dtype)
        self._replayed["next_row"] = 0
        while self._replayed["next_row"][0] < len(rows):
            written = self._read_into(read, found, rows)
            yield found[:written].view(np.uint8).copy().view(dtype)

    def touches(self, rows, ends=(), look=None):
        """Apply REPORT[n] as `advance` does and return all changes of the touch: TOUCH[m]. look(): called when each of the first ends[k] rows is read."""
        # Room for a change with every row; memory that is not written costs nothing.
        touches, count, first = np.empty(len(rows), TOUCH), 0, 0
        for k, end in enumerate((*ends, len(rows))):
            part, first = rows[first:end], end
            self._replayed["next_row"] = 0
            while self._replayed["next_row"][0] < len(part):
                count += self._read_into(_advance, touches[count:], part)
            if k < len(ends):
                look()
        return touches[:count]

    def _read_into(self, read, found, rows):
        """Go on from the next row until `found`, rows or pages are used up; return how many records were written. Adds pages where they are used up."""
        written = read(self._replayed.ctypes.data, rows.ctypes.data, len(rows), found.ctypes.data, len(found))
        if written < 0:
            self._raise_contradiction(rows[self._replayed["next_row"][0]])
        for ladder in self._ladders:
            if ladder.ladder["free_pages"][0] == 0:
                ladder.add_pages()
        return written

    def _raise_contradiction(self, row):
        side = -row["side"] if row["kind"] == FILL else row["side"]
        raise TapeError(
            f"row {row['sequence']}: {ReportKind(int(row['kind'])).name} takes {row['lots']} lots at {row['price_ticks']} ticks, "
            f"where {self.lots_at(side, row['price_ticks'])} rest"
        )

    @property
    def best_bid_ticks(self):
        """The highest bid, None if there is none."""
        return self._best(Side.BUY)

    @property
    def best_ask_ticks(self):
        """The lowest ask, None if there is none."""
        return self._best(Side.SELL)

    def _best(self, side):
        depth = self.depth(side, 1)
        return int(depth["price_ticks"][0]) if len(depth) else None

    def lots_at(self, side, price_ticks):
        """Return the lots of one side at a price."""
        return int(_lots_at(self._replayed.ctypes.data, int(side), int(price_ticks)))

    def depth(self, side, levels=10):
        """Return the best levels of a side, best first: DEPTH[n], n <= levels; `levels` None for all of them."""
        count = int(_fill_depth(self._replayed.ctypes.data, int(side), 0, 2**62))
        depth = np.zeros(count if levels is None else min(count, levels), DEPTH)
        _fill_depth(self._replayed.ctypes.data, int(side), depth.ctypes.data, len(depth))
        return depth


@jit
def _lots_at(replayed_address, side, price_ticks):
    return lots_at(_side_ladder(replayed_at(replayed_address, 0), side), key_of(side, price_ticks))


@jit
def _fill_depth(replayed_address, side, levels, capacity):
    """Fill the DEPTH records at address `levels` (0: only count), best first; return how many there are, at most `capacity`."""
    ladder = _side_ladder(replayed_at(replayed_address, 0), side)
    key, count = ladder.best_key, 0
    while key and count < capacity:
        if levels:
            level, rests = depth_at(levels, count), level_of(page_of(ladder, key), key)
            level.price_ticks, level.lots, level.orders = key_of(side, key), rests.lots, rests.head
        key, count = next_key(ladder, key), count + 1
    return count


def touches(rows, execution="live", book=0):
    """Return every change of the touch, as it stands when the event that changed it is over.

    rows: REPORT[n] from the beginning of a tape. Returns TOUCH[m]; a side that is empty has price and lots 0.
    Raises TapeError at a row that takes lots which the book does not have.
    """
    return ReplayedBook(execution, book).touches(rows)


def book_at(tape, time_ns, book=0):
    """Return the ReplayedBook as it stands when everything up to and including `time_ns` has happened."""
    replayed = ReplayedBook(tape.execution, book)
    for _ in replayed.advance(tape.rows_until(time_ns)):
        pass
    return replayed
