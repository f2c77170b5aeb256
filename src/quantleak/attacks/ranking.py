"""One target's ranking metrics under many example weights at once: the order is fixed, only the weights change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantleak.attacks.bisect import leading_true
from quantleak.attacks.roc import Roc


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Ranking:
    """The order of one target's examples, ties kept together.

    Attributes:
        members: Positions of the members, descending by score.
        others: Positions of the non-members, descending by score.
        ends: [G] non-members down to the end of each group of equal non-member scores.
        above: [G + 1] members with a larger score than the group; all members at the end.
        at_least: [G] members with a score as large.
    """

    members: np.ndarray
    others: np.ndarray
    ends: np.ndarray
    above: np.ndarray
    at_least: np.ndarray


def ranking(descending: np.ndarray, member: np.ndarray, curve: Roc) -> Ranking:
    """Read a target's order off its curve."""
    is_member = member[descending]
    step = np.flatnonzero(np.diff(curve.false_positives))
    return Ranking(
        members=descending[is_member],
        others=descending[~is_member],
        ends=curve.false_positives[step + 1],
        above=np.append(curve.true_positives[step], curve.members),
        at_least=curve.true_positives[step + 1],
    )


def weighted_metrics(order: Ranking, weights: np.ndarray, fprs: tuple[float, ...]) -> np.ndarray:
    """AUC, then the TPR at every FPR, of one target whose example i counts weights[i, b] times in resample b.

    Args:
        order: The target.
        weights: [N, B] float32, whole numbers.
        fprs: False positive rates.

    Returns:
        [1 + F, B] float64; NaN where no member or no non-member is left.
    """
    hits, alarms = running_sums(weights, order.members), running_sums(weights, order.others)
    positives, negatives = total(hits[-1]), total(alarms[-1])
    down_to = alarms[order.ends]
    group = down_to.copy()
    group[1:] -= down_to[:-1]
    won = hits[order.above[:-1]]
    won += hits[order.at_least]
    auc = np.einsum("gb,gb->b", group, won, dtype=np.float64) / (2 * positives * negatives)
    column, allowed = np.arange(weights.shape[1]), np.array(fprs)[:, None]
    # A vertex counts if its FPR, as a quotient, is at most alpha: the same comparison as in Roc.tpr_at.
    passed = leading_true(
        lambda g: down_to[g, column] / negatives <= allowed, order.ends.size, (len(fprs), column.size)
    )
    return np.concatenate([auc[None], hits[order.above[passed], column] / positives])


def total(sums: np.ndarray) -> np.ndarray:
    """The sums as float64, NaN for an empty one: what is divided by it becomes undefined, not an error."""
    return np.where(sums > 0, sums, np.nan).astype(np.float64)


def running_sums(weights: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Sums of the first 0, 1, ..., n rows of weights[order], [n + 1, B]; float32 whole numbers are exact below 2^24."""
    count, columns = order.size, weights.shape[1]
    block = max(1, int(np.sqrt(count)))
    sums = np.empty((1 + -(-count // block) * block, columns), dtype=weights.dtype)
    sums[0] = sums[count + 1 :] = 0
    np.take(weights, order, axis=0, out=sums[1 : count + 1], mode="clip")
    blocks = sums[1:].reshape(-1, block, columns)
    # Two levels of whole-row additions: np.cumsum along the first axis is several times slower.
    for place in range(1, block):
        np.add(blocks[:, place], blocks[:, place - 1], out=blocks[:, place])
    for number in range(1, len(blocks)):
        np.add(blocks[number], blocks[number - 1, -1], out=blocks[number])
    return sums[: count + 1]
