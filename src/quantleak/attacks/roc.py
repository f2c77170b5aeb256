"""The ROC curve of one target, exact under ties: quantized models give many examples the same score.

Source: [DeLong1988] E. DeLong, D. DeLong, D. Clarke-Pearson, *Comparing the Areas under Two or More Correlated ROC
Curves*, Biometrics 44.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantleak.attacks.estimate import Estimate, clopper_pearson, normal_interval
from quantleak.attacks.shadows import mask
from quantleak.errors import InputError

FEWEST_FALSE_POSITIVES = 5


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Roc:
    """The vertices of a ROC curve: one before the first score and one after each group of equal scores.

    Attributes:
        thresholds: [V] float64, descending; examples with score >= threshold are called members. The first is +inf.
        true_positives: [V] int64, members among them.
        false_positives: [V] int64, non-members among them.
    """

    thresholds: np.ndarray
    true_positives: np.ndarray
    false_positives: np.ndarray

    @property
    def members(self) -> int:
        """Number of members."""
        return int(self.true_positives[-1])

    @property
    def non_members(self) -> int:
        """Number of non-members."""
        return int(self.false_positives[-1])

    @property
    def tpr(self) -> np.ndarray:
        """True positive rate at every vertex, [V]."""
        return np.asarray(self.true_positives / self.members)

    @property
    def fpr(self) -> np.ndarray:
        """False positive rate at every vertex, [V]."""
        return np.asarray(self.false_positives / self.non_members)

    @property
    def auc(self) -> float:
        """Area under the curve, ties at 1/2: P(member > non-member) + P(equal) / 2.

        Equals `sklearn.metrics.roc_auc_score`. Accumulated in integers.
        """
        twice = np.dot(np.diff(self.false_positives), self.true_positives[1:] + self.true_positives[:-1])
        return int(twice) / (2 * self.members * self.non_members)

    def tpr_at(self, alpha: float) -> float:
        """True positive rate at the last vertex with FPR <= alpha; never interpolated."""
        return int(self.true_positives[self._last(alpha)]) / self.members

    def supported(self, alpha: float) -> bool:
        """Whether alpha allows at least 5 false positives, fewer say little."""
        return supports(alpha, self.non_members)

    def balanced_accuracy(self, threshold: float) -> float:
        """(TPR + 1 - FPR) / 2 of the rule score >= threshold, which must come from other data to be honest."""
        vertex = int((self.thresholds[1:] >= threshold).sum())
        return 0.5 * (1.0 + float(self.tpr[vertex]) - float(self.fpr[vertex]))

    def tpr_interval(self, alpha: float, level: float = 0.95) -> Estimate:
        """`tpr_at` with the Clopper-Pearson interval over members, given the threshold."""
        return clopper_pearson(int(self.true_positives[self._last(alpha)]), self.members, level)

    def auc_interval(self, level: float = 0.95) -> Estimate:
        """AUC with DeLong's interval over examples. Source: [DeLong1988], equation (4) for one curve.

        The placement of a member is the share of non-members below it, of a non-member the share of members above it,
        ties at 1/2; the variance of the AUC is var(placements) / count, summed over the two.
        """
        if min(self.members, self.non_members) < 2:
            return Estimate(value=self.auc, reason="an interval needs at least 2 members and 2 non-members")
        below = 1 - (self.fpr[1:] + self.fpr[:-1]) / 2
        above = (self.tpr[1:] + self.tpr[:-1]) / 2
        variance = _variance_of_mean(below, np.diff(self.true_positives))
        variance += _variance_of_mean(above, np.diff(self.false_positives))
        return normal_interval(self.auc, float(np.sqrt(variance)), level)

    def _last(self, alpha: float) -> int:
        return int(np.searchsorted(self.fpr, alpha, side="right")) - 1


def roc(scores: np.ndarray, member: np.ndarray) -> Roc:
    """The ROC curve of one target.

    Args:
        scores: [N], larger = more likely a member; infinite scores are allowed.
        member: [N] bool, true membership in the target's training set.

    Raises:
        InputError: If a score is NaN, shapes differ, or members or non-members are missing.

    Example:
        >>> curve = roc(np.array([3.0, 2.0, 2.0, 1.0]), np.array([True, True, False, False]))
        >>> curve.auc, curve.tpr_at(0.0), curve.tpr_at(0.5)
        (0.875, 0.5, 1.0)
    """
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 1:
        raise InputError(f"roc takes the scores of one target, [examples], got shape {scores.shape}; see evaluate.")
    if np.isnan(scores).any():
        raise InputError(f"scores has {np.isnan(scores).sum()} NaN, the first at {int(np.isnan(scores).argmax())}.")
    member = mask(member, "member", scores.shape)
    if not 0 < member.sum() < member.size:
        raise InputError(f"A ROC curve needs members and non-members, got {member.sum()} and {(~member).sum()}.")
    return curve(scores, member, np.argsort(-scores, kind="stable"))


def curve(scores: np.ndarray, member: np.ndarray, descending: np.ndarray) -> Roc:
    """`roc` of checked arrays whose descending order is known."""
    ordered = scores[descending]
    ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), ordered.size - 1)
    hits = np.cumsum(member[descending])[ends]
    return Roc(
        thresholds=np.append(np.inf, ordered[ends]),
        true_positives=np.append(0, hits),
        false_positives=np.append(0, ends + 1 - hits),
    )


def supports(alpha: float, non_members: int) -> bool:
    """Whether alpha x non-members is at least 5."""
    # 0.001 * 5000 must count as 5 whatever the rounding.
    return alpha * non_members >= FEWEST_FALSE_POSITIVES * (1 - 1e-12)


def _variance_of_mean(values: np.ndarray, counts: np.ndarray) -> float:
    total = counts.sum()
    mean = np.dot(counts, values) / total
    return float(np.dot(counts, (values - mean) ** 2) / (total - 1) / total)
