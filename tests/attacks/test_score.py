from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special, stats

from quantleak.attacks import log_density, log_probability, negative_squared_error, phi, phi_binary, residual_phi
from quantleak.errors import InputError

moderate = arrays(np.float64, (5, 4), elements=st.floats(-15, 15))


@given(logits=moderate, labels=arrays(np.int64, 5, elements=st.integers(0, 3)))
def test_phi_is_the_log_odds_of_the_softmax_probability(logits, labels):
    p = special.softmax(logits, axis=1)
    others = np.where(np.arange(4) == labels[:, None], 0.0, p).sum(axis=1)
    naive = np.log(p[np.arange(5), labels]) - np.log(others)
    np.testing.assert_allclose(phi(logits, labels), naive, atol=1e-9)


@given(logits=moderate, shift=st.floats(-1e3, 1e3))
def test_phi_does_not_change_when_a_constant_is_added(logits, shift):
    labels = np.array([0, 1, 2, 3, 0])
    np.testing.assert_allclose(phi(logits + shift, labels), phi(logits, labels), atol=1e-9)


def test_phi_stays_finite_and_exact_at_the_far_ends():
    logits = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0]])
    np.testing.assert_array_equal(phi(logits, np.array([0, 0])), [1e4, -2e4])


def test_labels_broadcast_over_models_and_float32_is_widened():
    logits = np.random.default_rng(0).normal(size=(3, 2, 4)).astype(np.float32)
    together = phi(logits, np.array([1, 3]))
    assert together.dtype == np.float64
    assert together.shape == (3, 2)
    np.testing.assert_array_equal(together[2], phi(logits[2], np.array([1, 3])))


@given(logit=st.floats(-50, 50), label=st.integers(0, 1))
def test_one_logit_equals_two_classes_with_a_zero_logit(logit, label):
    two = phi(np.array([[0.0, logit]]), np.array([label]))
    np.testing.assert_allclose(phi_binary(np.array([logit]), np.array([label])), two)


@given(logits=moderate, labels=arrays(np.int64, 5, elements=st.integers(0, 3)))
def test_log_probability_of_phi_is_log_softmax(logits, labels):
    expected = special.log_softmax(logits, axis=1)[np.arange(5), labels]
    np.testing.assert_allclose(log_probability(phi(logits, labels)), expected, rtol=1e-9, atol=1e-12)


def test_log_probability_at_the_far_ends():
    np.testing.assert_allclose(log_probability(np.array([-1e4, 50.0, 800.0])), [-1e4, -np.exp(-50.0), 0.0], rtol=1e-12)


def test_regression_signals():
    prediction, target = np.array([1.0, 2.0]), np.array([1.0, 0.5])
    np.testing.assert_allclose(residual_phi(prediction, target), [np.log(1000), -np.log(1.501)])
    np.testing.assert_allclose(negative_squared_error(prediction, target), [0.0, -2.25])
    np.testing.assert_allclose(log_density(prediction, target, 0.3), stats.norm.logpdf(prediction, target, 0.3**0.5))


def test_wrong_labels_logits_and_variance_are_refused():
    with pytest.raises(InputError, match="labels must be 0 to 2, got 0 to 3"):
        phi(np.zeros((2, 3)), np.array([0, 3]))
    with pytest.raises(InputError, match="use phi_binary"):
        phi(np.zeros((2, 1)), np.array([0, 0]))
    with pytest.raises(InputError, match="positive number"):
        log_density(np.zeros(1), np.zeros(1), 0.0)
