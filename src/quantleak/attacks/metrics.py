"""Metrics of an attack on many targets: per target, averaged over targets, with intervals that resample both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from quantleak.attacks.bootstrap import Bootstrap, Resampled, resample
from quantleak.attacks.estimate import Estimate, percentile_interval
from quantleak.attacks.roc import Roc
from quantleak.attacks.table import ScoreTable, score_table, unsupported
from quantleak.attacks.threshold import crossfit_thresholds

FPRS = (0.001, 0.01, 0.1)
DEFAULT = Bootstrap()


@dataclass(frozen=True, kw_only=True, eq=False)
class PerTarget:
    """Metrics of each target, [T] each; NaN where one cannot be given."""

    auc: np.ndarray
    tpr: dict[float, np.ndarray]
    balanced_accuracy: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Metrics:
    """What an attack achieves; every estimate is a mean over targets.

    Attributes:
        auc: Area under the ROC curve, ties at 1/2.
        tpr: By false positive rate: true positive rate at the last vertex with FPR <= that rate.
        balanced_accuracy: (TPR + 1 - FPR) / 2 at a threshold from other targets (one target: other examples).
        mis_bound: min(1, 2 (1 - balanced accuracy)), an upper bound on Membership Inference Security.
        per_target: The metrics of each target.
        resampled: Every metric in every resample and the settings that drew them, for `compare`.
    """

    auc: Estimate
    tpr: dict[float, Estimate]
    balanced_accuracy: Estimate
    mis_bound: Estimate
    per_target: PerTarget = field(repr=False)
    resampled: Resampled = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The estimates, ready for JSON."""
        return {
            "auc": self.auc.to_dict(),
            "tpr": {f"{alpha:g}": estimate.to_dict() for alpha, estimate in self.tpr.items()},
            "balanced_accuracy": self.balanced_accuracy.to_dict(),
            "mis_bound": self.mis_bound.to_dict(),
        }


def evaluate(
    scores: np.ndarray,
    member: np.ndarray,
    *,
    fprs: tuple[float, ...] = FPRS,
    groups: np.ndarray | None = None,
    settings: Bootstrap = DEFAULT,
) -> Metrics:
    """Metrics per target, their means over targets, and intervals.

    Several targets: percentile intervals of the two-way bootstrap over targets and examples (somewhat wide: see
    `quantleak.attacks.bootstrap`). One target without `groups`: DeLong for the AUC, Clopper-Pearson for TPR. The
    interval of the balanced accuracy and of the MIS bound keeps the thresholds as they were chosen.

    Args:
        scores: [T, N] (one target also [N]), larger = more likely a member.
        member: The same shape, bool: true membership of each example in each target.
        fprs: False positive rates. One is given only if it allows 5 false positives among the distinct examples (with
            `groups`: groups) that are a non-member of some target; otherwise its estimate has no value, but a reason.
        groups: [N], equal values mark examples that are drawn together.
        settings: Number of resamples, seed, level.

    Raises:
        InputError: If shapes differ, a score is NaN, or a target lacks members or non-members.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> member = rng.random((8, 200)) < 0.5
        >>> metrics = evaluate(member + rng.normal(size=member.shape), member)
        >>> metrics.auc.low < 0.76 < metrics.auc.high
        True
        >>> metrics.tpr[0.001].reason
        'FPR 0.001 needs 5000 distinct non-members, there are 199'
    """
    table = score_table(scores, member, groups)
    thresholds = crossfit_thresholds(table.scores, table.member, table.groups)
    decisions = table.scores >= (np.inf if thresholds is None else thresholds)
    resampled = resample(table, decisions, fprs, settings)
    per_target = PerTarget(
        auc=table.auc(),
        tpr={alpha: table.tpr_at(alpha) for alpha in fprs},
        balanced_accuracy=table.balanced_accuracy(decisions),
    )
    exact = table.curves[0] if groups is None and len(table.curves) == 1 else None
    level = settings.level
    accuracy = percentile_interval(per_target.balanced_accuracy, resampled.balanced_accuracy, level)
    if thresholds is None:
        accuracy = Estimate(value=None, reason="a threshold from other examples needs 2 members and 2 non-members")
    return Metrics(
        auc=exact.auc_interval(level) if exact else percentile_interval(per_target.auc, resampled.auc, level),
        tpr={alpha: _tpr(alpha, table, per_target, resampled, exact) for alpha in fprs},
        balanced_accuracy=accuracy,
        mis_bound=accuracy.map(mis_bound),
        per_target=per_target,
        resampled=resampled,
    )


def mis_bound(accuracy: float) -> float:
    """min(1, 2 (1 - accuracy)): what the balanced accuracy of one attack proves about Membership Inference Security.

    Example:
        >>> mis_bound(0.75)
        0.5
    """
    return min(1.0, 2.0 * (1.0 - accuracy))


def _tpr(alpha: float, table: ScoreTable, per_target: PerTarget, resampled: Resampled, exact: Roc | None) -> Estimate:
    if reason := unsupported(alpha, table.member, table.groups):
        return Estimate(value=None, reason=reason)
    level = resampled.settings.level
    if exact:
        return exact.tpr_interval(alpha, level)
    return percentile_interval(per_target.tpr[alpha], resampled.tpr[alpha], level)
