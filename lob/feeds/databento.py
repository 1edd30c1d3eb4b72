"""Databento: market by order in DBN files, as a Feed.

Owns what the records mean. In DBN the messages of one event end with a flag, and only then is the book consistent. An aggressor's trade (T)
and the fills of resting orders (F) tell what happened; the cancel (C) or modify (M) of the same event says it again as a change of the book.
Here a fill is the change, an EXECUTE, and what C or M repeat is left out. The rows of an event are those of one incoming message; Flag.LAST
closes them.

- T whose lots no displayed order filled: a PRINT of the rest, told by its aggressor.
- T without a side, or a fill at another price than the order's: an auction, a PRINT without a side; the cancels that follow take the orders off.
- F of the aggressor's own order: nothing. Lots of an order beyond those that it shows (an iceberg's): counted, `overfilled`.
- M: fewer lots at the same price keep the place; any other change is a CANCEL and a new LIMIT. An order that was filled whole and is modified in
  the same event is an iceberg's next clip, at the back of its price.
- R: every price is dropped.
- C, M or F of an order that is not open: counted in `unknown_references`. M brings the order in, the others are rows as well, for the exchange
  to refuse.

Trading phases are not in these records, so they are told from the book. Before the first trade of the file, and of what follows a clear, and
while the book is crossed, orders only collect: STATUS 1. With a trade after which the book is not crossed it is continuous: STATUS 2.
Source: Databento, MBO schema; CME, MDP 3.0 trade summary.
"""
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from lob.errors import FeedError
from lob.feeds import dbn, dbn_rows
from lob.feeds.damage import Damage
from lob.feeds.feed import DAY_NS, Feed, joined
from lob.feeds.packed import Packed
from lob.messages import ANONYMOUS_ID_FIRST, LOTS_MAX, PRICE_MAX_TICKS

UNITS_PER_CURRENCY = 10**9
ACTIONS, SIDES, BOOKED, SIZED, NAMED = (np.frombuffer(letters, np.uint8) for letters in (b"AMCRTFN", b"ABN", b"AM", b"AMCF", b"AMCF"))
NO_SIDE = ord("N")
SYMBOLS_SHOWN = 10


@dataclass
class _Scan:
    """What a first pass over a file finds."""

    head: dbn.Head
    place: str
    instruments: dict                # {id: _Span}
    first_ns: int | None = None      # since 1970


@dataclass
class _Span:
    """What a first pass finds of one instrument: times since 1970; units, the greatest step that its prices are multiples of."""

    count: int = 0
    units: int = 0
    highest: int = 0                 # price, in file units
    start_ns: int | None = None      # of the first record that is not of a snapshot
    end_ns: int = 0


def databento(path, symbol=None, from_ns=None, to_ns=None, tick_size=None, keep_going=False, stream=False):
    """Return the Feed of a market-by-order DBN file: plain, zstd, gzip, or the only file in a zip.

    symbol: which one, by its name or instrument id; it may be left out if the file holds one. from_ns, to_ns: nanoseconds after the midnight
    (UTC) before the file's first record, by ts_event; agents act between them. tick_size: in currency; by default the greatest step that all
    prices are multiples of. keep_going: leave out what cannot be read, and say so in the summary. stream: read the rows when they are asked for, for a
    file larger than memory; what is wrong with it is said then.
    Raises FeedError naming file, byte, rule and value.
    """
    damage = Damage(keep_going)
    scan = _scan(path, damage)
    instrument_id = _instrument(scan, symbol)
    units = _tick_units(scan.place, scan.instruments[instrument_id], tick_size)
    return _feed(path, scan, instrument_id, units, damage, stream).between(from_ns, to_ns)


def _tick_units(place, span, tick_size):
    """Return the price step in file units."""
    if tick_size is None and span.highest > PRICE_MAX_TICKS * span.units:
        shown = f"{Decimal(span.highest) / UNITS_PER_CURRENCY} and {Decimal(span.units) / UNITS_PER_CURRENCY}"
        raise FeedError(f"{place}: the highest price must be at most {PRICE_MAX_TICKS} ticks, was {shown}: prices are damaged, or tick_size must be given")
    units = span.units or 1 if tick_size is None else int(Decimal(tick_size) * UNITS_PER_CURRENCY)
    if units < 1:
        raise FeedError(f"tick_size must be at least {Decimal(1) / UNITS_PER_CURRENCY}, was {tick_size}")
    return units


def _scan(path, damage):
    with Packed(path) as packed:
        scan = _Scan(dbn.read_head(packed), packed.place, {})
        for offsets, records in damage.up_to(dbn.mbo_blocks(packed)):
            _, records = damage.readable(packed.place, offsets, records, _rules(records))
            is_snapshot = records["flags"] & dbn_rows.SNAPSHOT > 0
            if scan.first_ns is None and len(records):
                scan.first_ns = int(records["ts_recv" if is_snapshot[0] else "ts_event"][0])
            for instrument_id in np.unique(records["instrument_id"]).tolist():
                ours = records["instrument_id"] == instrument_id
                _widen(scan.instruments.setdefault(instrument_id, _Span()), records[ours], records["ts_event"][ours & ~is_snapshot])
    if not scan.instruments:
        raise FeedError(f"{scan.place}: a recording needs at least one market-by-order record, the file holds none")
    return scan


