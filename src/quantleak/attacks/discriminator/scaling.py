"""Columns to mean 0 and variance 1, as measured on the training models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LARGEST = 10.0
"""Standardised values are cut to this size: no column that is nearly constant in training may blow up elsewhere."""


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Scaling:
    """(value - mean) / deviation, cut to plus and minus 10.

    Attributes:
        mean: [C] float32.
        deviation: [C] float32, 1 where a column is constant up to rounding.
    """

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def fit(cls, values: np.ndarray, *, shared: bool = False) -> Scaling:
        """Measure `values` [..., C]; with `shared` all columns get the root of their mean variance.

        Example:
            >>> scaling = Scaling.fit(np.array([[0.0, 5.0], [2.0, 5.0]]))
            >>> scaling(np.array([[3.0, 5.0], [99.0, 4.0]])).tolist()
            [[2.0, 0.0], [10.0, -1.0]]
        """
        axes = tuple(range(values.ndim - 1))
        mean = values.mean(axis=axes, dtype=np.float64)
        variance = values.var(axis=axes, dtype=np.float64)
        if shared:
            variance = np.full_like(variance, variance.mean())
        deviation = np.sqrt(variance)
        constant = deviation <= 1e-6 * np.abs(mean)
        return cls(mean=mean.astype(np.float32), deviation=np.where(constant, 1.0, deviation).astype(np.float32))

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Scale values [..., C]; float32."""
        scaled = (values.astype(np.float32) - self.mean) / self.deviation
        return np.asarray(np.clip(scaled, -LARGEST, LARGEST, out=scaled))
