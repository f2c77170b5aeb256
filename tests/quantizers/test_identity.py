"""The full-precision baseline leaves every weight as it is."""

from __future__ import annotations

import pytest
import torch

from quantleak.errors import InputError
from quantleak.quantizers import BASELINE, quantizer


def test_it_returns_a_copy():
    rule, weight = quantizer(BASELINE), torch.randn(3, 4)
    found = rule(weight)
    assert torch.equal(found, weight)
    assert found.data_ptr() != weight.data_ptr()


def test_it_is_the_baseline_and_has_no_discrete_set():
    rule = quantizer(BASELINE)
    assert (rule.is_baseline, rule.discrete, rule.effective_bits((3, 4))) == (True, False, 32.0)
    with pytest.raises(InputError, match="no finite list of levels; take a quantizer such as"):
        rule.levels(torch.zeros(2))
