from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from quantleak.errors import InputError
from quantleak.theory import Rate, combine


def rate(value: float, n: int = 100, elements: int = 5) -> Rate:
    z = math.sqrt(2 * n * value) if value >= 0 else math.nan
    return Rate(value=value, z=z, elements=elements, n_validation=n)


def summary(values, level=0.95):
    return combine([rate(float(value)) for value in values], level)


@given(values=st.lists(st.floats(1e-6, 10), min_size=1, max_size=12))
@settings(max_examples=25)
def test_the_three_centres(values):
    found = summary(values)
    assert found.mean.value == pytest.approx(np.mean(values))
    assert found.median.value == pytest.approx(np.median(values))
    assert found.geometric_mean.value == pytest.approx(stats.gmean(values))
    for estimate in (found.mean, found.median, found.geometric_mean):
        assert math.isnan(estimate.low) or estimate.low <= estimate.value * (1 + 1e-12)
        assert math.isnan(estimate.high) or estimate.high >= estimate.value * (1 - 1e-12)


def test_intervals_are_scipy_s_up_to_its_random_numbers():
    values = np.random.default_rng(0).lognormal(size=60)
    for ours, statistic in ((summary(values).mean, np.mean), (summary(values).geometric_mean, stats.gmean)):
        theirs = stats.bootstrap(
            (values,), statistic, n_resamples=9999, rng=np.random.default_rng(1)
        ).confidence_interval
        assert ours.low == pytest.approx(theirs.low, rel=0.05)
        assert ours.high == pytest.approx(theirs.high, rel=0.05)


def test_intervals_cover():
    """The 90% interval of a mildly skewed mean holds the truth in about 90% of 100 samples."""
    random = np.random.default_rng(0)
    hits = [
        interval.low <= 1 <= interval.high
        for interval in (summary(random.gamma(4, 1 / 4, 30), 0.9).mean for _ in range(100))
    ]
    assert 82 <= sum(hits) <= 98


def test_the_same_rates_give_the_same_interval():
    assert summary([0.1, 0.2, 0.5, 0.9]) == summary([0.1, 0.2, 0.5, 0.9])


def test_equal_rates_have_an_interval_of_length_zero():
    found = summary([0.25] * 5)
    assert (found.mean.low, found.mean.high) == (0.25, 0.25)
    assert found.geometric_mean.low == pytest.approx(0.25)


@pytest.mark.parametrize("values", [[0.5], [0.5, 0.6]])
def test_too_few_for_an_interval(values):
    found = summary(values)
    assert math.isnan(found.mean.low)
    assert found.mean.reason is not None
    assert "at least 3 are needed" in found.mean.reason


def test_nearly_equal_rates_fall_back_to_percentiles():
    median = summary([0.1] * 20 + [5.0]).median
    assert (median.low, median.value, median.high) == (0.1, 0.1, 0.1)


def test_undefined_rates_are_left_out_and_counted():
    found = summary([math.nan, 0.1, 0.2, 0.3])
    assert (found.models, found.undefined) == (4, 1)
    assert found.mean.value == pytest.approx(0.2)
    nothing = summary([math.nan, math.nan])
    assert math.isnan(nothing.mean.value)
    assert math.isnan(nothing.median.value)
    assert math.isnan(nothing.z)
    assert nothing.mean.reason == "undefined: no model has a defined rate"


def test_unbounded_rates_make_means_infinite_and_leave_the_median():
    found = summary([math.inf, *np.linspace(0.1, 1, 20)])
    assert found.unbounded == 1
    assert found.mean.value == found.geometric_mean.value == math.inf
    assert found.mean.reason == "unbounded: 1 of 21 rates are infinite"
    assert 0.1 < found.median.low < found.median.value < found.median.high < 1
    assert summary([math.inf, math.inf, 0.1]).median.value == math.inf
    assert summary([math.inf] * 10 + [0.1] * 10).median.value == math.inf
    assert "too few" in str(summary([math.inf, 0.1, 0.2]).median.reason)


@pytest.mark.parametrize("n", [6, 9, 20, 51])
def test_the_order_statistic_interval_keeps_its_level(n):
    """Its coverage is a binomial sum; one order statistic further in would fall short."""
    ordered = [*range(1, n), math.inf]
    interval = summary(ordered).median
    r = int(interval.low)

    def coverage(rank):
        return 1 - 2 * sum(math.comb(n, i) for i in range(rank)) / 2**n

    assert interval.high == ordered[n - r]
    assert coverage(r) >= 0.95 > coverage(r + 1)


def test_a_rate_of_zero_makes_the_geometric_mean_zero():
    found = summary([0.0, 0.1, 0.2, 0.3])
    assert found.geometric_mean.value == 0
    assert found.geometric_mean.reason is not None
    assert found.mean.low < found.mean.high
    assert math.isnan(summary([0.0, math.inf]).geometric_mean.value)


def test_resolution_and_elements_stand_beside():
    found = combine([rate(0.01, elements=3), rate(0.03, elements=4), rate(0.5, elements=9)])
    assert found.elements == 4
    assert found.z == pytest.approx(math.sqrt(6))
    assert found.resolved == pytest.approx(2 / 3)
    assert found.n_validation == 100


def test_rates_at_different_sizes_do_not_mix():
    with pytest.raises(InputError, match="from 100, 200 validation examples"):
        combine([rate(0.1, n=100), rate(0.1, n=200)])


@pytest.mark.parametrize("level", [0, 1, 95])
def test_the_level_is_a_share(level):
    with pytest.raises(InputError, match=r"write 0\.95"):
        combine([rate(0.1)], float(level))


def test_nothing_to_combine():
    with pytest.raises(InputError, match="at least one rate"):
        combine([])
