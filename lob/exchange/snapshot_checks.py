"""Snapshot checks: what the arrays of a snapshot may say. Compiled code believes what it is given, so whatever a file says is looked at here first.

Owns the limits of each number (`check_arrays`, before a book is made of them), and what must hold of the whole (`check_book_of`, of the book that was made).
Knows no file.
"""
from itertools import product

import numpy as np

from lob.errors import TapeError
from lob.exchange.rules.fees import FEE_MAX, LOTS_TOP
from lob.exchange.rules.pegs import PEG_FAR, PEG_MID, PEG_NEAR, stray_peg
from lob.exchange.rules.phases import can_be_crossed, collects
from lob.exchange.rules.state import AT_MARKET, DAY, HIDDEN, ICEBERG, NEVER, PEGGED, SLICES_MAX, STOP, TIMED
from lob.messages import LOTS_MAX, PRICE_MAX_TICKS, Action, Phase, SelfTrade, TimeInForce

COUNT_MAX = 2**62  # of rows and of entries: with all that may follow still numbers of 64 bits


def check_arrays(header, orders, ruled, modes, volumes):
    """Raise a TapeError if the arrays of a snapshot hold a number that no book has; header: {name: number}, the others as in the file."""
    if (np.diff(volumes["owner"], prepend=-1) <= 0).any() or not ((volumes["lots"] >= 1) & (volumes["lots"] <= LOTS_TOP)).all():
        raise TapeError(f"volumes must be by owner, each with 1 to {LOTS_TOP} lots")
    if ((ruled["index"] < 0) | (ruled["index"] >= len(orders))).any() or len(np.unique(ruled["index"])) < len(ruled):
        raise TapeError("rules must speak of the orders, each once")
    if len(np.unique(ruled["entry"])) < len(ruled):
        raise TapeError("two orders have the same entry number, which says who was first")
    lowest_ticks = np.ones(len(orders), np.int64)
    lowest_ticks[ruled["index"][_may_be_at_market(ruled)]] = 0
    valid = (
        (orders["order_id"] >= 1) & (orders["owner"] >= 0) & (np.abs(orders["side"]) == 1)
        & (orders["price_ticks"] >= lowest_ticks) & (orders["price_ticks"] <= PRICE_MAX_TICKS) & (orders["lots"] >= 1) & (orders["lots"] <= LOTS_MAX)
    )
    valid[ruled["index"][~_can_be_ruled(ruled, orders[ruled["index"]], header)]] = False
    if not valid.all():
        raise TapeError(f"orders[{int(np.argmin(valid))}] is what no book can hold")
    if not _is_header(header) or not ((modes["owner"] >= 0) & (modes["mode"] >= 0) & (modes["mode"] <= max(SelfTrade))).all():
        raise TapeError("its header or its modes say what no book can hold")


def _is_header(header):
    return (
        header["phase"] in list(Phase) and 0 <= header["number"] < 2**16
        and all(0 <= header[name] < COUNT_MAX for name in ("sequence", "entry")) and 0 <= header["last_trade_ticks"] <= PRICE_MAX_TICKS
        and all(-1 <= header[name] <= PRICE_MAX_TICKS for name in ("seen_bid_ticks", "seen_ask_ticks"))
    )


def _may_be_at_market(ruled):
    """Return of which rows the order may have no limit: stops that become market orders, and market orders that collect."""
    return (ruled["kind"] & AT_MARKET != 0) | ((ruled["kind"] & STOP != 0) & (ruled["action"] == Action.MARKET))


