"""Paired differences: their values, and an interval that knows what both results have in common."""

from __future__ import annotations

import numpy as np
import pytest

from quantleak.attacks import evaluate
from quantleak.attacks.evaluation.compare import compare
from quantleak.errors import InputError


def drawn(seed: int, targets: int = 8, examples: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    member = rng.random((targets, examples)) < 0.5
    return rng.normal(size=member.shape) + member, member


def test_differences_are_those_of_the_two_results():
    scores, member = drawn(0)
    noisy = scores + np.random.default_rng(1).normal(size=scores.shape)
    one, two = evaluate(scores, member), evaluate(noisy, member)
    found = compare(one, two)
    assert found.auc.value == pytest.approx(one.auc.value - two.auc.value)
    assert found.tpr
    for alpha, difference in found.tpr.items():
        if one.tpr[alpha].value is None:
            assert (difference.value, difference.reason) == (None, one.tpr[alpha].reason)
        else:
            assert difference.value == pytest.approx(one.tpr[alpha].value - two.tpr[alpha].value)
    assert compare(two, one).auc.value == pytest.approx(-found.auc.value)


def test_what_both_have_in_common_cancels():
    scores, member = drawn(2)
    one, two = evaluate(scores, member), evaluate(scores + 0.05 * np.sin(1e3 * scores), member)
    paired = compare(one, two).auc
    assert paired.high - paired.low < 0.2 * (one.auc.high - one.auc.low)
    same = compare(one, one).auc
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_equal_attacks_differ_significantly_in_about_five_percent_of_worlds():
    outside = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        signal, member = drawn(seed, 8, 60)
        one, two = (evaluate(signal + rng.normal(size=signal.shape), member) for _ in range(2))
        found = compare(one, two).auc
        outside += not found.low <= 0 <= found.high
    # 5% of 120 is 6; 14 or more has probability 0.003.
    assert outside < 14


def test_results_about_other_examples_are_refused():
    scores, member = drawn(0)
    with pytest.raises(InputError, match="same targets, examples and groups"):
        compare(evaluate(scores, member), evaluate(scores, ~member))
