"""A number with its interval, or the reason why there is none; and the exact intervals of a single target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special, stats


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A value with the limits of its confidence interval.

    Attributes:
        value: The point estimate; None where it cannot be given.
        low: Lower limit; None where there is no interval.
        high: Upper limit; None where there is no interval.
        reason: Why something is missing.

    Example:
        >>> float(Estimate(value=0.5, low=0.4, high=0.6))
        0.5
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None

    def __float__(self) -> float:
        return float("nan") if self.value is None else self.value

    def to_dict(self) -> dict[str, float | str | None]:
        """Plain values, never NaN, ready for JSON."""
        fields: dict[str, float | str | None] = {"value": self.value, "low": self.low, "high": self.high}
        return fields | ({"reason": self.reason} if self.reason else {})

    def map(self, function: Callable[[float], float]) -> Estimate:
        """The estimate of a monotone function of the value."""
        if self.value is None or self.low is None or self.high is None:
            value = None if self.value is None else function(self.value)
            return Estimate(value=value, reason=self.reason)
        low, high = sorted((function(self.low), function(self.high)))
        return Estimate(value=function(self.value), low=low, high=high, reason=self.reason)


def percentile_interval(per_target: np.ndarray, resampled: np.ndarray, level: float) -> Estimate:
    """Mean over targets with the central `level` of its resampled values; resamples that are NaN are left out."""
    value = float(per_target.mean())
    defined = resampled[~np.isnan(resampled)]
    if not defined.size:
        return Estimate(value=value, reason="no resample held both members and non-members")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value=value, low=float(low), high=float(high))


def clopper_pearson(successes: int, trials: int, level: float) -> Estimate:
    """Exact binomial interval of a proportion.

    Equals `scipy.stats.binomtest(successes, trials).proportion_ci(level, method="exact")`.

    Example:
        >>> round(clopper_pearson(0, 10, 0.95).high, 6)
        0.308497
    """
    tail = (1 - level) / 2
    low = special.betaincinv(successes, trials - successes + 1, tail) if successes else 0.0
    high = special.betaincinv(successes + 1, trials - successes, 1 - tail) if successes < trials else 1.0
    return Estimate(value=successes / trials, low=float(low), high=float(high))


def normal_interval(value: float, error: float, level: float) -> Estimate:
    """`value` plus and minus the normal quantile of `level` standard errors, cut to [0, 1]."""
    width = float(stats.norm.ppf((1 + level) / 2)) * error
    return Estimate(value=value, low=max(0.0, value - width), high=min(1.0, value + width))