def _widen(span, records, times_ns):
    span.count += len(records)
    prices = records["price"][np.isin(records["action"], BOOKED)]
    span.units, span.highest = int(np.gcd.reduce(prices, initial=span.units)), int(prices.max(initial=span.highest))
    if len(times_ns):
        span.start_ns = int(times_ns[0]) if span.start_ns is None else span.start_ns
        span.end_ns = max(span.end_ns, int(times_ns.max()))


def _rules(records, units=1):
    """Return the rules of a record, as Damage.readable takes them."""
    action, side, price, size, order_id = (records[name] for name in ("action", "side", "price", "size", "order_id"))
    is_booked, is_sized, is_named = (np.isin(action, letters) for letters in (BOOKED, SIZED, NAMED))
    return (
        ("action", f"be one of {ACTIONS.tobytes().decode()}", np.isin(action, ACTIONS)),
        ("side", "be A, B or N, A or B of an order", np.isin(side, SIDES) & ~(is_booked & (side == NO_SIDE))),
        ("order_id", f"be 1 to {ANONYMOUS_ID_FIRST - 1} of an order", ~is_named | (order_id >= 1) & (order_id < ANONYMOUS_ID_FIRST)),
        ("size", f"be 1 to {LOTS_MAX} of an order", (size <= LOTS_MAX) & (~is_sized | (size >= 1))),
        ("price", "be above 0 and known of an order", ~is_booked | (price > 0) & (price != dbn.NO_PRICE)),
        ("price", f"be at most {PRICE_MAX_TICKS} ticks of an order", ~is_booked | (units == 1) | (price // units <= PRICE_MAX_TICKS)),
        ("price", f"be a multiple of {units} of an order", ~is_booked | (price % units == 0)),
        ("ts_event", "be a time", records["ts_event"] >= 0),
        ("ts_recv", "be a time", records["ts_recv"] >= 0),
    )


def _instrument(scan, symbol):
    """Return the id of the instrument that is asked for."""
    named = {_name(scan, i): i for i in scan.instruments}
    if symbol is None and len(named) == 1:
        return next(iter(named.values()))
    found = named.get(str(symbol), int(symbol) if str(symbol).isdecimal() else None)
    if found not in scan.instruments:
        shown = ", ".join(sorted(named)[:SYMBOLS_SHOWN]) + (", …" if len(named) > SYMBOLS_SHOWN else "")
        raise FeedError(f"{scan.place}: symbol must be one of {shown}, was {symbol!r}")
    return found


def _name(scan, instrument_id):
    return scan.head.symbols.get(instrument_id, str(instrument_id))


def _feed(path, scan, instrument_id, units, damage, stream):
    span, midnight_ns = scan.instruments[instrument_id], scan.first_ns // DAY_NS * DAY_NS
    start_ns, end_ns = ((scan.first_ns if ns is None else ns) - midnight_ns for ns in (span.start_ns, max(span.end_ns, scan.first_ns)))
    summary = {
        "format": "DBN", "version": scan.head.version, "dataset": scan.head.dataset, "symbol": _name(scan, instrument_id), "instrument_id": instrument_id,
        "messages": span.count, "midnight_ns": midnight_ns, "first_ns": start_ns, "last_ns": end_ns, **damage.summary(),
    }

    def read():
        translator = dbn_rows.DbnTranslator(units, damage.keep_going, midnight_ns)
        yield from _rows(path, translator, instrument_id, damage.keep_going)
        summary.update({"rows": translator["total"], "seed_rows": translator["seed_count"]} | {name: translator[name] for name in dbn_rows.COUNTS})

    rows = read if stream else joined(read())
    seed_count = summary.get("seed_rows", 0)
    return Feed(summary["symbol"], scan.place, rows, None, seed_count, Decimal(units) / UNITS_PER_CURRENCY, Decimal(1), start_ns, end_ns, summary)


def _rows(path, translator, instrument_id, keep_going):
    """Yield REQUEST[n], the rows of one instrument."""
    damage = Damage(keep_going)  # what is wrong was said by the first pass
    with Packed(path) as packed:
        dbn.read_head(packed)
        for offsets, records in damage.up_to(dbn.mbo_blocks(packed)):
            chosen = records["instrument_id"] == instrument_id
            offsets, records = (offsets, records) if chosen.all() else (offsets[chosen], records[chosen])
            offsets, records = damage.readable(packed.place, offsets, records, _rules(records, translator["tick_units"]))
            rows, duplicate = translator.rows_of(records)
            if duplicate is not None:
                rule = f"an added order's id must not be that of an open order, was {records['order_id'][duplicate]}"
                raise FeedError(f"{packed.place}: byte {offsets[duplicate]:,}: {rule}")
            yield rows
    yield translator.rows_of(np.zeros(0, dbn.MBO), is_last=True)[0]
