"""ITCH: Nasdaq TotalView-ITCH 5.0, one stock of a day's file, or several in one pass, as a Feed.

Owns what the messages mean. A and F bring an order, U takes it off and brings another of the same side at the back of its queue, X and D cancel, E executes.

- C executes at its own price: at the order's own it is an EXECUTE; at another price the order loses its lots and a PRINT has the trade. If it does not print
  (part of a cross, which Q prints as a whole) there is no PRINT.
- P, a trade against a hidden order, and Q, a cross: a PRINT without a side. Since 2014 the side in P is B whatever happened, so nobody is the aggressor.
- Executions of one time and one side are one aggressor's sweep and one event, with the hidden ones of that time and the aggressor's own rest.
- H sets the phase: T is continuous (STATUS 2), Q collects quotes (1), H and P are halts (0); h halts at this market only; the end of system hours is a halt.
  A stock without H is taken to be continuous.
- Whatever names an order that is not open is counted in `unknown_references` and is a row that the exchange refuses; an unknown order's replacement has no
  known side and is left out.
"""
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

import numpy as np

from lob.errors import FeedError
from lob.feeds.damage import Damage
from lob.feeds.feed import DAY_NS, UNITS_PER_DOLLAR, Feed, joined
from lob.feeds.itch_messages import MESSAGE, SIZE_OF_KIND, Messages
from lob.feeds.itch_rows import COUNTS, ItchTranslator
from lob.feeds.packed import Packed
from lob.messages import ANONYMOUS_ID_FIRST, LOTS_MAX, PRICE_MAX_TICKS

CENT_UNITS = 100
SYMBOLS_SHOWN = 10
BOOKED, NAMED, SIZED = ([ord(kind) for kind in kinds] for kinds in ("AFU", "AFECXDU", "AFECXUP"))


@dataclass
class _Span:
    """What a first pass finds of one stock."""

    count: int = 0
    units: int = 0              # the greatest step that the prices of its orders are multiples of
    start_ns: int | None = None
    end_ns: int = 0


@dataclass
class _Scan:
    """What a first pass over a file finds."""

    place: str
    names: dict = field(default_factory=dict)    # {locate: stock}
    spans: dict = field(default_factory=dict)    # {locate: _Span}
    kinds: np.ndarray = field(default_factory=lambda: np.zeros(256, np.int64))


def itch(path, symbol=None, from_ns=None, to_ns=None, tick_size=None, keep_going=False, stream=False):
    """Return the Feed of one stock of a Nasdaq ITCH 5.0 file: plain, gzip, zstd, or the only file in a zip.

    symbol: the stock, may be left out if the file holds one. from_ns, to_ns: nanoseconds after midnight, agents act between them. tick_size: in dollars;
    by default a cent if all prices of orders are whole cents, else 0.0001. keep_going: leave out what cannot be read, and say so in the summary. stream:
    read the rows when they are asked for, for a file larger than memory; what is wrong with it is said then.
    Raises FeedError naming file, byte, rule and value.
    """
    damage = Damage(keep_going)
    scan = _scan(path, damage)
    locate = _locate(scan, symbol)
    units, summary = _tick_units(scan.spans[locate], tick_size), _summary(scan, locate, damage)

    def read():
        translator = ItchTranslator(units, keep_going)
        yield from (rows for _, rows in _rows(path, {locate: translator}, keep_going))
        _count(summary, translator)

    return _feed(scan, locate, units, summary, read if stream else joined(read())).between(from_ns, to_ns)


def itch_many(path, symbols=None, keep_going=False):
    """Return the Feeds of several stocks by name, and an iterator of (stock, REQUEST[n]) that reads the rows of all of them in one pass.

    symbols: which, by default all there are; each takes about 100 kB, and its open orders. The feeds are streamed; their summaries are complete when the
    iterator has come to its end. Raises FeedError as `itch` does.
    """
    damage = Damage(keep_going)
    scan = _scan(path, damage)
    locates = sorted(scan.spans) if symbols is None else [_locate(scan, symbol) for symbol in dict.fromkeys(symbols)]
    days, translators = {}, {}
    for locate in locates:
        units, stock = _tick_units(scan.spans[locate], None), scan.names[locate]
        translators[locate] = ItchTranslator(units, keep_going)
        days[stock] = _feed(scan, locate, units, _summary(scan, locate, damage), partial(_rows_of_one, path, locate, units, keep_going))

    def read():
        for locate, rows in _rows(path, translators, keep_going):
            yield scan.names[locate], rows
        for locate, translator in translators.items():
            _count(days[scan.names[locate]].summary, translator)

    return days, read()


def _tick_units(span, tick_size):
    units = (1 if span.units % CENT_UNITS else CENT_UNITS) if tick_size is None else int(Decimal(tick_size) * UNITS_PER_DOLLAR)
    if units < 1:
        raise FeedError(f"tick_size must be at least {Decimal(1) / UNITS_PER_DOLLAR}, was {tick_size}")
    return units


def _summary(scan, locate, damage):
    span = scan.spans[locate]
    return {
        "format": "ITCH", "symbol": scan.names[locate], "symbols": len(scan.names), "locate": locate, "messages": span.count, "first_ns": span.start_ns,
        "last_ns": span.end_ns, "kinds": {kind: int(scan.kinds[ord(kind)]) for kind in SIZE_OF_KIND if scan.kinds[ord(kind)]}, **damage.summary(),
    }


