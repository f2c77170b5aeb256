"""Which quantizer to ship: chosen on one half of the targets, its figures shown on the other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from quantleak.result import Number, Recommendation


@dataclass(frozen=True, kw_only=True, eq=False)
class Contender:
    """What the choice looks at.

    Attributes:
        spec: The quantizer.
        bits: Effective bits.
        utility: Mean over models.
        selection_high: Upper limit of the worst attack's headline on the half of the targets that chooses.
        leakage: That headline on the other half.
        resampled: The latter in every resample, paired between quantizers.
    """

    spec: str
    bits: float
    utility: float
    selection_high: float
    leakage: float
    resampled: np.ndarray


def recommend(
    contenders: Mapping[str, Contender], metric: str, fpr: float | None, utility_loss: float, level: float
) -> Recommendation:
    """The quantizer with the lowest upper limit of leakage among those that keep the utility; ties: fewer bits.

    It is a clear answer only if the paired intervals of its differences from the runner-up and from the original,
    on the half of the targets that did not choose, lie below 0.

    Args:
        contenders: By spec, the unquantized original as `identity`.
        metric: Name of the utility.
        fpr: The rate at which leakage is a TPR; None if it is an AUC.
        utility_loss: How much utility may be lost.
        level: Of the intervals.
    """
    original = contenders["identity"]
    if not math.isfinite(original.utility):
        return Recommendation(
            quantizer=None, reason=f"The original models have no {metric} on the test part.", clear=False
        )
    usable = [c for c in contenders.values() if c is not original and original.utility - c.utility <= utility_loss]
    if not usable:
        return Recommendation(
            quantizer=None,
            reason=f"No quantizer keeps {metric} within {utility_loss:g} of the original's {original.utility:.3f}.",
            clear=False,
        )
    first, *others = sorted(usable, key=lambda c: (c.selection_high, c.bits))
    rivals = {"the original": original} | {f"the runner-up, {c.spec}": c for c in others[:1]}
    gaps = {
        name: difference(first.leakage, first.resampled, rival.leakage, rival.resampled, level)
        for name, rival in rivals.items()
    }
    unclear = [name for name, gap in gaps.items() if gap.high is None or not gap.high < 0]
    told = "; ".join(f"{_gap(gap, fpr)} against {name}" for name, gap in gaps.items())
    headline = "AUC of the worst attack" if fpr is None else f"TPR of the worst attack at {100 * fpr:g}% FPR"
    reason = (
        f"{first.spec} keeps {metric} {first.utility:.3f} (original {original.utility:.3f}) and was chosen on half of "
        f"the target models; on the other half the {headline} is {_figure(first.leakage, fpr)}: {told}."
    )
    if unclear:
        reason += f" It cannot be told from {' and from '.join(unclear)}."
    return Recommendation(quantizer=first.spec, reason=reason, clear=not unclear)


def _figure(value: float, fpr: float | None) -> str:
    return f"{value:.3f}" if fpr is None else f"{value:.1%}"


def _gap(gap: Number, fpr: float | None) -> str:
    scale, digits, unit = (1, 3, "") if fpr is None else (100, 1, " points")
    value, low, high = (0.0 if v is None else v * scale for v in (gap.value, gap.low, gap.high))
    return f"{value:+.{digits}f}{unit} [{low:+.{digits}f}, {high:+.{digits}f}]"


def difference(one: float, one_resampled: np.ndarray, two: float, two_resampled: np.ndarray, level: float) -> Number:
    """`one - two` with the percentile interval of the paired resamples."""
    paired = one_resampled - two_resampled
    defined = paired[np.isfinite(paired)]
    if not len(defined) or not np.isfinite(one - two):
        return Number(value=None, reason="one of the two has no value")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Number(value=one - two, low=float(low), high=float(high))
