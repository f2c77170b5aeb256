"""Compares a quantizer with noise on the weights at equal utility: does quantization protect, or would noise do?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from quantleak.attacks import Crossed
from quantleak.attacks.evaluation.crossed import ONE_EXAMPLE
from quantleak.results import Estimate, NoiseComparison, NoisePoint


@dataclass(frozen=True, kw_only=True, eq=False)
class Point:
    """Noise of one size.

    Attributes:
        factor: Its size, 1 for that of the quantizer's own error; 0 for the original.
        utility: Of every model, with influences of the test examples.
        leakage: The headline of every reporting target, with influences of the examples of the pool.
    """

    factor: float
    utility: Crossed
    leakage: Crossed


def at_equal_utility(utility: Crossed, leakage: Crossed, noise: Sequence[Point], level: float) -> NoiseComparison:
    """Leakage of noise of the size at which its utility is that of the quantizer, and the difference.

    Utility and leakage are linear between two neighbouring sizes. The first pair of sizes is taken between which the
    noise has the quantizer's utility; a quantizer that is better than the original is compared with the original.

    Args:
        utility: Of the quantized models.
        leakage: Their headline.
        noise: At least two sizes, the original among them as size 0.
        level: Confidence level; the interval also holds for what is uncertain of the utility.
    """
    found = _found(utility, leakage, sorted(noise, key=lambda point: point.factor), level)
    curve = [NoisePoint(factor=point.factor, utility=point.utility.mean, leakage=point.leakage.mean) for point in noise]
    return replace(found, curve=sorted(curve, key=lambda point: point.factor))


def _found(utility: Crossed, leakage: Crossed, points: Sequence[Point], level: float) -> NoiseComparison:
    wanted = utility.mean
    if not np.isfinite([wanted, *(point.utility.mean for point in points)]).all():
        reason = "the utility of some model is undefined"
        return NoiseComparison(value=None, reason=reason, factor=None, noise=Estimate(value=None, reason=reason))
    if wanted >= points[0].utility.mean:
        return _compared(utility, leakage, points[0], points[1], 0.0, level)
    for one, two in pairwise(points):
        if one.utility.mean > wanted >= two.utility.mean:
            weight = (one.utility.mean - wanted) / (one.utility.mean - two.utility.mean)
            return _compared(utility, leakage, one, two, weight, level)
    reason = f"noise {points[-1].factor:g} times as large as the quantizer's error still keeps more utility"
    none = Estimate(value=None, reason=reason)
    return NoiseComparison(value=None, reason=reason, factor=None, noise=none)


def _compared(
    utility: Crossed, leakage: Crossed, one: Point, two: Point, weight: float, level: float
) -> NoiseComparison:
    between = _mixed(one.leakage, two.leakage, weight)
    fall = one.utility.mean - two.utility.mean
    missed = utility - _mixed(one.utility, two.utility, weight)
    slope = (two.leakage.mean - one.leakage.mean) / fall if fall > 0 else 0.0
    doubt = abs(slope) * float(np.sqrt(sum(missed.variances())))
    difference = leakage - between
    arm, value = difference.arm(level, doubt), difference.mean
    return NoiseComparison(
        value=value,
        low=None if arm is None else value - arm,
        high=None if arm is None else value + arm,
        reason=ONE_EXAMPLE if arm is None else None,
        factor=(1 - weight) * one.factor + weight * two.factor,
        noise=between.share(level, doubt=doubt),
    )


def _mixed(one: Crossed, two: Crossed, weight: float) -> Crossed:
    return Crossed(
        values=(1 - weight) * one.values + weight * two.values,
        influence=(1 - weight) * one.influence + weight * two.influence,
    )
