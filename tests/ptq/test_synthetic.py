"""Synthetic examples: mean and covariance are those of the examples that they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from quantleak.errors import InputError
from quantleak.ptq.synthetic import synthetic_like


def test_vectors_have_the_mean_and_the_covariance() -> None:
    rng = np.random.default_rng(0)
    examples = (rng.normal(size=(500, 4)) @ rng.normal(size=(4, 4)) + 3).astype(np.float32)
    drawn = synthetic_like(examples, 200_000, np.random.default_rng(1))
    np.testing.assert_allclose(drawn.mean(0), examples.mean(0), atol=0.05)
    np.testing.assert_allclose(np.cov(drawn, rowvar=False), np.cov(examples, rowvar=False, ddof=0), rtol=0.05, atol=0.1)


def test_images_have_the_mean_and_the_covariance_of_neighbours_and_channels() -> None:
    rng = np.random.default_rng(0)
    smooth = gaussian_filter(rng.normal(size=(3000, 1, 8, 8)), (0, 0, 1, 1), mode="wrap")
    examples = np.concatenate([smooth, 0.5 * smooth + 0.1 * rng.normal(size=smooth.shape)], axis=1) + 2
    examples = examples.astype(np.float32)
    drawn = synthetic_like(examples, 30_000, np.random.default_rng(1))
    np.testing.assert_allclose(drawn.mean(0), examples.mean(0), atol=0.02)
    mean = examples.mean(0)
    for shift in (0, 1, 2, 3):
        for one, two in ((0, 0), (0, 1), (1, 1)):
            found, expected = (
                np.mean((each[:, one] - mean[one]) * np.roll(each[:, two] - mean[two], shift, axis=-1))
                for each in (drawn, examples)
            )
            assert found == pytest.approx(expected, abs=0.004)


def test_no_example_comes_back() -> None:
    examples = np.random.default_rng(0).normal(size=(20, 1, 6, 6)).astype(np.float32)
    drawn = synthetic_like(examples, 50, np.random.default_rng(1)).reshape(50, -1)
    correlation = np.corrcoef(np.concatenate([drawn, examples.reshape(20, -1)]))[:50, 50:]
    assert np.abs(correlation).max() < 0.95


def test_constant_pixels_stay_constant() -> None:
    examples = np.zeros((5, 1, 4, 4), np.float32)
    np.testing.assert_allclose(synthetic_like(examples, 3, np.random.default_rng(0)), 0, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 4), (5, 3, 3), (5,)])
def test_what_has_no_statistics_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="2 or more images or vectors"):
        synthetic_like(np.zeros(shape, np.float32), 3, np.random.default_rng(0))
