import numpy as np
import pytest
from scipy import stats

from quantleak.data import Mixture
from quantleak.errors import InputError


def test_features_are_the_point_and_its_squares():
    drawn = Mixture(seed=0).sample(50, np.random.default_rng(1))
    assert drawn.features.shape == (50, 256)
    assert drawn.features.dtype == np.float32
    np.testing.assert_allclose(drawn.features[:, 128:], drawn.features[:, :128] ** 2, rtol=1e-5)


def test_the_centres_belong_to_the_distribution_not_to_the_sample():
    np.testing.assert_array_equal(Mixture(seed=3).centres, Mixture(seed=3, sigma=1.5).centres)
    assert (Mixture(seed=3).centres != Mixture(seed=4).centres).any()
    first, second = (Mixture(seed=3).sample(5, np.random.default_rng(s)).features for s in (0, 1))
    assert (first != second).any()


def test_points_are_normal_around_the_centres_of_alternating_labels():
    mixture = Mixture(modes=6, sigma=0.1, dimension=16, seed=0)
    drawn = mixture.sample(3000, np.random.default_rng(0))
    point = drawn.features[:, :16].astype(np.float64)
    mode = np.linalg.norm(point[:, None] - mixture.centres, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(drawn.labels, mode % 2)
    assert stats.kstest(((point - mixture.centres[mode]) / 0.1).ravel(), "norm").pvalue > 1e-3
    assert stats.chisquare(np.bincount(mode, minlength=6)).pvalue > 1e-3


def test_the_centres_have_the_scale_of_the_method():
    assert stats.kstest(Mixture(modes=64, seed=0).centres.ravel() / 1.2, "norm").pvalue > 1e-3


@pytest.mark.parametrize("wrong", [{"modes": 1}, {"dimension": 0}, {"sigma": 0.0}, {"mode_scale": float("inf")}])
def test_settings_out_of_range(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        Mixture(**wrong)
