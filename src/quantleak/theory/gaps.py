"""How far each element's losses lie from the best element's: delta_k, sigma_k and the smallest difference."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Float64
from numpy.typing import NDArray
from torch import Tensor

from quantleak.theory.pair import SAFE, pair
from quantleak.theory.table import as_table, distinct_rows, row_means

LEAST = 2.0 ** (-2 * SAFE)
"""Squares below this, or above its inverse, may have left the range of float64."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Gaps:
    r"""Differences `D_k = loss(theta_bar_k, z) - loss(theta_bar_1, z)` between competitor k and the best element 1.

    Attributes:
        losses: The table [K, N] itself, nats.
        best: Row of the best element (smallest mean, the first of equals), or None where no row has a finite mean.
        competitors: Rows [R] of the other distinct elements, ascending by mean.
        means: Mean losses [1 + R] in float64, of the best element and then of `competitors`.
        delta: `delta_k = E D_k` [R], never negative; infinite where a competitor has infinite losses.
        variance: `sigma_k^2 = Var D_k` [R], ddof 0, exactly 0 where D_k is constant; infinite with `delta`.
        infinite: Share of examples at which the competitor's loss is infinite [R].
        signal_to_noise: `(delta_k / sigma_k)^2` [R]: 0 for a tie, infinite where the difference is constant and
            positive. A competitor with infinite losses on a share p of the examples has `p / (1 - p)`: the limit of the
            ratio as those losses grow.
    """

    losses: Tensor
    best: int | None
    competitors: Tensor
    means: Tensor
    delta: Tensor
    variance: Tensor
    infinite: Tensor
    signal_to_noise: Tensor

    @property
    def elements(self) -> int:
        """Number of distinct rows."""
        return len(self.competitors) + (self.best is not None)

    @property
    def undefined(self) -> str | None:
        """Why this table says nothing about privacy, None where it says something.

        One element has nothing to be confused with; and on one example any two elements differ by a constant, which
        would read as perfect privacy.
        """
        if self.best is None:
            return "undefined: no element has a finite mean loss"
        if not len(self.competitors):
            return "undefined: fewer than two distinct elements"
        if self.losses.shape[1] == 1:
            return "undefined: one validation example shows no variance; evaluate the losses on more examples"
        return None

    @cached_property
    def lowest(self) -> Tensor:
        """`min D_k` [R]."""
        from quantleak.theory import kernel

        if self.best is None:
            return torch.empty_like(self.delta)
        return torch.from_numpy(kernel.lowest(self.losses.contiguous().numpy(), self.competitors.numpy(), self.best))

    def differences(self, which: Tensor) -> Tensor:
        """`D_k` in float64 for some positions of `competitors`; [len(which), N]."""
        assert self.best is not None
        return self.losses[self.competitors[which]].double().sub_(self.losses[self.best].double())


def gaps(losses: object) -> Gaps:
    """Measure a loss table: all that r_Q needs of it.

    The compiled pass decides where rounding cannot matter; where it can (near ties, constant differences, squares
    that leave the range of float64), rows are compared again without rounding, see `quantleak.theory.pair`.

    Raises:
        InputError: If `losses` is not a table, holds NaN or minus infinity, or two losses differ by more than float64
            can hold.
    """
    table = as_table(losses)
    averages = row_means(table)
    rows, means = distinct_rows(table, averages).numpy(), averages.numpy()
    if not len(rows) or not np.isfinite(means[rows].min()):
        nothing = dict.fromkeys(("means", "delta", "variance", "infinite", "signal_to_noise"), averages.new_empty(0))
        return Gaps(losses=table, best=None, competitors=torch.from_numpy(rows[:0]), **nothing)
    best, found = _best(table, rows, means)
    rows = rows[rows != best]
    delta, variance = found[:, rows]
    with np.errstate(all="ignore"):
        ratio = delta**2 / variance
    infinite = np.zeros_like(delta)
    for k in np.flatnonzero(_undecided(delta, variance, table.shape[1])):
        if np.isinf(means[rows[k]]):
            share = infinite[k] = float(torch.isinf(table[rows[k]]).double().mean())
            delta[k], variance[k], ratio[k] = np.inf, np.inf, share / (1 - share) if share < 1 else np.inf
        else:
            exact = pair(table[rows[k]], table[best])
            delta[k], variance[k], ratio[k] = exact.delta, exact.squared, exact.signal_to_noise
    order = delta.argsort(kind="stable")
    return Gaps(
        losses=table,
        best=best,
        competitors=torch.from_numpy(rows[order]),
        means=torch.from_numpy(np.append(means[best], means[best] + delta[order])),
        delta=torch.from_numpy(delta[order]),
        variance=torch.from_numpy(variance[order]),
        infinite=torch.from_numpy(infinite[order]),
        signal_to_noise=torch.from_numpy(ratio[order]),
    )


def moments(table: Float[Tensor, "rows examples"], best: int) -> Float64[Tensor, "2 rows"]:
    """Mean and variance (ddof 0) [2, K] of the differences of every row from row `best`, in float64."""
    from quantleak.theory import kernel

    return torch.from_numpy(kernel.moments(table.contiguous().numpy(), best))


def _best(table: Tensor, rows: Integers, means: Floats) -> tuple[int, Floats]:
    """The best of `rows`, the first of equals, and mean and variance [2, K] of every row's differences from it.

    Means of large losses hide small differences, so the smallest mean only proposes a reference. What counts are the
    differences from it, and among rows within their rounding the exact sums.
    """
    reference = int(rows[means[rows].argmin()])
    found = moments(table, reference).numpy()
    delta, variance = found[:, rows]
    slack = _rounding(delta, variance, table.shape[1])
    slack[rows == reference] = 0
    with np.errstate(invalid="ignore"):
        lowest, limit = delta - slack, (delta + slack)[np.isfinite(slack)].min()
    best = reference
    # Written so that NaN, the difference of two infinities, counts as close.
    for row in rows[np.isfinite(means[rows]) & ~(lowest > limit)].tolist():
        total = pair(table[row], table[best]).total if row != best else 0.0
        best = row if total < 0 or (total == 0 and row < best) else best
    return best, found if best == reference else moments(table, best).numpy()


def _rounding(delta: Floats, variance: Floats, examples: int) -> Floats:
    """How far a mean of float64 differences may be off: N roundings of the sum of |D|, twice for safety.

    Infinite where the squares that bound |D| have left the range of float64.
    """
    with np.errstate(all="ignore"):
        squares = variance + delta**2
        bound = 2 * (examples + 2) * np.finfo(np.float64).eps * np.sqrt(squares)
    return np.where((squares > LEAST) & (squares < 1 / LEAST), bound, np.inf)


def _undecided(delta: Floats, variance: Floats, examples: int) -> NDArray[np.bool_]:
    """Which rows need another look.

    Those with a mean difference of less than six certain digits or infinite, with a difference that may be constant,
    and with squares near the ends of float64 or beyond.
    """
    with np.errstate(all="ignore"):
        near = ~(np.abs(delta) > 1e6 * _rounding(delta, variance, examples))
        return near | ~((variance > 1e-18 * delta**2) & (variance > LEAST))
