"""Differences from intervals alone, against published examples, closed forms and definitions."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quantleak.comparison.intervals import holm, mover, p_value
from quantleak.results import Estimate


def wilson(successes: int, trials: int) -> Estimate:
    found = stats.binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    return Estimate(value=successes / trials, low=found.low, high=found.high)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        # R. Newcombe (1998), Interval estimation for the difference between independent proportions, table II, 10.
        ((48, 80), (56, 70), 0.0524, 0.3339),
        ((3, 10), (9, 10), 0.1705, 0.8090),
        ((0, 10), (10, 10), 0.6075, 1.0000),
    ],
)
def test_two_proportions_have_newcombes_interval(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    found = mover(wilson(*first), wilson(*second))
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


@given(st.floats(-5, 5), st.floats(0.01, 3), st.floats(-5, 5), st.floats(0.01, 3))
def test_of_normal_estimates_it_is_the_normal_interval(a: float, one: float, b: float, two: float) -> None:
    found = mover(Estimate(value=a, low=a - one, high=a + one), Estimate(value=b, low=b - two, high=b + two))
    arm = math.sqrt(one**2 + two**2)
    assert found.value == pytest.approx(b - a)
    assert (found.low, found.high) == (pytest.approx(b - a - arm), pytest.approx(b - a + arm))
    p = p_value(found, 0.95)
    assert p == pytest.approx(2 * stats.norm.sf(abs(b - a) / (arm / stats.norm.ppf(0.975))), abs=1e-9)


def test_what_has_no_value_or_no_interval_has_no_verdict() -> None:
    known = Estimate(value=0.5, low=0.4, high=0.6)
    assert mover(Estimate(value=None, reason="too few"), known) == Estimate(value=None, reason="too few")
    half = mover(known, Estimate(value=0.7))
    assert half.value == pytest.approx(0.2)
    assert half.low is None
    assert p_value(half, 0.95) is None


@pytest.mark.parametrize(("value", "expected"), [(0.0, 1.0), (0.1, 0.0)])
def test_an_interval_of_no_length(value: float, expected: float) -> None:
    assert p_value(Estimate(value=value, low=value, high=value), 0.95) == expected


@given(st.lists(st.floats(0, 0.2) | st.just(0.0), min_size=1, max_size=6))
def test_holm_is_the_closure_of_bonferroni(p_values: list[float]) -> None:
    """Oracle: a hypothesis falls if every set of hypotheses with it in it is rejected by Bonferroni."""
    error = 0.05
    places = range(len(p_values))
    sets = [chosen for size in range(1, len(p_values) + 1) for chosen in combinations(places, size)]

    def falls(chosen: tuple[int, ...]) -> bool:
        return min(p_values[place] for place in chosen) <= error / len(chosen)

    expected = [all(falls(chosen) for chosen in sets if place in chosen) for place in places]
    assert holm(p_values, error) == expected
