"""Amounts are written for people: separators, signs, units, and a dash for what is not known."""
import pytest

from lob.report.numbers import clock, count, duration, number, percent, significant, with_error


@pytest.mark.parametrize(("value", "digits", "text"), [(1234567, 0, "1,234,567"), (-1234.5, 1, "−1,234.5"), (-0.001, 2, "0.00"), (0, 0, "0"), (None, 2, "–"),
                                                       (float("nan"), 2, "–"), (float("inf"), 0, "–")])
def test_a_number_has_separators_a_true_minus_and_no_minus_zero(value, digits, text):
    assert number(value, digits) == text


def test_a_sign_is_written_where_it_is_asked_for_and_zero_has_none():
    assert [number(value, 1, sign=True) for value in (2, -2, 0.01)] == ["+2.0", "−2.0", "0.0"]


@pytest.mark.parametrize(("value", "text"), [(0.012345, "0.0123"), (123.4, "123"), (12345, "12,345"), (3e-9, "3.00e−9"), (0, "0"), (None, "–")])
def test_a_significant_number_keeps_three_digits(value, text):
    assert significant(value) == text


@pytest.mark.parametrize(("time_ns", "text"), [(7, "7 ns"), (1_500, "1.5 µs"), (999_900_000, "1 s"), (90_000_000_000, "90 s"), (1_800_000_000_000, "30 min"),
    (None, "–")])
def test_a_duration_has_the_unit_that_suits_it(time_ns, text):
    assert duration(time_ns) == text


def test_an_error_is_written_as_two_standard_errors_if_it_is_known():
    assert (with_error(-0.5, 0.125, 2), with_error(0.5, None), with_error(None, 0.1)) == ("−0.50 ± 0.25", "+0.50", "–")


def test_words_of_shares_counts_and_times_of_day():
    assert (percent(0.256), percent(None), count(1, "fill"), count(2_000, "fill")) == ("26 %", "–", "1 fill", "2,000 fills")
    assert (clock(36_061_000_500_000), clock(59_000_000_000, 0)) == ("10:01:01.000500", "0:00:59")
