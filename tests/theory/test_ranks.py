from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from quantleak.errors import InputError
from quantleak.theory import probability_more_private, ranks

tables = arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 4)), elements=st.integers(0, 3).map(float))


@given(table=tables)
@settings(max_examples=20)
def test_rank_one_is_the_largest_mean(table):
    found = ranks(table)
    assert np.allclose(found.rank, stats.rankdata(-table.mean(0)))
    assert (found.low <= found.high).all()
    assert np.allclose(found.share.sum(0), 1)
    assert np.allclose(found.share.sum(1), 1)


def test_models_are_resampled_whole():
    """The second is always ahead by a little, whatever the spread between models."""
    first = np.random.default_rng(0).lognormal(sigma=3, size=20)
    found = ranks(np.stack([first, first + 1e-3], axis=1))
    assert found.rank.tolist() == found.low.tolist() == found.high.tolist() == [2, 1]


def test_exact_shares_for_two_models():
    """Resamples of two models: both, the first twice, the second twice, with probabilities 1/2, 1/4, 1/4."""
    found = ranks([[1.0, 0.0], [0.0, 2.0]])  # means: .5 < 1; 1 > 0; 0 < 2
    assert found.share[0] == pytest.approx([0.25, 0.75], abs=0.03)
    assert probability_more_private([1.0, 0.0], [0.0, 2.0]) == pytest.approx(0.25, abs=0.03)
    assert probability_more_private([1.0, 0.0], [0.0, 1.0]) == pytest.approx(0.5, abs=0.03)


def test_undefined_and_unbounded_rates():
    found = ranks([[math.nan, 1.0, math.inf, math.nan], [2.0, 1.0, 0.0, math.nan], [2.0, 1.0, 0.0, math.nan]])
    assert found.rank[:3].tolist() == [2, 3, 1]
    assert math.isnan(found.rank[3])
    assert probability_more_private([math.inf, 0.0, 1.0], [1.0, math.nan, 0.0]) == 1


def test_the_probability_is_near_its_normal_limit():
    random = np.random.default_rng(3)
    a, b = random.normal(0.05, 1, 400), random.normal(0, 1, 400)
    difference = a - b
    limit = stats.norm.cdf(difference.mean() / (difference.std() / 20))
    assert probability_more_private(a, b) == pytest.approx(limit, abs=0.03)
    assert probability_more_private(b, a) == pytest.approx(1 - probability_more_private(a, b))
    assert probability_more_private(a, a) == 0.5


def test_a_model_without_a_rate_leaves_the_interval_defined():
    found = ranks([[math.nan, 1.0], [2.0, 1.5]])
    assert (found.low[0], found.high[0]) == (1, 1)


@pytest.mark.parametrize("bad", [[1.0], [[]], np.zeros((0, 3))])
def test_ranks_need_a_table(bad):
    with pytest.raises(InputError, match=r"rates \[models, quantizers\]"):
        ranks(bad)


def test_pairs_need_the_same_models():
    with pytest.raises(InputError, match="each of the same models"):
        probability_more_private([1.0], [1.0, 2.0])
    with pytest.raises(InputError, match="nothing to compare"):
        probability_more_private([math.nan], [1.0])
