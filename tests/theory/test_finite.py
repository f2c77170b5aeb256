from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp

from quantleak import InputError
from quantleak.theory import finite_rate, privacy_rate


def table(seed: int, elements: int = 6, examples: int = 40) -> np.ndarray:
    return np.random.default_rng(seed).gamma(2.0, size=(elements, examples))


@given(seed=st.integers(0, 10_000), n=st.integers(1, 100_000))
def test_it_is_the_union_bound_to_second_order(seed: int, n: int) -> None:
    losses = table(seed)
    best = losses.mean(1).argmin()
    differences = np.delete(losses, best, axis=0) - losses[best]
    ratio = differences.mean(1) ** 2 / differences.var(1)
    assert finite_rate(losses, n) == pytest.approx(-logsumexp(-n * ratio / 2) / n, rel=1e-9, abs=1e-12)


@given(seed=st.integers(0, 10_000))
def test_it_tends_to_r_q_from_below_as_n_grows(seed: int) -> None:
    losses = table(seed)
    r_q = float(privacy_rate(losses))
    found = [finite_rate(losses, n) for n in (1, 10, 100, 10_000, 10**9)]
    assert (np.diff(found) >= -1e-12).all()
    assert found[-1] <= r_q + 1e-12
    assert found[-1] == pytest.approx(r_q, abs=np.log(5) / 10**9 + 1e-12)


def test_one_competitor_gives_r_q_at_every_n() -> None:
    losses = table(3, elements=2)
    assert [finite_rate(losses, n) for n in (1, 7, 1000)] == pytest.approx([float(privacy_rate(losses))] * 3)


def test_many_competitors_that_no_training_set_tells_apart_count_as_their_logarithm() -> None:
    best = np.zeros(1000)
    competitors = np.random.default_rng(0).normal(1e-6, 1.0, size=(50, 1000))
    competitors -= competitors.mean(1, keepdims=True) - 1e-6
    assert finite_rate(np.vstack([best, competitors]), 10) == pytest.approx(-np.log(50) / 10, abs=1e-6)


def test_edges() -> None:
    assert np.isnan(finite_rate([[1.0, 2.0]], 5))
    assert np.isnan(finite_rate([[1.0], [2.0]], 5))
    assert finite_rate([[0.0, 0.0], [1.0, 1.0]], 5) == np.inf
    with pytest.raises(InputError, match="positive whole number"):
        finite_rate([[0.0, 0.0], [1.0, 1.0]], 0)
