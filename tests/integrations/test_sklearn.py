"""scikit-learn's perceptrons as modules: its own predictions are the oracle."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor

from quantleak.errors import InputError
from quantleak.integrations.sklearn import from_sklearn
from quantleak.trajectory import TrajectoryTracker

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(80, 5))
LABELS = {"binary": RANDOM.integers(0, 2, 80), "multiclass": RANDOM.integers(0, 4, 80)}
LABELS["multilabel"] = RANDOM.integers(0, 2, (80, 3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("kind", LABELS)
def test_probabilities_are_scikit_learns(kind: str, activation: str, dtype: type) -> None:
    features = X.astype(dtype)
    fitted = MLPClassifier((7, 4), activation=activation, max_iter=20, random_state=0)
    fitted.fit(features, LABELS[kind])
    logits = from_sklearn(fitted)(torch.from_numpy(X)).detach()
    expected = fitted.predict_proba(features)
    if kind == "multiclass":
        ours = logits.softmax(1).numpy()
    else:
        ours = logits.sigmoid().numpy()
        expected = expected[:, 1:] if kind == "binary" else expected
    np.testing.assert_allclose(ours, expected, atol=1e-6)


@pytest.mark.parametrize("outputs", [1, 2])
def test_a_regressor_predicts_the_same(outputs: int) -> None:
    targets = X[:, 0] if outputs == 1 else X[:, :outputs]
    fitted = MLPRegressor(hidden_layer_sizes=(6,), max_iter=20, random_state=0).fit(X, targets)
    ours = from_sklearn(fitted)(torch.from_numpy(X)).detach().numpy()
    np.testing.assert_allclose(ours, fitted.predict(X).reshape(80, -1), atol=1e-6)


def test_a_partial_fit_loop_is_tracked() -> None:
    fitted = MLPClassifier((8,), random_state=0, learning_rate_init=0.01)
    tracker = TrajectoryTracker(loss="multiclass", quantizers=["sign", "uniform:4"])
    loader = [(torch.from_numpy(X), torch.from_numpy(LABELS["multiclass"]))]
    for _ in range(5):
        fitted.partial_fit(X, LABELS["multiclass"], classes=[0, 1, 2, 3])
        tracker.update(from_sklearn(fitted), loader)
    found = tracker.compute()
    assert (found["uniform:4"].r_q.elements, found.n_validation) == (5, 80)
    assert found["uniform:4"].r_q.value > 0


def test_the_module_has_copies() -> None:
    fitted = MLPRegressor(hidden_layer_sizes=(6,), max_iter=20, random_state=0).fit(X, X[:, 0])
    before = fitted.coefs_[0].copy()
    for parameter in from_sklearn(fitted).parameters():
        parameter.data.zero_()
    np.testing.assert_array_equal(fitted.coefs_[0], before)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (MLPClassifier(), "not fitted yet"),
        (LogisticRegression(), "takes an MLPClassifier or MLPRegressor, got LogisticRegression"),
        (
            MLPRegressor(loss="poisson", max_iter=1, tol=100.0, n_iter_no_change=1),
            "use loss='squared_error'",
        ),
    ],
)
def test_others_are_refused(estimator: object, message: str) -> None:
    if getattr(estimator, "loss", "") == "poisson":
        estimator.fit(X, np.ones(80))
    with pytest.raises(InputError, match=message):
        from_sklearn(estimator)
