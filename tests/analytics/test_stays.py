"""Stays: what left in front of an order is what a plain walk along its queue counts."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_market import random_tape
from ruled_market import day_tape, ruled_tape

from lob.analytics.depth_behaviour import order_lives
from lob.analytics.stay import Change, End
from lob.analytics.stays import touch_stays, walk
from lob.errors import TapeError
from lob.exchange.order_book import OrderBook
from lob.messages import CancelReason, Flag, ReportKind, Side
from lob.tape.record import Tape
from lob.tape.replay import book_at, touches

KEPT_OUT = Flag.HIDDEN | Flag.STOP
INCOMING = (CancelReason.UNFILLED, CancelReason.FILL_OR_KILL, CancelReason.MINIMUM)


class NaiveQueues:
    """Every queue as a list of dicts, first in line first; nothing is clever."""

    def __init__(self):
        self.queues, self.stays, self.pending, self.coming = {}, [], None, None

    def rest(self, row, lots, shown, entry):
        queue = self.queues.setdefault((int(entry["side"]), int(entry["price_ticks"])), [])
        stay = {
            "key": (int(entry["owner"]), int(entry["order_id"])), "queue": queue, "shown": shown, "time_ns": int(row["time_ns"]), "lots": lots,
            "lots_ahead": sum(other["shown"] for other in queue), "traded_ahead": 0, "cancelled_ahead": 0, "first_fill_ns": -1, "end": End.RESTING,
            "filled_lots": 0, "was_at_touch": False,
        }
        queue.append(stay)
        self.stays.append(stay)

    def find(self, owner, order_id):
        return next((stay for queue in self.queues.values() for stay in queue if stay["key"] == (owner, order_id)), None)

    def is_coming(self, row):
        """Return whether a row is about the order that is on its way in, which has met one of its owner's."""
        return self.coming is not None and all(row[name] == self.coming[name] for name in ("owner", "order_id"))

    def leave(self, stay, lots, how):
        queue = stay["queue"]
        for behind in queue[queue.index(stay) + 1:]:
            if behind["first_fill_ns"] < 0:
                behind[how] += lots
        stay["shown"] -= lots

    def end(self, stay, end):
        stay["end"] = end
        stay["queue"].remove(stay)

    def read(self, row):
        kind, lots = row["kind"], int(row["lots"])
        if kind in (ReportKind.ACCEPTED, ReportKind.REPLACED, ReportKind.TRIGGERED):
            self.coming = row
            self.pending = None if row["flags"] & KEPT_OUT or row["price_ticks"] == 0 else [row, lots]
        elif kind == ReportKind.FILL and row["flags"] & Flag.AUCTION:
            self.read_auction_fill(row)
        elif kind == ReportKind.FILL:
            if self.pending is not None:
                self.pending[1] -= lots
            stay = self.find(int(row["resting_owner"]), int(row["resting_id"]))
            if stay is not None and not row["flags"] & Flag.HIDDEN:
                stay["filled_lots"] += lots
                stay["was_at_touch"] = True
                stay["first_fill_ns"] = int(row["time_ns"]) if stay["first_fill_ns"] < 0 else stay["first_fill_ns"]
                self.leave(stay, lots, "traded_ahead")
                if row["resting_open_lots"] == 0:
                    self.end(stay, End.FILLED)
        elif kind in (ReportKind.CANCELLED, ReportKind.REDUCED) and (row["reason"] in INCOMING or self.is_coming(row)):
            if self.pending is not None:
                self.pending = None if kind == ReportKind.CANCELLED else [self.pending[0], self.pending[1] - lots]
        elif kind in (ReportKind.CANCELLED, ReportKind.REDUCED) and not row["flags"] & KEPT_OUT and row["price_ticks"]:
            stay = self.find(int(row["owner"]), int(row["order_id"]))
            self.leave(stay, int(row["display_lots"]) if row["flags"] & Flag.ICEBERG else lots, "cancelled_ahead")
            if kind == ReportKind.CANCELLED:
                self.end(stay, End.MOVED if row["reason"] == CancelReason.REPLACED else End.CANCELLED)
        elif kind == ReportKind.REFRESHED:
            stay = self.find(int(row["owner"]), int(row["order_id"]))
            self.end(stay, End.REFRESHED)
            self.rest(row, int(row["open_lots"]), lots, row)
        if row["flags"] & Flag.LAST:
            self.end_event(row)

    def read_auction_fill(self, row):
        buyer = ("owner", "order_id", "trigger_ticks", "lots_ahead", "open_lots")
        seller = ("resting_owner", "resting_id", "offset_ticks", "level_lots", "resting_open_lots")
        for owner, order_id, price_ticks, left, open_lots in (buyer, seller):
            if row[price_ticks] == 0:
                continue
            stay = self.find(int(row[owner]), int(row[order_id]))
            stay["filled_lots"] += int(row["lots"])
            stay["was_at_touch"] = True
            stay["first_fill_ns"] = int(row["time_ns"]) if stay["first_fill_ns"] < 0 else stay["first_fill_ns"]
            self.leave(stay, sum(other["shown"] for other in stay["queue"]) - int(row[left]), "traded_ahead")
            if row[open_lots] == 0:
                self.end(stay, End.FILLED)

    def end_event(self, row):
        if self.pending is not None and self.pending[1] > 0:
            entry, lots = self.pending
            self.rest(row, lots, min(lots, int(entry["display_lots"])) if entry["flags"] & Flag.ICEBERG else lots, entry)
        self.pending = self.coming = None
        for side in Side:
            prices = [price for (of, price), queue in self.queues.items() if of == side and queue]
            if prices:
                best = max(prices) if side > 0 else min(prices)
                for stay in self.queues[(int(side), best)]:
                    stay["was_at_touch"] = True


