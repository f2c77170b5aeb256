"""Losses as whole numbers: ties of empirical risks are those of the fractions."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantleak.errors import InputError
from quantleak.theory.exact.losses import exact_losses


def test_rounding_neither_breaks_nor_makes_a_tie():
    rows = list(itertools.permutations([0.1, 0.2, 0.7]))
    assert exact_losses(rows).minimisers(np.array([[7, 7, 7], [10, 10, 10]])).all()
    close = exact_losses([[2**60, 0], [0, 2**60 - 1]])
    assert close.minimisers(np.array([[3, 3]])).tolist() == [[False, True]]


@given(
    rows=st.lists(st.lists(st.fractions(-5, 5, max_denominator=30), min_size=3, max_size=3), min_size=1, max_size=5),
    counts=st.lists(st.integers(0, 9), min_size=3, max_size=3),
)
def test_minimisers_are_those_of_the_fractions(rows, counts):
    risks = [sum(c * x for c, x in zip(counts, row, strict=True)) for row in rows]
    found = exact_losses(rows).minimisers(np.array([counts]))[0]
    assert found.tolist() == [risk == min(risks) for risk in risks]


@given(
    rows=st.lists(st.lists(st.floats(-1e300, 1e300), min_size=2, max_size=2), min_size=2, max_size=4),
    counts=st.lists(st.integers(0, 50), min_size=2, max_size=2),
)
def test_floats_are_the_binary_fractions_that_they_are(rows, counts):
    risks = [sum(c * Fraction(x) for c, x in zip(counts, row, strict=True)) for row in rows]
    found = exact_losses(rows).minimisers(np.array([counts]))[0]
    assert found.tolist() == [risk == min(risks) for risk in risks]


@pytest.mark.parametrize(
    ("losses", "match"), [([0, 1], "must be a table"), ([[0, math.nan]], "got nan"), ([[]], "table")]
)
def test_what_is_no_table_of_finite_numbers_is_refused(losses, match):
    with pytest.raises(InputError, match=match):
        exact_losses(losses)
