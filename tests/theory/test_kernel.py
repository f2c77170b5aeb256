"""Sums in float64 against NumPy and fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from quantleak.theory import kernel


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (5, 10_001)])
def test_means_and_variances_are_those_of_the_differences(dtype, shape):
    table = np.random.default_rng(0).exponential(size=shape).astype(dtype)
    wide = table.astype(np.float64)
    np.testing.assert_allclose(kernel.row_means(table), wide.mean(axis=1), rtol=1e-13)
    best = shape[0] - 1
    mean, variance = kernel.moments(table, best)
    np.testing.assert_allclose(mean, (wide - wide[best]).mean(axis=1), atol=1e-14)
    np.testing.assert_allclose(variance, (wide - wide[best]).var(axis=1), atol=1e-14)
    assert mean[best] == variance[best] == 0


def test_float32_losses_are_summed_in_float64():
    table = np.full((1, 100_000), 0.1, dtype=np.float32)
    exact = float(sum(map(Fraction, table[0].tolist())) / 100_000)
    assert kernel.row_means(table)[0] == pytest.approx(exact, rel=1e-12)
