"""A recorded day that agents trade in: its rules, an example each, for the engine and for the reference; then the two against each other."""
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lob import feeds
from lob.errors import LobError
from lob.exchange.order_history import OrderHistory
from lob.exchange.reference import Request
from lob.exchange.reference_displaced import DisplacedHistory
from lob.exchange.reference_history import ReferenceHistory
from lob.exchange.venue import FeeTier, Venue
from lob.messages import (
    LOTS_MAX,
    PRICE_MAX_TICKS,
    REPORT,
    REQUEST,
    Action,
    CancelReason,
    Flag,
    RejectReason,
    ReportKind,
    SelfTrade,
    Side,
    TimeInForce,
    anonymous_id,
)

BUY, SELL = Side.BUY, Side.SELL
GTC, IOC, FOK = list(TimeInForce)[:3]
ACCEPTED, FILL, CANCELLED, REDUCED, REPLACED, REJECTED, PRINT, STATUS = list(ReportKind)[:8]
LAST, POST_ONLY = Flag.LAST, Flag.POST_ONLY
ALICE, BOB = 1, 2
SECOND_NS = 10**9


@pytest.fixture(scope="module", params=[ReferenceHistory, OrderHistory])
def make_history(request):
    """Return the class of a recorded day."""
    return request.param


@pytest.fixture
def day(make_history):
    """Return a day that shows 10 lots of order 11 and 5 of order 12 bid at 100, and 10 of order 21 and 5 of order 22 offered at 101."""
    history = make_history()
    for side, price_ticks, first in ((BUY, 100, 11), (SELL, 101, 21)):
        history.limit(side, price_ticks, 10, first)
        history.limit(side, price_ticks, 5, first + 1)
    return history


def recorded(history, action, order_id=0, lots=0, side=0, price_ticks=0, **fields):
    """Send a row of the recording; return the rows that answer it."""
    request = Request(action=int(action), order_id=order_id, lots=lots, side=int(side), price_ticks=price_ticks, **fields)
    return history.send(np.array(tuple(request), dtype=REQUEST))


def execute(history, order_id, lots, side=0, price_ticks=0):
    return recorded(history, Action.EXECUTE, order_id, lots, side, price_ticks)


def told(rows, *names):
    """Return the named fields of each row."""
    return [row if len(names) > 1 else row[0] for row in rows[list(names)].tolist()]


def agents_fills(rows):
    """Return (owner, order id, price, lots, open lots) of the agents' orders that recorded flow filled."""
    return told(rows[(rows["kind"] == FILL) & (rows["resting_owner"] > 0)], "resting_owner", "resting_id", "price_ticks", "lots", "resting_open_lots")


def shown(history):
    """Return the displayed book."""
    return [history.depth(side, 100).tolist() for side in (BUY, SELL)]


def state(history):
    """Return all orders of both books, in their places."""
    return shown(history), [history.queue_at(side, price_ticks).tolist() for side in (BUY, SELL) for price_ticks in range(94, 108)]


# What is recorded

def test_the_book_is_what_the_recording_shows(day):
    assert shown(day) == [[(100, 15, 2)], [(101, 15, 2)]]
    assert (day.best_bid_ticks, day.best_ask_ticks) == (100, 101)


def test_a_recorded_order_is_accepted_at_the_back_of_its_price(day):
    rows = recorded(day, Action.LIMIT, 13, 4, BUY, 100, time_ns=7, sent_ns=7)
    assert told(rows, "kind", "time_ns", "owner", "order_id", "lots", "open_lots", "lots_ahead", "flags") == [(ACCEPTED, 7, 0, 13, 4, 4, 15, LAST)]


@pytest.mark.parametrize("kind, reason", [
    ({"tif": TimeInForce.GTT, "expiry_ns": 10**18}, RejectReason.UNKNOWN_TIME_IN_FORCE),
    ({"flags": Flag.HIDDEN}, RejectReason.UNKNOWN_FLAG),
    ({"action": Action.MARKET, "flags": Flag.TO_LIMIT}, RejectReason.UNKNOWN_FLAG),
    ({"action": Action.MARKET, "flags": Flag.STOP, "trigger_ticks": 100}, RejectReason.UNKNOWN_FLAG),
    ({"action": Action.MASS_CANCEL}, RejectReason.UNKNOWN_ACTION),
])
def test_agents_in_a_recorded_day_may_send_plain_orders_only(day, kind, reason):
    request = {"action": Action.LIMIT, "owner": 1, "order_id": 1, "side": BUY, "price_ticks": 100, "lots": 1} | kind
    row = np.zeros(1, REQUEST)
    for name, value in request.items():
        row[name] = value
    assert told(day.send_many(row), "kind", "reason") == [(REJECTED, reason)]


def test_recorded_orders_never_match_each_other(day):
    assert told(day.limit(BUY, 101, 3, 13), "kind") == [ACCEPTED]
    assert shown(day) == [[(101, 3, 1), (100, 15, 2)], [(101, 15, 2)]]


def test_a_recorded_execution_is_a_fill_by_nobody_known_of_an_order_that_stood(day):
    rows = execute(day, 11, 4)
    fields = ("kind", "action", "order_id", "owner", "side", "price_ticks", "lots", "open_lots", "resting_id", "resting_owner", "resting_open_lots")
    assert told(rows, *fields) == [(FILL, Action.EXECUTE, 0, 0, SELL, 100, 4, 0, 11, 0, 6)]
    assert told(rows, "level_lots", "flags") == [(11, LAST)]
    assert shown(day)[0] == [(100, 11, 2)]


def test_an_execution_of_more_lots_than_there_are_takes_those_there_are(day):
    assert told(execute(day, 12, 50), "lots", "resting_open_lots", "level_lots") == [(5, 0, 10)]