def _can_be_ruled(ruled, orders, header):
    """Return which rows say what an order with rules of its own can be: bool[k]; orders: RESTING[k]."""
    lots, kind = orders["lots"], ruled["kind"].astype(np.int64)
    main, lifetime, is_at_market = kind & ~(TIMED | DAY), kind & (TIMED | DAY), kind & AT_MARKET != 0
    is_iceberg, is_stop = kind & ICEBERG != 0, kind & STOP != 0
    reserve, display = ruled["reserve"].astype(np.int64), ruled["display"].astype(np.int64)
    slices = (reserve >= 0) & (reserve + lots <= LOTS_MAX) & (reserve <= SLICES_MAX * display) & (display >= lots)
    is_trigger = (ruled["trigger_ticks"] >= 1) & (ruled["trigger_ticks"] <= PRICE_MAX_TICKS) & (ruled["price_ticks"] == orders["price_ticks"])
    is_trigger &= (ruled["action"] <= Action.MARKET) & (ruled["tif"] <= TimeInForce.DAY)
    is_peg = np.isin(ruled["peg"], (PEG_NEAR, PEG_MID, PEG_FAR)) & (ruled["offset_ticks"] >= 0) & (ruled["tif"] <= TimeInForce.DAY)
    is_peg &= (orders["side"] * (ruled["price_ticks"] - orders["price_ticks"]) >= 0) & (ruled["price_ticks"] >= 1) & (ruled["price_ticks"] <= PRICE_MAX_TICKS)
    no_limit = (orders["price_ticks"] == 0) & (ruled["price_ticks"] == 0) & collects(header["phase"])
    return (
        np.isin(main, (0, HIDDEN, ICEBERG, STOP, AT_MARKET, PEGGED | HIDDEN)) & (kind > 0) & (lifetime & (lifetime - 1) == 0)
        & (is_peg | (kind & PEGGED == 0)) & ((kind == AT_MARKET) | ~is_at_market) & (no_limit | ~is_at_market)
        & (slices | ~is_iceberg) & (is_trigger | ~is_stop) & (ruled["entry"] >= 1) & (ruled["entry"] <= header["entry"])
    )


def check_book_of(memory, orders, ruled):
    """Raise a TapeError if a BookMemory that was made of a snapshot is what no book can be; orders, ruled: what it was made of."""
    rules, phase = memory.rules, Phase(int(memory.rules.record["phase"][0])) if memory.rules else Phase.CONTINUOUS
    if not can_be_crossed(phase):
        _check_crossed(memory)
    if rules is None:
        return
    ends = rules.record["phase_end_ns"][0] != NEVER
    if ends and phase not in (Phase.BATCH, memory.venue.breaker_phase):
        raise TapeError(f"the phase {phase.name} has no end of its own")
    last_ticks, stops = int(memory.book["last_trade_ticks"][0]), ruled[ruled["kind"] & STOP != 0]
    sides = orders["side"][stops["index"]].astype(np.int64)
    if phase == Phase.CONTINUOUS and last_ticks and (sides * (last_ticks - stops["trigger_ticks"]) >= 0).any():
        raise TapeError(f"a stop waits that the last trade, at {last_ticks}, has reached")
    if stray_peg(memory.address):
        raise TapeError("a pegged order is not where the touch that it saw puts it")
    _check_notional(rules.fees.record[0], orders, ruled)


def _check_crossed(memory):
    """Check displayed bids against displayed and hidden asks, and hidden bids likewise."""
    ladders = [*memory.ladders, *(memory.rules.ladders[:2] if memory.rules else [])]
    for bids, asks in product(ladders[0::2], ladders[1::2]):
        bid_key, ask_key = int(bids.ladder["best_key"][0]), int(asks.ladder["best_key"][0])
        # The keys of one price on the two sides sum up to PRICE_MAX_TICKS + 1.
        if bid_key and ask_key and bid_key + ask_key > PRICE_MAX_TICKS:
            raise TapeError(f"the book is crossed, {bid_key} bid and {PRICE_MAX_TICKS + 1 - ask_key} asked")


def _check_notional(fees, orders, ruled):
    """Check that what each order may cost is a number of 64 bits; one that collects at the market or is pegged may trade at any price."""
    prices, lots = orders["price_ticks"].copy(), orders["lots"].astype(np.int64)
    prices[ruled["index"][ruled["kind"] & (PEGGED | AT_MARKET) != 0]] = PRICE_MAX_TICKS
    lots[ruled["index"]] += np.where(ruled["kind"] & ICEBERG, ruled["reserve"], 0)
    lot_microticks = prices * fees["ppm_max"] + fees["microticks_max"]
    if (lots > FEE_MAX // np.maximum(lot_microticks, 1)).any():
        raise TapeError("an order costs more than an exact fee can be")
