"""Snapshots: a book in the middle of a day, on disk.

Owns the format; what a file may say is snapshot_checks'. FILE is a NumPy .npz archive, which loads without executing anything, of six arrays:
- header: int64[14]: format version (3), the book's number, whether a replace that shrinks keeps its place (0 or 1), the number of the next row on the tape, the
  number of orders, the price of the last trade (0: none), the last number given to an order with rules of its own, the displayed touch by which pegged orders
  were last priced (0: none, -1: they are to be looked at again), the Phase, when it ends by itself (the largest number: not so), and the price, lots and
  surplus that were last indicated in it;
- orders: RESTING[n], every order with the lots that it shows: bids from the best price down, asks from the best price up, hidden bids and asks likewise, then
  stops that wait, then market orders that wait for an auction (the price of a market order is 0), and at each price in the order of its queue;
- rules: RULED[k], what the orders among them have whose kind is not plain; index is the order's place in `orders`;
- modes: MODE[m], the owners that may not trade with themselves;
- venue: uint8[b], the settings of the venue as JSON in UTF-8 (Venue.as_plain);
- volumes: VOLUME[v], what owners have traded, by owner, where fees depend on it (tier is not read).
A book that is loaded answers every request that follows with the rows that the saved one would have given.
"""
import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

from lob.errors import LobError, TapeError
from lob.exchange.book import book_at, find, has_room, order_of, rest
from lob.exchange.ladder import ladder_at, next_key
from lob.exchange.memory import BookMemory
from lob.exchange.rules.fees import VOLUME
from lob.exchange.rules.queues import line_up_peg, take_up
from lob.exchange.rules.ruled import has_ruled_room
from lob.exchange.rules.state import AT_MARKET, EXTRA, MODE, NEVER, PEGGED, STOP, extra_at, rules_of
from lob.exchange.rules.trading import head_in
from lob.exchange.snapshot_checks import check_arrays, check_book_of
from lob.exchange.venue import Venue
from lob.files import whole_file
from lob.jit import jit
from lob.messages import PRICE_MAX_TICKS, Phase

VERSION = 3
# What a damaged archive can raise, by where the damage is; RuntimeError: it claims to be encrypted, NotImplementedError: compressed in an unknown way.
UNREADABLE = (OSError, ValueError, KeyError, EOFError, MemoryError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error)
# What the rules remember, and what they do in a book that has none.
REMEMBERED = {
    "entry": 0, "seen_bid_ticks": 0, "seen_ask_ticks": 0, "phase": Phase.CONTINUOUS, "phase_end_ns": NEVER, "indicated_ticks": 0, "indicated_lots": 0,
    "indicated_surplus": 0,
}
HEADER = ("version", "number", "replace_keeps_place", "sequence", "order_count", "last_trade_ticks", *REMEMBERED)
ARRAYS = ("header", "orders", "rules", "modes", "venue", "volumes")
RESTING = np.dtype([("order_id", "i8"), ("price_ticks", "i8"), ("owner", "i4"), ("lots", "i4"), ("side", "i1")], align=True)
SAVED = tuple(name for name in EXTRA.names if name not in ("before", "behind"))  # The line of pegged orders is that of their entry.
RULED = np.dtype([("index", "i8"), ("kind", "u1"), *((name, EXTRA[name]) for name in SAVED)], align=True)


@jit
def _line(book_address, ladder_address, slots, count):
    """Write the slots of a ladder's orders from slots[count] on, best price first and first in line first; return how many there are then."""
    book, ladder = book_at(book_address, 0), ladder_at(ladder_address, 0)
    key = ladder.best_key
    while key:
        slot = head_in(ladder, key)
        while slot:
            slots[count] = slot
            slot, count = order_of(book, slot).next, count + 1
        key = next_key(ladder, key)
    return count


