"""LOBSTER's rows: the columns of the two files, the rules that every row must keep, and their turn into ticks.

Knows no replay. Source: LOBSTER, output structure (lobsterdata.com): times are seconds after midnight, prices US dollars x 10,000, sizes
shares; a book row is ask price, ask size, bid price, bid size, level by level, and a level that is not there has the price
9999999999 (ask) or -9999999999 (bid) and the size 0.
"""
from itertools import chain

import numpy as np

from lob.feeds.feed import DAY_NS, SECOND_NS
from lob.feeds.table import WHOLE, read_rows
from lob.feeds.window import MESSAGE, NO_ACTION, SIDES
from lob.jit import jit
from lob.messages import LOTS_MAX, PRICE_MAX_TICKS, Action

CENT_UNITS = 100
EMPTY_PRICE = 9_999_999_999
AHEAD_ROWS = (3, 10, 30, 100)

MESSAGE_COLUMNS = {"time": 9, "type": 0, "order id": 0, "size": 0, "price": 0, "direction": 0}
NEW, REDUCED, DELETED, EXECUTED, HIDDEN, AUCTION, HALT = range(1, 8)
ACTION_OF_TYPE = np.array([NO_ACTION, Action.LIMIT, Action.CANCEL, Action.CANCEL, Action.EXECUTE, Action.PRINT, Action.PRINT, Action.STATUS])


def message_blocks(recording, damage):
    """Yield the rows of a message file in blocks: int64[n], which rows these are, and int64[n, 6], times in nanoseconds.

    damage: the Damage that is told of rows that break a rule.
    """
    blocks = _message_blocks(recording, damage)
    return _in_order(recording.place, blocks, damage) if damage.keep_going else blocks


def _message_blocks(recording, damage):
    last_ns = np.zeros(1, np.int64)
    with recording.open() as packed:
        for rows in damage.up_to(read_rows(packed, lambda _: MESSAGE_COLUMNS)):
            times_ns = np.concatenate([last_ns, rows.values[:, 0]])
            goes_on = damage.keep_going | (np.diff(times_ns) >= 0)  # where rows may be left out, it is seen later which one is wrong
            yield _readable(packed.place, rows, rows.values, [*_message_rules(rows.values), (["time"], "not go back", goes_on)], damage)
            last_ns = times_ns[-1:]


def _message_rules(table):
    """Return the rules of a message as `_readable` takes them."""
    time_ns, kind, order_id, size, price, direction = table.T
    is_halt, is_booked = kind == HALT, (kind >= NEW) & (kind <= EXECUTED)
    is_trade_of_nothing = (kind == AUCTION) & (size == 0)  # a cross that found no one is printed all the same
    price_min, price_max = np.where(is_halt, -1, np.where(is_trade_of_nothing, 0, 1)), np.where(is_halt, 1, PRICE_MAX_TICKS)
    return [
        (["type"], "be 1 to 7", (kind >= NEW) & (kind <= HALT)),
        (["time"], "lie within a day", (time_ns >= 0) & (time_ns <= DAY_NS)),
        (["order id"], "be at least 1 in types 1 to 4", ~is_booked | (order_id >= 1)),
        (["size"], f"be 1 to {LOTS_MAX}, or from 0 in types 6 and 7", (size >= np.where(kind >= AUCTION, 0, 1)) & (size <= LOTS_MAX)),
        (["price"], f"be 1 to {PRICE_MAX_TICKS}, or -1 to 1 in a halt", (price >= price_min) & (price <= price_max)),
        (["direction"], "be 1 or -1, or 0 in types 6 and 7", (np.abs(direction) == 1) | (direction == 0) & (kind >= AUCTION)),
    ]


def _in_order(place, blocks, damage):
    """Yield the blocks without the rows whose time is wrong: before that of the last right one, or after most of the 3, 10, 30 or 100 times behind it."""
    waiting, last_ns = (np.zeros(0, np.int64), np.zeros((0, len(MESSAGE_COLUMNS)), np.int64)), 0
    for block in chain(blocks, [None]):
        numbers, table = waiting if block is None else (np.concatenate(pair) for pair in zip(waiting, block, strict=True))
        count = len(table) if block is None else max(len(table) - AHEAD_ROWS[-1], 0)
        goes_on, last_ns = _goes_on(np.ascontiguousarray(table[:, 0]), count, last_ns)
        for i in damage.some(~goes_on):
            damage.note(f"{place}: row {numbers[i] + 1}: time must not go back, was {_shortest(table[i, 0])}")
        yield numbers[:count][goes_on], table[:count][goes_on]
        waiting = numbers[count:], table[count:]