def test_a_recorded_cancel_takes_off_so_many_lots_or_all(day):
    assert told(day.cancel(11, lots=3), "kind", "reason", "lots", "open_lots", "price_ticks", "side") == [(REDUCED, 0, 3, 7, 100, BUY)]
    assert told(day.cancel(11), "kind", "reason", "lots", "open_lots") == [(CANCELLED, CancelReason.ASKED, 7, 0)]
    assert shown(day)[0] == [(100, 5, 1)]


def test_a_dropped_level_takes_all_its_recorded_orders_with_it_and_no_agents(day):
    day.limit(BUY, 100, 3, 1, ALICE)
    rows = recorded(day, Action.DROP_LEVEL, side=BUY, price_ticks=100)
    assert told(rows, "kind", "reason", "order_id", "side", "price_ticks", "lots", "open_lots", "flags") == [
        (CANCELLED, CancelReason.LEFT_WINDOW, 11, BUY, 100, 10, 0, 0), (CANCELLED, CancelReason.LEFT_WINDOW, 12, BUY, 100, 5, 0, LAST),
    ]
    assert day.queue_at(BUY, 100).tolist() == [(1, ALICE, 3)]


def test_a_dropped_level_where_nothing_rests_has_no_rows(day):
    rows = recorded(day, Action.DROP_LEVEL, side=BUY, price_ticks=99)
    assert len(rows) == 0 and rows.dtype == REPORT


def test_a_change_of_status_is_told_and_changes_nothing(day):
    before = state(day)
    assert told(recorded(day, Action.STATUS, price_ticks=2), "kind", "price_ticks", "flags") == [(STATUS, 2, LAST)]
    assert state(day) == before


def test_a_print_is_told_and_leaves_the_displayed_book_alone(day):
    before = shown(day)
    assert told(recorded(day, Action.PRINT, lots=9, side=SELL, price_ticks=100), "kind", "lots", "price_ticks", "side") == [(PRINT, 9, 100, SELL)]
    assert shown(day) == before


# Anonymous volume

def test_what_names_an_unknown_order_is_taken_from_the_anonymous_volume_of_its_price(day):
    name = anonymous_id(SELL, 102)
    day.limit(SELL, 102, 20, name)
    assert told(execute(day, 99, 4, SELL, 102), "kind", "resting_id", "lots", "resting_open_lots") == [(FILL, name, 4, 16)]
    assert told(recorded(day, Action.CANCEL, 98, 6, SELL, 102), "kind", "order_id", "lots", "open_lots") == [(REDUCED, name, 6, 10)]


@pytest.mark.parametrize("side, price_ticks", [(BUY, 102), (SELL, 103), (0, 102), (-2, 102), (SELL, 0), (SELL, 102 - 2**63)])
def test_no_anonymous_volume_is_meant_at_another_side_or_price(day, side, price_ticks):
    day.limit(SELL, 102, 20, anonymous_id(SELL, 102))
    before = state(day)
    for action in (Action.CANCEL, Action.EXECUTE):
        assert told(recorded(day, action, 99, 4, side, price_ticks), "kind", "reason") == [(REJECTED, RejectReason.UNKNOWN_ORDER)]
    assert state(day) == before


def test_an_order_that_bears_the_number_of_another_prices_volume_is_not_that_volume(day):
    day.limit(SELL, 103, 20, anonymous_id(SELL, 102))
    assert told(execute(day, 77, 8, SELL, 102), "kind", "reason") == [(REJECTED, RejectReason.UNKNOWN_ORDER)]
    assert day.lots_at(SELL, 103) == 20


def test_anonymous_volume_that_comes_into_view_was_there_before_every_agent(day):
    day.limit(BUY, 99, 3, 1, ALICE)
    day.limit(BUY, 99, 20, anonymous_id(BUY, 99))
    assert day.queue_at(BUY, 99).tolist() == [(anonymous_id(BUY, 99), 0, 20), (1, ALICE, 3)]
    assert agents_fills(execute(day, anonymous_id(BUY, 99), 5)) == []


def test_an_agent_stands_behind_the_anonymous_volume_that_it_finds(day):
    day.limit(BUY, 99, 20, anonymous_id(BUY, 99))
    assert told(day.limit(BUY, 99, 3, 1, ALICE), "kind", "lots_ahead") == [(ACCEPTED, 20)]
    assert agents_fills(execute(day, 77, 5, BUY, 99)) == []


# An agent's order rests in its true place

def test_an_agent_stands_behind_all_who_were_there(day):
    assert told(day.limit(BUY, 100, 3, 1, ALICE), "kind", "lots_ahead") == [(ACCEPTED, 15)]
    assert told(day.limit(BUY, 100, 4, 1, BOB), "kind", "lots_ahead") == [(ACCEPTED, 18)]
    day.limit(BUY, 100, 6, 13)
    assert day.queue_at(BUY, 100).tolist() == [(11, 0, 10), (12, 0, 5), (1, ALICE, 3), (1, BOB, 4), (13, 0, 6)]
    assert (day.queue_ahead(1, BOB), day.queue_ahead(13), day.queue_ahead(5, BOB)) == (18, 22, None)


def test_an_agent_moves_up_as_those_ahead_cancel_and_are_executed(day):
    day.limit(BUY, 100, 3, 1, ALICE)
    day.cancel(11)
    execute(day, 12, 2)
    assert day.queue_ahead(1, ALICE) == 3


@pytest.mark.parametrize("ahead", [11, 12])
def test_an_execution_of_an_order_ahead_does_not_reach_an_agent(day, ahead):
    day.limit(BUY, 100, 3, 1, ALICE)
    assert agents_fills(execute(day, ahead, 5)) == []


def test_an_execution_of_an_order_behind_fills_the_agent(day):
    day.limit(BUY, 100, 3, 1, ALICE)
    day.limit(BUY, 100, 6, 13)
    rows = execute(day, 13, 2)
    fields = ("order_id", "owner", "side", "price_ticks", "lots", "open_lots", "resting_id", "resting_owner", "resting_open_lots", "level_lots", "flags")
    assert told(rows, *fields) == [(0, 0, SELL, 100, 2, 0, 13, 0, 4, 19, 0), (0, 0, SELL, 100, 2, 0, 1, ALICE, 1, 1, LAST)]


