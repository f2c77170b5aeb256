"""The crossed table that every metric reads: scores and memberships, targets x examples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantleak.arrays import mask, plain
from quantleak.attacks.evaluation.rank_weights import interpolating_weights
from quantleak.attacks.evaluation.roc import Roc, curve
from quantleak.errors import InputError


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class ScoreTable:
    """Checked scores of T targets on N examples, each target's examples in order.

    Attributes:
        scores: [T, N] float64.
        member: [T, N] bool.
        groups: [N] int64 codes 0 .. G - 1 of examples that belong together; every example its own where none are given.
        descending: [T, N] positions of the examples, largest score first.
        curves: The ROC curve of each target.
    """

    scores: np.ndarray
    member: np.ndarray
    groups: np.ndarray
    descending: np.ndarray
    curves: tuple[Roc, ...]

    def auc(self) -> np.ndarray:
        """AUC of each target, [T]."""
        return np.array([one.auc for one in self.curves])

    def tpr_at_exactly(self, alpha: float) -> np.ndarray:
        """Estimated TPR of each target at exactly a false positive rate, [T]; see `Roc.tpr_at_exactly`."""
        return np.array([one.tpr_at_exactly(alpha) for one in self.curves])

    def bias_removed(self, alpha: float) -> float:
        """By how much the correction of `Roc.tpr_at_exactly` moves the mean over targets."""
        straight = [one.weighted_tpr(interpolating_weights(one.non_members, alpha)) for one in self.curves]
        return float(self.tpr_at_exactly(alpha).mean() - np.mean(straight))

    def balanced_accuracy(self, decisions: np.ndarray) -> np.ndarray:
        """(TPR + 1 - FPR) / 2 of the given decisions, bool [T, N], of each target, [T]."""
        tpr = (decisions & self.member).sum(axis=1) / self.member.sum(axis=1)
        fpr = (decisions & ~self.member).sum(axis=1) / (~self.member).sum(axis=1)
        return np.asarray(0.5 * (1 + tpr - fpr))


def score_table(scores: np.ndarray, member: np.ndarray, groups: np.ndarray | None = None) -> ScoreTable:
    """Check scores and memberships and put each target's examples in order.

    Args:
        scores: [T, N] or, for one target, [N]; larger = more likely a member.
        member: The same shape, bool.
        groups: [N], equal values mark examples that belong together.

    Raises:
        InputError: If shapes differ, a score is NaN, or a target lacks members or non-members.
    """
    scores = np.atleast_2d(plain(scores, "scores").astype(np.float64, copy=False))
    if scores.ndim != 2 or not scores.size:
        raise InputError(f"scores must be [targets, examples] and not empty, got shape {scores.shape}.")
    if (nan := np.isnan(scores)).any():
        t, i = np.argwhere(nan)[0]
        raise InputError(f"scores has {nan.sum()} NaN, the first at target {t}, example {i}.")
    member = mask(np.atleast_2d(member), "member", scores.shape)
    if (lacking := np.flatnonzero(member.all(axis=1) | ~member.any(axis=1))).size:
        only = "members" if member[lacking[0]].all() else "non-members"
        raise InputError(f"Every target needs members and non-members; target {lacking[0]} has {only} only.")
    descending = np.argsort(-scores, axis=1, kind="stable")
    curves = tuple(curve(*row) for row in zip(scores, member, descending, strict=True))
    codes = group_codes(groups, scores.shape[1])
    return ScoreTable(scores=scores, member=member, groups=codes, descending=descending, curves=curves)


def group_codes(groups: np.ndarray | None, examples: int) -> np.ndarray:
    """Codes 0 .. G - 1 of the groups, [N]; every example its own where none are given.

    Raises:
        InputError: If there is not one value per example.
    """
    if groups is None:
        return np.arange(examples)
    if groups.shape != (examples,):
        raise InputError(f"groups has shape {groups.shape}, expected ({examples},): one value per example.")
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)
