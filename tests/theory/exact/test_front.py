"""Which way a learner's MIS is computed, what is merged before, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantleak.errors import InputError
from quantleak.theory import erm_mis
from quantleak.theory.exact import Erm, Sampling, enumerate_mis


def test_p_1_counts_equal_rows_as_one_element():
    table = [[1, 1], [0, 2], [1, 1]]
    exact = erm_mis(table, [0.75, 0.25], 9, ties="uniform")
    assert exact.p_1 == pytest.approx(exact.chosen[1])
    assert erm_mis([[0, 2], *table], [0.75, 0.25], 9, ties="uniform").p_1 == pytest.approx(exact.p_1)
    assert exact.exponent == pytest.approx(-math.log(exact.leak) / 9)


def test_nothing_leaks_with_one_parameter():
    assert erm_mis([[1, 2]], [0.5, 0.5], 4).value == 1
    assert erm_mis([[1, 2]], [0.5, 0.5], 4).exponent == math.inf


def test_what_cannot_be_enumerated_is_sampled():
    table, p = np.eye(16), np.full(16, 1 / 16)
    found = erm_mis(table, p, 30, sampling=Sampling(draws=2000))
    assert found.method == "sampling"
    assert found.low < found.value < found.high
    with pytest.raises(InputError, match="use sample_mis"):
        enumerate_mis(Erm(losses=table), p, 30)


@pytest.mark.parametrize(
    ("losses", "p", "n", "match"),
    [
        ([0, 1], [0.5, 0.5], 1, "table"),
        ([[0, math.inf]], [0.5, 0.5], 1, "finite numbers, got inf"),
        ([["a", 1]], [0.5, 0.5], 1, "finite numbers, got 'a'"),
        ([[0, 1]], [0.5, 0.4], 1, "sum to 0.9"),
        ([[0, 1]], [1.0, 0.0], 1, "leave out examples of probability 0"),
        ([[0, 1]], [1.0], 1, "2 columns for 1"),
        ([[0, 1]], [0.5, 0.5], 0, "positive whole number, got 0"),
    ],
)
def test_unusable_problems_are_refused(losses, p, n, match):
    with pytest.raises(InputError, match=match):
        erm_mis(losses, p, n)


@pytest.mark.parametrize("seed", range(30))
def test_examples_that_the_minimiser_cannot_distinguish_are_merged_without_a_trace(seed):
    rng = np.random.default_rng(seed)
    table, p, n = rng.integers(0, 3, (3, 4)), rng.dirichlet(np.ones(4)), int(rng.integers(1, 5))
    table[:, 1] = table[:, 0] + 2  # a constant more: the minimiser sees no difference
    whole = enumerate_mis(Erm(losses=table), p, n)
    merged = erm_mis(table, p, n)
    np.testing.assert_allclose(merged.deviation, whole.deviation, atol=1e-12)
    np.testing.assert_allclose(merged.probabilities, whole.probabilities, atol=1e-12)
