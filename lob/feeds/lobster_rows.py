"""LOBSTER's rows: the columns of the two files, the rules that every row must keep, and their turn into ticks.

Knows no replay. Source: LOBSTER, output structure (lobsterdata.com): times are seconds after midnight, prices US dollars x 10,000, sizes
shares; a book row is ask price, ask size, bid price, bid size, level by level, and a level that is not there has the price
9999999999 (ask) or -9999999999 (bid) and the size 0.
"""
import numpy as np

from lob.feeds.table import line_at, read_table
from lob.feeds.window import MESSAGE, NO_ACTION, SIDES
from lob.messages import LOTS_MAX, PRICE_MAX_TICKS, Action

SECOND_NS = 10**9
DAY_NS = 86_400 * SECOND_NS
CENT_UNITS = 100
EMPTY_PRICE = 9_999_999_999

MESSAGE_COLUMNS = {"time": 9, "type": 0, "order id": 0, "size": 0, "price": 0, "direction": 0}
NEW, REDUCED, DELETED, EXECUTED, HIDDEN, AUCTION, HALT = range(1, 8)
ACTION_OF_TYPE = np.array([NO_ACTION, Action.LIMIT, Action.CANCEL, Action.CANCEL, Action.EXECUTE, Action.PRINT, Action.PRINT, Action.STATUS])


def read_messages(recording, damage):
    """Return int64[n, 6], the rows of a message file, times in nanoseconds, and int64[n], which rows these are.

    damage: the Damage that is told of rows that break a rule.
    """
    table, numbers = read_table(recording.text, MESSAGE_COLUMNS, recording.place, damage)
    time_ns, kind, order_id, size, price, direction = table.T
    is_halt, is_booked = kind == HALT, (kind >= NEW) & (kind <= EXECUTED)
    is_trade_of_nothing = (kind == AUCTION) & (size == 0)  # a cross that found no one is printed all the same
    price_min, price_max = np.where(is_halt, -1, np.where(is_trade_of_nothing, 0, 1)), np.where(is_halt, 1, PRICE_MAX_TICKS)
    is_kept = np.ones(len(table), bool)
    for name, rule, ok in (
        ("type", "be 1 to 7", (kind >= NEW) & (kind <= HALT)),
        ("time", "lie within a day", (time_ns >= 0) & (time_ns <= DAY_NS)),
        ("time", "not go back", _goes_on(time_ns, damage)),
        ("order id", "be at least 1 in types 1 to 4", ~is_booked | (order_id >= 1)),
        ("size", f"be 1 to {LOTS_MAX}, or from 0 in types 6 and 7", (size >= np.where(kind >= AUCTION, 0, 1)) & (size <= LOTS_MAX)),
        ("price", f"be 1 to {PRICE_MAX_TICKS}, or -1 to 1 in a halt", (price >= price_min) & (price <= price_max)),
        ("direction", "be 1 or -1, or 0 in types 6 and 7", (np.abs(direction) == 1) | (direction == 0) & (kind >= AUCTION)),
    ):
        is_kept &= _hold(recording, numbers, list(MESSAGE_COLUMNS), [name], rule, ok, damage)
    return table[is_kept], numbers[is_kept]


def _goes_on(time_ns, damage):
    """Return where a time does not go back; where rows may be left out, a wild one does not condemn all that follow."""
    if not damage.keep_going:
        return np.diff(time_ns, prepend=time_ns[0]) >= 0
    least_later = np.minimum.accumulate(time_ns[::-1])[::-1]
    is_wild = time_ns > least_later  # later than a time that follows
    if 2 * np.count_nonzero(is_wild) < len(time_ns):
        return ~is_wild
    return time_ns >= np.maximum.accumulate(time_ns)


