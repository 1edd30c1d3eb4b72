"""Markouts: the identity of every fill holds in integers, and the tables are those of a naive loop."""
import math
from itertools import pairwise

import numpy as np
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_market import random_tape

from lob.analytics.markouts import HORIZONS_NS, fill_markouts, markout_table, markouts
from lob.exchange.order_book import OrderBook
from lob.exchange.venue import Venue
from lob.messages import REQUEST, Action, Phase, ReportKind, Side
from lob.tape.record import Tape
from lob.tape.replay import touches

SECOND_NS = 1_000_000_000


def scripted_tape(*requests, **provenance):
    """Return the live tape of requests given as (seconds, action, owner, order_id, side, price_ticks, lots)."""
    rows = np.zeros(len(requests), REQUEST)
    for row, (seconds, *values) in zip(rows, requests, strict=True):
        row["time_ns"] = int(seconds * SECOND_NS)
        for name, value in zip(("action", "owner", "order_id", "side", "price_ticks", "lots"), values, strict=True):
            row[name] = value
    return Tape(OrderBook().send_many(rows), {"complete": True, "end_ns": 60 * SECOND_NS} | provenance)


def maker_hit_and_market_moves():
    """Return a tape: bid 100, ask 102; at 1 s a seller takes 2 lots of owner 1's bid; at 1.5 s the market falls by two ticks."""
    return scripted_tape(
        (0.0, Action.LIMIT, 1, 1, Side.BUY, 100, 2),
        (0.1, Action.LIMIT, 9, 1, Side.BUY, 98, 9),
        (0.2, Action.LIMIT, 9, 2, Side.SELL, 102, 9),
        (1.0, Action.MARKET, 2, 1, Side.SELL, 0, 2),
        (1.5, Action.LIMIT, 9, 3, Side.SELL, 100, 9),
    )


def test_a_buyer_earns_half_the_spread_and_gives_back_what_the_mid_falls():
    fills = fill_markouts(maker_hit_and_market_moves(), horizons_ns=[SECOND_NS])
    line = fills.row(0, named=True)
    # The mid is 101 before the fill, 99 a second after it: half a spread of 1 tick, an impact of 2.
    assert (line["effective_half_ticks"], line["impact_half_ticks"], line["realised_half_ticks"]) == (2, 4, -2)
    assert (line["owner"], line["counterparty"], line["side"], line["lots"], line["level_lots"]) == (1, 2, Side.BUY, 2, 0)


def test_a_trade_in_a_call_auction_is_no_makers_fill():
    book = OrderBook(venue=Venue(phase=Phase.PRE_OPEN))
    rows = [book.limit(Side.SELL, 100, 5, order_id=1, owner=1), book.limit(Side.BUY, 100, 5, order_id=1, owner=2)]
    rows += [book.limit(Side.SELL, 102, 5, order_id=2, owner=1), book.set_phase(Phase.CONTINUOUS), book.market(Side.BUY, 3, order_id=2, owner=2)]
    fills = fill_markouts(Tape(np.concatenate(rows), {}), horizons_ns=[0])
    assert fills["price_ticks"].to_list() == [102]


def test_the_mid_before_a_fill_is_not_the_one_that_the_fill_leaves_behind():
    fills = fill_markouts(maker_hit_and_market_moves(), horizons_ns=[0])
    # At horizon 0 the level is gone: the mid is 100 already.
    assert fills["impact_half_ticks"].to_list() == [2]


def test_all_fills_of_a_sweep_share_the_mid_before_it():
    tape = scripted_tape(
        (0.0, Action.LIMIT, 1, 1, Side.SELL, 101, 1),
        (0.0, Action.LIMIT, 1, 2, Side.SELL, 105, 1),
        (0.0, Action.LIMIT, 9, 1, Side.BUY, 99, 1),
        (1.0, Action.MARKET, 2, 1, Side.BUY, 0, 2),
    )
    assert fill_markouts(tape, [0])["effective_half_ticks"].to_list() == [2, 10]