def test_a_trade_at_a_worse_price_fills_the_agent_at_its_own_price(day):
    day.limit(SELL, 102, 50, 31)
    day.limit(SELL, 101, 3, 1, ALICE)
    assert agents_fills(execute(day, 31, 7)) == [(ALICE, 1, 101, 3, 0)]


def test_a_trade_at_a_better_price_does_not_reach_an_agent(day):
    day.limit(SELL, 102, 3, 1, ALICE)
    assert agents_fills(execute(day, 22, 5)) == []


@pytest.mark.parametrize("price_ticks", [101, 100])
def test_an_order_that_arrives_at_or_through_its_price_fills_the_agent_whatever_is_ahead_of_it(make_history, price_ticks):
    day = make_history()
    day.limit(BUY, 101, 10, 11)
    day.limit(BUY, 101, 3, 1, ALICE)
    rows = day.limit(SELL, price_ticks, 8, 21)
    fields = ("kind", "order_id", "owner", "action", "side", "price_ticks", "lots", "resting_id", "resting_owner", "flags")
    assert told(rows, *fields) == [
        (ACCEPTED, 21, 0, Action.LIMIT, SELL, price_ticks, 8, 0, 0, 0), (FILL, 21, 0, Action.LIMIT, SELL, 101, 3, 1, ALICE, LAST),
    ]


def test_an_order_that_arrives_short_of_its_price_does_not_reach_an_agent(make_history):
    day = make_history()
    day.limit(BUY, 99, 3, 1, ALICE)
    assert agents_fills(day.limit(SELL, 100, 8, 21)) == []


def test_an_execution_of_an_order_that_nobody_knows_is_refused_but_has_passed_over_agents_at_better_prices(day):
    day.limit(BUY, 100, 3, 1, ALICE)
    day.limit(BUY, 99, 3, 2, ALICE)
    rows = execute(day, 99, 8, BUY, 99)
    assert told(rows, "kind", "reason", "flags") == [(REJECTED, RejectReason.UNKNOWN_ORDER, 0), (FILL, 0, LAST)]
    assert agents_fills(rows) == [(ALICE, 1, 100, 3, 0)]


def test_a_hidden_trade_fills_agents_at_better_prices_only(day):
    day.limit(SELL, 101, 3, 1, ALICE)
    day.limit(SELL, 102, 3, 2, ALICE)
    assert agents_fills(recorded(day, Action.PRINT, lots=9, side=BUY, price_ticks=102)) == [(ALICE, 1, 101, 3, 0)]


def test_an_auction_whose_aggressor_is_nobody_reaches_no_agent(day):
    day.limit(SELL, 101, 3, 1, ALICE)
    assert agents_fills(recorded(day, Action.PRINT, lots=9, side=0, price_ticks=105)) == []


# Never more lots than the flow had

def test_agents_share_the_lots_of_one_execution_by_price_then_by_place(day):
    day.limit(BUY, 99, 60, 41)
    for order_id, (price_ticks, owner) in enumerate([(99, ALICE), (100, BOB), (99, BOB), (100, ALICE)], start=1):
        day.limit(BUY, price_ticks, 4, order_id, owner)
    day.limit(BUY, 99, 60, 42)
    assert agents_fills(execute(day, 42, 14)) == [(BOB, 2, 100, 4, 0), (ALICE, 4, 100, 4, 0), (ALICE, 1, 99, 4, 0), (BOB, 3, 99, 2, 2)]


def test_agents_share_the_lots_of_one_arrival(day):
    day.cancel(21)
    day.cancel(22)
    day.limit(BUY, 100, 4, 1, ALICE)
    day.limit(BUY, 101, 4, 1, BOB)
    assert agents_fills(day.limit(SELL, 100, 6, 23)) == [(BOB, 1, 101, 4, 0), (ALICE, 1, 100, 2, 2)]


def test_an_execution_of_fewer_lots_than_it_says_has_no_more_for_agents(day):
    day.limit(BUY, 100, 50, 1, ALICE)
    day.limit(BUY, 100, 6, 13)
    assert agents_fills(execute(day, 13, 40)) == [(ALICE, 1, 100, 6, 44)]


# Taking

def test_an_agent_takes_displayed_lots_in_their_order_and_they_stay_on_display(day):
    rows = day.limit(BUY, 101, 12, 1, ALICE, tif=IOC)
    fields = ("kind", "price_ticks", "lots", "open_lots", "resting_id", "resting_owner", "resting_open_lots", "level_lots")
    assert told(rows, *fields) == [(ACCEPTED, 101, 12, 12, 0, 0, 0, 0), (FILL, 101, 10, 2, 21, 0, 0, 15), (FILL, 101, 2, 0, 22, 0, 3, 15)]
    assert shown(day)[1] == [(101, 15, 2)]


def test_displayed_lots_cannot_be_taken_twice(day):
    day.market(BUY, 12, 1, ALICE)
    assert told(day.market(BUY, 12, 1, BOB), "kind", "lots", "resting_id", "reason") == [
        (ACCEPTED, 12, 0, 0), (FILL, 3, 22, 0), (CANCELLED, 9, 0, CancelReason.UNFILLED),
    ]


def test_new_lots_on_display_can_be_taken(day):
    day.market(BUY, 15, 1, ALICE)
    day.limit(SELL, 101, 4, 23)
    assert told(day.market(BUY, 12, 2, ALICE), "kind", "lots", "resting_id") == [(ACCEPTED, 12, 0), (FILL, 4, 23), (CANCELLED, 8, 0)]