@jit
def _goes_on(times_ns, count, last_ns):
    """Return which of the first `count` times are right, bool[count], and the last that is."""
    found = np.zeros(count, np.bool_)
    for i in range(count):
        if times_ns[i] >= last_ns and not _is_late(times_ns, i):
            found[i], last_ns = True, times_ns[i]
    return found, last_ns


@jit
def _is_late(times_ns, i):
    """Return whether time i is after most of the few, or of the many, behind it."""
    earlier = 0
    for j in range(i + 1, min(i + 1 + AHEAD_ROWS[-1], times_ns.size)):
        earlier += times_ns[j] < times_ns[i]
        if (j - i in AHEAD_ROWS or j == times_ns.size - 1) and 2 * earlier > j - i:
            return True
    return False


def book_blocks(recording, damage):
    """Yield the rows of a book file in blocks: int64[n], which rows these are, and int64[n, L, 2, 2] by (level, ask or bid, price or size), 0 for no level.

    damage: the Damage that is told of rows that break a rule.
    """
    with recording.open() as packed:
        for rows in damage.up_to(read_rows(packed, lambda line: _book_columns(recording.level_count or max(1, (line.count(",") + 1) // 4)))):
            book = rows.values.reshape(len(rows.values), -1, 2, 2)
            rules = _book_rules(book, list(rows.columns))
            for s, side in enumerate(SIDES):
                price = book[:, :, s, 0]
                price[price == -side * EMPTY_PRICE] = 0
            yield _readable(packed.place, rows, book, rules, damage)


def _book_columns(level_count):
    return {f"{side} {what} {level}": 0 for level in range(1, level_count + 1) for side in ("ask", "bid") for what in ("price", "size")}


def _book_rules(book, names):
    """Return the rules of a book row as `_readable` takes them."""
    rules = []
    for s, side in enumerate(SIDES):
        price, size = book[:, :, s, 0], book[:, :, s, 1]
        prices, sizes = names[2 * s::4], names[2 * s + 1::4]
        is_empty = price == -side * EMPTY_PRICE
        distance = -side * price  # grows away from the touch on either side
        is_price, is_size = (price >= 1) & (price <= PRICE_MAX_TICKS), (size >= 1) & (size <= LOTS_MAX)
        rules += [
            (prices, f"be 1 to {PRICE_MAX_TICKS}, or {-side * EMPTY_PRICE} for no level", is_price | is_empty),
            (sizes, f"be 1 to {LOTS_MAX}, or 0 for no level", np.where(is_empty, size == 0, is_size)),
            (prices[1:], "lie behind the level before it", (np.diff(distance, axis=1) > 0) | is_empty[:, 1:]),
        ]
    return rules


def _readable(place, rows, values, rules, damage):
    """Return the numbers and the values of the rows that are numbers and keep the rules.

    rules: (names of columns, what they must do, bool[n] or bool[n, names] where they do).
    """
    rules = [(names, rule, ok.reshape(len(values), len(names))) for names, rule, ok in rules]
    numbers, ok = np.arange(rows.first, rows.first + len(values)), rows.faults == WHOLE
    for _, _, holds in rules:
        ok &= holds.all(axis=1)
    if ok.all():
        return numbers, values
    for i in damage.some(~ok):
        damage.note(f"{place}: row {numbers[i] + 1}: {rows.explain(i) if rows.faults[i] else _broken(rows.line(i), list(rows.columns), rules, i)}")
    return numbers[ok], values[ok]


def _broken(line, columns, rules, i):
    """Return the first rule that row i breaks and the value that breaks it."""
    names, rule, holds = next(broken for broken in rules if not broken[2][i].all())
    name = names[int(np.argmin(holds[i]))]
    return f"{name} must {rule}, was {line.split(',')[columns.index(name)]}"


def line_of(row):
    """Return a row of a message file, int64[6], as LOBSTER writes it."""
    return ",".join([_shortest(row[0]), *(str(number) for number in row[1:])])


def _shortest(time_ns):
    return seconds(time_ns).rstrip("0").rstrip(".")


def seconds(time_ns):
    """Return a time in seconds, with all its decimals."""
    return f"{time_ns // SECOND_NS}.{time_ns % SECOND_NS:09d}"


def is_in_cents(table, book):
    """Return whether every displayed price is in whole cents. book: the book rows, or None.

    Hidden executions do not count: they print at half cents where no order can be displayed.
    """
    displayed = table[table[:, 1] <= EXECUTED, 4]
    return not (displayed % CENT_UNITS).any() and (book is None or not (book[:, :, :, 0] % CENT_UNITS).any())


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
    """Return book rows with prices in ticks of so many units."""
    book = book.copy()
    book[..., 0] //= units
    return book
