from __future__ import annotations

import math
import re

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
        assert estimate.low is None or estimate.low <= estimate.value * (1 + 1e-12)
        assert estimate.high is None or estimate.high >= estimate.value * (1 - 1e-12)


def test_the_geometric_interval_is_students_on_logarithms():
    values = np.random.default_rng(0).lognormal(size=60)
    theirs = stats.ttest_1samp(np.log(values), 0).confidence_interval(0.95)
    found = summary(values).geometric_mean
    assert (found.low, found.high) == pytest.approx((math.exp(theirs.low), math.exp(theirs.high)))


@pytest.mark.parametrize("sigma", [1.0, 2.0])
@pytest.mark.parametrize("models", [6, 10, 30])
def test_shown_intervals_cover_whatever_the_tails(sigma, models):
    """Heavy-tailed rates, true median and geometric mean 1; 400 samples, three standard errors below 95%."""
    random = np.random.default_rng(0)
    found = [summary(random.lognormal(0, sigma, models)) for _ in range(400)]
    for shown in ("median", "geometric_mean"):
        hits = [getattr(one, shown).low <= 1 <= getattr(one, shown).high for one in found]
        assert np.mean(hits) >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 400)


def test_the_mean_has_no_interval_and_says_why():
    found = summary(np.random.default_rng(0).lognormal(size=60)).mean
    assert found.low is None
    assert found.high is None
    assert "heavy tails" in str(found.reason)


def test_equal_rates():
    found = summary([0.25] * 6)
    assert (found.median.low, found.median.high) == (0.25, 0.25)
    assert found.geometric_mean.value == pytest.approx(0.25)
    assert found.geometric_mean.reason == "no interval: all 6 rates are equal"


@pytest.mark.parametrize(("values", "median"), [([0.5], 0.5), ([0.5, 0.6], 0.55), ([0.1, 0.2, 0.3, 0.4, 0.5], 0.3)])
def test_too_few_for_an_interval(values, median):
    found = summary(values).median
    assert found.value == pytest.approx(median)
    assert found.low is None
    assert found.reason == f"no interval: {len(values)} model{'s' * (len(values) > 1)}, at least 6 are needed"
    assert summary([*values, *[0.7] * (6 - len(values))]).median.low is not None
    if len(values) < 3:
        assert "at least 3 are needed" in str(summary(values).geometric_mean.reason)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95, 0.99, 0.999])
def test_the_number_that_is_needed_is_enough_and_one_less_is_not(level):
    needed = int(re.search("at least ([0-9]+)", str(summary([1.0], level).median.reason))[1])
    assert summary(range(1, needed), level).median.low is None
    assert summary(range(1, needed + 1), level).median.low == 1


def test_undefined_rates_are_left_out_and_counted():
    found = summary([math.nan, 0.1, 0.2, 0.3])
    assert (found.models, found.undefined) == (4, 1)
    assert found.mean.value == pytest.approx(0.2)
    nothing = summary([math.nan, math.nan])
    assert nothing.mean.value is None
    assert nothing.median.value is None
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
    assert summary([math.inf] * 10 + [0.1] * 10).median.reason == "unbounded: 10 of 20 rates are infinite"
    wide = summary([math.inf, *[0.1] * 5]).median
    assert (wide.low, wide.high, wide.reason) == (0.1, math.inf, "upper limit unbounded: 1 of 6 rates are infinite")
    assert "at least 6 are needed" in str(summary([math.inf, 0.1, 0.2]).median.reason)


@pytest.mark.parametrize("n", [6, 9, 20, 51])
def test_the_order_statistic_interval_keeps_its_level(n):
    """Its coverage is a binomial sum; one order statistic further in would fall short."""
    ordered = [*range(1, n + 1)]
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
    assert summary([0.0, math.inf]).geometric_mean.value is None


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
