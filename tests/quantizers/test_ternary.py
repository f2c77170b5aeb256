from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quantleak.errors import InputError
from quantleak.quantizers import Ternary, quantizer
from quantleak.quantizers.ternary import order_statistic

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
few_values = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 3.5])
weights = arrays(np.float32, st.integers(1, 40), elements=few_values | st.floats(-9, 9, width=32))


def by_counting(weight: list[float], share: float) -> list[float]:
    """Oracle: a weight becomes 0 if it is 0 or if it and all its equals are among the k smallest."""
    k = round(share * len(weight))
    sign = {True: 1.0, False: -1.0}
    return [0.0 if w == 0 or sum(abs(v) <= abs(w) for v in weight) <= k else sign[w > 0] for w in weight]


@given(weight=weights, share=st.floats(0, 1))
def test_the_smallest_become_zero_and_ties_stay_together(weight, share):
    ours = Ternary(share=share)(torch.from_numpy(weight)).tolist()
    assert ours == by_counting(weight.tolist(), share)


@given(size=st.integers(1, 60), share=st.floats(0, 1), seed=st.integers(0, 99))
def test_exactly_k_zeros_without_ties(size, share, seed):
    weight = torch.randperm(size, generator=torch.Generator().manual_seed(seed)) + 1.0
    assert int((Ternary(share=share)(weight) == 0).sum()) == round(share * size)


@pytest.mark.parametrize("share", [0.33, 0.5, 0.9])
def test_equal_magnitudes_keep_their_sign(share):
    weight = torch.tensor([2.0, -2.0] * 4)
    assert torch.equal(Ternary(share=share)(weight), weight.sign())


def test_half_of_a_weight_rounds_to_even():
    assert Ternary(share=0.5)(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])).tolist() == [0, 0, 1, 1, 1]
    assert Ternary(share=0.5)(torch.tensor([1.0, 2.0, 3.0])).tolist() == [0, 0, 1]


@pytest.mark.parametrize("dtype", DTYPES)
def test_order_statistic_is_the_sorted_entry(dtype):
    magnitude = torch.randn(7, 33, generator=torch.Generator().manual_seed(0)).abs().to(dtype)
    for rank in (0, 5, 32):
        assert torch.equal(order_statistic(magnitude, rank), magnitude.double().sort(-1).values[:, rank].to(dtype))


def test_off_the_cpu_the_order_statistic_is_torch_s():
    assert order_statistic(torch.empty(3, 4, device="meta"), 2).shape == (3,)


def test_subnormal_weights_are_told_apart():
    weight = torch.tensor([1e-45, -3e-45, 1e-38, 0.0])
    assert Ternary(share=0.5)(weight).tolist() == [0, -1, 1, 0]


@pytest.mark.parametrize("spec", ["ternary:90", "ternary:-0.1", "ternary:nan"])
def test_a_share_beyond_one_says_what_to_write(spec):
    with pytest.raises(InputError, match=r"write 'ternary:0\.9'"):
        quantizer(spec)
