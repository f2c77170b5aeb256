"""One loss for each example, or advice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from quantleak.errors import InputError
from quantleak.trajectory.losses import per_sample

Y = torch.tensor([0, 1, 1, 0])


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
@pytest.mark.parametrize("column", [False, True])
def test_named_losses_equal_torchs(shape: tuple[int, ...], column: bool) -> None:
    outputs, targets = torch.randn(shape), Y[:, None] if column else Y
    flat = outputs.reshape(4)
    expected = functional.binary_cross_entropy_with_logits(flat, Y.float(), reduction="none")
    torch.testing.assert_close(per_sample("binary")(outputs, targets), expected)
    torch.testing.assert_close(per_sample("regression")(outputs, targets.double()), (flat - Y).square())


def test_multiclass_equals_torchs() -> None:
    outputs = torch.randn(4, 3)
    expected = functional.cross_entropy(outputs, Y, reduction="none")
    torch.testing.assert_close(per_sample("multiclass")(outputs, Y.int()), expected)


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(reduction="none"), nn.CrossEntropyLoss(reduction="none").cpu()])
def test_torchs_own_losses_unreduced(loss: nn.Module) -> None:
    outputs = torch.randn(4, 3)
    assert torch.equal(per_sample(loss)(outputs, Y), loss(outputs, Y))


def test_one_column_is_taken_as_it_is_meant() -> None:
    loss = nn.BCEWithLogitsLoss(reduction="none")
    assert per_sample(loss)(torch.randn(4, 1), Y[:, None].float()).shape == (4,)


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(), nn.MSELoss(reduction="sum")])
def test_a_loss_that_reduces_is_refused_at_once(loss: nn.Module) -> None:
    with pytest.raises(InputError, match=rf'{type(loss).__name__}\(reduction="none"\)'):
        per_sample(loss)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (functional.cross_entropy, 'one number for the whole batch.*reduction="none"'),
        (lambda outputs, targets: outputs, r"each of the 4 examples .* shape \(4, 3\).*flatten\(1\).mean\(1\)"),
        (lambda outputs, targets: outputs[:3, 0], r"shape \(3,\)"),
        (lambda outputs, targets: 1.0, "got float"),
    ],
)
def test_losses_of_a_function_are_checked(loss: Callable[[Tensor, Tensor], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        per_sample(loss)(torch.randn(4, 3), Y)


@pytest.mark.parametrize(
    ("name", "outputs", "targets", "message"),
    [
        ("binary", torch.zeros(4, 2), Y, "For one logit a class use loss='multiclass'"),
        ("regression", torch.zeros(4, 2), Y, r"takes outputs \[B\] or \[B, 1\]"),
        ("multiclass", torch.zeros(4), Y, r"takes outputs \[B, classes\]"),
        ("multiclass", torch.zeros(3, 2), Y, r"got shapes \(3, 2\) and \(4,\)"),
        ("binary", torch.zeros(4), Y + 1, "takes labels 0 to 1, got labels from 1 to 2"),
        ("multiclass", torch.zeros(4, 2), Y - 100, "takes labels 0 to 1, got labels from -100 to -99"),
        ("binary", {"a": 1}, Y, "needs outputs and targets as tensors, got dict.*forward="),
    ],
)
def test_outputs_that_do_not_fit_are_explained(name: str, outputs: Any, targets: Tensor, message: str) -> None:
    with pytest.raises(InputError, match=message):
        per_sample(name)(outputs, targets)


def test_an_unknown_name_says_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean 'binary'"):
        per_sample("binray")
