"""Per-sample losses against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from quantleak.fleet.objective import LOSSES, outputs_of, target_dtype

REFERENCE = {
    "binary": lambda z, y: functional.binary_cross_entropy_with_logits(z[..., 0], y.float(), reduction="none"),
    "multiclass": lambda z, y: functional.cross_entropy(z, y, reduction="none"),
    "regression": lambda z, y: functional.mse_loss(z[..., 0], y, reduction="none"),
}


@pytest.mark.parametrize("task", LOSSES)
@pytest.mark.parametrize("models", [(), (3,), (2, 3)])
def test_they_are_torchs_for_any_number_of_models(task, models):
    generator = torch.Generator().manual_seed(0)
    outputs = 5 * torch.randn(*models, 7, outputs_of(task, 4), generator=generator)
    targets = torch.randint(0, 4 if task == "multiclass" else 2, (7,), generator=generator).to(target_dtype(task))
    found = LOSSES[task](outputs, targets)
    assert found.shape == (*models, 7)
    for losses, model in zip(found.reshape(-1, 7), outputs.reshape(-1, *outputs.shape[-2:]), strict=True):
        torch.testing.assert_close(losses, REFERENCE[task](model, targets))


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_huge_logits_have_finite_losses(task):
    outputs = torch.tensor([[1e30, -1e30], [-1e30, 1e30]])[:, : outputs_of(task, 2)]
    targets = torch.tensor([1, 0]).to(target_dtype(task))
    assert torch.isfinite(LOSSES[task](outputs, targets)).all()
