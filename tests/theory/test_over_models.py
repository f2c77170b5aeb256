"""Medians and means over models against SciPy and the binomial distribution."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quantleak.theory.over_models import median, order_statistic_median, students_mean


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_the_median_is_numpys_where_all_is_finite(values):
    assert median(np.array(values)) == pytest.approx(float(np.median(values)))


def test_the_median_of_infinities_is_infinite_and_of_nothing_undefined():
    assert median(np.array([1.0, math.inf, math.inf])) == math.inf
    assert median(np.array([1.0, 2.0, math.inf, math.inf])) == math.inf
    assert math.isnan(median(np.array([])))


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
@pytest.mark.parametrize("n", [8, 15, 40])
def test_the_interval_of_the_median_is_the_narrowest_of_order_statistics_that_keeps_its_level(n, level):
    found = order_statistic_median(np.arange(1.0, n + 1), level)
    rank = int(found.low)
    assert found.high == n + 1 - rank
    assert 1 - 2 * stats.binom.cdf(rank - 1, n, 0.5) >= level > 1 - 2 * stats.binom.cdf(rank, n, 0.5)


def test_the_interval_of_the_median_covers_whatever_the_tails():
    rng = np.random.default_rng(0)
    found = [order_statistic_median(rng.standard_cauchy(25), 0.9) for _ in range(400)]
    # At least 90% of 400 is 360; fewer than 340 has probability below 0.001.
    assert sum(one.low <= 0 <= one.high for one in found) >= 340


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_interval_of_the_mean_is_students(level):
    values = np.random.default_rng(1).normal(size=9)
    found, expected = students_mean(values, level), stats.ttest_1samp(values, 0).confidence_interval(level)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_too_few_or_equal_values_have_no_interval():
    assert students_mean(np.array([1.0, 3.0]), 0.95).to_dict()["value"] == 2
    assert "2 models, at least 3 are needed" in str(students_mean(np.array([1.0, 3.0]), 0.95).reason)
    assert "all 4 rates are equal" in str(students_mean(np.ones(4), 0.95).reason)
    assert "1 model, at least 6 are needed" in str(order_statistic_median(np.ones(1), 0.95).reason)
