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
from lob.feeds.feed import Feed, cut
from lob.feeds.packed import Packed, up_to_damage
from lob.messages import ANONYMOUS_ID_FIRST, LOTS_MAX

DAY_NS = 86_400 * 10**9
UNITS_PER_CURRENCY = 10**9
ACTIONS, SIDES, BOOKED, SIZED, NAMED = b"AMCRTFN", b"ABN", b"AM", b"AMC", b"AMCF"
SYMBOLS_SHOWN = 10


@dataclass
class _Scan:
    """What a first pass over a file has found."""

    head: dbn.Head
    place: str
    instruments: dict        # {id: how many records}
    units: dict              # {id: the greatest common divisor of its prices}
    first_ns: int
    damage: list | None


def databento(path, symbol=None, from_ns=None, to_ns=None, tick_size=None, keep_going=False):
    """Return the Feed of a market-by-order DBN file: plain, zstd, gzip, or the only file in a zip.

    symbol: which one, by its name or instrument id; it may be left out if the file holds one. from_ns, to_ns: nanoseconds after the midnight
    (UTC) before the file's first record, by ts_event; agents act between them. tick_size: in currency; by default the greatest step that all
    prices are multiples of.
    keep_going: leave out what cannot be read, and say so in the summary.
    Raises FeedError naming file, byte, rule and value.
    """
    damage = [] if keep_going else None
    scan = _scan(path, damage)
    instrument_id = _instrument(scan, symbol)
    units = scan.units[instrument_id] if tick_size is None else int(Decimal(tick_size) * UNITS_PER_CURRENCY)
    midnight_ns = scan.first_ns // DAY_NS * DAY_NS
    translator = dbn_rows.Translator(units, midnight_ns, keep_going)
    rows = np.concatenate([np.zeros(0, dbn_rows.REQUEST), *_rows(path, translator, instrument_id, keep_going)])
    return _feed(scan, instrument_id, translator, rows, from_ns, to_ns)


def _scan(path, damage):
    with Packed(path) as packed:
        head = dbn.read_head(packed)
        scan = _Scan(head, packed.place, {}, {}, None, damage)
        for offsets, records in up_to_damage(dbn.mbo_blocks(packed), damage):
            records = _readable(packed.place, offsets, records, damage)
            if scan.first_ns is None and len(records):
                scan.first_ns = int(records["ts_recv"][0] if records["flags"][0] & dbn_rows.SNAPSHOT else records["ts_event"][0])
            ids, counts = np.unique(records["instrument_id"], return_counts=True)
            for instrument_id, count in zip(ids.tolist(), counts.tolist(), strict=True):
                scan.instruments[instrument_id] = scan.instruments.get(instrument_id, 0) + count
                prices = records["price"][(records["instrument_id"] == instrument_id) & _has_price(records)]
                scan.units[instrument_id] = int(np.gcd.reduce(prices, initial=scan.units.get(instrument_id, 0)))
    if not scan.instruments:
        raise FeedError(f"{scan.place}: a recording needs at least one market-by-order record, the file holds none")
    return scan


def _has_price(records):
    return np.isin(records["action"], np.frombuffer(BOOKED, np.uint8)) & (records["price"] != dbn.NO_PRICE)


