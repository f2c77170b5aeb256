"""Statistics of IN and OUT shadows against NumPy and SciPy, row by row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quantleak.attacks.gaussian import describe, log_normal


@given(seed=st.integers(0, 10**6), centre=st.sampled_from(["mean", "median"]), rows=st.integers(1, 600))
def test_each_row_is_described_by_its_chosen_entries(seed, centre, rows):
    rng = np.random.default_rng(seed)
    values, chosen = rng.normal(3, 10, size=(rows, 6)), rng.random((rows, 6)) < 0.5
    chosen[:, 0] |= ~chosen.any(axis=1)
    found = describe(values, chosen, centre)
    for row in rng.integers(0, rows, 5):
        own = values[row][chosen[row]]
        assert found.count[row] == len(own)
        assert found.centre[row] == pytest.approx(getattr(np, centre)(own))
        assert found.squares[row] == pytest.approx(len(own) * own.var(), abs=1e-9)


def test_the_pooled_variance_is_that_of_an_analysis_of_variance():
    rng = np.random.default_rng(0)
    values, chosen = rng.normal(size=(9, 7)), rng.random((9, 7)) < 0.7
    chosen[:, :2] = True
    found = describe(values, chosen, "mean")
    rows = [values[i][chosen[i]] for i in range(9)]
    freedom = sum(len(row) - 1 for row in rows)
    assert found.freedom == freedom
    assert found.pooled_variance == pytest.approx(sum((len(r) - 1) * r.var(ddof=1) for r in rows) / freedom)


@pytest.mark.parametrize("count", [0.0, 2.5, 1e9])
def test_a_variance_is_shrunk_by_the_weight_of_its_prior(count):
    rng = np.random.default_rng(1)
    values = rng.normal(size=(4, 6)) * np.array([[1.0], [2.0], [3.0], [4.0]])
    found = describe(values, np.ones((4, 6), dtype=bool), "mean")
    own = values.var(axis=1, ddof=1)
    expected = (count * own.mean() + 5 * own) / (count + 5)
    np.testing.assert_allclose(found.shrunk_variance(count), expected)


def test_the_density_is_scipys():
    rng = np.random.default_rng(2)
    x, centre, scale = rng.normal(size=20) * 9, rng.normal(size=20), rng.random(20) + 0.1
    np.testing.assert_allclose(log_normal(x, centre, scale), stats.norm.logpdf(x, centre, scale))