def _slots_in_line(memory):
    """Return the slots of all orders of a BookMemory in the order of a snapshot."""
    slots, count = np.zeros(int(memory.book["order_count"][0]), np.int64), 0
    for ladder in [*memory.ladders, *(memory.rules.ladders if memory.rules else [])]:
        count = _line(memory.address, ladder.ladder.ctypes.data, slots, count)
    return slots[:count]


def resting_orders(memory):
    """Return every order of a BookMemory in the order of a snapshot: RESTING[n]."""
    slots = _slots_in_line(memory)
    orders, resting = memory.orders[slots], np.zeros(len(slots), RESTING)
    for name, field in (("order_id", "id"), ("owner", "owner"), ("lots", "lots"), ("side", "side")):
        resting[name] = orders[field]
    keys = orders["key"].astype(np.int64)
    resting["price_ticks"] = np.where(orders["side"] > 0, keys, PRICE_MAX_TICKS + 1 - keys)
    stops = (orders["kind"] & (STOP | AT_MARKET)) != 0
    if stops.any():
        resting["price_ticks"][stops] = memory.rules.extras["price_ticks"][slots[stops]]
    return resting


def ruled_orders(memory):
    """Return what the orders of a snapshot have whose kind is not plain: RULED[k]."""
    slots = _slots_in_line(memory)
    index = np.flatnonzero(memory.orders["kind"][slots])
    ruled = np.zeros(len(index), RULED)
    if len(index):
        ruled["index"], ruled["kind"] = index, memory.orders["kind"][slots[index]]
        for name in SAVED:
            ruled[name] = memory.rules.extras[name][slots[index]]
    return ruled


def state_of(memory, sequence):
    """Return the ARRAYS of a snapshot of a BookMemory; sequence: the number of the next row on the tape."""
    orders, book = resting_orders(memory), memory.book[0]
    remembered = [memory.rules.record[name][0] if memory.rules else value for name, value in REMEMBERED.items()]
    header = np.array([VERSION, book["number"], book["replace_keeps_place"], sequence, len(orders), book["last_trade_ticks"], *remembered], np.int64)
    modes = np.array(sorted(memory.rules.owner_modes().items()) if memory.rules else [], MODE)
    venue = np.frombuffer(json.dumps(memory.venue.as_plain()).encode(), np.uint8)
    volumes = memory.rules.fees.known_volumes() if memory.rules else np.zeros(0, VOLUME)
    return header, orders, ruled_orders(memory), modes, venue, volumes[volumes["lots"] > 0]


def restored(header, orders, ruled, modes, venue, volumes):
    """Return (memory, sequence) of a state; raises TapeError if an order rests twice, or the whole is what no book can be."""
    header = dict(zip(HEADER, header.tolist(), strict=True))
    memory = BookMemory(header["number"], bool(header["replace_keeps_place"]), max(2 * len(orders), 1024))
    memory.open(_venue(venue))
    memory.book["last_trade_ticks"] = header["last_trade_ticks"]
    if len(ruled) or len(modes) or any(header[name] != value for name, value in REMEMBERED.items()) or memory.rules:
        _remember(memory, header, modes, volumes, np.unique(orders["owner"]))
    kinds, extras = np.zeros(len(orders), np.int64), np.zeros(len(orders), EXTRA)
    kinds[ruled["index"]] = ruled["kind"]
    for name in SAVED:
        extras[name][ruled["index"]] = ruled[name]
    done = 0
    while done < len(orders):
        done = _rest_all(memory.address, orders, kinds, extras.ctypes.data, done)
        if done < 0:
            raise TapeError(f"orders[{-done - 1}] rests twice")
        if done < len(orders):
            memory.grow()
    if memory.rules:
        pegs = np.flatnonzero(memory.orders["kind"] & PEGGED)
        _line_up_pegs(memory.address, pegs[np.argsort(memory.rules.extras["entry"][pegs])])
    check_book_of(memory, orders, ruled)
    return memory, header["sequence"]


