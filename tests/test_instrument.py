"""The grid: what is on it converts exactly, what is not is refused."""
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lob.errors import LobError
from lob.instrument import Instrument
from lob.messages import LOTS_MAX, PRICE_MAX_TICKS


def test_a_price_in_decimals_is_a_whole_number_of_ticks():
    assert Instrument(tick_size="0.01").to_ticks("30.95") == 3095


def test_a_float_counts_as_the_number_it_prints_as():
    assert Instrument(tick_size=0.1).to_ticks(0.3) == 3


@given(st.integers(1, PRICE_MAX_TICKS), st.sampled_from(["0.01", "0.0001", "0.25", "3", "0.03125"]))
def test_ticks_become_a_price_and_come_back(price_ticks, tick_size):
    instrument = Instrument(tick_size=tick_size)
    assert instrument.to_ticks(instrument.to_price(price_ticks)) == price_ticks


@given(st.integers(1, LOTS_MAX), st.sampled_from(["1", "100", "0.001"]))
def test_lots_become_a_quantity_and_come_back(lots, lot_size):
    instrument = Instrument(lot_size=lot_size)
    assert instrument.to_lots(instrument.to_quantity(lots)) == lots


@pytest.mark.parametrize("price", ["30.955", "0", "-1", "21474836.49", "nan", "1e99", "dear", None])
def test_a_price_off_the_grid_is_refused(price):
    with pytest.raises(LobError, match="price"):
        Instrument(tick_size="0.01").to_ticks(price)


@pytest.mark.parametrize("quantity", ["0", "150", "1e12"])
def test_a_quantity_off_the_grid_is_refused(quantity):
    with pytest.raises(LobError, match="quantity"):
        Instrument(lot_size="100").to_lots(quantity)


def test_a_fee_is_a_whole_number_of_microticks_a_lot_and_a_rebate_is_negative():
    instrument = Instrument(tick_size="0.01", lot_size="100", maker_fee="-0.2", taker_fee="0.3")
    assert (instrument.maker_fee_microticks, instrument.taker_fee_microticks) == (-200_000, 300_000)


def test_a_fee_finer_than_a_microtick_is_refused():
    with pytest.raises(LobError, match="taker_fee"):
        Instrument(tick_size="0.01", taker_fee="0.000000001")


@pytest.mark.parametrize("size", [0, "-0.01", "inf", "small"])
def test_a_tick_that_is_not_a_positive_number_is_refused(size):
    with pytest.raises(LobError, match="tick_size"):
        Instrument(tick_size=size)


def test_cash_less_fees_becomes_currency_exactly():
    assert Instrument(tick_size="0.25", lot_size="50").to_currency(7, fees_microticks=500_000) == Decimal("81.25")


def test_an_instrument_is_read_back_from_its_strings():
    instrument = Instrument("ESH4", "0.25", 1, "-0.00001", "0.35")
    assert Instrument(**instrument.as_strings()) == instrument
