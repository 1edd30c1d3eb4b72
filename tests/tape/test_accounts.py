"""Accounts come back from the fills: exact at any size, and what one owner gains the others give."""
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from random_market import VENUE, random_tape

from lob.exchange.order_book import OrderBook
from lob.exchange.venue import FeeTier, Venue
from lob.messages import LOTS_MAX, PRICE_MAX_TICKS, Phase, Side
from lob.tape.accounts import Account, accounts, exact_sums
from lob.tape.record import Tape
from lob.tape.verify import naive_accounts


def test_a_fill_moves_inventory_cash_and_fees_of_both_sides():
    book = OrderBook(venue=VENUE)
    rows = np.concatenate([book.limit(Side.SELL, 101, 5, order_id=1, owner=1), book.market(Side.BUY, 3, order_id=1, owner=2)])
    assert accounts(Tape(rows, {})) == {
        1: Account(1, fills=1, maker_lots=3, inventory_lots=-3, cash_ticks=303, fees_microticks=3 * -200_000),
        2: Account(2, fills=1, taker_lots=3, inventory_lots=3, cash_ticks=-303, fees_microticks=3 * 300_000),
    }


def test_an_owner_that_trades_with_itself_keeps_what_it_has():
    book = OrderBook()
    rows = np.concatenate([book.limit(Side.SELL, 101, 5, order_id=1, owner=1), book.market(Side.BUY, 3, order_id=2, owner=1)])
    assert accounts(Tape(rows, {})) == {1: Account(1, fills=2, maker_lots=3, taker_lots=3)}


def test_in_a_call_auction_nobody_is_a_maker():
    book = OrderBook(venue=Venue(phase=Phase.PRE_OPEN, fees=VENUE.fees))
    rows = [book.limit(Side.BUY, 100, 5, order_id=1, owner=1), book.limit(Side.SELL, 100, 5, order_id=1, owner=2), book.set_phase(Phase.CONTINUOUS)]
    tape = Tape(np.concatenate(rows), {})
    assert accounts(tape) == naive_accounts(tape) == {
        1: Account(1, fills=1, taker_lots=5, inventory_lots=5, cash_ticks=-500, fees_microticks=5 * 300_000),
        2: Account(2, fills=1, taker_lots=5, inventory_lots=-5, cash_ticks=500, fees_microticks=5 * 300_000),
    }


def test_accounts_until_a_time_count_the_fills_of_that_time_and_before():
    tape = random_tape(300, seed=4)
    time_ns = int(tape.rows["time_ns"][200])
    assert accounts(tape, at_ns=time_ns) == accounts(Tape(tape.rows[tape.rows["time_ns"] <= time_ns], tape.provenance))


def test_a_market_without_fills_has_no_accounts():
    assert accounts(Tape(OrderBook().limit(Side.BUY, 1, 1, order_id=1, owner=1), {})) == {}


def test_cash_beyond_64_bits_is_exact():
    book = OrderBook()
    for i in range(1, 10):
        book.limit(Side.SELL, PRICE_MAX_TICKS, LOTS_MAX, order_id=i, owner=1)
    rows = np.concatenate([book.market(Side.BUY, LOTS_MAX, order_id=i, owner=2) for i in range(1, 10)])
    assert accounts(Tape(rows, {}))[1].cash_ticks == 9 * PRICE_MAX_TICKS * LOTS_MAX > 2**63


def test_fees_beyond_64_bits_are_exact():
    book = OrderBook(venue=Venue(fees=(FeeTier(maker_microticks=-(10**9), taker_microticks=10**9),)))
    for i in range(1, 13):
        book.limit(Side.SELL, 1, LOTS_MAX, order_id=i, owner=1)
    rows = np.concatenate([book.market(Side.BUY, LOTS_MAX, order_id=i, owner=2) for i in range(1, 13)])
    held = accounts(Tape(rows, {}))
    assert held[2].fees_microticks == -held[1].fees_microticks == 12 * 10**18 > 2**63


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32))
def test_accounts_are_those_of_a_naive_loop_and_sum_to_nothing(seed):
    tape = random_tape(400, seed)
    rebuilt = accounts(tape)
    assert rebuilt == naive_accounts(tape)
    assert sum(account.cash_ticks for account in rebuilt.values()) == sum(account.inventory_lots for account in rebuilt.values()) == 0


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-(2**62), 2**62), st.sampled_from([1, -1])), max_size=50))
def test_sums_by_group_are_exact(items):
    index, values, signs = np.array(items, np.int64).reshape(-1, 3).T
    expected = [sum(sign * value for group, value, sign in items if group == wanted) for wanted in range(4)]
    assert exact_sums(index, values, signs, 4) == expected
