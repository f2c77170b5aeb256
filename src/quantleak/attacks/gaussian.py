"""Gaussian fits of shadow signals, one per example: centres, and variances shrunk, pooled or as they come."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64

from quantleak.attacks.shadows import by_chunks
from quantleak.attacks.shrinkage import VariancePrior, estimate_prior

Centre = Literal["median", "mean"]


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Group:
    """Statistics of one group (IN or OUT) of shadows, each [rows] float64.

    Attributes:
        count: Shadows in the group.
        centre: Their median or mean.
        squares: Sum of squared deviations from their mean; count - 1 degrees of freedom.
    """

    count: np.ndarray
    centre: np.ndarray
    squares: np.ndarray

    @property
    def freedom(self) -> float:
        """Degrees of freedom over all rows, sum of count - 1."""
        return float(np.maximum(self.count - 1, 0).sum())

    @property
    def pooled_variance(self) -> float:
        """Within-row variance common to all rows: sum of squares over degrees of freedom."""
        return float(self.squares.sum()) / self.freedom

    def variance_prior(self, count: float | None) -> VariancePrior:
        """The pooled variance with the weight `count`, or weight and variance estimated from all rows where None."""
        if count is None:
            return estimate_prior(self.squares, self.count - 1)
        return VariancePrior(count=count, variance=self.pooled_variance)

    def shrunk_variance(self, prior_count: float | None) -> np.ndarray:
        """Row variances drawn towards `variance_prior`."""
        return self.variance_prior(prior_count).shrink(self.squares, self.count - 1)


def describe(
    values: Float64[np.ndarray, "rows shadows"], chosen: Bool[np.ndarray, "rows shadows"], centre: Centre
) -> Group:
    """Count, centre and sum of squares of the chosen entries of each row, with at least one chosen in each.

    Args:
        values: [rows, S] float64.
        chosen: [rows, S] bool.
        centre: Which centre to take.
    """
    count, middle, squares = by_chunks(partial(_describe, centre=centre), values, chosen)
    return Group(count=count, centre=middle, squares=squares)


def log_normal(values: np.ndarray, centre: np.ndarray, scale: np.ndarray | float) -> np.ndarray:
    """Log density N(values; centre, scale^2), nats."""
    standard = (values - centre) / scale
    return np.asarray(-0.5 * standard * standard - np.log(scale) - 0.5 * np.log(2 * np.pi))


def _describe(values: np.ndarray, chosen: np.ndarray, centre: Centre) -> np.ndarray:
    weight = chosen.astype(np.float64)
    count = weight.sum(axis=1)
    mean = np.einsum("rs,rs->r", values, weight) / count
    deviation = (values - mean[:, None]) * weight
    squares = np.einsum("rs,rs->r", deviation, deviation)
    return np.stack([count, mean if centre == "mean" else _median(values, weight, count.astype(np.intp)), squares])


def _median(values: np.ndarray, weight: np.ndarray, count: np.ndarray) -> np.ndarray:
    # Infinity where the weight is 0, so that those sort last; arithmetic is several times faster than np.where here.
    ascending = np.maximum(values, (0.5 - weight) * np.inf)
    ascending.sort(axis=1)
    row = np.arange(len(values))
    return np.asarray((ascending[row, (count - 1) // 2] + ascending[row, count // 2]) / 2)