def test_a_recorded_order_that_is_reduced_has_what_stands_less_what_was_taken(day):
    day.market(BUY, 4, 1, ALICE)
    day.cancel(21, lots=3)
    assert told(day.market(BUY, 20, 2, ALICE)[1:], "lots", "resting_id") == [(3, 21), (5, 22), (12, 0)]


def test_a_recorded_order_with_fewer_lots_than_were_taken_of_it_has_none(day):
    day.market(BUY, 8, 1, ALICE)
    day.cancel(21, lots=6)
    execute(day, 21, 1)
    assert told(day.market(BUY, 20, 2, ALICE)[1:], "lots", "resting_id") == [(5, 22), (15, 0)]


def test_an_order_id_that_comes_again_begins_with_nothing_taken(day):
    day.market(BUY, 10, 1, ALICE)
    day.cancel(21)
    day.limit(SELL, 101, 10, 21)
    assert told(day.market(BUY, 20, 2, ALICE)[1:], "lots", "resting_id") == [(5, 22), (10, 21), (5, 0)]


def test_lots_of_an_arrival_that_went_to_a_resting_agent_cannot_be_taken_again(day):
    day.cancel(21)
    day.cancel(22)
    day.limit(BUY, 101, 4, 1, ALICE)
    day.limit(SELL, 101, 6, 23)
    assert told(day.market(BUY, 20, 1, BOB)[1:], "lots", "resting_id") == [(2, 23), (18, 0)]


def test_an_agent_that_has_taken_the_touch_rests_there_and_the_display_looks_as_before(day):
    rows = day.limit(BUY, 101, 20, 1, ALICE)
    assert told(rows, "kind", "lots", "open_lots") == [(ACCEPTED, 20, 20), (FILL, 10, 10), (FILL, 5, 5)]
    assert (day.best_bid_ticks, day.best_ask_ticks) == (100, 101)
    assert agents_fills(day.limit(SELL, 101, 3, 23)) == [(ALICE, 1, 101, 3, 2)]


def test_an_agent_walks_through_the_levels_to_its_limit(day):
    day.limit(SELL, 102, 10, 31)
    day.limit(SELL, 103, 10, 32)
    assert told(day.limit(BUY, 102, 40, 1, ALICE)[1:], "price_ticks", "lots", "open_lots") == [(101, 10, 30), (101, 5, 25), (102, 10, 15)]


def test_agents_trade_with_each_other_and_with_the_display_by_price_then_by_place(day):
    day.limit(SELL, 101, 2, 1, ALICE)
    day.limit(SELL, 101, 7, 23)
    day.limit(SELL, 102, 2, 2, ALICE)
    day.limit(SELL, 102, 7, 31)
    rows = day.market(BUY, 40, 1, BOB)
    assert told(rows[1:], "price_ticks", "resting_owner", "resting_id", "lots", "level_lots") == [
        (101, 0, 21, 10, 22), (101, 0, 22, 5, 22), (101, ALICE, 1, 2, 0), (101, 0, 23, 7, 22), (102, ALICE, 2, 2, 0), (102, 0, 31, 7, 7), (0, 0, 0, 7, 0),
    ]


def test_agents_meet_inside_the_spread_unseen(make_history):
    day = make_history()
    day.limit(BUY, 98, 5, 11)
    day.limit(SELL, 102, 5, 21)
    day.limit(SELL, 100, 4, 1, ALICE)
    before = shown(day)
    assert told(day.limit(BUY, 101, 3, 1, BOB)[1:], "owner", "resting_owner", "price_ticks", "lots", "resting_open_lots") == [(BOB, ALICE, 100, 3, 1)]
    assert shown(day) == before


def test_fill_or_kill_counts_what_can_be_taken_and_agents(day):
    day.market(BUY, 12, 1, ALICE)
    day.limit(SELL, 101, 2, 2, ALICE)
    assert told(day.limit(BUY, 101, 6, 1, BOB, tif=FOK), "kind", "reason", "lots") == [(ACCEPTED, 0, 6), (CANCELLED, CancelReason.FILL_OR_KILL, 6)]
    assert told(day.limit(BUY, 101, 5, 1, BOB, tif=FOK), "kind", "lots") == [(ACCEPTED, 5), (FILL, 3), (FILL, 2)]


def test_immediate_or_cancel_leaves_nothing_behind(day):
    assert told(day.limit(BUY, 101, 20, 1, ALICE, tif=IOC), "kind", "lots", "tif", "lots_ahead") == [
        (ACCEPTED, 20, IOC, 0), (FILL, 10, IOC, 0), (FILL, 5, IOC, 0), (CANCELLED, 5, IOC, 0),
    ]
    assert day.queue_ahead(1, ALICE) is None


# Post-only

def test_post_only_is_refused_at_the_displayed_touch_even_where_all_of_it_is_taken(day):
    day.market(BUY, 15, 1, ALICE)
    rows = day.limit(BUY, 101, 3, 1, BOB, post_only=True)
    assert told(rows, "kind", "reason", "lots", "flags") == [(REJECTED, RejectReason.WOULD_CROSS, 3, POST_ONLY | LAST)]


def test_post_only_is_refused_where_it_would_trade_with_another_agent(make_history):
    day = make_history()
    day.limit(SELL, 100, 4, 1, ALICE)
    assert told(day.limit(BUY, 100, 3, 1, BOB, post_only=True), "reason") == [RejectReason.WOULD_CROSS]


def test_post_only_at_the_own_touch_rests(day):
    assert told(day.limit(BUY, 100, 3, 1, BOB, post_only=True), "kind", "lots_ahead", "flags") == [(ACCEPTED, 15, POST_ONLY | LAST)]


def test_a_refused_post_only_replace_leaves_the_order_in_its_place(day):
    day.limit(BUY, 100, 3, 1, ALICE)
    day.limit(BUY, 100, 6, 13)
    before = state(day)
    assert told(day.replace(1, 101, 3, ALICE, post_only=True), "reason") == [RejectReason.WOULD_CROSS]
    assert state(day) == before


