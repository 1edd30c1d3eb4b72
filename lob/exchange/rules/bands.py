"""Bands: how far from the reference price a limit may be, and a trade. Owns both ranges; what a breaker that trips does is the phases'.

The reference price is that of the last trade or auction, before the first one the venue's reference_ticks. A range reaches so many millionths of it both ways,
rounded down to whole ticks, so always to the inside; both ends belong to it. The product is below 2**52.
Source: CME Group, price banding; Xetra T7 market model, volatility interruption (dynamic price range); the limit up-limit down plan of the US exchanges.
"""
from lob.exchange.rules.state import ANY_TICKS, rules_of
from lob.jit import jit

PPM = 10**6


@jit
def reference_of(book):
    """Return the reference price in ticks, 0 if there is none."""
    return book.last_trade_ticks if book.last_trade_ticks else rules_of(book).reference_ticks


@jit
def is_outside_band(book, price_ticks):
    """Return whether a limit is too far from the reference price."""
    reference_ticks, ppm = reference_of(book), rules_of(book).price_band_ppm
    return ppm > 0 and reference_ticks > 0 and abs(price_ticks - reference_ticks) > reference_ticks * ppm // PPM


@jit
def look_from_here(book):
    """Let stops look at trades, and the breaker at its range, from the last trade on."""
    rules, reference_ticks = rules_of(book), reference_of(book)
    rules.low_ticks, rules.high_ticks = book.last_trade_ticks, book.last_trade_ticks
    rules.breaker_low_ticks, rules.breaker_high_ticks = 0, ANY_TICKS
    if rules.breaker_ppm and reference_ticks:
        reach_ticks = reference_ticks * rules.breaker_ppm // PPM
        rules.breaker_low_ticks, rules.breaker_high_ticks = reference_ticks - reach_ticks, reference_ticks + reach_ticks


@jit
def may_trade_at(rules, price_ticks):
    """Return whether the breaker lets this request trade at a price."""
    return rules.breaker_low_ticks <= price_ticks and price_ticks <= rules.breaker_high_ticks
