"""What every procedure must be: from a trained module and a seed to a module that its own tensors rebuild."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from quantleak.ptq import Elementwise, Layout, Procedure, digest, procedure
from quantleak.ptq.modules.layout import state
from quantleak.testing.expect import expect, expect_refusal

EXAMPLES = 16
"""Inputs on which predictions are compared."""


def small_module() -> nn.Module:
    """A convolution with a norm, a linear layer, and a buffer of whole numbers; inputs are `[N, 2, 6]`."""
    first = (nn.Conv1d(2, 3, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Flatten())
    return nn.Sequential(*first, _Permuted(12), nn.Linear(12, 3))


class _Permuted(nn.Module):
    """Puts features into another order, which a buffer holds."""

    order: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("order", torch.randperm(width))

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs[:, self.order]


def check_procedure(
    rule: str | Procedure, make: Callable[[], nn.Module] = small_module, input_shape: tuple[int, ...] = (2, 6)
) -> None:
    """Check a procedure on two small modules.

    Args:
        rule: A procedure or its spec.
        make: Builds a module with torch's random numbers, the same architecture each time.
        input_shape: Shape of one example.

    Raises:
        AssertionError: Saying what it does wrong.
        InputError: If there is no procedure of this spec.

    Example:
        >>> check_procedure("ternary:0.5")
    """
    one = rule if isinstance(rule, Procedure) else procedure(rule)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        models = [make(), make()]
        rows = torch.randn(max(one.calibration_rows, EXAMPLES), *input_shape)
        _warm_up(models, rows)
    calibration = rows[: one.calibration_rows] if one.calibration_rows else None
    _check_record(one)
    probe = rows[:EXAMPLES]
    for model in models:
        _check_pure(one, model, calibration, probe)
        _check_restored(one, model, models, calibration, probe)
    _check_calibration(one, models[0], rows)
    if isinstance(one, Elementwise):
        _check_batch(one, models)
    if one.is_baseline:
        same = torch.equal(one.quantize(models[0], calibration, 0)(probe), models[0].eval()(probe))
        expect(same, f"{one.spec} is the baseline, but its predictions are not those of the trained module.")


def _warm_up(models: list[nn.Module], rows: Tensor) -> None:
    """Give norms other statistics than those they begin with."""
    for model in models:
        with torch.no_grad():
            model.train()(rows)


def _check_record(one: Procedure) -> None:
    copied = pickle.loads(pickle.dumps(one))
    expect(hash(one) == hash(copied), f"{one.spec} does not survive pickling; workers need that.")
    expect(one == copied, f"{one.spec} is not equal to a copy of itself; use a frozen dataclass.")
    again = procedure(one.spec, one.unquantized_dtype)
    expect(again == one, f"{one.spec} is not what its spec describes: that is {again}.")
    expect(one.calibration_rows >= 0, f"{one.spec}.calibration_rows must be at least 0, got {one.calibration_rows}.")


def _check_pure(one: Procedure, model: nn.Module, calibration: Tensor | None, probe: Tensor) -> None:
    for training in (True, False):
        model.train(training)
        before, drawn = _everything(model), _generators()
        inputs = None if calibration is None else calibration.clone()
        made = one.quantize(model, inputs, 5)
        expect(_everything(model) == before, f"{one.spec} changes the trained module; work on a copy.")
        expect(_generators() == drawn, f"{one.spec} draws from global random numbers, or seeds them; use its seed.")
        if inputs is not None and calibration is not None:
            expect(torch.equal(inputs, calibration), f"{one.spec} changes its calibration rows; work on a copy.")
        expect(not made.training, f"{one.spec} must return a module in evaluation mode.")
    bits = one.effective_bits(made)
    expect(0 < bits < math.inf, f"{one.spec}.effective_bits must be a finite number of bits, got {bits}.")
    again = one.quantize(model, calibration, 5)
    expect(digest(made) == digest(again), f"{one.spec} makes another model from the same module, rows and seed.")
    expect(torch.equal(made(probe), again(probe)), f"{one.spec}: models with equal digests predict differently.")
    expect(
        torch.equal(made(probe), made(probe)), f"{one.spec}: a quantized model predicts otherwise when called again."
    )
    with torch.no_grad():
        for tensor in state(made).values():
            tensor.zero_()
    expect(_everything(model) == before, f"{one.spec} returns the trained module's own memory; work on a copy.")


def _check_restored(
    one: Procedure, model: nn.Module, models: list[nn.Module], calibration: Tensor | None, probe: Tensor
) -> None:
    made = one.quantize(model, calibration, 5)
    saved = {name: tensor.detach().clone() for name, tensor in state(made).items()}
    for other in models:
        before = _everything(other)
        restored = one.restored(other, saved)
        expect(_everything(other) == before, f"{one.spec}.restored changes the module that it is given.")
        expect(digest(restored) == digest(made), f"{one.spec}: a model restored from its tensors has another digest.")
        same = torch.equal(restored(probe), made(probe))
        expect(
            same, f"{one.spec}: a model restored from its tensors predicts otherwise; all that counts must be in them."
        )


def _check_calibration(one: Procedure, model: nn.Module, rows: Tensor) -> None:
    if one.calibration_rows:
        message = f"{one.spec} reads {one.calibration_rows} calibration rows, and must refuse None: raise InputError."
        expect_refusal(partial(one.quantize, model, None, 0), message)
        expect(not one.is_baseline, f"{one.spec} cannot be the baseline: it reads training data.")
    else:
        same = digest(one.quantize(model, None, 0)) == digest(one.quantize(model, rows, 0))
        expect(same, f"{one.spec} says that it reads no data, but its models depend on the calibration rows.")


def _check_batch(one: Elementwise, models: list[nn.Module]) -> None:
    layout = Layout.of(models[0], exact=True)
    flat = torch.stack([layout.flatten(state(model)) for model in models])
    together = one.quantize_flat(layout, torch.stack([flat, flat]))
    for row, model in zip(together[1], models, strict=True):
        alone = layout.flatten(state(one.quantize(model)))
        expect(torch.equal(row, alone), f"{one.spec} makes another model beside others than alone.")


def _everything(model: nn.Module) -> tuple[Any, ...]:
    """All tensors of a module byte by byte, gradients, modes and hooks."""
    tensors = {
        name: (tensor.dtype, tensor.requires_grad, tensor.detach().numpy().tobytes(), tensor.grad is None)
        for name, tensor in state(model).items()
    }
    return tensors, [(name, part.training, len(part._forward_hooks)) for name, part in model.named_modules()]


def _generators() -> tuple[Any, ...]:
    # Not that of Python: checkers of types draw from it.
    name, keys, *rest = np.random.get_state(legacy=True)
    return torch.get_rng_state().tolist(), name, np.asarray(keys).tolist(), rest
