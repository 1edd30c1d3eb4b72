"""Feeds: recorded market-by-order days as arrays of requests, the exchange's facts in the order in which they happened."""
from lob.feeds.databento import databento
from lob.feeds.fast import fast, write_fast, write_many
from lob.feeds.feed import Feed
from lob.feeds.formats import format_of, read
from lob.feeds.itch import itch, itch_many, itch_symbols
from lob.feeds.itch_writer import write_itch
from lob.feeds.lobster import lobster
from lob.feeds.lobster_writer import write_lobster

__all__ = [
    "Feed", "databento", "fast", "format_of", "itch", "itch_many", "itch_symbols", "lobster", "read", "write_fast", "write_itch", "write_lobster", "write_many",
]
