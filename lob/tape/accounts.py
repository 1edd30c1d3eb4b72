"""Accounts: what every owner has, rebuilt from the fills of a tape.

Owns the sums, exact at any size. Knows no book.
"""
from dataclasses import dataclass

import numpy as np

from lob.jit import jit
from lob.messages import Flag, ReportKind

IN_AUCTION = int(Flag.AUCTION)
OWNERS_COUNTED = 2**22  # up to here an owner is looked up in a table


@dataclass(frozen=True)
class Account:
    """What one owner has, in exact integers: lots, cash in ticks x lots, fees in micro-ticks (positive: paid).

    In a call auction nobody comes to the other: both sides count as takers, as they do for their fees.
    """

    owner: int
    fills: int = 0
    maker_lots: int = 0
    taker_lots: int = 0
    inventory_lots: int = 0
    cash_ticks: int = 0
    fees_microticks: int = 0


def accounts(tape, at_ns=None, book=None):
    """Return the account of every owner that traded up to and including `at_ns` (default: the whole tape), by owner.

    book: count the fills of one book only: its lots are not another's, nor are its ticks where it has an instrument of its own. An owner that trades with
    itself counts the fill on both sides. Owner 0 is the recorded flow of a day. Returns {owner: Account}, sorted.
    """
    rows = tape.rows_until(at_ns)
    # Chosen as bytes: numpy copies a record field by field, which takes ten times as long.
    chosen = (rows["kind"] == ReportKind.FILL) & (book is None or rows["book"] == book)
    return accounts_of(rows.view(np.dtype((np.void, rows.dtype.itemsize)))[chosen].view(rows.dtype))


def worths_of(tape):
    """Return what a tick on a lot of each book is worth in those of the first, float a book; None where all are worth the same."""
    values = [tape.instrument_of(book).tick_value for book in tape.books]
    return None if len(set(values)) == 1 else [float(value / values[0]) for value in values]


def accounts_of(fills):
    """Return the account of every owner of some fills, as `accounts`. fills: FILL rows, or records that have their fields of these names."""
    owners = np.unique(np.concatenate([fills["owner"], fills["resting_owner"]]))
    takers, makers = _sums(owners, "owner", 1, fills, "fee"), _sums(owners, "resting_owner", -1, fills, "resting_fee")
    return {
        int(owner): Account(
            owner=int(owner),
            fills=taker.fills + maker.fills,
            maker_lots=maker.lots - maker.auction_lots,
            taker_lots=taker.lots + maker.auction_lots,
            inventory_lots=taker.inventory_lots + maker.inventory_lots,
            cash_ticks=taker.cash_ticks + maker.cash_ticks,
            fees_microticks=taker.fees_microticks + maker.fees_microticks,
        )
        for owner, taker, maker in zip(owners, takers, makers, strict=True)
    }


@dataclass(frozen=True)
class _Sum:
    fills: int
    lots: int
    auction_lots: int
    inventory_lots: int
    cash_ticks: int
    fees_microticks: int


def _sums(owners, of, sign, fills, fee):
    """Return one _Sum an owner: of its fills, those in which it is in the field `of`, on the aggressor's side times `sign` and with the fees in the field."""
    high, low = np.zeros((2, len(owners), 6), np.int64)
    _add_fills(places_among(owners, fills[of]), sign, *(fills[name] for name in ("side", "flags", "price_ticks", "lots", fee)), high, low)
    return [_Sum(*((int(above) << 32) + int(below) for above, below in zip(*halves, strict=True))) for halves in zip(high, low, strict=True)]


@jit
def _add_fills(index, sign, side, flags, price_ticks, lots, fees, high, low):
    """Add to the halves of each owner's sums, in the order of _Sum; see `exact_sums`."""
    for i in range(len(index)):
        above, below, own_side = high[index[i]], low[index[i]], sign * side[i]
        low[index[i], 0] += 1
        _add_half(above, below, 1, 1, lots[i])
        _add_half(above, below, 2, 1, lots[i] if flags[i] & IN_AUCTION else 0)
        _add_half(above, below, 3, own_side, lots[i])
        _add_half(above, below, 4, -own_side, price_ticks[i] * lots[i])
        _add_half(above, below, 5, 1, fees[i])


@jit(inline=True)
def _add_half(high, low, k, sign, value):
    high[k] += sign * (value >> 32)
    low[k] += sign * (value & 0xFFFFFFFF)


def exact_sums(index, values, signs, group_count):
    """Return the sums of signs x values by group as Python integers; exact where 64 bits would overflow.

    index: group of each value, int64[n]; values: int64[n]; signs: +1, 0 or -1 each, int64[n].
    """
    high, low = np.zeros(group_count, np.int64), np.zeros(group_count, np.int64)
    _add_halves(index, values, signs, high, low)
    return [(int(above) << 32) + int(below) for above, below in zip(high, low, strict=True)]


@jit
def _add_halves(index, values, signs, high, low):
    for i in range(len(index)):
        high[index[i]] += signs[i] * (values[i] >> 32)
        low[index[i]] += signs[i] * (values[i] & 0xFFFFFFFF)


def places_among(owners, of):
    """Return the place of each owner of a column among the sorted owners: int64[n]."""
    if len(owners) == 0 or owners[0] < 0 or owners[-1] > OWNERS_COUNTED:
        return np.searchsorted(owners, of)
    places = np.zeros(int(owners[-1]) + 1, np.int64)
    places[owners] = np.arange(len(owners))
    return places[of]
