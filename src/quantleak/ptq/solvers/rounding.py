"""Learned rounding: whether each weight is rounded down or up, as a number that can be trained."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Bool, Float, Int
from torch import Tensor

from quantleak.ptq.solvers.grid import Grid

ZETA, GAMMA = 1.1, -0.1


@dataclass(frozen=True, kw_only=True)
class Penalty:
    r"""The term that drives every h to 0 or 1: :math:`\lambda \sum (1 - |2h - 1|^\beta)`, arXiv 2004.10568, eq. 24.

    It is off in the first fifth of the steps; then beta falls linearly from `beta_start` to `beta_end`.

    Attributes:
        weight: lambda.
        steps: T, steps of the whole training.
        beta_start: beta where the term begins.
        beta_end: beta at the last step.
        warm_up: Share of the steps without the term.
    """

    weight: float
    steps: int
    beta_start: float = 20.0
    beta_end: float = 2.0
    warm_up: float = 0.2

    def beta(self, step: int) -> float | None:
        """Beta at a step, counted from 0; None while the term is off."""
        start = self.warm_up * self.steps
        if step < start:
            return None
        left = max(0.0, 1 - (step - start) / max(1.0, self.steps - start))
        return self.beta_end + (self.beta_start - self.beta_end) * left

    def value(self, share: Tensor, beta: float) -> Tensor:
        """The term for the shares h."""
        return self.weight * (1 - (2 * share - 1).abs().pow(beta)).sum()

    def gradient(self, share: Tensor, beta: float) -> Tensor:
        """Its derivative by h."""
        distance = 2 * share - 1
        return distance.abs().pow_(beta - 1).mul_(distance.sign()).mul_(-2 * beta * self.weight)


@dataclass(frozen=True, eq=False)
class SoftRounding:
    r"""Weights between the two nearest values of a grid.

    .. math:: \tilde W = s\,(\mathrm{clamp}(\lfloor W / s \rfloor + h(V) + z, 0, n - 1) - z), \qquad
        h(V) = \mathrm{clip}(1.2\, \sigma(V) - 0.1, 0, 1)

    V starts where :math:`\tilde W = W`.

    Attributes:
        grid: The grid of every row.
        floor: :math:`\lfloor W / s \rfloor + z`, `[groups, rows, columns]` float32.
    """

    grid: Grid
    floor: Float[Tensor, "groups rows columns"]

    @classmethod
    def of(cls, weight: Float[Tensor, "groups rows columns"], grid: Grid) -> tuple[SoftRounding, Tensor]:
        """The weights between values, and V where they are the weights themselves."""
        scaled = weight.float() / grid.scale[..., None]
        floor = scaled.floor()
        share = scaled - floor
        start = -((ZETA - GAMMA) / (share - GAMMA) - 1).log()
        return cls(grid, floor + grid.zero[..., None]), start

    @staticmethod
    def share(variable: Tensor) -> Tensor:
        """h(V)."""
        return (variable.sigmoid() * (ZETA - GAMMA) + GAMMA).clamp(0, 1)

    def weight(self, variable: Tensor) -> Float[Tensor, "groups rows columns"]:
        """The soft weights of V; gradients flow through."""
        grid = self.grid
        code = (self.floor + self.share(variable)).clamp(0, grid.levels - 1)
        return (code - grid.zero[..., None]) * grid.scale[..., None]

    def codes(self, up: Bool[Tensor, "groups rows columns"]) -> Int[Tensor, "groups rows columns"]:
        """The codes where `up` says which weights are rounded up."""
        return (self.floor + up).clamp_(0, self.grid.levels - 1).int()
