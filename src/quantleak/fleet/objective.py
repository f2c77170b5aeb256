"""Per-sample losses and the task they belong to: pure functions of a network's outputs.

Shapes: outputs `[..., examples, outputs]` (logits, or one standardised prediction), targets `[examples]`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float, Num
from torch import Tensor
from torch.nn import functional

Task = Literal["binary", "multiclass", "regression"]
Loss = Callable[[Tensor, Tensor], Tensor]


def outputs_of(task: Task, classes: int) -> int:
    """How many outputs a network needs: a logit for binary, one per class for multiclass, a value for regression."""
    return classes if task == "multiclass" else 1


def binary_cross_entropy(
    outputs: Float[Tensor, "*models examples outputs"], targets: Num[Tensor, " examples"]
) -> Float[Tensor, "*models examples"]:
    """`-ln p_y = softplus(-(2 y - 1) z)` in nats, `[..., examples]`; targets are 0 or 1."""
    return functional.softplus(outputs[..., 0] * (1 - 2 * targets))


def cross_entropy(
    outputs: Float[Tensor, "*models examples outputs"], targets: Num[Tensor, " examples"]
) -> Float[Tensor, "*models examples"]:
    """`-ln p_y = logsumexp(z) - z_y` in nats, `[..., examples]`; targets are class numbers."""
    index = targets.expand(outputs.shape[:-1]).unsqueeze(-1)
    return torch.logsumexp(outputs, -1) - outputs.gather(-1, index).squeeze(-1)


def squared_error(
    outputs: Float[Tensor, "*models examples outputs"], targets: Num[Tensor, " examples"]
) -> Float[Tensor, "*models examples"]:
    """`(f(x) - y)^2` in squared units of the (standardised) target, `[..., examples]`."""
    return (outputs[..., 0] - targets).square()


LOSSES: dict[Task, Loss] = {
    "binary": binary_cross_entropy,
    "multiclass": cross_entropy,
    "regression": squared_error,
}


def target_dtype(task: Task) -> torch.dtype:
    """The dtype in which a loss of this task reads its targets."""
    return torch.int64 if task == "multiclass" else torch.float32
