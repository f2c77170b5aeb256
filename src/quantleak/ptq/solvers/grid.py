"""Affine grids: the values that the weights of an output channel can take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

GridKind = Literal["affine", "symmetric"]
RangeKind = Literal["search", "minmax"]

POWER = 2.4
"""Power of the error that the search makes smallest."""
CANDIDATES = 80
"""Ranges that the search tries: 1.00, 0.99, ..., 0.21 of the whole range."""
SMALLEST_SCALE = 1e-8
_CHUNK = 1 << 19  # weights looked at together, so that all passes over them stay in the cache


@dataclass(frozen=True, eq=False)
class Grid:
    r"""One affine grid per row.

    .. math:: q = \mathrm{clamp}(\mathrm{round}(w / s) + z, 0, n - 1), \qquad Q(w) = s (q - z)

    Halves are rounded to even. Dequantized values are computed in float32 as the product of a float32 scale and a whole
    number, everywhere: codes, scale and zero point determine them to the bit.

    Attributes:
        levels: n, the number of values, at least 2.
        scale: s `[groups, rows]` float32, positive.
        zero: z `[groups, rows]` int32, the code of the value 0.
    """

    levels: int
    scale: Float[Tensor, "groups rows"]
    zero: Int[Tensor, "groups rows"]

    @classmethod
    def search(
        cls,
        weight: Float[Tensor, "groups rows columns"],
        levels: int,
        *,
        kind: GridKind = "affine",
        span: RangeKind = "search",
        with_zero: bool = True,
    ) -> Grid:
        r"""The grid of every row.

        The range of a row is `[min w, max w]`, extended to hold 0 if `with_zero`; for a symmetric grid
        `[-max |w|, max |w|]`. `minmax` takes it whole. `search` shrinks it by p = 1.00, 0.99, ..., 0.21, the zero point
        stays, and takes the p with the smallest :math:`\sum |Q(w) - w|^{2.4}`; the first of equal ones.

        Args:
            weight: Finite weights; computed in float32.
            levels: n, at least 2.
            kind: `affine`; or `symmetric`, whose zero point is n // 2, so that three levels are {-s, 0, s}.
            span: `search` or `minmax`.
            with_zero: Keep 0 on the grid. Without it, a row of one sign may have a zero point outside 0 ... n - 1, as
                in the code of *Bits for Privacy* (arXiv 2512.15335).
        """
        weight = weight.float()
        low, high = weight.amin(-1), weight.amax(-1)
        if with_zero:
            low, high = low.clamp(max=0), high.clamp(min=0)
        if kind == "symmetric":
            high = torch.maximum(high.abs(), low.abs())
            low = -high
            # An even number of levels has one more below zero than above.
            width = high / max(1, (levels - 1) // 2) * (levels - 1)
            zero = torch.full_like(low, levels // 2)
        else:
            width = high - low
            zero = torch.where(width > 0, -low / width * (levels - 1), (levels - 1) // 2).round()
        scale = width / (levels - 1)
        flat = scale <= SMALLEST_SCALE
        if not with_zero:
            # A constant row other than 0 has no range; one level away from zero is its own value.
            scale = torch.where(flat & (high.abs() > SMALLEST_SCALE), high.abs(), scale)
            zero = torch.where(flat & (high > SMALLEST_SCALE), 0, zero)
            zero = torch.where(flat & (high < -SMALLEST_SCALE), levels - 1, zero)
        scale = torch.where(scale > SMALLEST_SCALE, scale, torch.where(high > low, SMALLEST_SCALE, 1.0))
        zero = zero.int()
        if span == "search":
            scale = scale * _best_shrink(weight, scale, zero, levels)
        return cls(levels, scale, zero)

    def codes(self, weight: Float[Tensor, "groups rows columns"]) -> Int[Tensor, "groups rows columns"]:
        """The code of the nearest value, int32."""
        zero = self.zero[..., None]
        return (weight / self.scale[..., None]).round().add_(zero).clamp_(0, self.levels - 1).int()

    def values(self, codes: Int[Tensor, "groups rows columns"]) -> Float[Tensor, "groups rows columns"]:
        """Dequantized values, float32."""
        return (codes - self.zero[..., None]).float().mul_(self.scale[..., None])

    def nearest(self, weight: Float[Tensor, "groups rows columns"]) -> Float[Tensor, "groups rows columns"]:
        """Every weight at the nearest value of its row, float32."""
        return self.values(self.codes(weight))


def _best_shrink(weight: Tensor, scale: Tensor, zero: Tensor, levels: int) -> Tensor:
    """The p of every row `[groups, rows]`; rows are looked at in chunks, each row by itself."""
    columns = max(1, weight.shape[-1])
    rows = max(1, _CHUNK // columns)
    parts = zip(weight.flatten(0, 1).split(rows), scale.flatten().split(rows), zero.flatten().split(rows), strict=True)
    return torch.cat([_search_rows(*part, levels) for part in parts]).view(scale.shape)


def _search_rows(weight: Tensor, scale: Tensor, zero: Tensor, levels: int) -> Tensor:
    low, high = (-zero)[:, None].float(), (levels - 1 - zero)[:, None].float()
    best = scale.new_full(scale.shape, torch.inf)
    shrink = torch.ones_like(scale)
    error = torch.empty_like(weight)
    for step in range(CANDIDATES):
        share = 1 - step / 100
        trial = (scale * share)[:, None]
        torch.div(weight, trial, out=error)
        error.round_().clamp_(low, high).mul_(trial).sub_(weight).abs_()
        # As a power of two, which is vectorised; log2(0) is -inf and its power 0.
        cost = error.log2_().mul_(POWER).exp2_().sum(-1)
        better = cost < best
        best = torch.where(better, cost, best)
        shrink = torch.where(better, share, shrink)
    return shrink
