"""Which false positive rates a set of targets can say something about."""

from __future__ import annotations

import math

import numpy as np

ALONE, TOGETHER, TOTAL = 5.0, 2.0, 20.0
"""Expected false positives: of a target where there are few; of a target, and of all, from `TARGETS` on."""
TARGETS = 8


def unsupported(alpha: float, member: np.ndarray, groups: np.ndarray) -> str | None:
    """Why nothing can be said at this false positive rate, or None if it can.

    With n0 non-members of a target, the mean over targets, a rate alpha is supported where alpha (n0 + 1) >= 5, or from
    8 targets on where it is at least 2 and 20 summed over targets. Examples of one group, such as the rows of one
    patient, count once. Tried by simulation: `benchmarks/interval_coverage.py`.

    Args:
        alpha: False positive rate.
        member: [T, N] bool.
        groups: [N] int codes 0 .. G - 1, equal values mark examples that belong together.

    Example:
        >>> unsupported(0.1, np.zeros((1, 100), dtype=bool), np.arange(100) // 50)
        'FPR 0.1 needs 49 groups of non-members per target, there are 2'
    """
    targets, mean = len(member), float(non_members(member, groups).mean())
    each = max(TOGETHER, TOTAL / targets) if targets >= TARGETS else ALONE
    if alpha * (mean + 1) * (1 + 1e-12) >= each:  # 0.01 * 500 must count as 5 whatever the rounding
        return None
    needed = math.ceil(each / alpha * (1 - 1e-12)) - 1
    what = "non-members" if np.unique(groups).size == groups.size else "groups of non-members"
    return f"FPR {alpha:g} needs {needed} {what} per target, there are {int(mean)}"


def non_members(member: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Distinct groups with a non-member, of every target, [T] int.

    Args:
        member: [T, N] bool.
        groups: [N] int codes 0 .. G - 1.
    """
    size = int(groups.max()) + 1
    if size == groups.size:
        return np.asarray((~member).sum(axis=1))
    return np.array([np.count_nonzero(np.bincount(groups[~row], minlength=size)) for row in member])
