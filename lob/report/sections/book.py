"""Book: the depth through time, from the whole run down to single events, with trades and one agent's quotes and fills on it.

Owns what of the tape the page carries for it, and how little of it that may be: changes of displayed lots, trades, the agent's best quotes and fills, each
packed as columns of small numbers. Of a long tape changes that follow each other at one price within a short time become one; the page says so.
"""
import numpy as np

from lob.analytics.own_quotes import own_quotes
from lob.analytics.quotes import quotes
from lob.analytics.records import select
from lob.analytics.trades import trades
from lob.report.numbers import count, duration, number
from lob.report.parts import Live, Section
from lob.report.subject import HORIZON_NS
from lob.tape.levels import level_changes

CHANGES_MAX, TRADES_MAX, QUOTES_MAX, FILLS_MAX = 600_000, 200_000, 200_000, 50_000
BEYOND_TICKS, PRICES_MAX = 30, 4_096
STEP_NS = 1_000_000
UNITS_NS = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000)  # of times, which are 32 bits wide


def section(subject):
    """Return the heat map."""
    lead = "Colour is the lots displayed at a price: bids below, asks above. Drag to zoom until single events show; double-click to go back."
    touches = quotes(subject.tape, subject.book)
    if len(touches) == 0:
        empty = Live("book", "book", "Depth through time", "", note="No order ever rested on this tape, so there is no book to draw.")
        return Section("book-section", "Book", "The book through time", lead, [empty])
    data, sentences = _data(subject, touches)
    caption = "Triangles are trades, up where the buyer was the aggressor. " + _focus_words(subject) + " " + " ".join(sentences)
    return Section("book-section", "Book", "The book through time", lead, [Live("book", "book", "Depth through time", caption, data)])


def _focus_words(subject):
    if subject.focus is None:
        return "No agent traded, so no quotes are on it."
    return f"Lines are the best quotes of {subject.focus_name}, rings its fills: green where they had gained one second later, red where they had lost."


def _data(subject, touches):
    start_ns = subject.tape.start_ns
    low, high = _price_range(touches)
    changes, words = _changes(subject, low, high)
    traded = trades(subject.tape, subject.book)
    traded, more = _at_most(traded[np.searchsorted(traded["time_ns"], start_ns):], TRADES_MAX, "trades", lambda found: -found["lots"])
    quoted, fills, last = _own(subject)
    end_ns = max(subject.tape.end_ns - start_ns, 1)
    unit_ns = next(unit_ns for unit_ns in UNITS_NS if end_ns < 2**32 * unit_ns)

    def since(time_ns):
        return (np.asarray(time_ns) - start_ns) // unit_ns

    data = {
        "unit_s": unit_ns / 1e9, "end_s": end_ns / 1e9, "low": low, "high": high, "agent": subject.focus_name,
        "changes": {"time": since(changes["time_ns"]), "key": 2 * (changes["price_ticks"] - low) + (changes["side"] > 0), "lots": changes["lots"]},
        "trades": {"time": since(traded["time_ns"]), "price": traded["last_ticks"], "lots": traded["lots"], "side": traded["side"]},
        "quotes": {"time": since(quoted["time_ns"]), "bid": quoted["bid_ticks"], "ask": quoted["ask_ticks"]},
        "fills": {"time": since(fills["time_ns"].to_numpy()), **{name: fills[name].to_numpy() for name in ("price_ticks", "lots", "side")},
            "realised": _realised(fills)},
    }
    data["fills"]["price"] = data["fills"].pop("price_ticks")
    return data, [words, more, last, f"Times are to {duration(unit_ns)}."]


def _realised(fills):
    """Return what each fill was worth after 1 s in ticks a lot: float32[n], nan where it is not known."""
    return (fills["realised_half_ticks"].cast(float) / 2).fill_null(float("nan")).to_numpy().astype(np.float32)


def _price_range(touches):
    """Return the lowest and the highest price that the picture reaches, in ticks."""
    bids, asks = (touches[name][touches[name] > 0] for name in ("best_bid_ticks", "best_ask_ticks"))
    prices = np.concatenate([bids, asks])
    low, high = int(prices.min()), int(prices.max())
    if high - low > PRICES_MAX - 2 * BEYOND_TICKS:
        low, high = (int(price) for price in np.quantile(prices, [0.001, 0.999]))
        middle = (low + high) // 2
        half = PRICES_MAX // 2 - BEYOND_TICKS
        low, high = max(low, middle - half), min(high, middle + half)
    return max(low - BEYOND_TICKS, 1), high + BEYOND_TICKS


def _changes(subject, low, high):
    """Return (the changes of level that the page carries, the sentence that says how many of how many)."""
    found = _from(level_changes(subject.tape, subject.book), subject.tape.start_ns)
    inside = select(found, (found["price_ticks"] >= low) & (found["price_ticks"] <= high))
    kept, step_ns = inside, 0
    while len(kept) > CHANGES_MAX:
        step_ns = step_ns * 2 or STEP_NS
        kept = _last_of_each_step(inside, step_ns, low, high)
    whole = f"All {count(len(kept), 'change')} of displayed lots from {number(low)} to {number(high)} ticks are here"
    if step_ns == 0:
        return kept, whole + ", none left out."
    return kept, f"{whole} as they stood at the end of every {duration(step_ns)}: {number(len(inside))} changes of the tape, made fewer to load fast."


def _from(changes, start_ns):
    """Return the changes from a time on, before them the book as it stood: a recorded day's orders bear the night before."""
    count = int(np.searchsorted(changes["time_ns"], start_ns))
    if count == 0:
        return changes
    before = changes[:count]
    _, at = np.unique((2 * before["price_ticks"] + (before["side"] > 0))[::-1], return_index=True)
    stood = select(before, np.sort(count - 1 - at))
    stood = select(stood, stood["lots"] > 0)
    stood["time_ns"] = start_ns
    return np.concatenate([stood, changes[count:]])


def _last_of_each_step(changes, step_ns, low, high):
    """Return the last change of each price and side in each step of time, in order of time."""
    key = ((changes["time_ns"] // step_ns) * (high - low + 1) + changes["price_ticks"] - low) * 2 + (changes["side"] > 0)
    _, at = np.unique(key[::-1], return_index=True)
    return select(changes, np.sort(len(changes) - 1 - at))


def _at_most(records, most, what, urgency):
    """Return (at most so many records, in order of time, the sentence that says so if some are left out)."""
    if len(records) <= most:
        return records, ""
    kept = np.sort(np.argsort(urgency(records), kind="stable")[:most])
    return select(records, kept), f"Of {number(len(records))} {what} the largest {number(most)} are here."


def _own(subject):
    """Return (quotes of the agent in focus, its fills with their markout at 1 s, the sentence that says what is left out)."""
    import polars as pl

    if subject.focus is None:
        return own_quotes(subject.tape, -1, subject.book), subject.fills.clear(), ""
    quoted, words = own_quotes(subject.tape, subject.focus, subject.book), []
    if len(quoted) > QUOTES_MAX:
        step = -(-len(quoted) // QUOTES_MAX)
        words.append(f"Of {number(len(quoted))} changes of its quotes every {step}th is here.")
        quoted = quoted[::step].copy()
    fills = subject.fills.filter((pl.col("owner") == subject.focus) & (pl.col("horizon_ns") == HORIZON_NS))
    if fills.height > FILLS_MAX:
        words.append(f"Of {number(fills.height)} fills the largest {number(FILLS_MAX)} are here.")
        fills = fills.sort("lots", descending=True).head(FILLS_MAX).sort("sequence")
    return quoted, fills, " ".join(words)
