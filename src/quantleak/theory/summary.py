"""One quantizer's rates over many models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from quantleak.errors import InputError
from quantleak.results import Estimate
from quantleak.theory.over_models import Floats, median, order_statistic_median, students_mean
from quantleak.theory.rate import Rate

UNDEFINED = "undefined: no model has a defined rate"
NO_INTERVAL = "no interval: rates have heavy tails, and none holds for the mean of few; see the median"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Rates of one quantizer over models that share a pool and a validation set: all intervals are given these two.

    Attributes:
        median: Median rate, with the distribution-free interval between two order statistics.
        mean: Mean rate: the paper's average. Rates have heavy tails, for which no interval of a mean of few holds
            (lognormal rates of sigma 2, 10 models: a 95% bootstrap interval covers 60%), so it has none.
        geometric_mean: Geometric mean: the exponential of the mean logarithm, with Student's interval on that scale. It
            holds where logarithms are about normal; for 10 models of a Pareto law it covers 90%.
        models: Number of rates given.
        undefined: How many are undefined; they are left out of everything else.
        unbounded: How many are infinite; they make both means infinite, while the median stands if they are few.
        elements: Median number of distinct elements.
        z: Median resolution; below 2 a typical model's best element is not distinguished from its closest competitor.
        resolved: Share of the defined rates with z of at least 2.
        n_validation: N, the same for all.
        level: Confidence level of the intervals.
    """

    median: Estimate
    mean: Estimate
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
    """Median, mean and geometric mean over models, with the intervals over models that hold for heavy tails.

    Args:
        rates: The rates of one quantizer, a model each.
        level: Confidence level, between 0 and 1.

    Raises:
        InputError: If there are no rates, they differ in N, or the level is not between 0 and 1.

    Example:
        >>> from quantleak.theory import privacy_rate
        >>> rates = [privacy_rate([[0.0, 0.0, 0.0], [0.0, 1.0, a]]) for a in (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)]
        >>> median = combine(rates).median
        >>> round(median.value, 3), round(median.low, 3), round(median.high, 3)
        (0.526, 0.395, 1.0)
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
        median=_median(values, unbounded, level),
        mean=_mean(values, unbounded),
        geometric_mean=_geometric_mean(values, unbounded, level),
        models=len(rates),
        undefined=len(rates) - len(defined),
        unbounded=unbounded,
        elements=float(np.median([rate.elements for rate in rates])),
        z=median(np.array([rate.z for rate in defined])),
        resolved=float(np.mean([rate.resolved for rate in defined])) if defined else math.nan,
        n_validation=sizes[0],
        level=level,
    )


def _mean(values: Floats, unbounded: int) -> Estimate:
    return _missing(values, unbounded) or Estimate(value=float(values.mean()), reason=NO_INTERVAL)


def _median(values: Floats, unbounded: int, level: float) -> Estimate:
    if not len(values):
        return Estimate(value=None, reason=UNDEFINED)
    found = order_statistic_median(values, level)
    if unbounded and math.inf in (found.value, found.high):
        part = "" if found.value == math.inf else "upper limit "
        return replace(found, reason=f"{part}unbounded: {unbounded} of {len(values)} rates are infinite")
    return found


def _geometric_mean(values: Floats, unbounded: int, level: float) -> Estimate:
    zeros = int((values == 0).sum())
    if zeros and unbounded:
        return Estimate(value=None, reason=f"undefined: {zeros} rates are 0 and {unbounded} unbounded")
    if zeros:
        return Estimate(value=0.0, reason=f"{zeros} of {len(values)} rates are 0: no interval on a log scale")
    if missing := _missing(values, unbounded):
        return missing
    return students_mean(np.log(values), level).map(math.exp)


def _missing(values: Floats, unbounded: int) -> Estimate | None:
    """What to say where there is no ordinary number."""
    if not len(values):
        return Estimate(value=None, reason=UNDEFINED)
    if unbounded:
        return Estimate(value=math.inf, reason=f"unbounded: {unbounded} of {len(values)} rates are infinite")
    return None