def test_the_later_mid_is_the_last_one_with_both_sides():
    tape = scripted_tape(
        (0.0, Action.LIMIT, 1, 1, Side.SELL, 101, 1),
        (0.0, Action.LIMIT, 9, 1, Side.BUY, 99, 1),
        (1.0, Action.MARKET, 2, 1, Side.BUY, 0, 1),
        (1.1, Action.CANCEL, 9, 1, 0, 0, 0),
    )
    assert fill_markouts(tape, [SECOND_NS])["realised_half_ticks"].to_list() == [2]


def test_a_change_at_the_very_time_of_the_horizon_counts():
    fills = fill_markouts(maker_hit_and_market_moves(), horizons_ns=[SECOND_NS // 2 - 1, SECOND_NS // 2])
    assert fills["realised_half_ticks"].to_list() == [0, -2]


def test_a_horizon_beyond_the_end_of_the_tape_is_left_out():
    tape = maker_hit_and_market_moves()
    table = markouts(fill_markouts(tape, [59 * SECOND_NS, 59 * SECOND_NS + 1]))
    assert table["fills"].to_list() == [1, 0]
    assert table["left_out"].to_list() == [0, 1]
    assert table["realised"].to_list() == [-1.0, None]


@pytest.mark.parametrize("by", [["agent"], ["kind", "side"], []])
@pytest.mark.parametrize("count", [0, 1_500])
def test_the_table_of_a_tape_is_that_of_its_fills(by, count):
    tape = random_tape(count, seed=5)
    assert markout_table(tape, by).equals(markouts(fill_markouts(tape), by))


def test_a_fill_before_any_mid_is_left_out_of_every_horizon():
    tape = scripted_tape((0.0, Action.LIMIT, 1, 1, Side.BUY, 100, 1), (1.0, Action.MARKET, 2, 1, Side.SELL, 0, 1))
    fills = fill_markouts(tape)
    assert fills["effective_half_ticks"].to_list() == [None] * len(HORIZONS_NS)
    assert markouts(fills)["left_out"].to_list() == [1] * len(HORIZONS_NS)


def test_a_tape_without_fills_gives_an_empty_table():
    assert markouts(fill_markouts(scripted_tape((0.0, Action.LIMIT, 1, 1, Side.BUY, 100, 1)))).height == 0


def test_fills_of_the_recorded_flow_are_no_makers_fills():
    tape = scripted_tape((0.0, Action.LIMIT, 0, 1, Side.BUY, 100, 1), (1.0, Action.MARKET, 2, 1, Side.SELL, 0, 1))
    assert fill_markouts(tape).height == 0


def naive_mid(quotes, is_seen):
    """Return the sum of bid and ask in the last two-sided touch for which is_seen holds, None without one."""
    seen = [touch["best_bid_ticks"] + touch["best_ask_ticks"] for touch in quotes if is_seen(touch) and touch["best_bid_ticks"] and touch["best_ask_ticks"]]
    return int(seen[-1]) if seen else None


def naive_fill_markouts(tape, horizons_ns):
    """Return (horizon, sequence, effective, realised, impact) of every maker's fill by plain loops."""
    quotes, lines = touches(tape.rows), []
    starts = np.concatenate([[0], np.flatnonzero(tape.rows["flags"] & 128) + 1])
    for horizon_ns in horizons_ns:
        for fill in tape.rows[tape.rows["kind"] == ReportKind.FILL]:
            start = max(first for first in starts if first <= fill["sequence"])
            before = naive_mid(quotes, lambda touch, start=start: touch["sequence"] < start)
            later_ns = int(fill["time_ns"]) + horizon_ns
            later = naive_mid(quotes, lambda touch, later_ns=later_ns: touch["time_ns"] <= later_ns)
            later = later if later_ns <= tape.end_ns and before is not None else None
            side, price = -int(fill["side"]), 2 * int(fill["price_ticks"])
            effective = None if before is None else side * (before - price)
            realised = None if later is None else side * (later - price)
            impact = None if later is None else side * (before - later)
            lines.append((horizon_ns, int(fill["sequence"]), effective, realised, impact))
    return lines


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32))
def test_fill_markouts_are_those_of_a_naive_loop(seed):
    tape = random_tape(150, seed)
    horizons_ns = [0, 50_000_000, SECOND_NS]
    columns = ["horizon_ns", "sequence", "effective_half_ticks", "realised_half_ticks", "impact_half_ticks"]
    assert fill_markouts(tape, horizons_ns).select(columns).rows() == naive_fill_markouts(tape, horizons_ns)


