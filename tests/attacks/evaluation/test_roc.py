"""M1: curves against a brute-force ROC and scikit-learn, ties included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score, roc_curve

from quantleak.attacks import roc
from quantleak.errors import InputError


@st.composite
def scored(draw):
    """Few distinct scores, so that most examples are tied; both classes present."""
    size = draw(st.integers(2, 25))
    scores = draw(
        st.lists(st.sampled_from([-np.inf, -1.0, -0.0, 0.0, 1e-300, 0.3, 1e9, np.inf]), min_size=size, max_size=size)
    )
    member = draw(st.lists(st.booleans(), min_size=size - 2, max_size=size - 2))
    return np.array(scores), np.array([True, False, *member])


def vertices(scores, member):
    """Oracle: every rule 'score >= t', t each distinct score and one above all."""
    rules = [np.zeros(scores.size, dtype=bool)] + [scores >= t for t in sorted(set(scores), reverse=True)]
    return [(np.mean(rule[~member]), np.mean(rule[member])) for rule in rules]


@given(scored(), st.sampled_from([0.0, 0.001, 0.1, 0.2, 0.25, 1 / 3, 0.5, 0.999, 1.0]))
def test_curve_and_tpr_equal_brute_force(case, alpha):
    scores, member = case
    curve = roc(scores, member)
    expected = vertices(scores, member)
    np.testing.assert_array_equal(np.stack([curve.fpr, curve.tpr], axis=1), expected)
    assert curve.tpr_at(alpha) == max(tpr for fpr, tpr in expected if fpr <= alpha)
    for threshold, (fpr, tpr) in zip(curve.thresholds[1:], expected[1:], strict=True):
        assert curve.balanced_accuracy(float(threshold)) == pytest.approx((tpr + 1 - fpr) / 2)


@given(scored())
def test_auc_counts_pairs_with_ties_at_one_half(case):
    scores, member = case
    inside, outside = scores[member][:, None], scores[~member][None]
    pairs = (inside > outside) + 0.5 * (inside == outside)
    assert roc(scores, member).auc == pytest.approx(pairs.mean(), abs=1e-12)


@pytest.mark.parametrize("digits", [0, 1, 8])
def test_agrees_with_scikit_learn(digits):
    rng = np.random.default_rng(digits)
    member = rng.random(3000) < 0.4
    scores = np.round(rng.normal(size=3000) + member, digits)
    curve = roc(scores, member)
    fpr, tpr, _ = roc_curve(member, scores, drop_intermediate=False)
    np.testing.assert_allclose(np.stack([curve.fpr, curve.tpr]), [fpr, tpr])
    assert curve.auc == pytest.approx(roc_auc_score(member, scores), abs=1e-12)


def test_constant_scores_say_nothing():
    curve = roc(np.zeros(10), np.arange(10) < 4)
    assert (curve.auc, curve.tpr_at(0.001), curve.tpr_at(0.999)) == (0.5, 0.0, 0.0)


def test_the_share_of_variance_that_ties_leave_is_scipys():
    scores = np.round(np.random.default_rng(0).normal(size=80), 1)
    expected = stats.tiecorrect(stats.rankdata(scores))
    assert roc(scores, np.arange(80) < 40).untied == pytest.approx(expected)
    assert roc(np.zeros(80), np.arange(80) < 40).untied == 0


def test_bad_input_is_refused():
    member = np.array([True, False, False])
    with pytest.raises(InputError, match="1 NaN, the first at 1"):
        roc(np.array([0.0, np.nan, 1.0]), member)
    with pytest.raises(InputError, match="got 0 and 3"):
        roc(np.zeros(3), ~np.ones(3, dtype=bool))
    with pytest.raises(InputError, match=r"member has shape \(3,\), expected \(4,\)"):
        roc(np.zeros(4), member)
    with pytest.raises(InputError, match="scores of one target"):
        roc(np.zeros((2, 3)), member)
