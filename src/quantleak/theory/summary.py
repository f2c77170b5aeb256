"""One quantizer's rates over many models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quantleak.errors import InputError

from .estimate import Estimate, Floats, bca, order_statistic_median
from .rate import Rate


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Rates of one quantizer over models that share a pool and a validation set: all intervals are given these two.

    Attributes:
        mean: Mean rate: the paper's average, heavy-tailed.
        median: Median rate.
        geometric_mean: Geometric mean: the exponential of the mean logarithm.
        models: Number of rates given.
        undefined: How many are undefined; they are left out of everything else.
        unbounded: How many are infinite; they make both means infinite, while the median stands.
        elements: Median number of distinct elements.
        z: Median resolution; below 2 a typical model's best element is not told from its closest rival.
        resolved: Share of the defined rates with z of at least 2.
        n_validation: N, the same for all.
        level: Confidence level of the intervals.
    """

    mean: Estimate
    median: Estimate
    geometric_mean: Estimate
    models: int
    undefined: int
    unbounded: int
    elements: float
    z: float
    resolved: float
    n_validation: int
    level: float


def combine(rates: Sequence[Rate], level: float = 0.95) -> Summary:
    """Mean, median and geometric mean over models, each with a BCa bootstrap interval over models.

    Args:
        rates: The rates of one quantizer, a model each.
        level: Confidence level, between 0 and 1.

    Raises:
        InputError: If there are no rates, they differ in N, or the level is not between 0 and 1.

    Example:
        >>> from quantleak.theory import privacy_rate
        >>> combine([privacy_rate([[0.0, 0.0], [0.0, a]]) for a in (1.0, 2.0, 3.0)]).mean
        Estimate(value=0.5, low=0.5, high=0.5, reason=None)
    """
    if not rates:
        raise InputError("combine(rates) needs at least one rate, got none.")
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, got {level}; for 95% write 0.95.")
    sizes = sorted({rate.n_validation for rate in rates})
    if len(sizes) > 1:
        raise InputError(
            f"Rates compare only at equal N; these come from {', '.join(map(str, sizes))} validation examples."
        )
    defined = [rate for rate in rates if not math.isnan(rate.value)]
    values = np.array([rate.value for rate in defined], dtype=np.float64)
    unbounded = int(np.isinf(values).sum())
    return Summary(
        mean=_mean(values, unbounded, level),
        median=_median(values, unbounded, level),
        geometric_mean=_geometric_mean(values, unbounded, level),
        models=len(rates),
        undefined=len(rates) - len(defined),
        unbounded=unbounded,
        elements=float(np.median([rate.elements for rate in rates])),
        z=order_statistic_median(np.array([rate.z for rate in defined]), level).value if defined else math.nan,
        resolved=float(np.mean([rate.resolved for rate in defined])) if defined else math.nan,
        n_validation=sizes[0],
        level=level,
    )


def _mean(values: Floats, unbounded: int, level: float) -> Estimate:
    return _missing(values, unbounded) or bca(values, np.mean, level)


def _median(values: Floats, unbounded: int, level: float) -> Estimate:
    if unbounded:
        return order_statistic_median(values, level)
    return _missing(values, 0) or bca(values, np.median, level)


def _geometric_mean(values: Floats, unbounded: int, level: float) -> Estimate:
    zeros = int((values == 0).sum())
    if zeros and unbounded:
        return Estimate(value=math.nan, reason=f"undefined: {zeros} rates are 0 and {unbounded} unbounded")
    if zeros:
        return Estimate(value=0.0, reason=f"{zeros} of {len(values)} rates are 0: no interval on a log scale")
    if missing := _missing(values, unbounded):
        return missing
    logarithm = bca(np.log(values), np.mean, level)
    return Estimate(
        value=math.exp(logarithm.value),
        low=math.exp(logarithm.low),
        high=math.exp(logarithm.high),
        reason=logarithm.reason,
    )


def _missing(values: Floats, unbounded: int) -> Estimate | None:
    """What to say where there is no ordinary number."""
    if not len(values):
        return Estimate(value=math.nan, reason="undefined: no model has a defined rate")
    if unbounded:
        return Estimate(value=math.inf, reason=f"unbounded: {unbounded} of {len(values)} rates are infinite")
    return None
