"""Statistics over the models of one quantizer, whose rates have heavy tails: medians and means with intervals."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from quantleak.results import Estimate

Floats = NDArray[np.float64]


def median(values: Floats) -> float:
    """The median of values that may be infinite, NaN of none."""
    if not len(values):
        return math.nan
    ordered = np.sort(values)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return float(low if low == high else (low + high) / 2)  # the mean of two infinities of one sign, not NaN


def order_statistic_median(values: Floats, level: float) -> Estimate:
    """The median of values that may be infinite, with the distribution-free interval between two order statistics.

    `P(x_(r) <= median <= x_(n+1-r)) >= 1 - 2 P(Binomial(n, 1/2) < r)` for the largest r that keeps this at `level`,
    whatever the distribution; without one (fewer than 6 values at 95%) no interval.
    """
    ordered, value = np.sort(values), median(values)
    r = int(stats.binom.ppf((1 - level) / 2, len(values), 0.5))
    if r < 1:
        fewest = math.floor(1 + math.log2(1 / (1 - level))) + 1
        found = None if math.isnan(value) else value
        return Estimate(value=found, reason=f"no interval: {_models(len(values))}, at least {fewest} are needed")
    return Estimate(value=value, low=float(ordered[r - 1]), high=float(ordered[-r]))


def students_mean(values: Floats, level: float) -> Estimate:
    """The mean of finite values that are about normal, with Student's interval; equals `scipy.stats.ttest_1samp`'s.

    Fewer than three values, or equal ones, have no interval.
    """
    value = float(values.mean())
    if len(values) < 3:
        return Estimate(value=value, reason=f"no interval: {_models(len(values))}, at least 3 are needed")
    if values.min() == values.max():
        return Estimate(value=value, reason=f"no interval: all {len(values)} rates are equal")
    arm = float(stats.t.ppf((1 + level) / 2, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values)))
    return Estimate(value=value, low=value - arm, high=value + arm)


def _models(count: int) -> str:
    return f"{count} model{'s' * (count > 1)}"
