"""Difficulty calibration by its definition: the signal minus the mean of the OUT shadows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantleak.attacks import difficulty
from quantleak.attacks.shadows import NotEnoughShadows


@given(seed=st.integers(0, 10**6), targets=st.integers(1, 3), queries=st.integers(1, 2))
def test_it_is_its_definition(seed, targets, queries):
    rng = np.random.default_rng(seed)
    shadows, target = rng.normal(size=(8, 5, queries)), rng.normal(size=(targets, 5, queries))
    member = rng.random((8, 5)).argsort(axis=0) < 4
    use = np.arange(8)[:, None] != rng.integers(0, 8, 5)
    found = difficulty(target, shadows, member, use=use)
    for t, n in np.ndindex(targets, 5):
        out = [s for s in range(8) if use[s, n] and not member[s, n]]
        each = [target[t, n, q] - np.mean([shadows[s, n, q] for s in out]) for q in range(queries)]
        assert found[t, n] == pytest.approx(np.mean(each))


def test_a_harder_example_is_no_member_for_its_low_signal_alone():
    shadows, member = np.array([[-5.0, 2.0], [-7.0, 4.0]]), np.zeros((2, 2), dtype=bool)
    assert difficulty(np.array([-4.0, 3.0]), shadows, member).tolist() == [2.0, 0.0]


def test_an_example_without_out_shadows_is_refused():
    with pytest.raises(NotEnoughShadows, match="needs 1 OUT shadows of every example; 1 of 2"):
        difficulty(np.zeros(2), np.zeros((3, 2)), np.array([[True, False]] * 3))