def test_realised_is_effective_less_impact_for_every_fill_in_integers():
    fills = fill_markouts(random_tape(5_000, seed=3)).drop_nulls()
    assert fills.height > 1_000
    assert (fills["effective_half_ticks"] - fills["impact_half_ticks"]).equals(fills["realised_half_ticks"], check_names=False)


def naive_markouts(fills, by):
    """Return {(group, horizon): (fills, lots, effective, realised, impact, standard_error, blocks)} by plain loops."""
    found = {}
    known = fills.filter(polars.col("realised_half_ticks").is_not_null()).with_columns(polars.col(by).cast(polars.String))
    for key in sorted(set(known.select(by, "horizon_ns").rows())):
        mine = [line for line in known.iter_rows(named=True) if (line[by], line["horizon_ns"]) == key]
        lots = sum(line["lots"] for line in mine)
        mean = {name: sum(line["lots"] * line[f"{name}_half_ticks"] for line in mine) / lots / 2 for name in ("effective", "realised", "impact")}
        scores = {}
        for line in mine:
            block = line["time_ns"] // max(key[1], SECOND_NS)
            scores[block] = scores.get(block, 0.0) + line["lots"] * (line["realised_half_ticks"] / 2 - mean["realised"])
        own = sum(score**2 for score in scores.values())
        shared = sum(scores[a] * scores[b] for a, b in pairwise(sorted(scores)) if b == a + 1)
        count = len(scores)
        error = math.sqrt(count / (count - 1) * max(own, own + 2 * shared)) / lots if count > 1 else None
        found[key] = (len(mine), lots, *mean.values(), error, count)
    return found


@pytest.mark.parametrize("by", ["agent", "kind", "counterparty_kind", "side"])
def test_tables_of_means_are_those_of_a_naive_loop(by):
    fills = fill_markouts(random_tape(2_000, seed=11))
    table = markouts(fills, by=by)
    expected = naive_markouts(fills, by)
    shown = ("fills", "lots", "effective", "realised", "impact", "standard_error", "blocks")
    numbers = table.select(polars.col(by).cast(polars.String), "horizon_ns", *shown).rows()
    assert {line[:2] for line in numbers} == set(expected)
    assert [line[2:] for line in numbers] == [pytest.approx(expected[line[:2]]) for line in numbers]


def test_a_table_can_be_cut_by_maker_and_counterparty_at_once():
    table = markouts(fill_markouts(random_tape(2_000, seed=11)), by=["agent", "counterparty_kind"])
    assert table.columns[:3] == ["agent", "counterparty_kind", "horizon_ns"]
    assert table.select("agent", "counterparty_kind").unique().height == 18


def test_standard_errors_hold_when_fills_share_their_future():
    # A mid that walks at random and fills twenty to a horizon: the true mean is zero, and means must lie within their errors as a normal law says.
    random = np.random.default_rng(12)
    scores = []
    for _ in range(300):
        time_ns = np.sort(random.integers(0, 200 * SECOND_NS, 2_000))
        walk = np.cumsum(random.choice([-1, 1], 4_200))
        steps_ns = SECOND_NS // 20
        realised = walk[(time_ns + 2 * SECOND_NS) // steps_ns] - walk[time_ns // steps_ns]
        lots = random.integers(1, 10, len(time_ns))
        fills = polars.DataFrame({"agent": "a", "time_ns": time_ns, "lots": lots, "effective_half_ticks": 0, "realised_half_ticks": realised})
        line = markouts(fills.with_columns(impact_half_ticks=-polars.col("realised_half_ticks"), horizon_ns=2 * SECOND_NS)).row(0, named=True)
        scores.append(line["realised"] / line["standard_error"])
    assert 0.9 < np.std(scores) < 1.15
