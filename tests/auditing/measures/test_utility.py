"""Utility metrics against scikit-learn and SciPy; intervals against the known spread of a mean."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from quantleak.auditing.measures.utility import measure

random = np.random.default_rng(0)


def test_auroc_is_scikit_learns() -> None:
    labels = random.integers(0, 2, 80)
    logits = np.round(random.normal(size=(5, 80)) + labels, 1)  # rounding makes ties
    measured = measure(logits, labels, "binary")["auroc"]
    np.testing.assert_allclose(measured.crossed.values, [metrics.roc_auc_score(labels, row) for row in logits])


def test_r2_and_spearman_are_scikit_learns_and_scipys() -> None:
    truth = random.normal(size=60)
    predictions = truth + random.normal(size=(4, 60))
    measured = measure(predictions, truth, "regression")
    np.testing.assert_allclose(measured["r2"].crossed.values, [metrics.r2_score(truth, row) for row in predictions])
    expected = [stats.spearmanr(truth, row).statistic for row in predictions]
    np.testing.assert_allclose(measured["spearman"].crossed.values, expected)


def test_constant_predictions_have_no_correlation() -> None:
    measured = measure(np.ones((2, 30)), random.normal(size=30), "regression")
    np.testing.assert_array_equal(measured["spearman"].crossed.values, [0, 0])
    assert np.isfinite(measured["spearman"].crossed.influence).all()


def test_accuracy_and_its_spread() -> None:
    right = (random.random((1, 400)) < 0.7).astype(float)
    right = np.repeat(right, 6, axis=0)  # models that agree: only examples vary
    measured = measure(right, np.zeros(400), "multiclass")["accuracy"]
    np.testing.assert_allclose(measured.crossed.values, right.mean(1))
    p = right[0].mean()
    assert np.sqrt(sum(measured.crossed.variances())) == pytest.approx(np.sqrt(p * (1 - p) / 399), rel=0.1)


def test_groups_count_once() -> None:
    right = np.repeat((random.random(40) < 0.7).astype(float), 10)[None]
    alone = measure(right, np.zeros(400), "multiclass")["accuracy"].crossed
    whole = measure(right, np.zeros(400), "multiclass", np.repeat(np.arange(40), 10))["accuracy"].crossed
    assert sum(whole.variances()) == pytest.approx(10 * sum(alone.variances()))


@pytest.mark.parametrize("name", ["r2", "spearman"])
@pytest.mark.parametrize("noise", [0.3, 2.0])
def test_intervals_over_shared_examples_are_as_wide_as_the_metric_varies(name: str, noise: float) -> None:
    rng, values, variances = np.random.default_rng(0), [], []
    for _ in range(400):
        truth, shared = rng.normal(size=150), rng.normal(size=150)
        predictions = truth + noise * (0.8 * shared + 0.6 * rng.normal(size=(4, 150)))
        measured = measure(predictions, truth, "regression")[name]
        values.append(measured.crossed.mean)
        variances.append(sum(measured.crossed.variances()))
    assert np.mean(variances) == pytest.approx(np.var(values), rel=0.25)


def test_few_models_do_not_look_certain() -> None:
    # Two models whose accuracies agree by chance would have a percentile interval of length 0 over models.
    right = np.random.default_rng(0).random((2, 200)) < np.array([[0.6], [0.9]])
    found = measure(right.astype(float), np.zeros(200), "multiclass")["accuracy"].estimate
    assert found.low < 0.3
    assert found.high > 0.95


def test_what_both_models_share_cancels_in_a_difference() -> None:
    truth = random.normal(size=50)
    predictions = truth + random.normal(size=(4, 50))
    one, two = (measure(p, truth, "regression")["r2"].crossed for p in (predictions, predictions + 0.01))
    assert sum((one - two).variances()) < sum(one.variances()) / 100
