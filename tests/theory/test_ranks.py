from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from quantleak.errors import InputError
from quantleak.theory import confidence_more_private, ranks

tables = arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 4)), elements=st.integers(0, 3).map(float))


@given(table=tables)
@settings(max_examples=40)
def test_rank_one_is_the_largest_median(table):
    found = ranks(table)
    assert np.allclose(found.rank, stats.rankdata(-np.median(table, axis=0)))
    assert (found.low <= found.rank).all()
    assert (found.rank <= found.high).all()
    assert found.low.min() >= 1
    assert found.high.max() <= table.shape[1]


def test_models_are_compared_with_themselves():
    """The second is always ahead by a little, whatever the spread between models."""
    first = np.random.default_rng(0).lognormal(sigma=3, size=20)
    found = ranks(np.stack([first, first + 1e-3], axis=1))
    assert found.rank.tolist() == found.low.tolist() == found.high.tolist() == [2, 1]


@pytest.mark.parametrize(("models", "known"), [(1, False), (5, False), (6, True)])
def test_few_models_leave_every_rank_open(models, known):
    """One model, or five that all agree, are no evidence at 95%: 2 / 2^5 exceeds .05."""
    found = ranks([[0.0, 1.0]] * models)
    assert found.rank.tolist() == [2, 1]
    assert (found.low.tolist(), found.high.tolist()) == (([2, 1], [2, 1]) if known else ([1, 1], [2, 2]))


def test_the_interval_of_a_rank_counts_the_others_that_sign_tests_tell_apart():
    table = np.random.default_rng(4).lognormal(size=(40, 4)) * [1.0, 1.2, 5.0, 40.0]
    found = ranks(table)
    for one in range(4):
        p = {
            side: [
                stats.binomtest(int((table[:, one] > table[:, other]).sum()), 40, alternative=side).pvalue
                for other in range(4)
                if other != one
            ]
            for side in ("less", "greater")
        }
        assert found.low[one] == min(found.rank[one], 1 + sum(x <= 0.025 / 3 for x in p["less"]))
        assert found.high[one] == max(found.rank[one], 4 - sum(x <= 0.025 / 3 for x in p["greater"]))


def test_a_heavy_tail_decides_nothing():
    """One model with a huge rate makes the mean of the first the larger in all resamples that draw it."""
    first, second = np.array([1.0] * 19 + [1e6]), np.full(20, 2.0)
    assert ranks(np.stack([first, second], axis=1)).rank.tolist() == [2, 1]
    assert confidence_more_private(first, second) == pytest.approx(stats.binomtest(1, 20, alternative="less").pvalue)


def test_undefined_and_unbounded_rates():
    found = ranks([[math.nan, 1.0, math.inf, math.nan], [2.0, 1.0, 0.0, math.nan], [2.0, 1.0, math.inf, math.nan]])
    assert found.rank[:3].tolist() == [2, 3, 1]
    assert math.isnan(found.rank[3])
    assert found.high[:3].tolist() == [3, 3, 3]
    assert confidence_more_private([math.inf, 0.0, math.inf], [1.0, math.nan, math.inf]) == 0.5


@given(more=st.integers(0, 30), less=st.integers(0, 30), ties=st.integers(0, 3))
def test_the_confidence_is_one_less_the_p_value_of_the_sign_test(more, less, ties):
    a, b = [1.0] * more + [0.0] * less + [5.0] * (ties + 1), [0.0] * more + [1.0] * less + [5.0] * (ties + 1)
    found = confidence_more_private(a, b)
    if more > less:
        assert found == pytest.approx(1 - stats.binomtest(more, more + less, alternative="greater").pvalue, abs=1e-12)
    assert found + confidence_more_private(b, a) == pytest.approx(1)
    assert (found > 0.5) <= (more > less)


def test_equal_quantizers_are_rarely_told_apart():
    """Exactly at most 5% of the samples, both directions together, whatever the tails."""
    random = np.random.default_rng(0)
    for models in (5, 10):
        sure = [confidence_more_private(*random.lognormal(sigma=2, size=(2, models))) for _ in range(600)]
        assert np.mean([abs(found - 0.5) >= 0.475 for found in sure]) <= 0.05 + 0.02


@pytest.mark.parametrize("bad", [[1.0], [[]], np.zeros((0, 3))])
def test_ranks_need_a_table(bad):
    with pytest.raises(InputError, match=r"rates \[models, quantizers\]"):
        ranks(bad)


def test_pairs_need_the_same_models():
    with pytest.raises(InputError, match="each of the same models"):
        confidence_more_private([1.0], [1.0, 2.0])
    with pytest.raises(InputError, match="nothing to compare"):
        confidence_more_private([math.nan], [1.0])