def _readable(place, offsets, records, damage):
    """Return the records that keep the rules; raise FeedError at the first that does not if `damage` is None, else add what it says to that list."""
    action, side, price, size = (records[name] for name in ("action", "side", "price", "size"))
    is_booked, is_sized, is_named = (np.isin(action, np.frombuffer(letters, np.uint8)) for letters in (BOOKED, SIZED, NAMED))
    is_time = (records["ts_event"] >= 0) & (records["ts_recv"] >= 0)
    ok = np.ones(len(records), bool)
    for name, rule, holds in (
        ("action", f"be one of {ACTIONS.decode()}", np.isin(action, np.frombuffer(ACTIONS, np.uint8))),
        ("side", f"be one of {SIDES.decode()}, A or B of an order", np.isin(side, np.frombuffer(SIDES, np.uint8)) & ~(is_booked & (side == SIDES[-1]))),
        ("order_id", f"be 1 to {ANONYMOUS_ID_FIRST - 1}", ~is_named | (records["order_id"] >= 1) & (records["order_id"] < ANONYMOUS_ID_FIRST)),
        ("size", f"be 1 to {LOTS_MAX}", ~is_sized | (size >= 1) & (size <= LOTS_MAX)),
        ("price", "be above 0", ~is_booked | (price > 0) & (price != dbn.NO_PRICE)),
        ("ts_event", "be a time", is_time),
    ):
        if not holds.all():
            row = int(np.argmin(holds))
            text = f"{place}: byte {offsets[row]:,}: {name} must {rule}, was {records[name][row]}"
            if damage is None:
                raise FeedError(text)
            damage.append(text)
            ok &= holds
    return records if ok.all() else records[ok]


def _instrument(scan, symbol):
    """Return the id of the instrument that is asked for."""
    named = {scan.head.symbols.get(i, str(i)): i for i in scan.instruments}
    if symbol is None and len(named) == 1:
        return next(iter(named.values()))
    by_id = {str(i): i for i in scan.instruments}
    found = named.get(symbol, by_id.get(str(symbol)))
    if found is None:
        shown = ", ".join(sorted(named)[:SYMBOLS_SHOWN]) + (", …" if len(named) > SYMBOLS_SHOWN else "")
        raise FeedError(f"{scan.place}: symbol must be one of {shown}, was {symbol!r}")
    return found


def _rows(path, translator, instrument_id, keep_going):
    """Yield REQUEST[n], the rows of one instrument."""
    damage = [] if keep_going else None  # the first pass has said it
    with Packed(path) as packed:
        dbn.read_head(packed)
        for offsets, records in up_to_damage(dbn.mbo_blocks(packed), damage):
            chosen = records["instrument_id"] == instrument_id
            offsets, records = (offsets, records) if chosen.all() else (offsets[chosen], records[chosen])
            records = _readable(packed.place, offsets, records, damage)
            rows, duplicate = translator.rows_of(records)
            if duplicate is not None:
                rule = f"an added order's id must not be that of an open order, was {records['order_id'][duplicate]}"
                raise FeedError(f"{packed.place}: byte {offsets[duplicate]:,}: {rule}")
            yield rows
    yield translator.rows_of(np.zeros(0, dbn.MBO), is_last=True)[0]


def _feed(scan, instrument_id, translator, rows, from_ns, to_ns):
    head, seed_count = scan.head, translator["seed_count"]
    symbol = head.symbols.get(instrument_id, str(instrument_id))
    tick_size = Decimal(translator["tick_units"]) / UNITS_PER_CURRENCY
    after_seed = rows["time_ns"][seed_count:]
    start_ns = int(after_seed[0]) if len(after_seed) else translator["time_ns"]
    end_ns = translator["time_ns"]
    summary = {
        "format": "DBN", "version": head.version, "dataset": head.dataset, "symbol": symbol, "instrument_id": instrument_id,
        "messages": scan.instruments[instrument_id], "rows": len(rows), "seed_rows": seed_count, "midnight_ns": translator["midnight_ns"],
        "first_ns": start_ns, "last_ns": end_ns, **{name: translator[name] for name in dbn_rows.COUNTS},
        "skipped": scan.damage,
    }
    feed = Feed(
        name=symbol, source=scan.place, rows=rows, event_ends=np.flatnonzero(rows["flags"] & dbn_rows.LAST) + 1, seed_count=seed_count, tick_size=tick_size,
        lot_size=Decimal(1), start_ns=start_ns, end_ns=end_ns, summary=summary,
    )
    return cut(feed, from_ns, to_ns)
