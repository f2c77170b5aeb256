"""The estimator of the ROC at exactly a rate: all halves and orders of ties enumerated; no bias on a known ROC."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantleak.attacks import roc
from quantleak.attacks.evaluation.rank_weights import rank_weights


def interpolated(scores, member, alpha):
    """Oracle: TPR above the k-th non-member at rank alpha (n0 + 1), between ranks on a straight line, no ties."""
    outside = np.sort(scores[~member])[::-1]
    by_rank = [0.0, *((scores[member] > threshold).mean() for threshold in outside), 1.0]
    return np.interp(alpha * (outside.size + 1), np.arange(outside.size + 2), by_rank)


def by_enumeration(scores, member, alpha):
    """Oracle: twice the whole minus the mean over all halves of the non-members, over all orders of equal scores."""
    found = []
    for order in permutations(range(scores.size)):
        untied = scores + 1e-6 * np.array(order)
        outside = np.flatnonzero(~member)
        halves = [
            interpolated(untied[keep], member[keep], alpha)
            for half in combinations(outside, outside.size // 2)
            for keep in [np.sort(np.append(np.flatnonzero(member), half).astype(int))]
        ]
        found.append(2 * interpolated(untied, member, alpha) - np.mean(halves))
    return np.mean(found)


@settings(max_examples=15, deadline=None)
@given(
    scores=st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=5, max_size=6),
    alpha=st.sampled_from([0.0, 0.1, 0.3, 1 / 3, 0.5, 0.8, 1.0]),
)
def test_the_closed_form_is_the_mean_over_all_halves_and_all_orders_of_ties(scores, alpha):
    scores, member = np.array(scores), np.arange(len(scores)) < 2
    assert roc(scores, member).tpr_at_exactly(alpha) == pytest.approx(by_enumeration(scores, member, alpha), abs=1e-9)


@given(count=st.integers(1, 300), alpha=st.floats(0, 1))
def test_weights_sum_to_one_and_their_mean_rank_is_that_of_alpha(count, alpha):
    weights = rank_weights(count, alpha)
    assert weights.sum() == pytest.approx(1)
    # The mean rank of a random half's rank j of m is j (n0 + 1) / (m + 1): a straight ROC is hit by both parts.
    assert weights @ np.arange(count + 2) == pytest.approx(alpha * (count + 1), abs=1e-6 * count + 1e-9)


@pytest.mark.parametrize("alpha", [0.01, 0.1, 0.37])
def test_equal_scores_have_exactly_the_rate(alpha):
    assert roc(np.zeros(60), np.arange(60) < 20).tpr_at_exactly(alpha) == pytest.approx(alpha)


@pytest.mark.parametrize(("count", "alpha"), [(250, 0.01), (25, 0.1), (500, 0.01)])
def test_the_estimate_has_no_bias_that_matters_where_plain_interpolation_has(count, alpha):
    # Members exp(4 u) and others exp(u) in distribution: the ROC is alpha^(1/4), steep at 0.
    rng, estimates, straight = np.random.default_rng(0), [], []
    member = np.arange(2 * count) < count
    for _ in range(1500):
        scores = rng.exponential(size=2 * count) * np.where(member, 4.0, 1.0)
        curve = roc(scores, member)
        estimates.append(curve.tpr_at_exactly(alpha))
        straight.append(interpolated(scores, member, alpha))
    truth = alpha**0.25
    assert np.mean(estimates) == pytest.approx(truth, abs=0.006)
    assert np.mean(straight) < truth - 0.006
