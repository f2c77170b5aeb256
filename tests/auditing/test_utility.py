"""Utility metrics against scikit-learn and SciPy; intervals against the known spread of a mean."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from quantleak.attacks import Bootstrap
from quantleak.auditing.utility import measure

BOOTSTRAP = Bootstrap(resamples=800, seed=1)
random = np.random.default_rng(0)


def test_auroc_is_scikit_learns() -> None:
    labels = random.integers(0, 2, 80)
    logits = np.round(random.normal(size=(5, 80)) + labels, 1)  # rounding makes ties
    measured = measure(logits, labels, "binary", BOOTSTRAP)["auroc"]
    np.testing.assert_allclose(measured.per_model, [metrics.roc_auc_score(labels, row) for row in logits])


def test_r2_and_spearman_are_scikit_learns_and_scipys() -> None:
    truth = random.normal(size=60)
    predictions = truth + random.normal(size=(4, 60))
    measured = measure(predictions, truth, "regression", BOOTSTRAP)
    np.testing.assert_allclose(measured["r2"].per_model, [metrics.r2_score(truth, row) for row in predictions])
    expected = [stats.spearmanr(truth, row).statistic for row in predictions]
    np.testing.assert_allclose(measured["spearman"].per_model, expected)


def test_constant_predictions_have_no_correlation() -> None:
    measured = measure(np.ones((2, 30)), random.normal(size=30), "regression", BOOTSTRAP)
    np.testing.assert_array_equal(measured["spearman"].per_model, [0, 0])
    assert np.isfinite(measured["spearman"].resampled).all()


def test_accuracy_and_its_spread() -> None:
    right = (random.random((1, 400)) < 0.7).astype(float)
    right = np.repeat(right, 6, axis=0)  # models that agree: only examples vary
    measured = measure(right, np.zeros(400), "multiclass", BOOTSTRAP)["accuracy"]
    np.testing.assert_allclose(measured.per_model, right.mean(1))
    p = right[0].mean()
    assert measured.resampled.std() == pytest.approx(np.sqrt(p * (1 - p) / 400), rel=0.1)


def test_groups_are_drawn_whole() -> None:
    right = np.repeat((random.random(40) < 0.7).astype(float), 10)[None]
    groups = np.repeat(np.arange(40), 10)
    alone = measure(right, np.zeros(400), "multiclass", BOOTSTRAP)["accuracy"].resampled.std()
    whole = measure(right, np.zeros(400), "multiclass", BOOTSTRAP, groups)["accuracy"].resampled.std()
    assert whole == pytest.approx(alone * np.sqrt(10), rel=0.15)


def test_equal_seeds_pair_the_resamples() -> None:
    truth = random.normal(size=50)
    predictions = truth + random.normal(size=(4, 50))
    one, two = (measure(p, truth, "regression", BOOTSTRAP)["r2"].resampled for p in (predictions, predictions + 0.01))
    assert (one - two).std() < one.std() / 10
