"""The ROC curve of one target, exact under ties: quantized models give many examples the same score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantleak.arrays import mask, plain
from quantleak.attacks.evaluation.rank_weights import rank_weights
from quantleak.errors import InputError


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

    @property
    def untied(self) -> float:
        r"""Share of the AUC's variance without signal that ties leave, $1 - \sum_g (t_g^3 - t_g) / (n^3 - n)$.

        With t_g examples in each group of equal scores; 1 without ties, 0 if all scores are equal. Equals
        `scipy.stats.tiecorrect`.
        """
        sizes = np.diff(self.true_positives + self.false_positives).astype(np.float64)
        count = sizes.sum()
        return float(1 - (sizes**3 - sizes).sum() / (count**3 - count))

    def tpr_at(self, alpha: float) -> float:
        """True positive rate of the rule that the sample suggests: at the last vertex with FPR <= alpha.

        Its false positive rate on fresh examples is larger than alpha as often as not; see `tpr_at_exactly`.
        """
        return int(self.true_positives[self._last(alpha)]) / self.members

    def tpr_at_exactly(self, alpha: float) -> float:
        r"""Estimate of the population's true positive rate at exactly this false positive rate.

        $\sum_k c_k \mathrm{TPR}_k$ with the weights of `rank_weights`: interpolated between ranks, and corrected for
        the bias that the concavity of a ROC gives to that. Ties count as if broken at random: scores that are all equal
        have exactly alpha. A single estimate may leave [0, 1]; the mean over targets is what is reported.
        """
        return self.weighted_tpr(rank_weights(self.non_members, alpha))

    def weighted_tpr(self, weights: np.ndarray) -> float:
        """Sum over ranks of weight times the expected share of members above; weights as for `shares_above`."""
        return float(np.diff(self.true_positives) @ self.shares_above(weights)) / self.members

    def shares_above(self, weights: np.ndarray) -> np.ndarray:
        """Weight of the ranks that a member of each group of equal scores lies above, [V - 1].

        Args:
            weights: Of the ranks 0 .. n0 + 1 of the non-members, [n0 + 2]; a member lies above rank n0 + 1.
        """
        # Averaged over the e + 1 places that a member may take among the e non-members with its score.
        sums = np.append(0.0, np.cumsum(np.cumsum(weights)))
        first, last = self.false_positives[:-1], self.false_positives[1:] + 1
        return np.asarray(weights.sum() - (sums[last] - sums[first]) / (last - first))

    def shares_by_rank(self) -> np.ndarray:
        """Expected share of members above the k-th non-member, k = 0 .. n0 + 1, ties broken at random, [n0 + 2]."""
        # Within a group the expected number grows by 1 / (e + 1) of its members with each of e + 1 steps.
        steps = np.zeros(self.non_members + 3)
        rise = np.diff(self.true_positives) / (np.diff(self.false_positives) + 1)
        np.add.at(steps, self.false_positives[:-1] + 1, rise)
        np.add.at(steps, self.false_positives[1:] + 2, -rise)
        return np.asarray(np.cumsum(np.cumsum(steps)[:-1]) / self.members)

    def balanced_accuracy(self, threshold: float) -> float:
        """(TPR + 1 - FPR) / 2 of the rule score >= threshold, which must come from other data to be honest."""
        vertex = int((self.thresholds[1:] >= threshold).sum())
        return 0.5 * (1.0 + float(self.tpr[vertex]) - float(self.fpr[vertex]))

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
    scores = plain(scores, "scores").astype(np.float64, copy=False)
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
