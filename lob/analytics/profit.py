"""Profit: what every owner made, split into the spread it earned or paid and what its inventory did afterwards.

For every fill of side s and lots v at price P, maker's or taker's, with the mid M0 before it and the last mid M of the tape:

    s (M - P) v  =  s (M0 - P) v  +  s (M - M0) v        the spread, and the drift

and over all fills of an owner the left side is cash + inventory x M. In half-ticks this holds to the last digit, and is asserted.
"""
import numpy as np

from lob.analytics.fills import fills
from lob.analytics.labels import labels_of
from lob.analytics.quotes import Mids
from lob.errors import TapeError
from lob.instrument import MICROTICKS
from lob.jit import jit
from lob.tape.accounts import Account, accounts_of, places_among, worths_of

COUNTS = ("fills", "maker_lots", "taker_lots")
MONEY = ("cash_ticks", "fees_microticks", "spread_half_ticks", "drift_half_ticks", "total_half_ticks", "pnl_ticks")


def profit_and_loss(tape, book=0):
    """Return what every agent, and every other owner that traded, has made in one book: a polars frame in order of owner.

    Columns: owner, agent, kind, role, fills, maker_lots, taker_lots, inventory_lots, cash_ticks (ticks x lots), fees_microticks, mid_half_ticks (the
    last of the tape), spread_half_ticks and drift_half_ticks (x lots), total_half_ticks (their sum, 2 cash + inventory x mid), and
    pnl_ticks (total / 2 - fees, a float in ticks x lots). A fill before the first mid counts as made at the mid.
    Without any mid on the tape, mid and what follows from it are null.
    Raises TapeError if a sum does not fit into 64 bits.
    """
    import polars

    held, mids = accounts_of(fills(tape, book)), Mids.of(tape, book)
    owners = sorted(held.keys() | tape.agents.keys())
    earned = _earned(tape, book, mids, owners)
    lines = [_line(labels_of(tape, owner), held.get(owner, Account(owner)), mids.last, *earned[owner]) for owner in owners]
    try:
        return polars.DataFrame(lines, schema=_schema())
    except (OverflowError, polars.exceptions.PolarsError):
        raise TapeError("an account of this tape does not fit into 64 bits") from None


def profit_everywhere(tape):
    """Return what everybody has made in all books of a tape: a frame as that of `profit_and_loss`, but what cannot be added up.

    Money is one: counts, cash, fees, spread, drift, total and pnl are sums over the books, the pnl null where it is null in one in which the owner traded.
    Where a tick on a lot is not worth the same everywhere these are floats, in ticks of the first book. Lots of one book are not another's: inventory_lots is
    a list with those of each book, and there is no mid.
    """
    import polars as pl

    worths = worths_of(tape)
    by_book = [{line["owner"]: line for line in profit_and_loss(tape, book).iter_rows(named=True)} for book in tape.books]
    owners = sorted(set().union(*by_book))
    lines = [_summed([lines.get(owner) for lines in by_book], worths) for owner in owners]
    schema = _schema() | {"inventory_lots": pl.List(pl.Int64)} | (dict.fromkeys(MONEY, pl.Float64) if worths else {})
    return pl.DataFrame(lines, schema=schema).drop("mid_half_ticks")


def _summed(by_book, worths):
    """Return the line of an owner from its line in each book, None where it has none.

    worths: what a tick on a lot of each book is worth in those of the first, None where all are worth the same.
    """
    lines = [(line, worth) for line, worth in zip(by_book, worths or [1] * len(by_book), strict=True) if line is not None]
    traded = [(line, worth) for line, worth in lines if line["fills"]] or lines[:1]
    summed = {key: lines[0][0][key] for key in ("owner", "agent", "kind", "role")}
    for key in (*COUNTS, *MONEY):
        values = [None if line[key] is None else line[key] * (worth if key in MONEY else 1) for line, worth in traded]
        summed[key] = None if None in values else sum(values)
    return summed | {"inventory_lots": [0 if line is None else line["inventory_lots"] for line in by_book]}


def _earned(tape, book, mids, owners):
    """Return the spread and the drift of each owner's fills, in half-ticks x lots: {owner: (spread, drift)}."""
    traded = fills(tape, book)
    before, is_known = mids.before_rows(traded["sequence"])
    last, halves = 0 if mids.last is None else mids.last, np.zeros((2, len(owners), 2), np.int64)
    for name, sign in (("owner", 1), ("resting_owner", -1)):
        index = places_among(np.array(owners), traded[name])
        _add_earned(index, sign, *(traded[field] for field in ("side", "price_ticks", "lots")), before, is_known, last, mids.last is not None, *halves)
    sums = [[(int(above) << 32) + int(below) for above, below in zip(*both, strict=True)] for both in zip(*halves, strict=True)]
    return dict(zip(owners, sums, strict=True))


@jit
def _add_earned(index, sign, side, price_ticks, lots, before, is_known, last, has_mid, high, low):
    """Add the spread and the drift of fills to the halves of each owner's sums, see `exact_sums`."""
    for i in range(len(index)):
        price = 2 * price_ticks[i]
        mid = before[i] if is_known[i] else price
        spread, drift, own_side = (mid - price) * lots[i], (last - mid) * lots[i] if has_mid else 0, sign * side[i]
        high[index[i], 0] += own_side * (spread >> 32)
        low[index[i], 0] += own_side * (spread & 0xFFFFFFFF)
        high[index[i], 1] += own_side * (drift >> 32)
        low[index[i], 1] += own_side * (drift & 0xFFFFFFFF)


def _line(labels, account, mid, spread, drift):
    line = {
        "owner": account.owner, **labels, "fills": account.fills, "maker_lots": account.maker_lots, "taker_lots": account.taker_lots,
        "inventory_lots": account.inventory_lots, "cash_ticks": account.cash_ticks, "fees_microticks": account.fees_microticks,
    }
    if mid is None:
        return line
    total = 2 * account.cash_ticks + account.inventory_lots * mid
    assert total == spread + drift, f"owner {account.owner}: cash + inventory x mid is {total} half-ticks, its fills made {spread + drift}"
    return line | {
        "mid_half_ticks": mid, "spread_half_ticks": spread, "drift_half_ticks": drift, "total_half_ticks": total,
        "pnl_ticks": total / 2 - account.fees_microticks / MICROTICKS,
    }


def _schema():
    import polars

    words = dict.fromkeys(("agent", "kind", "role"), polars.String)
    counts = ("fills", "maker_lots", "taker_lots", "inventory_lots", "cash_ticks", "fees_microticks")
    values = ("mid_half_ticks", "spread_half_ticks", "drift_half_ticks", "total_half_ticks")
    return {"owner": polars.Int64} | words | dict.fromkeys((*counts, *values), polars.Int64) | {"pnl_ticks": polars.Float64}
