"""The suite passes our own procedures and finds each fault that one can build in."""

from __future__ import annotations

import copy
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from quantleak.ptq import Elementwise, Procedure, register
from quantleak.ptq.registry import PROCEDURES
from quantleak.quantizers import PAPER_A, quantizer
from quantleak.testing import check_procedure

MORE = ("uniform:3?saturate=true&axis=0", "codebook:3")


@pytest.mark.parametrize("spec", [*PAPER_A, *MORE])
def test_every_quantizer_on_every_weight_passes(spec: str) -> None:
    check_procedure(spec)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_whatever_the_rest_is_rounded_to(dtype: str) -> None:
    check_procedure(Elementwise(rule=quantizer("sign"), unquantized_dtype=dtype))


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PROCEDURES, "kinds", {})
    register("faulty")(Faulty)


@dataclass(frozen=True, kw_only=True)
class Faulty(Procedure):
    """Rounds to bfloat16, with a fault to choose."""

    fault: str = "none"
    positional: ClassVar[tuple[str, ...]] = ("fault",)
    discrete: ClassVar[bool] = True

    @property
    def calibration_rows(self) -> int:
        return 8 if self.fault == "takes none" else 0

    @property
    def is_baseline(self) -> bool:
        return self.fault == "claims baseline"

    @torch.no_grad()
    def quantize(self, model: nn.Module, calibration: Tensor | None, seed: int) -> nn.Module:
        made = model if self.fault == "in place" else copy.deepcopy(model).eval()
        if self.fault == "stays in training":
            made.train()
        if self.fault == "shares":
            made[0].weight = model[0].weight
        if self.fault == "draws":
            made[0].weight += torch.randn(())
        if self.fault == "unseeded":
            made[0].weight += torch.randn((), generator=torch.Generator().manual_seed(self._next()))
        if self.fault == "reads rows" and calibration is not None:
            made[0].weight += calibration.mean()
        if self.fault == "keeps an attribute":
            scale = float(made[0].weight.mean())
            made.register_forward_hook(lambda module, inputs, outputs: outputs * scale)
        if self.fault != "shares":
            for tensor in made.parameters():
                tensor.copy_(tensor.bfloat16())
        return made

    def _next(self) -> int:
        counts.append(0)
        return len(counts)

    def effective_bits(self, quantized: nn.Module, constants: Collection[str] = ()) -> float:
        return float("nan") if self.fault == "no bits" else 16.0


counts: list[int] = []


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("in place", "changes the trained module"),
        ("stays in training", "must return a module in evaluation mode"),
        ("shares", "returns the trained module's own memory"),
        ("draws", "draws from global random numbers"),
        ("unseeded", "makes another model from the same module, rows and seed"),
        ("reads rows", "says that it reads no data"),
        ("takes none", "must refuse None"),
        ("keeps an attribute", "restored from its tensors predicts otherwise"),
        ("claims baseline", "predictions are not those of the trained module"),
        ("no bits", "finite number of bits"),
    ],
)
def test_each_fault_is_found(fault: str, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        check_procedure(Faulty(fault=fault))


def test_without_a_fault_it_passes() -> None:
    check_procedure("faulty")
