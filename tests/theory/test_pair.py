from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quantleak.errors import InputError
from quantleak.theory.pair import pair

rows = arrays(np.float64, 6, elements=st.floats(-1e300, 1e300) | st.floats(-4, 4) | st.floats(1e8, 1e8 + 1e-5))


@given(one=rows, two=rows)
def test_moments_are_those_of_the_fractions(one, two):
    assume((one != two).any())
    d = [Fraction(a) - Fraction(b) for a, b in zip(one.tolist(), two.tolist(), strict=True)]
    mean = sum(d) / 6
    variance = sum((x - mean) ** 2 for x in d) / 6
    found = pair(torch.from_numpy(one), torch.from_numpy(two))
    unit = Fraction(2) ** found.exponent
    assert found.mean == pytest.approx(float(mean / unit), rel=1e-15, abs=0)
    largest = float(max(abs(x) for x in d) / unit)
    spread = math.sqrt(variance / unit**2)
    rounding = 1e-15 * largest * spread + 1e-30 * largest**2  # each difference is rounded once
    assert found.variance == pytest.approx(spread**2, rel=1e-12, abs=rounding)
    assert (found.total > 0) - (found.total < 0) == (sum(d) > 0) - (sum(d) < 0)


def test_differences_beyond_float64_are_refused():
    with pytest.raises(InputError, match="divide all of them by a constant"):
        pair(torch.tensor([1e308], dtype=torch.float64), torch.tensor([-1e308], dtype=torch.float64))