# Replace and cancel

def test_replace_that_shrinks_keeps_its_place_among_the_recorded_orders(day):
    day.limit(BUY, 100, 3, 1, ALICE)
    day.limit(BUY, 100, 6, 13)
    assert told(day.replace(1, 100, 2, ALICE), "kind", "lots", "open_lots") == [(REDUCED, 1, 2)]
    assert agents_fills(execute(day, 13, 6)) == [(ALICE, 1, 100, 2, 0)]


@pytest.mark.parametrize("lots, there_and_back", [(4, False), (3, True)])
def test_replace_that_grows_or_moves_goes_to_the_back(day, lots, there_and_back):
    day.limit(BUY, 100, 3, 1, ALICE)
    day.limit(BUY, 100, 6, 13)
    for price_ticks in [99] * there_and_back + [100]:
        rows = day.replace(1, price_ticks, lots, ALICE)
    assert told(rows, "kind", "lots", "lots_ahead") == [(CANCELLED, 3, 0), (REPLACED, lots, 21)]
    assert agents_fills(execute(day, 13, 6)) == []


def test_in_a_venue_without_the_rule_a_replace_that_shrinks_loses_its_place(make_history):
    day = make_history(replace_keeps_place=False)
    day.limit(BUY, 100, 3, 1, ALICE)
    day.limit(BUY, 100, 6, 13)
    day.replace(1, 100, 2, ALICE)
    assert day.queue_ahead(1, ALICE) == 6


def test_replace_through_the_touch_takes_displayed_lots(day):
    day.limit(BUY, 99, 3, 1, ALICE)
    rows = day.replace(1, 101, 18, ALICE)
    assert told(rows, "kind", "price_ticks", "lots", "open_lots") == [
        (CANCELLED, 99, 3, 0), (REPLACED, 101, 18, 18), (FILL, 101, 10, 8), (FILL, 101, 5, 3),
    ]
    assert day.queue_at(BUY, 101).tolist() == [(1, ALICE, 3)]


def test_a_cancelled_agents_order_is_not_filled(day):
    day.limit(BUY, 100, 3, 1, ALICE)
    day.limit(BUY, 100, 6, 13)
    assert told(day.cancel(1, ALICE), "kind", "reason", "lots") == [(CANCELLED, CancelReason.ASKED, 3)]
    assert agents_fills(execute(day, 13, 6)) == []


def test_no_agent_can_cancel_what_is_recorded(day):
    assert told(day.cancel(11, ALICE), "reason") == [RejectReason.UNKNOWN_ORDER]


def test_an_agent_may_use_the_id_of_a_recorded_order(day):
    assert told(day.limit(BUY, 100, 3, 11, ALICE), "kind") == [ACCEPTED]
    assert told(day.limit(BUY, 100, 3, 11, ALICE), "reason") == [RejectReason.DUPLICATE_ORDER_ID]


# Refusing

VALID_ROW = {"order_id": 13, "lots": 5, "side": BUY, "price_ticks": 100}
REFUSED_ROWS = [
    (Action.MARKET, {}, RejectReason.UNKNOWN_ACTION),
    (Action.REPLACE, {"order_id": 11}, RejectReason.UNKNOWN_ACTION),
    (8, {}, RejectReason.UNKNOWN_ACTION),
    (255, {"book": 1}, RejectReason.UNKNOWN_ACTION),
    (Action.STATUS, {"book": 1, "price_ticks": 9}, RejectReason.UNKNOWN_BOOK),
    (Action.LIMIT, {"order_id": 0, "side": 0}, RejectReason.ORDER_ID_OUT_OF_RANGE),
    (Action.CANCEL, {"order_id": -1}, RejectReason.ORDER_ID_OUT_OF_RANGE),
    (Action.EXECUTE, {"order_id": -(2**63)}, RejectReason.ORDER_ID_OUT_OF_RANGE),
    (Action.LIMIT, {"side": 0, "price_ticks": 0}, RejectReason.UNKNOWN_SIDE),
    (Action.DROP_LEVEL, {"side": -128}, RejectReason.UNKNOWN_SIDE),
    (Action.PRINT, {"side": 2}, RejectReason.UNKNOWN_SIDE),
    (Action.LIMIT, {"price_ticks": 0, "lots": 0}, RejectReason.PRICE_OUT_OF_RANGE),
    (Action.LIMIT, {"price_ticks": PRICE_MAX_TICKS + 1}, RejectReason.PRICE_OUT_OF_RANGE),
    (Action.DROP_LEVEL, {"price_ticks": 2**63 - 1}, RejectReason.PRICE_OUT_OF_RANGE),
    (Action.PRINT, {"price_ticks": -(2**63)}, RejectReason.PRICE_OUT_OF_RANGE),
    (Action.STATUS, {"price_ticks": 3}, RejectReason.PRICE_OUT_OF_RANGE),
    (Action.STATUS, {"price_ticks": -1}, RejectReason.PRICE_OUT_OF_RANGE),
    (Action.LIMIT, {"lots": 0, "order_id": 11}, RejectReason.LOTS_OUT_OF_RANGE),
    (Action.LIMIT, {"lots": LOTS_MAX + 1}, RejectReason.LOTS_OUT_OF_RANGE),
    (Action.EXECUTE, {"lots": 0, "order_id": 11}, RejectReason.LOTS_OUT_OF_RANGE),
    (Action.EXECUTE, {"lots": 2**32 + 1, "order_id": 11}, RejectReason.LOTS_OUT_OF_RANGE),
    (Action.CANCEL, {"lots": -1, "order_id": 11}, RejectReason.LOTS_OUT_OF_RANGE),
    (Action.PRINT, {"lots": -(2**63)}, RejectReason.LOTS_OUT_OF_RANGE),
    (Action.LIMIT, {"order_id": 11}, RejectReason.DUPLICATE_ORDER_ID),
    (Action.CANCEL, {}, RejectReason.UNKNOWN_ORDER),
    (Action.EXECUTE, {}, RejectReason.UNKNOWN_ORDER),
]