def _remember(memory, header, modes, volumes, owners):
    """Let the rules of a book remember what a snapshot says, and note the owners of its orders."""
    memory.set_phase(header["phase"])
    for name in REMEMBERED:
        memory.rules.record[name] = header[name]
    memory.set_modes(dict.fromkeys(memory.venue.self_trade, 0) | dict(modes.tolist()))
    for owner, lots in [*zip(volumes["owner"].tolist(), volumes["lots"].tolist(), strict=True), *((owner, 0) for owner in owners.tolist())]:
        memory.rules.fees.note(owner, lots)


def _venue(content):
    """Return the Venue whose settings these bytes say."""
    try:
        return Venue.from_plain(json.loads(bytes(content)))
    except (ValueError, LobError) as error:
        raise TapeError(f"venue: {error}") from None


def save(memory, sequence, path):
    """Write a BookMemory to a file, whole or not at all, and return its path; raises TapeError if the disk refuses."""
    with whole_file(path, TapeError, "the snapshot cannot be written") as part, open(part, "wb") as file:
        np.savez_compressed(file, **dict(zip(ARRAYS, state_of(memory, sequence), strict=True)))
    return Path(path)


def load(path):
    """Return (memory, sequence) of a snapshot; raises TapeError if the file is none, is damaged, or says what no book can hold."""
    path = Path(path)
    state = _read(path)
    try:
        _check_shapes(*state)
        return restored(*state)
    except TapeError as error:
        raise TapeError(f"{path}: {error}") from None


def _read(path):
    """Return the ARRAYS of a file, whatever they are."""
    try:
        # The checksums first: what is damaged is not even parsed.
        with zipfile.ZipFile(path) as archive:
            if archive.testzip():
                raise zipfile.BadZipFile("a checksum does not match")
        with np.load(path, allow_pickle=False) as archive:
            return tuple(archive[name] for name in ARRAYS)
    except UNREADABLE as error:
        raise TapeError(f"{path}: not a snapshot: {error}") from error


def _check_shapes(numbers, orders, ruled, modes, venue, volumes):
    """Raise a TapeError if the arrays are not those of this version; then let their values be checked."""
    if numbers.dtype != np.int64 or numbers.shape != (len(HEADER),) or numbers[0] != VERSION:
        raise TapeError(f"a snapshot's header is int64[{len(HEADER)}] of version {VERSION}, was {numbers!r}")
    header = dict(zip(HEADER, numbers.tolist(), strict=True))
    if orders.dtype != RESTING or orders.shape != (header["order_count"],):
        raise TapeError(f"orders must be {header['order_count']} rows of {RESTING.names}")
    if venue.dtype != np.uint8 or venue.ndim != 1:
        raise TapeError("venue must be uint8[n]")
    if ruled.dtype != RULED or ruled.ndim != 1 or modes.dtype != MODE or modes.ndim != 1:
        raise TapeError(f"rules must be rows of {RULED.names} and modes rows of {MODE.names}")
    if volumes.dtype != VOLUME or volumes.ndim != 1:
        raise TapeError(f"volumes must be rows of {VOLUME.names}")
    check_arrays(header, orders, ruled, modes, volumes)


@jit
def _line_up_pegs(book_address, slots):
    for i in range(len(slots)):
        line_up_peg(book_at(book_address, 0), slots[i])


@jit
def _rest_all(book_address, orders, kinds, extras, first):
    """Rest orders from `first` on; return how many rest in all, or -(i + 1) if order i rests already."""
    book = book_at(book_address, 0)
    for i in range(first, len(orders)):
        order = orders[i]
        if not has_room(book, order.side) or (kinds[i] and not has_ruled_room(book, rules_of(book))):
            return i
        if find(book, order.owner, order.order_id):
            return -(i + 1)
        if kinds[i]:
            take_up(book, order.owner, order.order_id, order.side, order.price_ticks, order.lots, kinds[i], extra_at(extras, i))
        else:
            rest(book, order.owner, order.order_id, order.side, order.price_ticks, order.lots)
    return len(orders)
