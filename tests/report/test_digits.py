"""Numbers as text say what the numbers are."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantleak.report import digits
from quantleak.results import Estimate

finite = st.floats(-1e12, 1e12)
shares = st.floats(0, 1)


@given(value=finite)
def test_a_metric_read_back_is_the_value_to_its_last_digit(value):
    size = abs(value)
    step = 1e-3 if size < 10 else 0.1 if size < 1000 else 1 if size < 1e6 else 0.01 * size
    assert float(digits.score(value).replace(",", "")) == pytest.approx(value, abs=0.5001 * step)


@given(value=shares)
def test_a_share_read_back_is_the_value_to_its_last_digit(value):
    shown = digits.percent(value)
    places = len(shown.removesuffix("%").partition(".")[2])
    assert places in (1, 2)
    assert float(shown.removesuffix("%")) / 100 == pytest.approx(value, abs=0.5001 * 10 ** -(places + 2))


@given(value=st.floats(1e-12, 1e12))
def test_three_significant_digits_are_three_and_right(value):
    shown = digits.significant(value)
    assert float(shown) == pytest.approx(value, rel=0.00501)
    mantissa = shown.partition("e")[0].replace(".", "").lstrip("0")
    assert len(mantissa) == 3


@given(value=finite)
def test_a_difference_has_a_sign_unless_it_rounds_to_nothing(value):
    shown = digits.signed(value)
    number = float(shown.replace(",", ""))
    assert (shown[0] in "+-") == (number != 0)
    assert number == 0 or math.copysign(1, number) == math.copysign(1, value)


@pytest.mark.parametrize(
    ("number", "form", "expected"),
    [
        (Estimate(value=0.0995, low=0.01, high=0.2), digits.percent, "[1.00, 20.00]"),
        (Estimate(value=0.5, low=0.0123, high=0.9), digits.percent, "[1.2, 90.0]"),
        (Estimate(value=-1480.0, low=-2530.25, high=-5.0), digits.score, "[-2,530, -5]"),
        (Estimate(value=-0.01, low=-0.02, high=0.0), digits.points, "[-2.00, 0.00]"),
        (Estimate(value=0.5), digits.score, ""),
        (Estimate(value=None, low=0.1, high=0.2), digits.score, ""),
    ],
)
def test_limits_carry_the_digits_of_their_value(number, form, expected):
    assert digits.limits(number, form) == expected


def test_on_a_page_minus_and_powers_of_ten_are_set_properly():
    assert digits.typeset("[-1.20e-12, 3.00e+04]") == "[−1.20·10⁻¹², 3.00·10⁴]"
    assert digits.typeset("-") == "–"
    assert digits.typeset("0.5") == "0.5"
