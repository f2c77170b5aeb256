"""Per-sample losses by name or by a function of the user's, checked to be one for each example."""

from __future__ import annotations

from collections.abc import Callable, Sized
from functools import partial
from typing import Any

import torch
from torch import Tensor

from quantleak.errors import InputError, nearest
from quantleak.fleet import LOSSES, target_dtype
from quantleak.fleet.objective import Task

Loss = Callable[[Any, Any], Tensor]


def per_sample(loss: str | Callable[[Any, Any], Any]) -> Loss:
    """The loss as a function (outputs, targets) -> losses float32 [B], one for each example.

    Args:
        loss: `binary`, `multiclass` or `regression` (cross-entropies in nats, squared error), or a function such as
            `nn.CrossEntropyLoss(reduction="none")`.

    Raises:
        InputError: Unknown name, or a loss that reduces; the losses it returns raise later if they do not fit.
    """
    if not isinstance(loss, str):
        reduction = getattr(loss, "reduction", "none")
        if reduction != "none":
            raise InputError(
                f'{type(loss).__name__} has reduction="{reduction}": one number for a whole batch. r_Q needs the loss '
                f'of each example: {type(loss).__name__}(reduction="none").'
            )
        return partial(_own, loss)
    for task in LOSSES:
        if loss == task:
            return partial(_named, task)
    raise InputError(
        f"loss='{loss}' is not one of {', '.join(LOSSES)}.{nearest(loss, LOSSES)} Or give a function (outputs, "
        "targets) -> the loss of each example."
    )


def _own(loss: Callable[[Any, Any], Any], outputs: Any, targets: Any) -> Tensor:
    """Losses [B] of a user's function."""
    losses = loss(outputs, targets)
    if not isinstance(losses, Tensor):
        raise InputError(f"loss(outputs, targets) must return a tensor of losses [B], got {type(losses).__name__}.")
    if losses.ndim == 0:
        raise InputError(
            "loss(outputs, targets) returned one number for the whole batch. r_Q needs the loss of each example: give "
            'a loss with reduction="none".'
        )
    counted = isinstance(targets, Sized) and not (isinstance(targets, Tensor) and targets.ndim == 0)
    examples = len(targets) if counted else len(losses)
    if losses.ndim == 2 and losses.shape[1] == 1:
        losses = losses[:, 0]
    if losses.ndim != 1 or len(losses) != examples:
        raise InputError(
            f"loss(outputs, targets) must return one loss for each of the {examples} examples of a batch, got shape "
            f"{tuple(losses.shape)}; average what belongs to one example, as in losses.flatten(1).mean(1)."
        )
    return losses.float()


def _named(task: Task, outputs: Any, targets: Any) -> Tensor:
    """Losses [B] of a task, with outputs [B] or [B, outputs] and targets [B] or [B, 1]."""
    if not isinstance(outputs, Tensor) or not isinstance(targets, Tensor):
        raise InputError(
            f"loss='{task}' needs outputs and targets as tensors, got {type(outputs).__name__} and "
            f"{type(targets).__name__}; give TrajectoryTracker(forward=...), a function (model, batch) -> (outputs, "
            "targets)."
        )
    targets = targets.squeeze(-1) if targets.ndim == 2 else targets
    outputs = outputs.unsqueeze(-1) if outputs.ndim == 1 and task != "multiclass" else outputs
    fits = outputs.ndim == 2 and targets.ndim == 1 and len(outputs) == len(targets)
    if not fits or (task != "multiclass" and outputs.shape[1] != 1):
        wanted = "[B, classes]" if task == "multiclass" else "[B] or [B, 1]"
        hint = " For one logit a class use loss='multiclass'." if task == "binary" else ""
        raise InputError(
            f"loss='{task}' takes outputs {wanted} and targets [B], got shapes {tuple(outputs.shape)} and "
            f"{tuple(targets.shape)}.{hint}"
        )
    _refuse_other_labels(task, targets, outputs.shape[1])
    return LOSSES[task](outputs.float(), targets.to(target_dtype(task))).float()


def _refuse_other_labels(task: Task, targets: Tensor, classes: int) -> None:
    top = {"binary": 1, "multiclass": classes - 1}.get(task)
    if top is None or not len(targets):
        return
    low, high = (float(value) for value in torch.aminmax(targets))
    if low < 0 or high > top:
        raise InputError(f"loss='{task}' takes labels 0 to {top}, got labels from {low:g} to {high:g}.")
