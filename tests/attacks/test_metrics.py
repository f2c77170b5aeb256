"""evaluate: closed forms, a bootstrap rebuilt by repeating examples, coverage, and thresholds from elsewhere."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, roc_auc_score, roc_curve

from quantleak.attacks import Bootstrap, compare, evaluate, mis_bound
from quantleak.attacks.table import unsupported
from quantleak.attacks.threshold import best_threshold, crossfit_thresholds
from quantleak.errors import InputError


def two_gaussians(targets, examples, shift, seed=0):
    rng = np.random.default_rng(seed)
    member = rng.random((targets, examples)) < 0.5
    return shift * member + rng.normal(size=member.shape), member


@pytest.mark.parametrize("shift", [0.0, 1.0, 2.0])
def test_two_gaussians_give_their_closed_form_auc_and_mis(shift):
    # MIS of N(0, 1) against N(d, 1) is 1 - TV = 2 (1 - Phi(d / 2)).
    metrics = evaluate(*two_gaussians(16, 2000, shift), settings=Bootstrap(resamples=50))
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
    tpr = []
    for pair in zip(member, scores, strict=True):
        fpr, hits, _ = roc_curve(*pair, drop_intermediate=False)
        tpr.append(hits[fpr <= 0.1].max())
    np.testing.assert_allclose(metrics.per_target.tpr[0.1], tpr)
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


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("digits", [0, 8])
def test_every_resample_equals_the_metrics_of_the_repeated_examples(grouped, digits):
    targets, examples, resamples = 5, 60, 40
    scores, member = two_gaussians(targets, examples, 1.0)
    scores = np.round(scores, digits)
    groups = np.arange(examples) // 3 * 7 if grouped else None
    settings = Bootstrap(resamples=resamples, seed=3)
    metrics = evaluate(scores, member, fprs=(0.1, 0.25), groups=groups, settings=settings)
    called = scores >= crossfit_thresholds(scores, member, np.arange(examples))

    target_seed, example_seed = np.random.SeedSequence(3).spawn(2)
    drawn = np.random.default_rng(target_seed).multinomial(targets, np.full(targets, 0.2), resamples)
    size = 20 if grouped else examples
    places = np.random.default_rng(example_seed).integers(size, size=(resamples, size))
    for b in range(resamples):
        picked = (places[b][:, None] * 3 + np.arange(3)).ravel() if grouped else places[b]
        auc, tpr, accuracy = [], [], []
        for t in range(targets):
            truth, values = member[t, picked], scores[t, picked]
            fpr, hits, _ = roc_curve(truth, values, drop_intermediate=False)
            auc.append(roc_auc_score(truth, values))
            tpr.append([hits[fpr <= alpha].max() for alpha in (0.1, 0.25)])
            accuracy.append(balanced_accuracy_score(truth, called[t, picked]))
        weights = drawn[b] / targets
        assert metrics.resampled.auc[b] == pytest.approx(weights @ auc, abs=1e-12)
        ours = [metrics.resampled.tpr[alpha][b] for alpha in (0.1, 0.25)]
        assert ours == pytest.approx(weights @ np.array(tpr), abs=1e-12)
        assert metrics.resampled.balanced_accuracy[b] == pytest.approx(weights @ accuracy, abs=1e-12)


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    # Targets differ, examples differ, and both are samples: the truth is the mean over all.
    rng, covered, repeats = np.random.default_rng(0), [], 60
    shift_mean, difficulty_sd = 1.0, 1.0
    truth = stats.norm.cdf(shift_mean / np.sqrt(2 * (1 + difficulty_sd**2) + 0.2**2))
    for _ in range(repeats):
        member = rng.random((16, 120)) < 0.5
        shift = shift_mean + 0.2 * rng.normal(size=(16, 1))
        scores = shift * member + difficulty_sd * rng.normal(size=120) + rng.normal(size=member.shape)
        auc = evaluate(scores, member, settings=Bootstrap(resamples=200, level=0.9)).auc
        covered.append(auc.low <= truth <= auc.high)
    assert 0.8 <= np.mean(covered) <= 1.0


def test_one_target_has_exact_intervals_and_a_threshold_from_other_examples():
    scores, member = two_gaussians(1, 601, 1.0)
    metrics = evaluate(scores[0], member[0])
    assert 0.68 < metrics.auc.low < stats.norm.cdf(1 / np.sqrt(2)) < metrics.auc.high < 0.84
    hits = round(metrics.tpr[0.1].value * member.sum())
    limits = stats.binomtest(hits, int(member.sum())).proportion_ci(method="exact")
    assert (metrics.tpr[0.1].low, metrics.tpr[0.1].high) == pytest.approx(tuple(limits))
    thresholds = crossfit_thresholds(scores, member, np.arange(601))[0]
    first = np.array([np.flatnonzero(np.flatnonzero(member[0] == member[0, i]) == i)[0] % 2 == 0 for i in range(601)])
    for half in (first, ~first):
        assert set(thresholds[half]) == {best_by_trying(scores[:, ~half], member[:, ~half])}
    grouped = evaluate(scores, member, groups=np.arange(601) // 2)
    assert grouped.auc.low != metrics.auc.low


def test_a_useless_attack_shows_no_leakage_at_small_n():
    # The best threshold on the same 64 examples would show about .90 instead of 1.
    rng = np.random.default_rng(1)
    bounds = [
        evaluate(rng.normal(size=(2, 64)), rng.random((2, 64)) < 0.5, settings=Bootstrap(resamples=2)).balanced_accuracy
        for _ in range(100)
    ]
    assert np.mean([bound.value for bound in bounds]) == pytest.approx(0.5, abs=0.02)


def test_constant_scores_call_nobody_a_member():
    _, member = two_gaussians(4, 100, 0.0)
    metrics = evaluate(np.zeros(member.shape), member)
    assert (metrics.auc.value, metrics.auc.low, metrics.auc.high) == (0.5, 0.5, 0.5)
    assert (metrics.tpr[0.1].value, metrics.mis_bound.value, metrics.mis_bound.low) == (0.0, 1.0, 1.0)
    assert best_threshold(np.zeros(member.shape), member, np.ones(member.shape, dtype=bool)) == np.inf


def test_unsupported_rates_have_a_reason_and_json_has_no_nan():
    scores, member = two_gaussians(8, 480, 1.0)
    metrics = evaluate(scores, member)
    assert metrics.tpr[0.01].value is None
    assert metrics.tpr[0.01].reason.startswith("FPR 0.01 needs 500 distinct non-members")
    assert metrics.tpr[0.1].value is not None
    assert np.isnan(float(metrics.tpr[0.01]))
    text = json.dumps(metrics.to_dict(), allow_nan=False)
    assert json.loads(text)["tpr"]["0.01"]["value"] is None


def test_rare_members_leave_some_resamples_undefined_not_wrong():
    member = np.zeros((2, 12), dtype=bool)
    member[:, 0] = True
    metrics = evaluate(np.arange(24.0).reshape(2, 12)[:, ::-1], member, settings=Bootstrap(resamples=100))
    assert np.isnan(metrics.resampled.auc).any()
    assert (metrics.auc.value, metrics.auc.low, metrics.auc.high) == (1.0, 1.0, 1.0)
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
    same = compare(one, one)
    assert (same.mis_bound.low, same.mis_bound.high, same.tpr[0.1].value) == (0.0, 0.0, 0.0)
    with pytest.raises(InputError, match="same seed"):
        compare(one, evaluate(scores, member, settings=Bootstrap(seed=1)))


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
    with pytest.raises(InputError, match="resamples >= 2"):
        Bootstrap(resamples=1)


def test_support_counts_groups_not_their_rows():
    # 40 patients of 50 rows: 2000 examples, but no more than 40 that can be wrongly accused.
    scores, member = two_gaussians(6, 2000, 1.0)
    patients = np.arange(2000) // 50
    settings = Bootstrap(resamples=20)
    grouped = evaluate(scores, member, fprs=(0.01, 0.1, 0.125), groups=patients, settings=settings)
    assert grouped.tpr[0.01].reason == "FPR 0.01 needs 500 distinct groups of non-members, there are 40"
    assert grouped.tpr[0.1].value is None
    assert grouped.tpr[0.125].value is not None
    alone = evaluate(scores, member, fprs=(0.001, 0.01), settings=settings)
    assert alone.tpr[0.01].value is not None
    outsiders = sum(not column.all() for column in member.T)
    assert alone.tpr[0.001].reason == f"FPR 0.001 needs 5000 distinct non-members, there are {outsiders}"


def test_a_group_counts_once_it_is_a_non_member_of_one_target():
    groups = np.array([7, 7, 3, 3, 9, 9])
    member = np.array([[True, True, False, True, True, True], [True, True, False, False, True, False]])
    expected = len({g for g, row in zip(groups, member.T, strict=True) if not row.all()})
    assert unsupported(0.01, member, groups).endswith(f"there are {expected}")
    assert unsupported(5 / expected, member, groups) is None
    assert unsupported(0.99 * 5 / expected, member, groups) is not None
