"""Depth behaviour: refills, returns, lives and detection, each on a story and against a plain loop."""
import numpy as np
import pytest
from random_market import random_tape
from ruled_market import ruled_tape

from lob.analytics.causes import Cause, mid_moves
from lob.analytics.depth_behaviour import depth_behaviour, level_returns, order_lives, refill
from lob.analytics.detection import detection
from lob.analytics.stay import End
from lob.analytics.stays import walk
from lob.exchange.order_book import OrderBook
from lob.messages import Flag, ReportKind, Side
from lob.tape.record import Tape
from lob.tape.replay import touches

SECOND_NS = 1_000_000_000


def test_what_was_eaten_is_added_again():
    book = OrderBook()
    rows = [book.limit(Side.BUY, 100, 10, 1), book.limit(Side.SELL, 101, 10, 2), book.market(Side.SELL, 4, 3, now_ns=SECOND_NS)]
    rows += [book.limit(Side.BUY, 100, 1, 4, now_ns=SECOND_NS + 1_000), book.limit(Side.BUY, 100, 2, 5, now_ns=SECOND_NS + 50_000_000)]
    rows += [book.limit(Side.BUY, 99, 50, 6, now_ns=SECOND_NS + 60_000_000), book.limit(Side.SELL, 101, 9, 7, now_ns=20 * SECOND_NS)]
    table = refill(Tape(np.concatenate(rows), {}), [1_000_000, 100_000_000])
    assert table.select("times", "eaten_lots", "refilled").rows() == [(1, 4, 0.25), (1, 4, 0.75)]
    # 13 lots were added at the bid in 20 seconds.
    assert table["usual"].to_list() == pytest.approx([13 / 20 / 4 * 0.001, 13 / 20 / 4 * 0.1])


def test_levels_return_as_a_plain_loop_finds():
    tape = random_tape(3_000, seed=91)
    quotes, horizon_ns = touches(tape.rows), SECOND_NS // 5
    moves = mid_moves(tape)
    moves = moves[(moves["cause"] == Cause.TRADED) & (moves["time_ns"] + horizon_ns <= tape.end_ns)]
    table = level_returns(tape, [horizon_ns])
    for side, name in ((Side.BUY, "best_bid_ticks"), (Side.SELL, "best_ask_ticks")):
        came_back = []
        for move in moves[moves["side"] == side]:
            later = quotes[(quotes["sequence"] > move["sequence"]) & (quotes["time_ns"] <= move["time_ns"] + horizon_ns)][name]
            came_back.append(any(price and side * (price - move["from_ticks"]) >= 0 for price in later))
        line = table.filter(table["side"] == side).row(0, named=True)
        assert len(came_back) > 30
        assert (line["depletions"], line["returned"]) == (len(came_back), pytest.approx(np.mean(came_back)))


def test_lives_and_ends_are_those_of_a_plain_loop():
    tape = random_tape(3_000, seed=92)
    stays = walk(tape).stays
    mine = [stay for stay in stays if stay["gap_ticks"] == 1]
    gone = [stay for stay in mine if stay["first_fill_ns"] < 0 and stay["end"] in (End.CANCELLED, End.MOVED)]
    table = order_lives(tape)
    line = table.filter(table["gap"] == "1 tick behind").row(0, named=True)
    assert line["orders"] == len(mine) > 50
    assert line["filled_share"] == pytest.approx(np.mean([stay["first_fill_ns"] >= 0 for stay in mine]))
    assert line["cancelled_share"] == pytest.approx(len(gone) / len(mine))
    assert line["unseen_share"] == pytest.approx(sum(not stay["was_at_touch"] for stay in gone) / len(mine))
    assert line["life_50_s"] == pytest.approx(np.median([stay["end_ns"] - stay["time_ns"] for stay in gone]) / 1e9)


def test_an_iceberg_shows_by_trading_more_than_was_there():
    book = OrderBook()
    rows = [book.limit(Side.BUY, 100, 20, 1, display_lots=3), book.limit(Side.SELL, 105, 9, 2), book.market(Side.SELL, 4, 3), book.market(Side.SELL, 1, 4)]
    table = detection(Tape(np.concatenate(rows), {}))
    assert table.select("what", "trades", "present", "seen", "right").rows() == [("iceberg", 2, 1, 1, 1), ("hidden", 2, 0, 0, 0)]


def test_a_hidden_order_shows_by_a_trade_inside_the_spread_or_beyond_the_level():
    book = OrderBook()
    rows = [book.limit(Side.BUY, 100, 2, 1), book.limit(Side.BUY, 100, 2, 2, hidden=True), book.limit(Side.BUY, 101, 2, 3, hidden=True)]
    rows += [book.limit(Side.SELL, 105, 9, 4), book.market(Side.SELL, 1, 5), book.market(Side.SELL, 5, 6)]
    table = detection(Tape(np.concatenate(rows), {}))
    assert table.select("what", "trades", "present", "seen", "right").rows() == [("iceberg", 2, 0, 0, 0), ("hidden", 2, 2, 2, 2)]
    assert table["note"][0] == "no iceberg order traded on this tape"


def naive_detection(tape):
    """Return [(present, seen, right)] for icebergs and hidden orders, event by event."""
    quotes, first, counts = touches(tape.rows), 0, [[0, 0, 0], [0, 0, 0]]
    for end in np.flatnonzero(tape.rows["flags"] & Flag.LAST):
        event, first = tape.rows[first:end + 1], end + 1
        fills = event[event["kind"] == ReportKind.FILL]
        earlier = quotes[quotes["sequence"] < event[0]["sequence"]]
        if len(fills) == 0 or len(earlier) == 0:
            continue
        before, after = earlier[-1], quotes[quotes["sequence"] <= event[-1]["sequence"]][-1]
        price, lots = ("best_bid_ticks", "bid_lots") if fills[0]["side"] == Side.SELL else ("best_ask_ticks", "ask_lots")
        left = after[lots] if after[price] == before[price] else 0
        is_more = before[price] > 0 and fills["lots"][fills["price_ticks"] == before[price]].sum() > before[lots] - left
        is_inside = before[price] > 0 and (-fills["side"] * (fills["price_ticks"] - before[price]) > 0).any()
        truths = ((event["kind"] == ReportKind.REFRESHED).any(), (fills["flags"] & Flag.HIDDEN != 0).any())
        for count, truth, seen in zip(counts, truths, (is_more and left > 0, is_inside or (is_more and left == 0)), strict=True):
            count[0], count[1], count[2] = count[0] + bool(truth), count[1] + bool(seen), count[2] + bool(truth and seen)
    return [tuple(count) for count in counts]


def test_detection_is_that_of_a_plain_loop():
    tape = ruled_tape(2_500, seed=93)
    table = detection(tape)
    assert table.select("present", "seen", "right").rows() == naive_detection(tape)
    assert table["present"].min() > 20


@pytest.mark.parametrize("count", [0, 5])
def test_a_tape_without_trades_gives_numbers_that_are_null(count):
    found = depth_behaviour(random_tape(count, seed=94))
    assert found.refill["refilled"].null_count() == found.refill.height
    assert found.returns["returned"].null_count() == found.returns.height
    assert found.detection["precision"].to_list() == [None, None]
