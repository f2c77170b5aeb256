from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from quantleak.models import Layout
from quantleak.models.layout import state
from quantleak.ptq.elementwise import effective_bits, element
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
    for name, view in layout.views(element(q, layout, flat, "bfloat16")).items():
        original = state(made)[name].detach()
        expected = q(original) if original.ndim >= 2 else original.bfloat16().float()
        assert torch.equal(view, expected), name


@pytest.mark.parametrize("spec", PAPER_A[:-1])
def test_many_models_and_epochs_at_once_are_the_same_as_one_by_one(spec: str) -> None:
    made = module()
    layout, q = Layout.of(made), quantizer(spec)
    flat = torch.randn(3, 4, layout.size)
    together = element(q, layout, flat, "float16")
    for model in range(3):
        for epoch in range(4):
            assert torch.equal(together[model, epoch], element(q, layout, flat[model, epoch], "float16"))


def test_the_original_stays_as_it_is() -> None:
    layout = Layout.of(module())
    flat = torch.randn(layout.size)
    assert torch.equal(element(quantizer("identity"), layout, flat, "bfloat16"), flat)


def test_bits_count_everything_that_is_stored() -> None:
    layout = Layout.of(nn.Linear(10, 3))
    assert effective_bits(quantizer("identity"), layout, "bfloat16") == 32
    assert effective_bits(quantizer("ternary:0.5"), layout, "bfloat16") == pytest.approx(
        (30 * math.log2(3) + 3 * 16) / 33
    )
