"""A number with an interval: bootstrap intervals over models."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]

RESAMPLES = 4000
SEED = 20250206
"""One fixed seed: the same numbers give the same interval."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A statistic over models and its confidence interval; `reason` says why a part is missing (NaN)."""

    value: float
    low: float = math.nan
    high: float = math.nan
    reason: str | None = None

    def __float__(self) -> float:
        return self.value


def bca(values: Floats, statistic: Callable[..., Floats], level: float) -> Estimate:
    """A statistic of finite values with its bias-corrected and accelerated bootstrap interval.

    Equals `scipy.stats.bootstrap(..., method="BCa")` except that

    1. fewer than three values have no interval,
    2. equal values have an interval of length 0,
    3. where the BCa correction is undefined (every resample falls on one side, or dropping any one value changes
       nothing), the percentile interval is given.

    Args:
        values: Finite values [n], at least one.
        statistic: Takes values and `axis`.
        level: Confidence level, between 0 and 1.
    """
    value = float(statistic(values, axis=-1))
    if len(values) < 3:
        return Estimate(
            value=value, reason=f"no interval: {len(values)} value{'s' * (len(values) > 1)}, at least 3 are needed"
        )
    if values.min() == values.max():
        return Estimate(value=value, low=value, high=value)
    low, high = _interval(values, statistic, level, "BCa")
    if math.isnan(low) or math.isnan(high):
        low, high = _interval(values, statistic, level, "percentile")
    return Estimate(value=value, low=low, high=high)


def _interval(
    values: Floats, statistic: Callable[..., Floats], level: float, method: Literal["BCa", "percentile"]
) -> tuple[float, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a degenerate distribution gives NaN, which the caller handles
        found = stats.bootstrap(
            (values,),
            statistic,
            n_resamples=RESAMPLES,
            confidence_level=level,
            method=method,
            vectorized=True,
            axis=-1,
            rng=np.random.default_rng(SEED),
        ).confidence_interval
    return float(found.low), float(found.high)


def order_statistic_median(values: Floats, level: float) -> Estimate:
    """The median of values that may be infinite, with the distribution-free interval between two order statistics.

    `P(x_(r) <= median <= x_(n+1-r)) = 1 - 2 P(Binomial(n, 1/2) < r)` for the largest r that keeps this at `level`;
    without one (few values) no interval.
    """
    ordered = np.sort(values)
    middle = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    value = float(middle[0] if middle[0] == middle[1] else (middle[0] + middle[1]) / 2)
    r = int(stats.binom.ppf((1 - level) / 2, len(values), 0.5))
    if r < 1:
        return Estimate(
            value=value, reason=f"no interval: {len(values)} values are too few for this level when some are infinite"
        )
    return Estimate(value=value, low=float(ordered[r - 1]), high=float(ordered[-r]))
