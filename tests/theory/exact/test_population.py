"""The table of a whole population has the moments of its distribution."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quantleak.errors import InputError
from quantleak.theory.exact import population_table


@st.composite
def problems(draw):
    elements, examples = draw(st.integers(2, 6)), draw(st.integers(2, 4))
    table = draw(arrays(np.int64, (elements, examples), elements=st.integers(0, 5)))
    weights = draw(st.lists(st.integers(1, 6), min_size=examples, max_size=examples))
    return table, [Fraction(w, sum(weights)) for w in weights], draw(st.integers(1, 25))


@given(problem=problems())
@settings(max_examples=40)
def test_the_populations_table_has_its_moments(problem):
    losses, p, _ = problem
    table, weights = population_table(losses, p), np.array([float(x) for x in p])
    np.testing.assert_allclose(table.mean(1), losses @ weights)
    np.testing.assert_allclose(table.var(1), losses**2 @ weights - (losses @ weights) ** 2, atol=1e-9)


@pytest.mark.parametrize(("p", "match"), [([0.5], "one probability"), ([math.pi / 4, 1 - math.pi / 4], "fractions")])
def test_a_population_needs_fractions(p, match):
    with pytest.raises(InputError, match=match):
        population_table([[0, 1]], p)
