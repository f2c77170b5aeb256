"""Which probabilities and numbers of examples are accepted."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from quantleak.errors import InputError
from quantleak.theory.exact.distribution import distribution


def test_fractions_and_floats_become_float64():
    found = distribution([Fraction(1, 3), Fraction(2, 3)], 4)
    assert (found.dtype, found.tolist()) == (np.float64, pytest.approx([1 / 3, 2 / 3]))


@pytest.mark.parametrize(
    ("p", "n", "match"),
    [
        ([0.5, 0.4], 1, "sum to 0.9"),
        ([1.5, -0.5], 1, "probability 0"),
        ([1.0, 0.0], 1, "leave out examples of probability 0"),
        ([math.nan, 1.0], 1, "sum to nan"),
        ([[1.0]], 1, "one axis"),
        ([0.5, 0.5], 0, "positive whole number, got 0"),
    ],
)
def test_what_is_no_distribution_is_refused(p, n, match):
    with pytest.raises(InputError, match=match):
        distribution(p, n)
