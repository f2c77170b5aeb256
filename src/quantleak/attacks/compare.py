"""The difference between two attacks, or of one attack on two quantizers, with an interval that uses the pairing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantleak.attacks.estimate import Estimate, percentile_interval
from quantleak.attacks.metrics import Metrics
from quantleak.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """First minus second, each with its interval; see `Metrics` for the quantities."""

    auc: Estimate
    tpr: dict[float, Estimate]
    balanced_accuracy: Estimate
    mis_bound: Estimate


def compare(first: Metrics, second: Metrics) -> Comparison:
    """Differences of two results of `evaluate` on the same targets and examples.

    Both drew the same resamples (same seed), so each resample gives one difference, and what targets and examples have
    in common cancels.

    Raises:
        InputError: If the two did not draw the same resamples.

    Example:
        >>> from quantleak.attacks import evaluate
        >>> member = np.random.default_rng(0).random((4, 100)) < 0.5
        >>> one, two = evaluate(member * 1.0, member), evaluate(member * 0.0, member)
        >>> compare(one, two).auc.to_dict()
        {'value': 0.5, 'low': 0.5, 'high': 0.5}
    """
    one, two = first.resampled, second.resampled
    if one.draw != two.draw:
        raise InputError(
            f"compare needs two results on the same targets, examples, groups and bootstrap settings, "
            f"got {one.settings} and {two.settings}; evaluate both with the same seed and resamples."
        )
    level = one.settings.level
    return Comparison(
        auc=_difference(first.auc, second.auc, one.auc - two.auc, level),
        tpr={
            alpha: _difference(estimate, second.tpr[alpha], one.tpr[alpha] - two.tpr[alpha], level)
            for alpha, estimate in first.tpr.items()
            if alpha in second.tpr
        },
        balanced_accuracy=_difference(
            first.balanced_accuracy, second.balanced_accuracy, one.balanced_accuracy - two.balanced_accuracy, level
        ),
        mis_bound=_difference(first.mis_bound, second.mis_bound, one.mis_bound - two.mis_bound, level),
    )


def _difference(first: Estimate, second: Estimate, resampled: np.ndarray, level: float) -> Estimate:
    if first.value is None or second.value is None:
        return Estimate(value=None, reason=first.reason or second.reason)
    return percentile_interval(np.array([first.value - second.value]), resampled, level)