def _count(summary, translator):
    summary.update({"rows": translator["total"]} | {name: translator[name] for name in COUNTS})


def _feed(scan, locate, units, summary, rows):
    span, sizes = scan.spans[locate], (Decimal(units) / UNITS_PER_DOLLAR, Decimal(1))
    return Feed(scan.names[locate], scan.place, rows, None, 0, *sizes, span.start_ns, span.end_ns, summary)


def itch_symbols(path, keep_going=False):
    """Return {stock: how many messages name it} of a Nasdaq ITCH 5.0 file, in the order of their locate codes."""
    scan = _scan(path, Damage(keep_going))
    return {scan.names[locate]: scan.spans[locate].count for locate in sorted(scan.spans)}


def _scan(path, damage):
    with Packed(path) as packed:
        scan, decoded = _Scan(packed.place), Messages(packed)
        for messages in damage.up_to(decoded):
            _, messages = damage.readable(packed.place, messages["offset"], messages, _rules(messages))
            scan.kinds += np.bincount(messages["kind"], minlength=256)
            messages = messages[np.argsort(messages["locate"], kind="stable")]
            locates, firsts = np.unique(messages["locate"], return_index=True)
            for locate, first, end in zip(locates.tolist(), firsts, np.append(firsts, len(messages))[1:], strict=True):
                if locate:
                    _widen(scan.spans.setdefault(locate, _Span()), messages[first:end])
    scan.names = {locate: decoded.names.get(locate, f"#{locate}") for locate in scan.spans}
    if not scan.spans:
        raise FeedError(f"{scan.place}: a recording needs at least one message of a stock, the file holds none")
    return scan


def _widen(span, messages):
    span.count += len(messages)
    span.units = int(np.gcd.reduce(messages["price"][np.isin(messages["kind"], BOOKED)], initial=span.units))
    span.start_ns = int(messages["time_ns"][0]) if span.start_ns is None else span.start_ns
    span.end_ns = max(span.end_ns, int(messages["time_ns"].max()))


def _rules(messages, units=1):
    """Return the rules of a message, as Damage.readable takes them."""
    kind, price, lots, ref, other_ref = (messages[name] for name in ("kind", "price", "lots", "ref", "other_ref"))
    is_booked, is_named, is_sized = (np.isin(kind, kinds) for kinds in (BOOKED, NAMED, SIZED))
    is_added = is_booked & (kind != ord("U"))
    return (
        ("time_ns", "be within a day", messages["time_ns"] < DAY_NS),
        ("ref", f"be 1 to {ANONYMOUS_ID_FIRST - 1}", ~is_named | (ref >= 1) & (ref < ANONYMOUS_ID_FIRST)),
        ("other_ref", f"be 1 to {ANONYMOUS_ID_FIRST - 1} of a replacement", (kind != ord("U")) | (other_ref >= 1) & (other_ref < ANONYMOUS_ID_FIRST)),
        ("side", "be that of B or S", ~is_added | (messages["side"] != 0)),
        ("lots", f"be 1 to {LOTS_MAX}", ~is_sized | (lots >= 1) & (lots <= LOTS_MAX)),
        ("price", f"be 1 to {PRICE_MAX_TICKS * units} of an order", ~is_booked | (price >= 1) & (price <= PRICE_MAX_TICKS * units)),
        ("price", f"be a multiple of {units} of an order", ~is_booked | (price % units == 0)),
    )


def _locate(scan, symbol):
    """Return the locate code of the stock that is asked for."""
    stocks = {name: locate for locate, name in scan.names.items()}
    if symbol is None and len(stocks) == 1:
        return next(iter(stocks.values()))
    if symbol not in stocks:
        shown = ", ".join(sorted(stocks)[:SYMBOLS_SHOWN]) + (", …" if len(stocks) > SYMBOLS_SHOWN else "")
        raise FeedError(f"{scan.place}: symbol must be one of {shown}, was {symbol!r}")
    return stocks[symbol]


def _rows_of_one(path, locate, units, keep_going):
    """Yield REQUEST[n], the rows of one stock."""
    for _, rows in _rows(path, {locate: ItchTranslator(units, keep_going)}, keep_going):
        yield rows


def _rows(path, translators, keep_going):
    """Yield (locate, REQUEST[n]), the rows of the stocks that have a translator."""
    damage = Damage(keep_going)  # what is wrong was said by the first pass
    with Packed(path) as packed:
        for messages in damage.up_to(Messages(packed)):
            for locate, translator in translators.items():
                ours = messages[(messages["locate"] == locate) | (messages["locate"] == 0)]
                _, ours = damage.readable(packed.place, ours["offset"], ours, _rules(ours, translator["tick_units"]))
                rows, duplicate = translator.rows_of(ours)
                if duplicate is not None:
                    rule = f"a new order's reference must not be that of an open order, was {ours['ref'][duplicate]}"
                    raise FeedError(f"{packed.place}: byte {ours['offset'][duplicate]:,}: {rule}")
                yield locate, rows
    for locate, translator in translators.items():
        yield locate, translator.rows_of(np.zeros(0, MESSAGE), is_last=True)[0]
