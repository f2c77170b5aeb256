from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from quantleak.ptq import Elementwise
from quantleak.ptq.modules.layout import Layout, state
from quantleak.quantizers import PAPER_A, quantizer


def module() -> nn.Module:
    made = nn.Sequential(nn.Conv1d(2, 3, 2), nn.BatchNorm1d(3), nn.Flatten(), nn.Linear(9, 2))
    made(torch.randn(8, 2, 4))
    return made


@pytest.mark.parametrize("spec", PAPER_A[:-1])
def test_weights_are_quantized_each_by_itself_and_the_rest_rounded(spec: str) -> None:
    made = module()
    layout, q = Layout.of(made), quantizer(spec)
    flat = layout.flatten(state(made))
    for name, view in layout.views(Elementwise(rule=q).quantize_flat(layout, flat)).items():
        original = state(made)[name].detach()
        expected = q(original) if original.ndim >= 2 else original.bfloat16().float()
        assert torch.equal(view, expected), name


@pytest.mark.parametrize("spec", PAPER_A[:-1])
def test_many_models_and_epochs_at_once_are_the_same_as_one_by_one(spec: str) -> None:
    made = module()
    layout, q = Layout.of(made), quantizer(spec)
    flat = torch.randn(3, 4, layout.size)
    rule = Elementwise(rule=q, unquantized_dtype="float16")
    together = rule.quantize_flat(layout, flat)
    for model in range(3):
        for epoch in range(4):
            assert torch.equal(together[model, epoch], rule.quantize_flat(layout, flat[model, epoch]))


def test_the_original_stays_as_it_is() -> None:
    layout = Layout.of(module())
    flat = torch.randn(layout.size)
    assert torch.equal(Elementwise(rule=quantizer("identity")).quantize_flat(layout, flat), flat)


def test_bits_count_everything_that_is_stored() -> None:
    layer = nn.Linear(10, 3)
    assert Elementwise(rule=quantizer("identity")).effective_bits(layer) == 32
    assert Elementwise(rule=quantizer("ternary:0.5")).effective_bits(layer) == pytest.approx(
        (30 * math.log2(3) + 3 * 16) / 33
    )
