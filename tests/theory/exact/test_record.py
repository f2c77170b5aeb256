"""What an exact joint law says: its marginals, the best attack, the exponent."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantleak.theory.exact.record import enumerated


def test_an_exact_joint_law():
    joint = np.array([[0.3, 0.1, 0.0], [0.1, 0.2, 0.3]])
    chosen, p = joint.sum(1), joint.sum(0)
    found = enumerated(n=7, chosen=chosen, probabilities=p, deviation=joint - np.outer(chosen, p))
    assert found.leak == pytest.approx(np.abs(joint - np.outer(chosen, p)).sum() / 2)
    assert float(found) == found.low == found.high == 1 - found.leak
    assert found.exponent == pytest.approx(-math.log(found.leak) / 7)
    np.testing.assert_allclose(found.joint, joint, atol=1e-15)
    np.testing.assert_allclose(found.product, np.outer(chosen, p))
    for k, z in np.ndindex(2, 3):
        expected = math.log(joint[k, z] / (chosen[k] * p[z])) if joint[k, z] > 0 else -math.inf
        assert found.bayes_score[k, z] == pytest.approx(expected)
    # The best attack says member where the joint law is larger: its advantage is the leak.
    says = found.bayes_score > 0
    assert joint[says].sum() - found.product[says].sum() == pytest.approx(found.leak)


def test_a_parameter_that_is_never_chosen_says_nothing():
    found = enumerated(n=1, chosen=np.array([1.0, 0.0]), probabilities=np.array([0.5, 0.5]), deviation=np.zeros((2, 2)))
    assert (found.leak, found.exponent, found.bayes_score.tolist()) == (0, math.inf, [[0, 0], [0, 0]])
