"""Decomposition: what every owner made, in the four parts that a maker thinks in, exact in integers.

For every fill of side s and lots v at price P, with the mid M0 before it, M(t) at horizon t after it and the last mid M of the tape:

    s (M - P) v  =  s (M0 - P) v  -  s (M0 - M(t)) v  +  s (M - M(t)) v       the spread, less adverse selection, and what the inventory did after that

and with fees:  spread captured - adverse selection + inventory - fees = profit. Summed over an owner's fills the left side is cash + inventory x M. Prices
are in half-ticks and fees in micro-ticks, so profit is a whole number of micro-ticks. Source: Glosten (1987); Huang and Stoll (1996).
"""
from typing import NamedTuple

import numpy as np

from lob.analytics.fills import fills, is_in_auction
from lob.analytics.labels import labels_of
from lob.analytics.quotes import Mids
from lob.analytics.spans import HORIZON_NS, checked_span_ns
from lob.errors import TapeError
from lob.instrument import MICROTICKS
from lob.tape.accounts import exact_sums, places_among


class _Seat(NamedTuple):
    """One of the two ways to take part in a fill: the fields of who did, and the sign that turns the aggressor's side into its own."""

    liquidity: str
    owner: str
    fee: str
    sign: int


MAKER, TAKER = (_Seat("maker", "resting_owner", "resting_fee", -1),), (_Seat("taker", "owner", "fee", 1),)
BOTH = MAKER + TAKER
PARTS = ("spread_half_ticks", "adverse_half_ticks", "inventory_half_ticks")


def decomposition(tape, horizon_ns=HORIZON_NS, book=0):
    """Return the parts of every owner's profit in one book, one row for its maker's and one for its taker's fills, and one for those in auctions
    if it has any: a polars frame.

    Columns: owner, agent, kind, role, liquidity (maker, taker, auction), fills, lots, spread_half_ticks, adverse_half_ticks, inventory_half_ticks (x lots),
    fees_microticks, pnl_microticks = 500,000 x (spread - adverse + inventory) - fees. A fill before the first mid counts as made at the mid; a horizon beyond
    the last mid sees the last mid. An owner's rows add up to its cash and inventory at the last mid, less fees. Without any mid, all but counts and fees
    is null. Raises TapeError if a sum does not fit into 64 bits.
    """
    import polars

    horizon_ns, mids = checked_span_ns("horizon_ns", horizon_ns, 0), Mids.of(tape, book)
    traded = fills(tape, book)
    owners = sorted({*np.unique(traded["owner"]).tolist(), *np.unique(traded["resting_owner"]).tolist(), *tape.agents.keys()})
    moves, is_auction = _moves(traded, mids, horizon_ns), is_in_auction(traded)
    lines = [*_lines(tape, traded, owners, moves, MAKER, ~is_auction), *_lines(tape, traded, owners, moves, TAKER, ~is_auction)]
    if is_auction.any():
        lines += [*_lines(tape, traded, owners, moves, BOTH, is_auction)]
    if mids.last is None:
        lines = [line | dict.fromkeys((*PARTS, "pnl_microticks")) for line in lines]
    lines.sort(key=lambda line: line["owner"])
    try:
        return polars.DataFrame(lines, schema=_schema())
    except (OverflowError, polars.exceptions.PolarsError):
        raise TapeError("the profit of an owner of this tape does not fit into 64 bits") from None


def _moves(traded, mids, horizon_ns):
    """Return what each part is for a lot bought at the fill's price, in half-ticks: int64[n] each."""
    price = 2 * traded["price_ticks"]
    before, is_known = mids.before_rows(traded["sequence"])
    before = np.where(is_known, before, price)
    later, is_known = mids.at_times(traded["time_ns"] + horizon_ns)
    later = np.where(is_known, later, before)
    last = before if mids.last is None else mids.last
    return before - price, before - later, last - later


def _lines(tape, traded, owners, moves, seats, chosen):
    """Return one line an owner of the chosen fills in which it has one of the seats: those of makers, of takers, of both in an auction."""
    index, side, fee, fill = _seated(traded, owners, seats, chosen)
    lots, ones = np.ascontiguousarray(traded["lots"][fill]), np.ones_like(side)
    counts, volumes, fees = np.bincount(index, minlength=len(owners)), exact_sums(index, lots, ones, len(owners)), exact_sums(index, fee, ones, len(owners))
    sums = [exact_sums(index, move[fill] * lots, side, len(owners)) for move in moves]
    for i, owner in enumerate(owners):
        spread, adverse, inventory = (of[i] for of in sums)
        if len(seats) == 1 or counts[i]:
            yield {
                "owner": owner, **labels_of(tape, owner), "liquidity": seats[0].liquidity if len(seats) == 1 else "auction", "fills": int(counts[i]),
                "lots": volumes[i], "spread_half_ticks": spread, "adverse_half_ticks": adverse, "inventory_half_ticks": inventory, "fees_microticks": fees[i],
                "pnl_microticks": MICROTICKS // 2 * (spread - adverse + inventory) - fees[i],
            }


def _seated(traded, owners, seats, chosen):
    """Return (index of the owner, its side, what it paid: int64[n] each; which fills they are) of everybody who had one of the seats in the chosen fills."""
    parts, fill = [], slice(None) if len(seats) == 1 and chosen.all() else np.flatnonzero(chosen)
    for seat in seats:
        index, side = places_among(np.array(owners), traded[seat.owner][fill]), seat.sign * traded["side"][fill].astype(np.int64)
        parts.append((index, side, np.ascontiguousarray(traded[seat.fee][fill]), fill))
    return parts[0] if len(parts) == 1 else [np.concatenate(column) for column in zip(*parts, strict=True)]


def _schema():
    import polars

    words = dict.fromkeys(("agent", "kind", "role", "liquidity"), polars.String)
    return {"owner": polars.Int64} | words | dict.fromkeys(("fills", "lots", *PARTS, "fees_microticks", "pnl_microticks"), polars.Int64)
