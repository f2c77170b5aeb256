"""Metrics of an attack on many targets: per target, averaged over targets, with intervals over targets and examples."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from quantleak.attacks.evaluation.crossed import Crossed
from quantleak.attacks.evaluation.influence import auc_influence, share_influence, tpr_influence
from quantleak.attacks.evaluation.support import non_members, unsupported
from quantleak.attacks.evaluation.table import ScoreTable, score_table
from quantleak.attacks.evaluation.threshold import crossfit_thresholds
from quantleak.attacks.evaluation.trials import FEWEST, auc_limits, one_target_tpr, wilson
from quantleak.results import Estimate
from quantleak.results.estimate import widest

FPRS = (0.001, 0.01, 0.1)
PRIORS = (0.01, 0.1, 0.5)
LEVEL = 0.95


@dataclass(frozen=True, kw_only=True, eq=False)
class PerTarget:
    """Metrics of each target, [T] each; NaN where one cannot be given.

    Attributes:
        auc: Area under the ROC curve.
        tpr: By false positive rate; corrected for bias, so that a single one may leave [0, 1].
        balanced_accuracy: At a threshold from other targets.
        non_members: Non-members (groups of them).
    """

    auc: np.ndarray
    tpr: dict[float, np.ndarray]
    balanced_accuracy: np.ndarray
    non_members: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Metrics:
    """What an attack achieves; every estimate is a mean over targets.

    Attributes:
        auc: Area under the ROC curve, ties at 1/2.
        tpr: By false positive rate: the true positive rate of the population's ROC at exactly that rate.
        ppv: By false positive rate, by prior pi: the positive predictive value pi TPR / (pi TPR + (1 - pi) FPR) at
            exactly that rate: how likely an example that the attack calls a member is one.
        balanced_accuracy: (TPR + 1 - FPR) / 2 at a threshold from other targets (one target: other examples).
        mis_bound: min(1, 2 (1 - balanced accuracy)), an upper bound on Membership Inference Security.
        per_target: The metrics of each target.
    """

    auc: Estimate
    tpr: dict[float, Estimate]
    balanced_accuracy: Estimate
    mis_bound: Estimate
    per_target: PerTarget = field(repr=False)
    table: ScoreTable = field(repr=False)

    @property
    def ppv(self) -> dict[float, dict[float, Estimate]]:
        """Positive predictive values, with intervals."""
        return {
            alpha: {prior: estimate.map(partial(ppv, fpr=alpha, prior=prior)) for prior in PRIORS}
            for alpha, estimate in self.tpr.items()
        }

    def crossed(self, fpr: float | None) -> Crossed:
        """The TPR at a rate (the AUC where it is None) of every target and its influences, for paired differences."""
        return crossed_auc(self.table) if fpr is None else crossed_tpr(self.table, fpr)

    def to_dict(self) -> dict[str, Any]:
        """The estimates, ready for JSON."""
        return {
            "auc": self.auc.to_dict(),
            "tpr": {f"{alpha:g}": estimate.to_dict() for alpha, estimate in self.tpr.items()},
            "ppv": {
                f"{alpha:g}": {f"{prior:g}": estimate.to_dict() for prior, estimate in priors.items()}
                for alpha, priors in self.ppv.items()
            },
            "balanced_accuracy": self.balanced_accuracy.to_dict(),
            "mis_bound": self.mis_bound.to_dict(),
        }


def evaluate(
    scores: np.ndarray,
    member: np.ndarray,
    *,
    fprs: tuple[float, ...] = FPRS,
    groups: np.ndarray | None = None,
    level: float = LEVEL,
) -> Metrics:
    """Metrics per target, their means over targets, and intervals.

    Intervals are those of a crossed design (`quantleak.attacks.evaluation.crossed`). They speak of other targets and
    other examples of the same kind; those of a single target of other examples alone. The interval of the balanced
    accuracy and of the MIS bound keeps the thresholds as they were chosen.

    Args:
        scores: [T, N] (one target also [N]), larger = more likely a member.
        member: The same shape, bool: true membership of each example in each target.
        fprs: False positive rates; one that the targets cannot support has no value, but a reason (see `unsupported`).
        groups: [N], equal values mark examples that belong together.
        level: Confidence level.

    Raises:
        InputError: If shapes differ, a score is NaN, or a target lacks members or non-members.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> member = rng.random((8, 200)) < 0.5
        >>> metrics = evaluate(member + rng.normal(size=member.shape), member)
        >>> metrics.auc.low < 0.76 < metrics.auc.high
        True
        >>> metrics.tpr[0.001].reason
        'FPR 0.001 needs 2499 non-members per target, there are 102'
    """
    table = score_table(scores, member, groups)
    thresholds = crossfit_thresholds(table.scores, table.member, table.groups)
    decisions = table.scores >= (np.inf if thresholds is None else thresholds)
    auc, accuracy = crossed_auc(table), crossed_accuracy(table, decisions)
    rates = {alpha: crossed_tpr(table, alpha) for alpha in fprs}
    judged = (
        Estimate(value=None, reason="a threshold from other examples needs 2 members and 2 non-members")
        if thresholds is None
        else _share(accuracy, table, level)
    )
    return Metrics(
        auc=auc_estimate(auc, table, level),
        tpr={alpha: tpr_estimate(alpha, rate, table, level) for alpha, rate in rates.items()},
        balanced_accuracy=judged,
        mis_bound=judged.map(mis_bound),
        per_target=PerTarget(
            auc=auc.values,
            tpr={alpha: rate.values for alpha, rate in rates.items()},
            balanced_accuracy=accuracy.values,
            non_members=non_members(table.member, table.groups),
        ),
        table=table,
    )


def per_target(
    scores: np.ndarray, member: np.ndarray, *, fprs: tuple[float, ...] = FPRS, groups: np.ndarray | None = None
) -> PerTarget:
    """The metrics of each target alone, without intervals; see `evaluate`."""
    table = score_table(scores, member, groups)
    thresholds = crossfit_thresholds(table.scores, table.member, table.groups)
    decisions = table.scores >= (np.inf if thresholds is None else thresholds)
    return PerTarget(
        auc=table.auc(),
        tpr={alpha: table.tpr_at_exactly(alpha) for alpha in fprs},
        balanced_accuracy=table.balanced_accuracy(decisions),
        non_members=non_members(table.member, table.groups),
    )


def mis_bound(accuracy: float) -> float:
    """min(1, 2 (1 - accuracy)): what the balanced accuracy of one attack proves about Membership Inference Security.

    Example:
        >>> mis_bound(0.75)
        0.5
    """
    return min(1.0, 2.0 * (1.0 - accuracy))


def ppv(tpr: float, fpr: float, prior: float) -> float:
    """Positive predictive value: the chance that an example called a member is one, where a share `prior` are members.

    Example:
        >>> round(ppv(0.1, 0.001, 0.01), 3)
        0.503
    """
    return prior * tpr / (prior * tpr + (1 - prior) * fpr)


def crossed_auc(table: ScoreTable) -> Crossed:
    """AUC of every target with its influences."""
    return Crossed.of(table.auc(), auc_influence(table), table.groups)


def crossed_tpr(table: ScoreTable, alpha: float) -> Crossed:
    """True positive rate at exactly alpha of every target with its influences."""
    return Crossed.of(table.tpr_at_exactly(alpha), tpr_influence(table, alpha), table.groups)


def crossed_accuracy(table: ScoreTable, decisions: np.ndarray) -> Crossed:
    """Balanced accuracy of given decisions, bool [T, N], of every target with its influences."""
    sides = share_influence(decisions, table.member), share_influence(~decisions, ~table.member)
    return Crossed.of(table.balanced_accuracy(decisions), (sides[0] + sides[1]) / 2, table.groups)


def auc_estimate(auc: Crossed, table: ScoreTable, level: float) -> Estimate:
    """The mean AUC over targets with its interval; none where a target has fewer than 5 on a side."""
    inside, outside = (int(_counts(side, table.groups).min()) for side in (table.member, ~table.member))
    if min(inside, outside) < FEWEST:
        what = "" if auc.influence.shape[1] == table.scores.shape[1] else "groups of "
        reason = (
            f"an interval needs {FEWEST} {what}members and {FEWEST} {what}non-members per target, "
            f"the fewest are {inside} and {outside}"
        )
        return Estimate(value=auc.mean, reason=reason)
    scale = float(np.mean([curve.untied for curve in table.curves])) / len(table.curves)
    return auc.share(level, [auc_limits(auc.mean, inside, outside, scale, level)])


def tpr_estimate(alpha: float, rate: Crossed, table: ScoreTable, level: float) -> Estimate:
    """The mean TPR over targets with its interval, or why the targets do not support this rate."""
    if reason := unsupported(alpha, table.member, table.groups):
        return Estimate(value=None, reason=reason)
    if len(rate.values) == 1:
        return _of_one(alpha, rate, table, level)
    # Removed to first order only: where the ROC bends within a step, up to half of it is wrong.
    return _share(rate, table, level, doubt=table.bias_removed(alpha) / 2)


def _of_one(alpha: float, rate: Crossed, table: ScoreTable, level: float) -> Estimate:
    """TPR of a single target, its arms widened by what rows of one group have in common."""
    value = min(max(rate.mean, 0.0), 1.0)
    low, high = widest([one_target_tpr(table.curves[0], alpha, level), (value, value)])
    alone = Crossed(values=rate.values, influence=tpr_influence(table, alpha)).variances()[1]
    factor = float(np.sqrt(max(1.0, rate.variances()[1] / alone))) if alone > 0 else 1.0
    low, high = value - factor * (value - low), value + factor * (high - value)
    return Estimate(value=value, low=max(0.0, low), high=min(1.0, high))


def _share(rate: Crossed, table: ScoreTable, level: float, doubt: float = 0.0) -> Estimate:
    """A rate; where it is 0 or 1 in every target, as uncertain as so many independent trials would leave it."""
    value = min(max(rate.mean, 0.0), 1.0)
    trials = int(_counts(table.member, table.groups).sum())
    return rate.share(level, [wilson(value, trials, level)] if value in (0.0, 1.0) else [], doubt)


def _counts(side: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Groups with an example of this side, of every target."""
    return non_members(~side, groups)
