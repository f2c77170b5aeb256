"""How far each element's losses lie from the best element's: delta_k, sigma_k and the smallest difference."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from .table import as_table, distinct_rows, row_means

CHUNK = 2**17
"""Differences held at a time: a megabyte in float64, which stays in cache."""


@dataclass(frozen=True, kw_only=True)
class Gaps:
    r"""Differences `D_k = loss(theta_bar_k, z) - loss(theta_bar_1, z)` between each rival k and the best element 1.

    Attributes:
        losses: The table [K, N] itself, nats.
        best: Row of the best element (smallest mean, the first of equals), or None where no row has a finite mean.
        rivals: Rows [R] of the other distinct elements, ascending by mean.
        means: Mean losses [1 + R] in float64, of the best element and then of `rivals`.
        delta: `delta_k = E D_k` [R], never negative; infinite where a rival has infinite losses.
        variance: `sigma_k^2 = Var D_k` [R], ddof 0, exactly 0 where D_k is constant; infinite with `delta`.
        infinite: Share of examples at which the rival's loss is infinite [R].
    """

    losses: Tensor
    best: int | None
    rivals: Tensor
    means: Tensor
    delta: Tensor
    variance: Tensor
    infinite: Tensor

    @property
    def elements(self) -> int:
        """Number of distinct rows."""
        return len(self.rivals) + (self.best is not None)

    @cached_property
    def signal_to_noise(self) -> Tensor:
        r"""`(delta_k / sigma_k)^2` [R]: 0 for a tie, infinite where the difference is constant and positive.

        A rival with infinite losses on a share p of the examples has `p / (1 - p)`: the limit of the ratio as those
        losses grow.
        """
        ratio = torch.where(self.delta > 0, self.delta.square() / self.variance, 0)
        return torch.where(self.infinite > 0, self.infinite / (1 - self.infinite), ratio)

    @cached_property
    def lowest(self) -> Tensor:
        """`min D_k` [R]."""
        pieces = torch.arange(len(self.rivals)).split(max(1, CHUNK // self.losses.shape[1]))
        return torch.cat([self.differences(which).amin(1) for which in pieces]) if len(self.rivals) else self.delta

    def differences(self, which: Tensor) -> Tensor:
        """`D_k` in float64 for some positions of `rivals`; [len(which), N]."""
        assert self.best is not None
        return self.losses[self.rivals[which]].double().sub_(self.losses[self.best].double())


def gaps(losses: object) -> Gaps:
    """Measure a loss table: all that r_Q needs of it.

    Raises:
        InputError: If `losses` is not a table, or holds NaN or minus infinity.
    """
    table = as_table(losses)
    means = row_means(table)
    rows = distinct_rows(table, means)
    rows = rows[means[rows].argsort(stable=True)]
    if not len(rows) or not bool(torch.isfinite(means[rows[0]])):
        nothing = dict.fromkeys(("means", "delta", "variance", "infinite"), means.new_empty(0))
        return Gaps(losses=table, best=None, rivals=rows[:0], **nothing)
    best, rivals = int(rows[0]), rows[1:]
    delta, variance = moments(table, best)[:, rivals]
    # Rounding would leave a constant difference a variance of about 1e-33.
    variance = variance.masked_fill(_is_constant(table, best, rivals, delta, variance), 0)
    infinite = torch.zeros_like(delta)
    for k in torch.isinf(delta).nonzero().flatten().tolist():
        infinite[k] = torch.isinf(table[rivals[k]]).double().mean()
    return Gaps(
        losses=table,
        best=best,
        rivals=rivals,
        means=means[rows],
        delta=delta.clamp_min(0),  # a tie may come out below 0 by rounding
        variance=torch.where(infinite > 0, torch.inf, variance),
        infinite=infinite,
    )


def moments(table: Float[Tensor, "rows examples"], best: int) -> Float64[Tensor, "2 rows"]:
    """Mean and variance (ddof 0) [2, K] of the differences of every row from row `best`, in float64."""
    from quantleak.theory import kernel

    return torch.from_numpy(kernel.moments(table.contiguous().numpy(), best))


def _is_constant(table: Tensor, best: int, rivals: Tensor, delta: Tensor, variance: Tensor) -> Tensor:
    """Whether a rival differs from the best by the same amount everywhere; its variance may be off 0 by rounding."""
    constant = variance <= 1e-18 * delta.square()
    for k in constant.nonzero().flatten().tolist():
        difference = table[rivals[k]].double() - table[best].double()
        constant[k] = difference.amax() == difference.amin()
    return constant
