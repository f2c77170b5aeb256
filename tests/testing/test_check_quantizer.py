"""The suite passes our own quantizers and finds each fault that one can build in."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from quantleak.quantizers import PAPER_A, Codebook, Quantizer, Sign
from quantleak.testing import check_quantizer

IDEMPOTENT = ("sign", "ternary:0.33", "ternary:0.5", "ternary:0.9", "identity")
MORE = ("uniform:1", "uniform:3?saturate=true", "codebook:3", "codebook:4?dim=3")


@pytest.mark.parametrize("spec", [*PAPER_A, *MORE])
def test_our_own_pass(spec: str) -> None:
    check_quantizer(spec, idempotent=spec in IDEMPOTENT)


def test_a_given_codebook_passes() -> None:
    check_quantizer(Codebook(entries=[-1.0, 0.0, 1.0]), idempotent=True)


@dataclass(frozen=True, kw_only=True)
class Faulty(Sign):
    """Sign with a fault to choose."""

    fault: str

    @property
    def spec(self) -> str:
        return self.fault

    def __call__(self, weight: torch.Tensor, batch_dims: int = 0) -> torch.Tensor:
        if self.fault == "accepts everything":
            return (torch.nan_to_num(weight.detach()).ge(0) * 2 - 1).to(weight.dtype)
        if self.fault == "lets a gradient through":
            return super().__call__(weight, batch_dims) + 0 * weight.sum()
        return super().__call__(weight, batch_dims)

    def apply(self, weight: torch.Tensor) -> torch.Tensor:
        signs = super().apply(weight)
        if self.fault == "draws":
            return signs * torch.rand(1).sign()
        if self.fault == "changes its argument":
            return weight.zero_()
        if self.fault == "returns its argument":
            return weight
        if self.fault == "widens":
            return signs.double()
        if self.fault == "off its grid":
            return signs * 0.5
        if self.fault == "mixes models":
            return signs * (1 if weight.mean() >= 0 else -1)
        return signs

    def levels(self, weight: torch.Tensor, batch_dims: int = 0) -> torch.Tensor:
        levels = super().levels(weight, batch_dims)
        return levels.flip(-1) if self.fault == "levels descend" else levels

    def effective_bits(self, shape: tuple[int, ...]) -> float:
        return float("nan") if self.fault == "no bits" else 1.0


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("draws", "draws from torch's random numbers"),
        ("changes its argument", "changes its argument"),
        ("returns its argument", "its argument's own memory"),
        ("lets a gradient through", "lets a gradient through"),
        ("widens", "must keep shape, dtype and device"),
        ("off its grid", "values that its levels lack"),
        ("mixes models", "beside others than alone"),
        ("levels descend", "must ascend"),
        ("no bits", "finite number of bits"),
        ("accepts everything", "must refuse weights with nan"),
    ],
)
def test_a_fault_is_told_in_words(fault: str, told: str) -> None:
    with pytest.raises(AssertionError, match=told) as caught:
        check_quantizer(Faulty(fault=fault))
    assert fault in str(caught.value)


def test_a_claim_of_idempotence_is_checked() -> None:
    with pytest.raises(AssertionError, match="not idempotent"):
        check_quantizer("uniform:3", idempotent=True)


def test_a_class_that_changes_is_told() -> None:
    class Mutable(Quantizer):
        name = "mutable"

        def apply(self, weight: torch.Tensor) -> torch.Tensor:
            return weight

        def levels(self, weight: torch.Tensor, batch_dims: int = 0) -> torch.Tensor:
            return weight

        def effective_bits(self, shape: tuple[int, ...]) -> float:
            return 1.0

        def __reduce__(self) -> tuple[type, tuple[()]]:
            return Sign, ()

    with pytest.raises((AssertionError, TypeError), match="pickling|dataclass"):
        check_quantizer(Mutable())
