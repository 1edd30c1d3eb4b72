"""A hundred million random messages of every kind: the engine against itself through snapshots at random points, and against the reference on samples.

The stream goes through one book without a break, and through a second one that is saved and loaded at random points on the way; every row must be the
same, byte for byte. Every so often a fresh pair of engine and reference is given the beginning of what comes next.
"""
import copy
import os
from dataclasses import replace

import numpy as np
import pytest
from test_against_reference import ALLOCATIONS, DAYS, FEES, let_phases_move, ruled_requests

from lob.exchange.order_book import OrderBook
from lob.exchange.reference import ReferenceBook
from lob.exchange.venue import Venue
from lob.messages import SelfTrade

BLOCK = 100_000
SAMPLE = 2_000
# How many order ids are in use: some rules walk the orders at a price, so only the plain venue has a book of many.
NAMES, NAMES_OF_A_PLAIN_VENUE = [40, 500], 200_000


def venue_of(seed):
    if seed % 4 == 0:
        return Venue()
    modes = {owner: (owner + seed) % len(SelfTrade) for owner in range(4)}
    return replace(DAYS[seed % len(DAYS)], self_trade=modes, allocation=ALLOCATIONS[seed % len(ALLOCATIONS)], fees=FEES[seed % len(FEES)])


def play_through_snapshots(book, requests, random, path):
    """Return the book that goes on, and its rows: it is copied, or saved and loaded, at a few random points."""
    rows, first = [], 0
    for stop in [*np.sort(random.integers(0, len(requests) + 1, 3)), len(requests)]:
        rows.append(book.send_many(requests[first:stop]))
        book, first = (OrderBook.load(book.save(path)) if random.random() < 0.2 else copy.copy(book)), stop
    return book, np.concatenate(rows)


def play(messages, path, seed=0):
    """Play so many messages; return how many were played and how many of them the reference saw too."""
    random = np.random.default_rng(seed)
    played = sampled = time_ns = 0
    whole = stopped = None
    while played < messages:
        if played % (20 * BLOCK) == 0:
            venue = venue_of(int(random.integers(100)))
            whole, stopped = OrderBook(venue=venue), OrderBook(venue=venue)
        requests = ruled_requests(int(random.integers(2**31)), min(BLOCK, messages - played))
        names = NAMES_OF_A_PLAIN_VENUE if venue == Venue() else random.choice(NAMES)
        requests["order_id"] = random.integers(1, names, len(requests))
        let_phases_move(requests, random, 0.001)
        for name in ("time_ns", "sent_ns", "expiry_ns"):
            requests[name] += time_ns
        time_ns = int(requests["time_ns"].max())
        rows = whole.send_many(requests)
        stopped, others = play_through_snapshots(stopped, requests, random, path)
        assert rows.tobytes() == others.tobytes(), f"seed {seed}, messages {played} to {played + len(requests)}"
        if played % (10 * BLOCK) == 0:
            engine, reference = OrderBook(venue=venue), ReferenceBook(venue=venue)
            assert engine.send_many(requests[:SAMPLE]).tolist() == reference.send_many(requests[:SAMPLE]).tolist()
            sampled += min(SAMPLE, len(requests))
        played += len(requests)
    whole.check()
    stopped.check()
    return played, sampled


def test_the_engine_is_itself_through_snapshots_and_the_reference_on_samples(tmp_path):
    assert play(200_000, tmp_path / "book.npz", seed=1) == (200_000, SAMPLE)


@pytest.mark.long
def test_a_hundred_million_messages(tmp_path):
    messages = int(float(os.environ.get("LOB_MESSAGES", 1e8)))
    played, sampled = play(messages, tmp_path / "book.npz", seed=2)
    assert played == messages and sampled >= messages // (10 * BLOCK) * SAMPLE
