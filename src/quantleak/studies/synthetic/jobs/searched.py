"""r_Q against competitors that are searched around the best element instead of taken from the trajectory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from quantleak.theory import privacy_rate

SEARCHED = ("searched", "searched_better")


def neighbours(best: Tensor) -> Tensor:
    """Every element that differs from `best` `[P]` in one weight, moved to the next value up or down that it uses.

    Returns:
        `[R, P]`; R = P where two values are used, up to 2 P.

    Example:
        >>> neighbours(torch.tensor([-1.0, 1.0]))
        tensor([[ 1.,  1.],
                [-1., -1.]])
    """
    values, place = best.unique(return_inverse=True)
    moved = []
    for step in (1, -1):
        able = ((place + step >= 0) & (place + step < len(values))).nonzero().flatten()
        rows = best.repeat(len(able), 1)
        rows[torch.arange(len(able)), able] = values[place[able] + step]
        moved.append(rows)
    return torch.cat(moved)


def searched_rate(best: Tensor, losses: Callable[[Tensor], Tensor]) -> tuple[float, float]:
    """r_Q of the best element and its neighbours, and the share of neighbours with a smaller mean loss.

    Args:
        best: An element `[P]`.
        losses: From `[B, P]` to per-sample losses `[B, N]`.
    """
    table = losses(torch.cat([best[None], neighbours(best)]))
    means = table.double().mean(1)
    return float(privacy_rate(table)), float((means[1:] < means[0]).double().mean())
