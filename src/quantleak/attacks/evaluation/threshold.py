"""Thresholds chosen on other data than those they judge: across two folds of targets, or of examples for one target."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64


def crossfit_thresholds(scores: np.ndarray, member: np.ndarray, groups: np.ndarray) -> np.ndarray | None:
    """The threshold to apply to every score, from the fold that the score is not in.

    Targets with even and with odd numbers are each other's fold. A single target is cut into two halves of its
    examples, whole groups and both memberships in each.

    Args:
        scores: [T, N] float64.
        member: [T, N] bool, both classes in every row.
        groups: [N] int64, which examples belong together.

    Returns:
        [T, N] float64, or None for a single target that has not two groups of members and two of non-members.
    """
    if (targets := len(scores)) > 1:
        fold = np.broadcast_to(np.arange(targets)[:, None] % 2, scores.shape)
    else:
        fold = halves(member[0], groups)[None]
        if min(np.unique(fold[side]).size for side in (member, ~member)) < 2:
            return None
    chosen = [best_threshold(scores, member, fold == other) for other in (1, 0)]
    return np.asarray(np.where(fold == 0, *chosen))


def best_threshold(
    scores: Float64[np.ndarray, "targets examples"],
    member: Bool[np.ndarray, "targets examples"],
    within: Bool[np.ndarray, "targets examples"],
) -> float:
    """The score t whose rule score >= t has the largest balanced accuracy, averaged over targets; +inf if none helps.

    Args:
        scores: [T, N] float64.
        member: [T, N] bool.
        within: [T, N] bool, the entries to look at.
    """
    gain = np.zeros(scores.shape)
    for side, sign in ((member, 1.0), (~member, -1.0)):
        count = (side & within).sum(axis=1, keepdims=True)
        gain += sign * (side & within) / np.maximum(count, 1)
    flat = scores[within]
    descending = np.argsort(-flat, kind="stable")
    ordered = flat[descending]
    ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), ordered.size - 1)
    total = np.cumsum(gain[within][descending])[ends]
    best = int(total.argmax())
    # A gain of nothing but rounding is none: constant scores must not call everyone a member.
    return float(ordered[ends[best]]) if total[best] > 1e-9 else np.inf


def halves(member: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """0 or 1 for every example: every second group of the members, and of the non-members."""
    fold = np.zeros(member.shape, dtype=np.int64)
    for side in (member, ~member):
        fold[side] = np.unique(groups[side], return_inverse=True)[1] % 2
    return fold
