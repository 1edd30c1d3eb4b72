"""Depth behaviour: depth is what people do with it, measured by what follows.

Owns the refill of a touch after it was eaten, the return of a level that was traded through, and the lives of orders by their distance from the touch: how
many were cancelled before the touch ever reached them, and how long they stayed. Sources: Biais, Hillion and Spatt (1995), order flow after trades; Large
(2007), resiliency; Hasbrouck and Saar (2009), fleeting orders.
"""
from dataclasses import dataclass

import numpy as np

from lob.analytics.blocks import group_means
from lob.analytics.causes import Cause, mid_moves
from lob.analytics.detection import detection
from lob.analytics.fills import fills
from lob.analytics.notes import without_nan
from lob.analytics.pressure import flow_between, flow_sums
from lob.analytics.quotes import quotes, touch_at
from lob.analytics.records import select, step
from lob.analytics.stay import Change, End, change_at, stay_at
from lob.analytics.stays import walk
from lob.analytics.survival import stay_class
from lob.jit import jit
from lob.messages import Side

HORIZONS_NS = (1_000_000, 10_000_000, 100_000_000, 500_000_000, 1_000_000_000, 5_000_000_000)
LIFE_QUANTILES = (10, 50, 90)
COUNTED = ("orders", "filled", "left", "behind", "unseen")  # of each class of orders; left: cancelled or moved, without a fill
TRADED, END_CANCELLED, END_MOVED, NOTHING = int(Change.TRADED), int(End.CANCELLED), int(End.MOVED), -(2**40)  # the urgency of an empty side


@dataclass(frozen=True)
class DepthBehaviour:
    """Depth as behaviour, as polars frames: refill (`refill`), returns (`level_returns`), lives (`order_lives`), detection (`detection.detection`)."""

    refill: object
    returns: object
    lives: object
    detection: object


def depth_behaviour(tape, book=0):
    """Return the DepthBehaviour of one book of a tape."""
    return DepthBehaviour(refill(tape, book=book), level_returns(tape, book=book), order_lives(tape, book=book), detection(tape, book))


def refill(tape, horizons_ns=HORIZONS_NS, book=0):
    """Return how much of what was eaten at the touch was added there again, by horizon: a polars frame.

    Columns: horizon_ns, horizon_s, times (at which a side was eaten), eaten_lots, refilled (lots added at that side's touch within the horizon, over lots
    eaten), refilled_error (block-robust), usual (the same if lots were added at their mean rate over the whole tape), excess = refilled - usual.
    Null without times.
    """
    import polars as pl

    times, lots, side = _eaten(tape, book)
    sums, lines = tape.derived(flow_sums, book), []
    added, rates = [sums[of, "added"] for of in Side], [_added_rate(tape, of, book) for of in Side]
    weight, everything, one = lots.astype(float), np.ones(len(times), bool), np.zeros(len(times), np.int64)
    refilled, eaten_by = np.empty(len(times)), np.cumsum(side == Side.BUY)
    for horizon_ns in horizons_ns:
        count = int(np.searchsorted(times, tape.end_ns - horizon_ns, "right"))
        numbers = [None] * 4
        if count:
            _add_refilled(times[:count], lots, side, *added[0], *added[1], horizon_ns, refilled)
            found = group_means(one[:count], 1, times[:count], weight[:count], {"refilled": refilled[:count]}, everything[:count], horizon_ns)
            bids = int(eaten_by[count - 1])
            usual = horizon_ns * (bids * rates[0] + (count - bids) * rates[1]) / weight[:count].sum()
            numbers = [found["refilled"][0], found["refilled_error"][0], usual, found["refilled"][0] - usual]
        lines.append((horizon_ns, horizon_ns / 1e9, count, int(lots[:count].sum()), *numbers))
    floats = dict.fromkeys(("refilled", "refilled_error", "usual", "excess"), pl.Float64)
    counts = {"horizon_ns": pl.Int64, "horizon_s": pl.Float64, "times": pl.Int64, "eaten_lots": pl.Int64}
    return pl.DataFrame(lines, schema=counts | floats, orient="row")


