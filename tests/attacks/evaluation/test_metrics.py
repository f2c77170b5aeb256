"""evaluate: closed forms, coverage in worlds with a known ROC, and thresholds from elsewhere."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from quantleak.attacks import compare, evaluate, mis_bound
from quantleak.attacks.evaluation.threshold import best_threshold
from quantleak.errors import InputError


def two_gaussians(targets, examples, shift, seed=0):
    rng = np.random.default_rng(seed)
    member = rng.random((targets, examples)) < 0.5
    return shift * member + rng.normal(size=member.shape), member


@pytest.mark.parametrize("shift", [0.0, 1.0, 2.0])
def test_two_gaussians_give_their_closed_form_auc_and_mis(shift):
    # MIS of N(0, 1) against N(d, 1) is 1 - TV = 2 (1 - Phi(d / 2)).
    metrics = evaluate(*two_gaussians(16, 2000, shift))
    assert metrics.auc.value == pytest.approx(stats.norm.cdf(shift / np.sqrt(2)), abs=0.006)
    assert metrics.mis_bound.value == pytest.approx(2 * (1 - stats.norm.cdf(shift / 2)), abs=0.015)
    assert metrics.tpr[0.1].value == pytest.approx(stats.norm.cdf(shift + stats.norm.ppf(0.1)), abs=0.015)


def test_values_are_means_over_targets_of_scikit_learns():
    scores, member = two_gaussians(3, 300, 1.0)
    scores = np.round(scores, 1)
    metrics = evaluate(scores, member)
    auc = [roc_auc_score(*pair) for pair in zip(member, scores, strict=True)]
    np.testing.assert_allclose(metrics.per_target.auc, auc)
    assert metrics.auc.value == pytest.approx(np.mean(auc))
    np.testing.assert_array_equal(metrics.per_target.non_members, (~member).sum(axis=1))
    thresholds = [best_by_trying(scores[fold], member[fold]) for fold in ([1], [0, 2], [1])]
    accuracy = [balanced_accuracy_score(m, s >= t) for m, s, t in zip(member, scores, thresholds, strict=True)]
    np.testing.assert_allclose(metrics.per_target.balanced_accuracy, accuracy)


def best_by_trying(scores, member):
    """Oracle: the largest of all observed scores with the best mean balanced accuracy."""
    every = sorted(set(scores.ravel()), reverse=True)
    quality = [
        np.mean([balanced_accuracy_score(m, s >= t) for m, s in zip(member, scores, strict=True)]).round(12)
        for t in every
    ]
    return every[int(np.argmax(quality))]


@pytest.mark.parametrize(("targets", "examples", "alpha"), [(64, 50, 0.1), (8, 500, 0.01), (4, 120, 0.1)])
@pytest.mark.parametrize(("shift", "shared", "spread"), [(0.0, 0.0, 0.0), (1.0, 0.5, 0.0), (1.0, 0.0, 0.25)])
def test_intervals_cover_the_roc_at_exactly_the_rate(targets, examples, alpha, shift, shared, spread):
    # Before: 27% of the null intervals at 64 x 50 and 10% lay wholly above chance; see benchmarks/interval_coverage.py.
    rng, right, above = np.random.default_rng(0), [], []
    truth = stats.norm.cdf((shift + stats.norm.ppf(alpha)) / np.sqrt(1 + spread**2))
    auc = stats.norm.cdf(shift / np.sqrt(2 + spread**2))
    for _ in range(250):
        member = rng.random((targets, examples)).argsort(axis=0) < targets // 2
        effect = (shift + spread * rng.normal(size=(targets, 1))) * member
        noise = np.sqrt(1 - shared) * rng.normal(size=member.shape) + np.sqrt(shared) * rng.normal(size=examples)
        found = evaluate(effect + noise, member, fprs=(alpha,))
        tpr = found.tpr[alpha]
        if tpr.value is not None:
            right.append(tpr.low <= truth <= tpr.high)
            above.append(tpr.low > alpha)
        right.append(found.auc.low <= auc <= found.auc.high)
    assert np.mean(right) > 0.92
    assert shift > 0 or np.mean(above) <= 0.07


def test_rows_of_one_group_widen_the_interval_of_one_target():
    scores, member = two_gaussians(1, 1200, 1.0)
    twice, inside = np.repeat(scores[0, :600], 2), np.repeat(member[0, :600], 2)
    alone, grouped = evaluate(twice, inside), evaluate(twice, inside, groups=np.arange(1200) // 2)
    for one, two in ((alone.auc, grouped.auc), (alone.tpr[0.1], grouped.tpr[0.1])):
        assert two.value == one.value
        assert two.high - two.low == pytest.approx((one.high - one.low) * np.sqrt(2), rel=0.15)


def test_positive_predictive_values_are_bayes_rule_at_exactly_the_rate():
    metrics = evaluate(*two_gaussians(8, 2000, 1.0))
    for alpha in (0.01, 0.1):
        tpr = metrics.tpr[alpha]
        for prior in (0.01, 0.1, 0.5):
            found = metrics.ppv[alpha][prior]
            for ours, rate in ((found.value, tpr.value), (found.low, tpr.low), (found.high, tpr.high)):
                assert ours == pytest.approx(prior * rate / (prior * rate + (1 - prior) * alpha))
    assert metrics.ppv[0.001][0.5].value is None
    assert metrics.ppv[0.001][0.5].reason == metrics.tpr[0.001].reason
    null = evaluate(np.zeros((8, 2000)), two_gaussians(8, 2000, 0.0)[1])
    assert null.ppv[0.1][0.1].value == pytest.approx(0.1)


def test_a_useless_attack_shows_no_leakage_at_small_n():
    # The best threshold on the same 64 examples would show about .90 instead of 1.
    rng = np.random.default_rng(1)
    bounds = [evaluate(rng.normal(size=(2, 64)), rng.random((2, 64)) < 0.5).balanced_accuracy for _ in range(100)]
    assert np.mean([bound.value for bound in bounds]) == pytest.approx(0.5, abs=0.02)


def test_constant_scores_call_nobody_a_member():
    _, member = two_gaussians(4, 100, 0.0)
    metrics = evaluate(np.zeros(member.shape), member)
    assert (metrics.auc.value, metrics.auc.low, metrics.auc.high) == (0.5, 0.5, 0.5)
    assert (metrics.tpr[0.1].value, metrics.tpr[0.1].low) == (pytest.approx(0.1), pytest.approx(0.1))
    assert (metrics.mis_bound.value, metrics.mis_bound.low) == (1.0, 1.0)
    assert best_threshold(np.zeros(member.shape), member, np.ones(member.shape, dtype=bool)) == np.inf


def test_unsupported_rates_have_a_reason_and_json_has_no_nan():
    scores, member = two_gaussians(8, 480, 1.0)
    metrics = evaluate(scores, member)
    assert metrics.tpr[0.01].value is None
    assert metrics.tpr[0.01].reason.startswith("FPR 0.01 needs 249 non-members per target, there are 2")
    assert metrics.tpr[0.1].value is not None
    assert np.isnan(float(metrics.tpr[0.01]))
    text = json.dumps(metrics.to_dict(), allow_nan=False)
    assert json.loads(text)["tpr"]["0.01"]["value"] is None


def test_one_member_has_a_value_but_no_interval():
    member = np.zeros((2, 12), dtype=bool)
    member[:, 0] = True
    metrics = evaluate(np.arange(24.0).reshape(2, 12)[:, ::-1], member)
    assert (metrics.auc.value, metrics.auc.low) == (1.0, None)
    assert "5 members" in metrics.auc.reason
    alone = evaluate(np.arange(12.0), member[0])
    assert (alone.mis_bound.value, alone.balanced_accuracy.low) == (None, None)
    assert "2 members" in alone.mis_bound.reason


def test_differences_are_paired():
    scores, member = two_gaussians(8, 400, 1.0)
    noisy = scores + 0.3 * np.random.default_rng(5).normal(size=scores.shape)
    one, two = evaluate(scores, member), evaluate(noisy, member)
    difference = compare(one, two)
    assert difference.auc.value == pytest.approx(one.auc.value - two.auc.value)
    assert 0 < difference.auc.low < difference.auc.value < difference.auc.high
    assert difference.auc.high - difference.auc.low < 0.6 * (one.auc.high - one.auc.low)
    assert difference.tpr[0.01].value is None
    assert compare(one, one).tpr[0.1].to_dict() == {"value": 0.0, "low": 0.0, "high": 0.0}
    with pytest.raises(InputError, match="same targets, examples and groups"):
        compare(one, evaluate(scores, ~member))


def test_permuting_targets_within_a_fold_changes_no_value():
    scores, member = two_gaussians(6, 200, 1.0)
    one, two = evaluate(scores, member), evaluate(scores[[4, 1, 0, 5, 2, 3]], member[[4, 1, 0, 5, 2, 3]])
    assert one.auc.value == pytest.approx(two.auc.value)
    assert one.balanced_accuracy.value == pytest.approx(two.balanced_accuracy.value)


def test_mis_bound_is_cut_at_one():
    assert [mis_bound(accuracy) for accuracy in (0.4, 0.5, 1.0)] == [1.0, 1.0, 0.0]


def test_bad_input_is_refused():
    scores, member = two_gaussians(2, 10, 0.0)
    with pytest.raises(InputError, match="target 1 has members only"):
        evaluate(scores, np.array([member[0], np.ones(10, dtype=bool)]))
    with pytest.raises(InputError, match="1 NaN, the first at target 0, example 3"):
        evaluate(np.where(np.arange(20).reshape(2, 10) == 3, np.nan, scores), member)
    with pytest.raises(InputError, match="groups has shape"):
        evaluate(scores, member, groups=np.zeros(9, dtype=int))
    with pytest.raises(InputError, match="targets, examples"):
        evaluate(np.zeros((2, 3, 4)), member)