def read_book(recording, damage):
    """Return int64[m, L, 2, 2], the rows of a book file by (level, ask or bid, price or size), 0 where there is no level, and which rows these are.

    damage: the Damage that is told of rows that break a rule.
    """
    level_count = recording.level_count or max(1, (recording.first_line.count(",") + 1) // 4)
    columns = {f"{side} {what} {level}": 0 for level in range(1, level_count + 1) for side in ("ask", "bid") for what in ("price", "size")}
    table, numbers = read_table(recording.text, columns, recording.place, damage)
    book, is_kept = table.reshape(-1, level_count, 2, 2), np.ones(len(table), bool)
    for s, side in enumerate(SIDES):
        price, size = book[:, :, s, 0], book[:, :, s, 1]
        names = list(columns)
        prices, sizes = names[2 * s::4], names[2 * s + 1::4]
        is_empty = price == -side * EMPTY_PRICE
        distance = -side * price  # grows away from the touch on either side
        is_price, is_size = (price >= 1) & (price <= PRICE_MAX_TICKS), (size >= 1) & (size <= LOTS_MAX)
        for held, rule, ok in (
            (prices, f"be 1 to {PRICE_MAX_TICKS}, or {-side * EMPTY_PRICE} for no level", is_price | is_empty),
            (sizes, f"be 1 to {LOTS_MAX}, or 0 for no level", np.where(is_empty, size == 0, is_size)),
            (prices[1:], "lie behind the level before it", (np.diff(distance, axis=1) > 0) | is_empty[:, 1:]),
        ):
            is_kept &= _hold(recording, numbers, names, held, rule, ok, damage)
        price[is_empty] = 0
    return book[is_kept], numbers[is_kept]


def tick_units(table, book):
    """Return the price step in file units: a cent if every displayed price is one in whole cents, else one unit.

    Hidden executions do not count: they print at half cents where no order can be displayed.
    """
    displayed = table[table[:, 1] <= EXECUTED, 4]
    in_cents = not (displayed % CENT_UNITS).any() and (book is None or not (book[:, :, :, 0] % CENT_UNITS).any())
    return CENT_UNITS if in_cents else 1


def to_messages(table, units):
    """Return the rows of a message file as MESSAGE[n], prices in ticks of so many units."""
    time_ns, kind, order_id, size, price, direction = table.T
    messages = np.zeros(len(table), MESSAGE)
    is_print = (kind == HIDDEN) | (kind == AUCTION)
    # The direction is the resting side's; a print is told by its aggressor, an auction has none.
    side = np.where(kind == HIDDEN, -direction, np.where(kind >= AUCTION, 0, direction))
    # Between two ticks a buyer's print is rounded down and a seller's up: never further than it went.
    sign = np.where(is_print & (side != 0), side, 1)
    ticks = np.maximum(sign * (sign * price // units), 1)
    messages["time_ns"], messages["side"] = time_ns, side
    messages["action"] = np.where((kind == AUCTION) & (size == 0), NO_ACTION, ACTION_OF_TYPE[kind])
    messages["order_id"] = np.where(kind <= EXECUTED, order_id, 0)
    messages["lots"] = np.where(kind == HALT, 0, size)
    messages["price_ticks"] = np.where(kind == HALT, price + 1, ticks)
    messages["is_whole"] = kind == DELETED
    return messages


def to_ticks(book, units):
    """Return the book rows with prices in ticks of so many units; changes them in place."""
    book[:, :, :, 0] //= units
    return book


def sweeps(messages):
    """Return where a message is of the same event as the one before it: bool[n].

    The file has a row for each order that an aggressor met, then perhaps one for what is left of it; rows of one time and one side are taken to be one event.
    """
    is_print = (messages["action"] == Action.PRINT) & (messages["side"] != 0)
    is_trade = is_print | (messages["action"] == Action.EXECUTE)
    resting_side = np.where(is_print, -messages["side"], messages["side"])
    follows = np.zeros(len(messages), bool)
    is_same = is_trade[:-1] & (np.diff(messages["time_ns"]) == 0)
    is_rest = (messages["action"][1:] == Action.LIMIT) & (messages["side"][1:] == -resting_side[:-1])
    follows[1:] = is_same & (is_rest | (is_trade[1:] & (resting_side[1:] == resting_side[:-1])))
    return follows


def _hold(recording, numbers, columns, names, rule, ok, damage):
    """Return where `ok`, bool[n] or bool[n, names], holds for a row, bool[n], and tell `damage` of the first where it does not."""
    ok = ok.reshape(len(numbers), len(names))
    holds = ok.all(axis=1)
    if not holds.all():
        i = int(np.argmin(holds))
        name, row = names[int(np.argmin(ok[i]))], int(numbers[i])
        value = line_at(recording.text, row).split(",")[columns.index(name)]
        damage.note(f"{recording.place}: row {row + 1}: {name} must {rule}, was {value}", int(np.count_nonzero(~holds)))
    return holds