@pytest.mark.parametrize("action, fields, reason", REFUSED_ROWS)
def test_a_recorded_row_that_cannot_be_is_refused_for_the_first_reason_and_changes_nothing(day, action, fields, reason):
    day.limit(BUY, 100, 3, 1, ALICE)
    before = state(day)
    row = VALID_ROW | fields
    rows = recorded(day, action, tif=77, flags=255, **row)
    assert told(rows, "kind", "reason", "tif", "flags", "open_lots") == [(REJECTED, reason, 0, LAST, 0)]
    assert told(rows, *row) == [tuple(row.values())]
    assert state(day) == before


@pytest.mark.parametrize("action", [Action.EXECUTE, Action.DROP_LEVEL, Action.PRINT, Action.STATUS])
def test_an_agent_cannot_write_history(day, action):
    before = state(day)
    rows = recorded(day, action, 11, 5, BUY, 100, owner=ALICE)
    assert told(rows, "kind", "reason") == [(REJECTED, RejectReason.NOT_IN_RECORDED_DAY)]
    assert state(day) == before


def test_an_owner_below_nobody_is_refused(day):
    assert told(recorded(day, Action.LIMIT, 1, 5, BUY, 100, owner=-1), "reason") == [RejectReason.OWNER_OUT_OF_RANGE]


# The engine against the reference

BOOK = 2
bids, asks, agents_prices = st.integers(95, 100), st.integers(101, 106), st.integers(94, 107)
places = st.tuples(st.just(int(BUY)), bids) | st.tuples(st.just(int(SELL)), asks)
sides = st.sampled_from([int(BUY), int(SELL)])
lots = st.integers(1, 12)
order_ids = st.integers(1, 12)
agents = st.integers(1, 3)
post_only = st.sampled_from([0, 0, 0, int(POST_ONLY)])


def whole_range(name):
    return st.integers(np.iinfo(REQUEST[name]).min, np.iinfo(REQUEST[name]).max)


EDGES = {
    "order_id": [-(2**63), -1, 0, 2**62, anonymous_id(BUY, 100), 2**63 - 1],
    "price_ticks": [-(2**63), -1, 0, 1, PRICE_MAX_TICKS, PRICE_MAX_TICKS + 1, 100 + 2**62, 2**63 - 1],
    "lots": [-(2**63), -1, 0, LOTS_MAX, LOTS_MAX + 1, 2**32 + 1, 2**63 - 1],
    "owner": [-(2**31), -1, 0, 1, 2**31 - 1],
    "book": [0, 2**16 - 1],
    "side": [-128, -2, 0, 2, 127],
    "tif": [1, 2, 3, 255],
    "flags": [1, 2, 3, 128, 129, 255],
    "action": range(9),
}
edge_fields = st.sampled_from(sorted(EDGES)).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(EDGES[name]) | whole_range(name)))
requests = st.builds(
    lambda place, **fields: Request(side=place[0], price_ticks=place[1], book=BOOK, **fields),
    place=places, order_id=order_ids, lots=lots, owner=st.integers(0, 3), action=st.integers(0, 7), flags=post_only,
)


def cannot_lock(request):
    """Return a request without the garbage that would lock the recorded book: check_book holds that bids are below asks."""
    is_locking = request.owner == 0 and request.action == Action.LIMIT and request.side * (request.price_ticks - 100.5) > 0
    return request._replace(side=-request.side) if is_locking and request.side in (1, -1) else request


TIERS = Venue(fees=(FeeTier(0, -200, 300, -5, 10), FeeTier(8, -250, 250, -6, 9), FeeTier(30, 1, 0, 0, -7)))
NOT_ONESELF = Venue(self_trade={1: SelfTrade.CANCEL_RESTING, 2: SelfTrade.CANCEL_INCOMING, 3: SelfTrade.DECREMENT})
BOTH_GO = Venue(fees=TIERS.fees, self_trade={1: SelfTrade.CANCEL_BOTH, 3: SelfTrade.DECREMENT})
REFERENCES = {"passive": ReferenceHistory, "displace": DisplacedHistory}


