from __future__ import annotations

import numpy as np
import pytest

from quantleak.attacks.shrinkage import estimate_prior


@pytest.mark.parametrize("count", [4.0, 12.0])
def test_the_prior_that_made_the_variances_is_found(count):
    rng, freedom = np.random.default_rng(0), np.full(40_000, 7.0)
    variances = 2.0 * count / rng.chisquare(count, freedom.size)
    prior = estimate_prior(variances * rng.chisquare(freedom), freedom)
    assert prior.count == pytest.approx(count, rel=0.1)
    assert prior.variance == pytest.approx(2.0, rel=0.05)


def test_equal_variances_are_pooled_and_uneven_counts_are_allowed():
    rng = np.random.default_rng(1)
    freedom = rng.integers(0, 9, 20_000).astype(float)
    squares = 3.0 * 2 * rng.standard_gamma(freedom / 2)
    prior = estimate_prior(squares, freedom)
    assert prior.count > 100
    np.testing.assert_allclose(prior.shrink(squares, freedom), 3.0, rtol=0.3)
    assert estimate_prior(np.array([6.0]), np.array([3.0])).variance == 2.0


def test_zero_variances_are_lifted():
    freedom = np.full(100, 5.0)
    squares = np.where(np.arange(100) < 40, 0.0, 5.0)
    prior = estimate_prior(squares, freedom)
    assert prior.shrink(squares, freedom).min() > 1e-4
    mostly_zero = estimate_prior(np.where(np.arange(100) < 60, 0.0, 5.0), freedom)
    assert mostly_zero.variance == pytest.approx(0.4)
    assert estimate_prior(np.zeros(3), np.ones(3)).variance == 0.0
