"""What calling any quantizer checks before its rule runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from quantleak.errors import InputError
from quantleak.quantizers import Quantizer
from quantleak.quantizers.base import batch_shape


@dataclass(frozen=True, kw_only=True)
class Largest(Quantizer):
    """Every weight becomes the largest of its model."""

    name = "largest"

    def apply(self, weight: Tensor) -> Tensor:
        return weight.amax(dim=tuple(range(1, weight.ndim)), keepdim=True).expand(weight.shape).clone()

    def levels(self, weight: Tensor, batch_dims: int = 0) -> Tensor:
        return weight.flatten(batch_dims).amax(-1, keepdim=True)

    def effective_bits(self, shape: tuple[int, ...]) -> float:
        return 0.0


def test_leading_axes_count_models():
    weight = torch.arange(24.0).reshape(2, 3, 4)
    for dims in range(4):
        whole = Largest()(weight, batch_dims=dims)
        assert whole.shape == weight.shape
        expected = weight.flatten(dims).amax(-1) if dims < 3 else weight
        assert torch.equal(whole.flatten(dims)[..., 0] if dims < 3 else whole, expected)


def test_arrays_are_taken_and_no_gradient_flows():
    assert Largest()(np.array([1.0, 2.0], dtype=np.float32)).tolist() == [2.0, 2.0]
    assert not Largest()(torch.ones(2, requires_grad=True)).requires_grad
    assert Largest()(torch.empty(0, 3)).shape == (0, 3)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (torch.tensor([1, 2]), "must be a floating-point tensor, got torch.int64; try weight.float"),
        (torch.tensor([0.0, torch.nan]), r"1 NaN value, first at index \(1,\)"),
        (torch.tensor([[0.0], [torch.inf], [-torch.inf]]), r"2 infinite values, first at index \(1, 0\)"),
        (torch.eye(2).to_sparse(), "must be a dense tensor"),
    ],
)
def test_unusable_weights_are_refused(weight, message):
    with pytest.raises(InputError, match=message):
        Largest()(weight)


def test_finite_weights_whose_sum_overflows_are_taken():
    weight = torch.full((4,), 3e38)
    assert torch.equal(Largest()(weight), weight)


@pytest.mark.parametrize("dims", [-1, 3])
def test_more_batch_axes_than_axes_are_refused(dims):
    with pytest.raises(InputError, match="between 0 and 2"):
        batch_shape(torch.zeros(2, 2), dims)