class EngineAgainstReference(RuleBasedStateMachine):
    """Every rule tells both days the same."""

    @initialize(replace_keeps_place=st.booleans(), venue=st.sampled_from([Venue(), TIERS, NOT_ONESELF, BOTH_GO]), execution=st.sampled_from(sorted(REFERENCES)))
    def open_the_day(self, replace_keeps_place, venue, execution):
        self.engine = OrderHistory(replace_keeps_place, BOOK, venue, execution)
        self.reference = REFERENCES[execution](replace_keeps_place, BOOK, venue)
        self.undisturbed = ReferenceHistory(book=BOOK) if execution == "passive" else None
        self.time_ns = 0

    def tell(self, request):
        one = np.array([tuple(request)], dtype=REQUEST)
        rows = self.reference.send_many(one)
        assert self.engine.send_many(one).tolist() == rows.tolist()
        if request.owner == 0 and self.undisturbed:
            self.undisturbed.send_many(one)

    def tell_now(self, action, **fields):
        self.time_ns += 10
        self.tell(Request(time_ns=self.time_ns, sent_ns=self.time_ns - 3, book=BOOK, action=int(action), **fields))

    @rule(place=places, lots=lots, order_id=order_ids)
    def recorded_limit(self, place, **fields):
        self.tell_now(Action.LIMIT, side=place[0], price_ticks=place[1], **fields)

    @rule(place=places, lots=lots)
    def anonymous_volume(self, place, lots):
        self.tell_now(Action.LIMIT, side=place[0], price_ticks=place[1], lots=lots, order_id=anonymous_id(*place))

    @rule(place=places, lots=lots, order_id=order_ids)
    def recorded_execution(self, place, **fields):
        self.tell_now(Action.EXECUTE, side=place[0], price_ticks=place[1], **fields)

    @rule(place=places, lots=st.integers(0, 12), order_id=order_ids)
    def recorded_cancel(self, place, **fields):
        self.tell_now(Action.CANCEL, side=place[0], price_ticks=place[1], **fields)

    @rule(place=places)
    def dropped_level(self, place):
        self.tell_now(Action.DROP_LEVEL, side=place[0], price_ticks=place[1])

    @rule(side=st.integers(-1, 1), price_ticks=agents_prices, lots=lots)
    def print_off_the_book(self, **fields):
        self.tell_now(Action.PRINT, **fields)

    @rule(status=st.sampled_from([0, 1, 2, 2, 2, 2]))
    def status(self, status):
        self.tell_now(Action.STATUS, price_ticks=status)

    @rule(side=sides, price_ticks=agents_prices, lots=lots, order_id=order_ids, owner=agents, tif=st.sampled_from([0, 0, 0, 1, 2]))
    def limit(self, **fields):
        self.tell_now(Action.LIMIT, **fields)

    @rule(side=sides, price_ticks=agents_prices, lots=lots, order_id=order_ids, owner=agents)
    def post_only_limit(self, **fields):
        self.tell_now(Action.LIMIT, flags=int(POST_ONLY), **fields)

    @rule(side=sides, lots=lots | st.just(LOTS_MAX), order_id=order_ids, owner=agents)
    def market(self, **fields):
        self.tell_now(Action.MARKET, **fields)

    @rule(order_id=order_ids, owner=agents, lots=st.integers(0, 12))
    def cancel(self, **fields):
        self.tell_now(Action.CANCEL, **fields)

    @rule(order_id=order_ids, owner=agents, price_ticks=agents_prices, lots=lots, flags=post_only)
    def replace(self, **fields):
        self.tell_now(Action.REPLACE, **fields)

    @rule(request=requests, edge=edge_fields)
    def almost_valid(self, request, edge):
        name, value = edge
        self.tell(cannot_lock(request._replace(**{name: value})))

    @rule(request=st.builds(Request, **{name: whole_range(name) for name in REQUEST.names}), owner=st.sampled_from([0, None]))
    def garbage(self, request, owner):
        self.tell(request if owner is None else request._replace(owner=owner))

    @invariant()
    def they_show_the_same_book_with_the_same_orders_in_it(self):
        assert shown(self.engine) == shown(self.reference)
        for side in Side:
            for price_ticks in range(94, 108):
                assert self.engine.queue_at(side, price_ticks).tolist() == self.reference.queue_at(side, price_ticks).tolist()

    @invariant()
    def agents_leave_no_trace_in_the_display(self):
        assert self.undisturbed is None or shown(self.engine) == shown(self.undisturbed)

    @invariant()
    def both_are_sound(self):
        self.engine.check()
        self.reference.check()


TestEngineAgainstReference = EngineAgainstReference.TestCase
TestEngineAgainstReference.settings = settings(max_examples=25, stateful_step_count=50, deadline=None)


