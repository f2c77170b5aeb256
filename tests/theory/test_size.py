from __future__ import annotations

import math

import numpy as np
import pytest

from quantleak import InputError
from quantleak.theory.size import training_examples


@pytest.mark.parametrize("n", [7, 7.0, np.int64(7), np.float32(7)])
def test_whole_numbers_of_any_kind(n):
    assert training_examples(n) == 7


@pytest.mark.parametrize("n", [0, -3, 1.5, math.nan, math.inf, "seven", None, 2**62 + 1, 10**400])
def test_everything_else_is_refused(n):
    with pytest.raises(InputError, match="a positive whole number, got"):
        training_examples(n)
