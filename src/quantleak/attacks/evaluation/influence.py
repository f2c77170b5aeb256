"""The influence of each example on a figure of each target, from which the sampling variance is estimated.

For an estimate theta of one target the influence psi_i of its examples sums to 0, and theta - E theta is about the sum
of the psi_i of a fresh sample. Squares summed over examples estimate the variance of theta; products of two targets,
summed over the examples that they share, their covariance. Members and non-members are scaled by n / (n - 1), so that
for the AUC of one target the variance is DeLong's. Source: [DeLong1988] E. DeLong, D. DeLong, D. Clarke-Pearson,
*Comparing the Areas under Two or More Correlated ROC Curves*, Biometrics 44.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantleak.attacks.evaluation.rank_weights import rank_weights
from quantleak.attacks.evaluation.roc import Roc
from quantleak.attacks.evaluation.table import ScoreTable


def auc_influence(table: ScoreTable) -> np.ndarray:
    """Influence of every example on the AUC of every target, [T, N]: placements, centred, over their number.

    The placement of a member is the share of non-members below it, of a non-member the share of members above it, ties
    at 1/2. Source: [DeLong1988], equation (4) for one curve.
    """
    return _by_example(table, [_auc_of(curve) for curve in table.curves])


def tpr_influence(table: ScoreTable, alpha: float) -> np.ndarray:
    """Influence of every example on `Roc.tpr_at_exactly(alpha)` of every target, [T, N].

    A member adds the weighted share of ranks that it lies above. A non-member moves every threshold below it down by
    one rank; what a rank is worth is the slope of the ROC there, taken from the mean curve of all targets, because one
    target's own steps are mostly noise.
    """
    slopes = np.diff(_mean_curve(table.curves))
    return _by_example(table, [_tpr_of(curve, alpha, slopes) for curve in table.curves])


def share_influence(hits: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Influence on each target's share of hits among some examples, [T, N]; 0 for the others.

    Args:
        hits: [T, N] bool.
        among: [T, N] bool, at least one in every row.
    """
    count = among.sum(axis=1, keepdims=True)
    share = (hits & among).sum(axis=1, keepdims=True) / count
    return np.asarray(among * (hits - share) / count * _unbiased(count))


def _auc_of(curve: Roc) -> tuple[np.ndarray, np.ndarray]:
    """Influence of a member and of a non-member of every group of equal scores, [G] each."""
    below = 1 - (curve.fpr[1:] + curve.fpr[:-1]) / 2
    above = (curve.tpr[1:] + curve.tpr[:-1]) / 2
    return _centred(below, curve, inside=True), _centred(above, curve, inside=False)


def _tpr_of(curve: Roc, alpha: float, slopes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    weights = rank_weights(curve.non_members, alpha)
    steps = np.zeros_like(weights)
    shared = min(len(slopes), len(weights))
    steps[:shared] = weights[:shared] * slopes[:shared]
    # Averages over the places that a non-member may take within its group of equal scores.
    from_rank = np.append(np.cumsum(steps[::-1])[::-1], 0.0)
    sums = np.append(0.0, np.cumsum(from_rank))
    first, last = curve.false_positives[:-1] + 1, curve.false_positives[1:] + 1
    moved = -(sums[last] - sums[first]) / np.maximum(last - first, 1) * curve.non_members
    return _centred(curve.shares_above(weights), curve, inside=True), _centred(moved, curve, inside=False)


def _centred(values: np.ndarray, curve: Roc, *, inside: bool) -> np.ndarray:
    counts = np.diff(curve.true_positives if inside else curve.false_positives)
    total = counts.sum()
    return np.asarray((values - counts @ values / total) / total * _unbiased(total))


def _unbiased(count: np.ndarray | np.int64) -> np.ndarray:
    """sqrt(n / (n - 1)), 1 for a single example, whose deviation from the mean is 0 in any case."""
    return np.asarray(np.sqrt(count / np.maximum(count - 1, 1)))


def _mean_curve(curves: Sequence[Roc]) -> np.ndarray:
    """Mean over targets of the share of members above the k-th non-member, for the ranks that all targets have."""
    shares = [curve.shares_by_rank() for curve in curves]
    return np.asarray(np.mean([share[: min(map(len, shares))] for share in shares], axis=0))


def _by_example(table: ScoreTable, by_group: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """From values for a member and a non-member of every group of equal scores to the examples, [T, N]."""
    influence = np.empty(table.scores.shape)
    for row, order, member, curve, values in zip(
        influence, table.descending, table.member, table.curves, by_group, strict=True
    ):
        sizes = np.diff(curve.true_positives + curve.false_positives)
        inside, outside = (np.repeat(value, sizes) for value in values)
        row[order] = np.where(member[order], inside, outside)
    return influence
