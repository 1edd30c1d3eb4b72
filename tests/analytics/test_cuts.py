"""Cuts: what was known about an order when it was filled is what the tape says about it, looked up one fill at a time."""
import numpy as np
import polars
from random_market import random_tape
from ruled_market import ruled_tape

from lob.analytics.cuts import AGES, LEFT, PLACES, RACES
from lob.analytics.markouts import fill_markouts, markout_table, markouts
from lob.exchange.order_book import OrderBook
from lob.messages import Flag, ReportKind, Side
from lob.tape.record import Tape
from lob.tape.replay import touches


def naive_word(value, edges, words):
    return words[sum(value >= edge for edge in edges)]


def test_place_age_and_race_of_every_fill_are_those_found_by_looking_back():
    tape = random_tape(1_500, seed=21)
    quotes, lines = touches(tape.rows), fill_markouts(tape, [0])
    fills = tape.rows[tape.rows["kind"] == ReportKind.FILL]
    assert lines.height == len(fills) > 100
    ends = np.flatnonzero(tape.rows["flags"] & Flag.LAST)
    for line, fill in zip(lines.iter_rows(named=True), fills, strict=True):
        earlier = tape.rows[: fill["sequence"]]
        renewed = np.isin(earlier["kind"], [ReportKind.ACCEPTED, ReportKind.REPLACED])
        entry = earlier[renewed & (earlier["order_id"] == fill["resting_id"]) & (earlier["owner"] == fill["resting_owner"])][-1]
        before = quotes[quotes["sequence"] <= ends[ends < fill["sequence"]][-1]][-1]
        own, other = ("ask_lots", "bid_lots") if fill["side"] == Side.BUY else ("bid_lots", "ask_lots")
        assert line["lots_ahead"] == entry["lots_ahead"]
        assert line["age_ns"] == fill["time_ns"] - entry["time_ns"]
        assert line["place"] == naive_word(entry["lots_ahead"], (1, 10, 100), PLACES)
        assert line["left"] == naive_word(fill["level_lots"], (1, 10, 100), LEFT)
        assert line["age"] == naive_word(line["age_ns"] / 1e9, (0.01, 0.1, 1, 10), AGES)
        if before[own] and before[other]:
            assert line["own_share"] == before[own] / (before[own] + before[other])
            assert line["race"] == naive_word(line["own_share"], (0.2, 0.4, 0.6, 0.8), RACES)
        else:
            assert line["own_share"] is None and line["race"] is None


def test_a_hidden_order_has_no_place_in_the_line():
    book = OrderBook()
    rows = np.concatenate([book.limit(Side.BUY, 100, 5, order_id=1, owner=1, hidden=True), book.market(Side.SELL, 2, order_id=1, owner=2)])
    line = fill_markouts(Tape(rows, {}), [0]).row(0, named=True)
    assert (line["place"], line["lots_ahead"], line["age_ns"], line["race"]) == (None, None, None, None)


def test_every_cut_of_a_tape_is_that_of_its_fills():
    tape = ruled_tape(3_000, seed=22)
    for by in ("agent", "side", "counterparty_kind", "place", "left", "age", "race"):
        assert markout_table(tape, by, [0, 10**9]).equals(markouts(fill_markouts(tape, [0, 10**9]), by))


def test_fills_of_unknown_place_have_a_line_of_their_own():
    table = markout_table(ruled_tape(3_000, seed=22), "place", [0])
    assert table.filter(polars.col("place").is_null())["fills"].item() > 0
