from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quantleak.studies.common.ranking import geometric, mean, median, resampled, spearman, stability, trimmed


@given(seed=st.integers(0, 10_000), ties=st.booleans())
def test_spearman_is_scipys(seed: int, ties: bool) -> None:
    one, other = np.random.default_rng(seed).normal(size=(2, 3, 8))
    if ties:
        one, other = one.round(), other.round()
    expected = [stats.spearmanr(a, b).statistic for a, b in zip(one, other, strict=True) if np.ptp(a) and np.ptp(b)]
    found = spearman(one, other)
    np.testing.assert_allclose(found[~np.isnan(found)], expected, atol=1e-12)


def test_spearman_broadcasts() -> None:
    many, one = np.random.default_rng(0).normal(size=(5, 4, 8)), np.arange(8.0)
    assert spearman(many, one).shape == (5, 4)


def test_summaries() -> None:
    values = np.array([[1.0], [2.0], [4.0], [np.nan]])
    assert [float(f(values, 0)[0]) for f in (mean, median, geometric)] == pytest.approx([7 / 3, 2.0, np.log(8) / 3])
    many = np.concatenate([np.arange(18.0), [1e9, -1e9]])[:, None]
    assert float(trimmed(many, 0)[0]) == pytest.approx(stats.trim_mean(many[:, 0], 0.1))


def test_models_that_agree_need_one_model() -> None:
    values = np.tile(np.arange(8.0), (30, 1)) + np.arange(30.0)[:, None]
    found = stability(values, mean)
    assert found.needed() == 1
    np.testing.assert_allclose(found.correlation, 1)


def test_noise_needs_more_models_than_signal() -> None:
    random = np.random.default_rng(0)
    signal, noise = np.arange(8.0), random.normal(size=(100, 8))
    assert stability(signal + 2 * noise, mean).needed() < stability(signal + 20 * noise, mean).needed()


def test_the_last_size_is_all_models_and_agrees_with_itself() -> None:
    found = stability(np.random.default_rng(1).normal(size=(23, 8)), median)
    assert found.sizes[-1] == 23
    np.testing.assert_allclose(found.correlation[-1], 1)


def test_resampled_means_spread_like_the_standard_error() -> None:
    values = np.random.default_rng(0).normal(size=(400, 2))
    drawn = resampled(values, mean, 2000)
    assert drawn.std(0) == pytest.approx(values.std(0) / 20, rel=0.1)