@jit
def _add_refilled(times, lots, side, bid_ns, bid_lots, ask_ns, ask_lots, horizon_ns, refilled):
    """Write, of every time, the lots added to its side within the horizon over the lots eaten. bid_ns, bid_lots, ...: see `pressure`."""
    bid_from, bid_to, ask_from, ask_to = -1, -1, -1, -1
    for i in range(len(times)):
        if side[i] > 0:
            bid_from, bid_to = step(bid_ns, bid_from, times[i]), step(bid_ns, bid_to, times[i] + horizon_ns)
            refilled[i] = (bid_lots[bid_to + 1] - bid_lots[bid_from + 1]) / lots[i]
        else:
            ask_from, ask_to = step(ask_ns, ask_from, times[i]), step(ask_ns, ask_to, times[i] + horizon_ns)
            refilled[i] = (ask_lots[ask_to + 1] - ask_lots[ask_from + 1]) / lots[i]


def _eaten(tape, book):
    """Return the times at which a side was eaten, how many lots, and which side, int64, int64 and int8[n], in the order of time, the bid first."""
    changes = walk(tape, book).changes
    room = 2 * len(fills(tape, book))  # a fill of an auction takes of both sides
    columns = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int8)
    count = _read_eaten(changes.ctypes.data, len(changes), *columns)
    return [column[:count] for column in columns]


@jit
def _read_eaten(changes, change_count, times, lots, side):
    count, now_ns, bid, ask = 0, 0, 0, 0
    for i in range(change_count):
        change = change_at(changes, i)
        if change.kind == TRADED:
            if change.time_ns != now_ns:
                count = _write_eaten(now_ns, bid, ask, times, lots, side, count)
                now_ns, bid, ask = change.time_ns, 0, 0
            bid += change.lots if change.side > 0 else 0
            ask += change.lots if change.side < 0 else 0
    return _write_eaten(now_ns, bid, ask, times, lots, side, count)


@jit
def _write_eaten(now_ns, bid, ask, times, lots, side, count):
    for of, eaten in ((1, bid), (-1, ask)):
        if eaten:
            times[count], lots[count], side[count] = now_ns, eaten, of
            count += 1
    return count


def _added_rate(tape, side, book):
    """Return the lots added at a side's touch, per nanosecond of the tape."""
    first_ns = tape.start_ns
    added = flow_between(tape, side, "added", np.array([first_ns - 1]), np.array([tape.end_ns]), book)[0]
    return added / max(tape.end_ns - first_ns, 1)


def level_returns(tape, horizons_ns=HORIZONS_NS, book=0):
    """Return how often a best price that was traded through was the best of its side again, or bettered, within each horizon: a polars frame.

    Columns: side, horizon_ns, horizon_s, depletions (with a horizon of tape after them), returned (share, null without any), returned_error (binomial).
    """
    import polars as pl

    touches, moves = quotes(tape, book), mid_moves(tape, book)
    moves = moves[moves["cause"] == Cause.TRADED]
    lines = []
    for side in (Side.BUY, Side.SELL):
        mine = moves[moves["side"] == side]
        wait_ns = np.full(len(mine), 2**62)
        _return_times(touches.ctypes.data, len(touches), int(side), np.ascontiguousarray(mine["sequence"]), side * mine["from_ticks"], wait_ns)
        for horizon_ns in horizons_ns:
            seen = wait_ns[mine["time_ns"] + horizon_ns <= tape.end_ns]
            share = (seen <= horizon_ns).mean() if len(seen) else None
            error = np.sqrt(share * (1 - share) / len(seen)) if len(seen) else None
            lines.append((int(side), horizon_ns, horizon_ns / 1e9, len(seen), share, error))
    names = {"side": pl.Int8, "horizon_ns": pl.Int64, "horizon_s": pl.Float64, "depletions": pl.Int64, "returned": pl.Float64, "returned_error": pl.Float64}
    return pl.DataFrame(lines, schema=names, orient="row")


