"""Feeds: recorded market-by-order days as arrays of requests, the exchange's facts in the order in which they happened."""
from lob.feeds.databento import databento
from lob.feeds.fast import fast, write_fast
from lob.feeds.feed import Feed
from lob.feeds.itch import itch, itch_symbols
from lob.feeds.lobster import lobster

__all__ = ["Feed", "databento", "fast", "itch", "itch_symbols", "lobster", "write_fast"]