@pytest.mark.long
def test_the_engine_is_the_reference_for_thirty_thousand_steps():
    many = settings(max_examples=300, stateful_step_count=100, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(EngineAgainstReference, settings=many)


def random_day(seed, count, width_ticks, name_count):
    """Return REQUEST[count] for book BOOK: recorded rows around 10,000 ticks, each order's id its own, and agents' requests among them.

    name_count: how many ids an agent uses, and how far back a recorded cancel or execution reaches.
    """
    random = np.random.default_rng(seed)
    day = np.zeros(count, dtype=REQUEST)
    is_recorded = random.random(count) < 0.6
    day["time_ns"] = day["sent_ns"] = np.cumsum(random.integers(0, 1_000, count))
    day["owner"] = np.where(is_recorded, 0, random.integers(1, 4, count))
    day["action"] = np.where(
        is_recorded, random.choice([0, 2, 4, 5, 6], count, p=[0.5, 0.15, 0.29, 0.01, 0.05]), random.choice(4, count, p=[0.55, 0.1, 0.15, 0.2]),
    )
    day["side"] = random.choice([-1, 1], count)
    newest = np.cumsum(is_recorded & (day["action"] == Action.LIMIT))
    earlier = np.where(day["action"] == Action.LIMIT, 0, random.integers(0, name_count // 2, count))
    day["order_id"] = np.where(is_recorded, np.maximum(newest - earlier, 1), random.integers(1, name_count, count))
    day["price_ticks"] = 10_000 - day["side"] * random.integers(np.where(is_recorded, 1, -width_ticks // 3), width_ticks, count)
    is_anonymous = is_recorded & (random.random(count) < 0.1)
    day["order_id"] = np.where(is_anonymous, anonymous_id(BUY, day["price_ticks"]) + (day["side"] < 0), day["order_id"])
    day["lots"] = random.integers(1, 15, count)
    is_entry = ~is_recorded & (day["action"] == Action.LIMIT)
    day["tif"] = np.where(is_entry, random.choice(3, count, p=[0.8, 0.1, 0.1]), 0)
    day["flags"] = is_entry & (day["tif"] == 0) & (random.random(count) < 0.2)
    day["book"] = BOOK
    return day


@pytest.mark.parametrize("execution", REFERENCES)
@pytest.mark.parametrize("replace_keeps_place", [True, False])
@pytest.mark.parametrize("width_ticks, name_count", [(6, 60), (40, 2_000), (3_000, 4_000)])
def test_a_long_random_day_has_the_same_rows_in_both(width_ticks, name_count, replace_keeps_place, execution):
    day = random_day(width_ticks, 10_000, width_ticks, name_count)
    venue = TIERS if replace_keeps_place else NOT_ONESELF
    engine, reference = OrderHistory(replace_keeps_place, BOOK, venue, execution), REFERENCES[execution](replace_keeps_place, BOOK, venue)
    engine_rows, reference_rows = engine.send_many(day), reference.send_many(day)
    first_difference = next(iter(np.flatnonzero(engine_rows[:len(reference_rows)] != reference_rows[:len(engine_rows)])), None)
    assert first_difference is None, f"row {first_difference}: {engine_rows[first_difference]} should be {reference_rows[first_difference]}"
    assert len(engine_rows) == len(reference_rows)
    assert shown(engine) == shown(reference)
    engine.check()


@pytest.mark.parametrize("seed", range(5))
def test_the_recorded_rows_are_the_same_with_and_without_agents(seed):
    day = random_day(seed, 5_000, 6, 60)
    rows, undisturbed = (OrderHistory(book=BOOK).send_many(requests) for requests in (day, day[day["owner"] == 0]))
    facts = [name for name in REPORT.names if name not in ("sequence", "flags")]
    is_agents = (rows["owner"] > 0) | (rows["resting_owner"] > 0)
    assert rows[~is_agents][facts].tolist() == undisturbed[facts].tolist()
    assert np.count_nonzero(is_agents & (rows["kind"] == FILL)) > 500


@pytest.mark.parametrize("seed", range(5))
def test_agents_never_trade_more_of_a_recorded_order_than_it_showed(seed):
    day = random_day(seed, 5_000, 6, 60)
    is_named = day["order_id"] < 5_000
    rows = OrderHistory(book=BOOK).send_many(day[is_named])
    entries = rows[(rows["kind"] == ACCEPTED) & (rows["owner"] == 0)]
    fills = rows[rows["kind"] == FILL]
    taken = fills[(fills["owner"] > 0) & (fills["resting_owner"] == 0)]
    met = fills[(fills["owner"] == 0) & (fills["resting_owner"] > 0) & (fills["order_id"] > 0)]
    traded = np.bincount(np.concatenate([taken["resting_id"], met["order_id"]]), np.concatenate([taken["lots"], met["lots"]]), minlength=5_000)
    assert (traded[entries["order_id"]] <= entries["lots"]).all()
    assert len(taken) > 100 and len(met) > 5


@pytest.mark.parametrize("seed", range(5))
def test_one_event_of_the_recording_fills_agents_with_no_more_lots_than_it_had(seed):
    rows = OrderHistory(book=BOOK).send_many(random_day(seed, 5_000, 6, 60))
    event = np.concatenate([[0], np.cumsum(rows["flags"] & LAST > 0)[:-1]])
    is_fill_by_flow = (rows["kind"] == FILL) & (rows["owner"] == 0) & (rows["resting_owner"] > 0)
    filled = np.bincount(event, rows["lots"] * is_fill_by_flow)
    first = np.searchsorted(event, np.arange(len(filled)))
    assert (filled <= rows["lots"][first]).all()
    assert filled.sum() > 1_000


def test_a_level_of_many_orders_is_dropped_whole_however_short_the_memory_was():
    day = np.zeros(5_001, REQUEST)
    day["order_id"], day["lots"], day["side"], day["price_ticks"] = np.arange(1, 5_002), 1, BUY, 100
    day["action"][-1] = Action.DROP_LEVEL
    rows = OrderHistory().send_many(day)
    assert np.count_nonzero(rows["reason"] == CancelReason.LEFT_WINDOW) == 5_000


def test_a_sweep_over_many_orders_of_both_books_loses_no_fill():
    day = np.zeros(10_001, REQUEST)
    day["order_id"], day["lots"], day["side"], day["price_ticks"] = np.arange(1, 10_002), 1, SELL, 100
    day["owner"] = np.arange(10_001) % 2
    day["owner"][-1], day["side"][-1], day["lots"][-1] = BOB, BUY, 20_000
    rows = OrderHistory().send_many(day)
    assert told(rows[rows["owner"] == BOB], "resting_id")[1:] == list(range(1, 10_001))


def test_a_recorded_day_is_not_saved_as_if_it_were_a_book(tmp_path):
    with pytest.raises(LobError, match="cannot be saved"):
        OrderHistory().save(tmp_path / "day.npz")
    assert list(tmp_path.iterdir()) == []


# Real days

def touches_after_messages(feed):
    """Yield (best_bid_ticks, best_ask_ticks) after each message of a feed, as the engine shows them."""
    history, start = OrderHistory(), 0
    for end in feed.event_ends.tolist():
        history.send_many(feed.rows[start:end])
        start = end
        yield history.best_bid_ticks, history.best_ask_ticks
    history.check()


def quotes_of(path):
    """Return [(best_bid_ticks, best_ask_ticks)] of a LOBSTER book file, read by another reader than the feed's."""
    polars = pytest.importorskip("polars")
    source = path
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            source = archive.read(next(name for name in archive.namelist() if "orderbook" in name))
    return [(row[2] // 100, row[0] // 100) for row in polars.read_csv(source, has_header=False).rows()]


def test_microsoft_from_ten_has_the_best_quotes_of_its_book_file_and_never_crosses(data_folder):
    feed = feeds.lobster(data_folder / "MSFT_2012-06-21_34200000_37800000_message_50.csv.gz", from_ns=36_000 * SECOND_NS)
    quotes = quotes_of(data_folder / "MSFT_2012-06-21_orderbook_50_1000rows_from_35999.954513652.csv.gz")
    seen = list(touches_after_messages(feed))
    assert seen[1:1_000] == quotes[1:]
    assert len(seen) == 74_595
    assert all(bid < ask for bid, ask in seen)


def test_amazon_has_the_best_quotes_of_its_book_file_in_every_row(data_folder):
    path = data_folder / "LOBSTER_SampleFile_AMZN_2012-06-21_5.zip"
    seen = list(touches_after_messages(feeds.lobster(path)))
    assert len(seen) == 155_935
    assert seen == quotes_of(path)