NAMES = ("time_ns", "lots", "lots_ahead", "traded_ahead", "cancelled_ahead", "first_fill_ns", "filled_lots", "end", "was_at_touch")


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32), make=st.sampled_from([random_tape, ruled_tape, day_tape]))
def test_stays_are_those_of_a_plain_walk_along_every_queue(seed, make):
    tape, naive = make(400, seed), NaiveQueues()
    for row in tape.rows:
        naive.read(row)
    assert walk(tape).stays[list(NAMES)].tolist() == [tuple(stay[name] for name in NAMES) for stay in naive.stays]


def test_what_was_ahead_of_a_filled_order_traded_or_was_cancelled_to_the_last_lot():
    stays = walk(random_tape(20_000, seed=5)).stays
    filled = stays[stays["first_fill_ns"] >= 0]
    assert len(filled) > 1_000
    assert (filled["lots_ahead"] == filled["traded_ahead"] + filled["cancelled_ahead"]).all()


@pytest.mark.parametrize("make", [ruled_tape, day_tape])
def test_changes_add_up_to_the_book_that_is_left(make):
    tape = make(5_000, seed=6)
    changes = walk(tape).changes
    signs = np.where(changes["kind"] == Change.ADDED, 1, -1)
    for side in Side:
        left = book_at(tape, tape.end_ns).depth(side, None)["lots"].sum()
        assert (signs * changes["lots"])[changes["side"] == side].sum() == left


def test_gaps_are_measured_from_the_touch_before_the_event():
    tape = random_tape(3_000, seed=7)
    quotes, stays = touches(tape.rows), walk(tape).stays
    for stay in stays[::7]:
        first_row = np.flatnonzero(tape.rows["flags"][: stay["entry_row"]] & 128)
        earlier = quotes[quotes["sequence"] <= (first_row[-1] if len(first_row) else -1)]
        best = earlier[-1]["best_bid_ticks" if stay["side"] > 0 else "best_ask_ticks"] if len(earlier) else 0
        assert stay["gap_ticks"] == (stay["side"] * (best - tape.rows["price_ticks"][stay["entry_row"]]) if best else -(2**31))


def test_every_fill_knows_the_stay_of_its_resting_order():
    tape = random_tape(3_000, seed=8)
    fills, found = tape.rows[tape.rows["kind"] == ReportKind.FILL], walk(tape)
    entries = tape.rows[found.stays["entry_row"][found.fill_stays]]
    assert (entries["order_id"] == fills["resting_id"]).all()
    assert (entries["owner"] == fills["resting_owner"]).all()


@pytest.mark.parametrize("price_step_ticks", [1, 10_000_000])
def test_prices_may_lie_far_apart(price_step_ticks):
    book = OrderBook()
    rows = np.concatenate([book.limit(Side.BUY, 1 + i * price_step_ticks, 5, order_id=i + 1) for i in range(4)])
    stays = walk(Tape(rows, {})).stays
    assert stays["was_at_touch"].tolist() == [1, 1, 1, 1]
    assert stays["gap_ticks"][1:].tolist() == [-price_step_ticks] * 3


def test_the_map_of_live_orders_grows_and_forgets():
    book = OrderBook()
    rows = [book.limit(Side.BUY, 100, 1, order_id=i + 1) for i in range(9_000)]
    rows += [book.cancel(i + 1) for i in range(0, 9_000, 2)]
    stays = walk(Tape(np.concatenate(rows), {})).stays
    assert stays["end"].tolist() == [End.CANCELLED, End.RESTING] * 4_500
    assert stays["cancelled_ahead"][1::2].tolist() == list(range(1, 4_501))


def test_orders_from_before_the_run_are_in_no_queue_that_is_measured():
    tape = random_tape(2_000, seed=8)
    day = Tape(tape.rows, tape.provenance | {"start_ns": int(tape.rows["time_ns"][600])})
    entered_ns = touch_stays(tape)["time_ns"]
    assert touch_stays(day)["time_ns"].tolist() == entered_ns[entered_ns >= day.start_ns].tolist()
    assert order_lives(day)["orders"].sum() == (walk(tape).stays["time_ns"] >= day.start_ns).sum() < len(walk(tape).stays)


def test_an_unsorted_tape_is_refused_by_its_first_wrong_row():
    rows = random_tape(50, seed=9).rows.copy()
    rows["time_ns"][3] = 0
    with pytest.raises(TapeError, match="not sorted: row 3 has time_ns 0 after"):
        walk(Tape(rows, {}))