@jit
def _return_times(touches, touch_count, side, sequence, lost, wait_ns):
    """Write for each depletion, of urgency lost[i] by the touch with its number, how long until the side is as good again, if it ever is.

    Depletions wait on a stack: a later one has lost a less urgent price, so it returns first.
    """
    stack, since_ns, height, following = np.empty(len(lost), np.int64), np.empty(len(lost), np.int64), 0, 0
    for i in range(touch_count):
        touch = touch_at(touches, i)
        best_ticks = touch.best_bid_ticks if side > 0 else touch.best_ask_ticks
        urgency = side * best_ticks if best_ticks > 0 else NOTHING
        while height > 0 and lost[stack[height - 1]] <= urgency:
            height -= 1
            wait_ns[stack[height]] = touch.time_ns - since_ns[height]
        while following < len(lost) and sequence[following] == touch.sequence:
            stack[height], since_ns[height] = following, touch.time_ns
            height += 1
            following += 1


def order_lives(tape, by="gap", book=0):
    """Return how orders lived and ended, by class (see `stay_class`; the default is the distance from the touch at entry): a polars frame.

    Columns: by, orders, filled_share (with a fill), cancelled_share (cancelled or moved without one), unseen_share (of those that entered behind the touch:
    cancelled or moved without ever having been at it), life_10_s, life_50_s, life_90_s (quantiles of the life of those cancelled or moved without a fill).
    Orders that were there before the run began are left out.
    """
    import polars as pl

    stays = walk(tape, book).stays
    if len(stays) and stays["time_ns"].min() < tape.start_ns:
        stays = select(stays, stays["time_ns"] >= tape.start_ns)
    classes = stay_class(tape, stays, by, book)
    words = classes.unique().sort()
    numbers, places = _numbers(classes), np.zeros(_numbers(words).max(initial=-1) + 2, np.int64)
    places[_numbers(words) + 1] = np.arange(len(words))
    counts = np.zeros((len(words), len(COUNTED)), np.int64)
    _count_lives(stays.ctypes.data, numbers, places, counts)
    ends = np.cumsum(counts[:, COUNTED.index("left")])
    lives_ns = np.empty(ends[-1] if len(words) else 0, np.int64)
    _read_lives(stays.ctypes.data, numbers, places, ends - counts[:, COUNTED.index("left")], lives_ns)
    quantiles = np.full((len(words), len(LIFE_QUANTILES)), np.nan)
    for k, lives in enumerate(np.split(lives_ns, ends[:-1]) if len(words) else []):
        if len(lives):
            quantiles[k] = np.quantile(lives, [q / 100 for q in LIFE_QUANTILES]) / 1e9
    table = pl.DataFrame({by: words} | dict(zip(COUNTED, counts.T.copy(), strict=True))).select(
        by, "orders", (pl.col("filled") / pl.col("orders")).alias("filled_share"), (pl.col("left") / pl.col("orders")).alias("cancelled_share"),
        (pl.col("unseen") / pl.col("behind")).alias("unseen_share"),
    )
    return without_nan(table.with_columns(pl.Series(f"life_{q}_s", column) for q, column in zip(LIFE_QUANTILES, quantiles.T, strict=True)))


@jit(inline=True)
def _has_left(stay):
    return stay.first_fill_ns < 0 and (stay.end == END_CANCELLED or stay.end == END_MOVED)


@jit
def _count_lives(stays, numbers, places, counts):
    """Count by class what COUNTED says. numbers: of each stay's class; places: in the table, of the number - 1 on."""
    for i in range(len(numbers)):
        stay, mine = stay_at(stays, i), counts[places[numbers[i] + 1]]
        is_behind = stay.gap_ticks > 0
        mine[0] += 1
        mine[1] += stay.first_fill_ns >= 0
        mine[2] += _has_left(stay)
        mine[3] += is_behind
        mine[4] += _has_left(stay) and is_behind and not stay.was_at_touch


@jit
def _read_lives(stays, numbers, places, at, lives_ns):
    """Write the lives of the stays that left unfilled, a class after the other, from the places `at` on."""
    for i in range(len(numbers)):
        stay, k = stay_at(stays, i), places[numbers[i] + 1]
        if _has_left(stay):
            lives_ns[at[k]] = stay.end_ns - stay.time_ns
            at[k] += 1


def _numbers(classes):
    """Return the classes as numbers, -1 for null: int32[n]."""
    import polars as pl

    return classes.to_physical().cast(pl.Int32).fill_null(-1).to_numpy()
