"""The LOSS attack returns the signal itself."""

from __future__ import annotations

import numpy as np
import pytest

from quantleak.attacks import loss_attack
from quantleak.errors import InputError


def test_scores_are_the_signal_in_float64():
    signal = np.random.default_rng(0).normal(size=(3, 7)).astype(np.float32)
    found = loss_attack(signal)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, signal)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200])
def test_values_that_are_no_signal_are_refused(bad):
    with pytest.raises(InputError, match=r"target has 1 .* the first at index \(0, 1\)"):
        loss_attack(np.array([[0.0, bad]]))
