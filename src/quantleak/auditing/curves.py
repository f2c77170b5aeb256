"""Mean ROC curves on a logarithmic grid of false-positive rates: what low rates hide, an AUC never shows."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from quantleak.attacks import evaluate, unsupported
from quantleak.attacks.table import group_codes

GRID = tuple(10.0 ** (step / 8) for step in range(-32, 1))
"""Eight false-positive rates a decade from 0.01% to 1; 0.1%, 1% and 10% are among them."""


def mean_curve(
    scores: Float[np.ndarray, "targets examples"],
    member: Bool[np.ndarray, "targets examples"],
    groups: Int[np.ndarray, " examples"],
    level: float,
) -> dict[str, np.ndarray]:
    """The mean over targets of the true-positive rate at every rate of `GRID` that the examples support.

    Args:
        scores: `[targets, examples]`, larger = more likely a member.
        member: `[targets, examples]`, true membership.
        groups: `[examples]`, equal values mark examples that belong together.
        level: Confidence level.

    Returns:
        `fpr`, `tpr`, `low`, `high`, float64 of one length, `fpr` ascending; limits are NaN where there are none.
    """
    codes = group_codes(groups, member.shape[1])
    fprs = tuple(alpha for alpha in GRID if unsupported(alpha, member, codes) is None)
    if not fprs:
        return {name: np.empty(0) for name in ("fpr", "tpr", "low", "high")}
    tpr = evaluate(scores, member, fprs=fprs, groups=groups, level=level).tpr
    points = [(alpha, tpr[alpha].value, tpr[alpha].low, tpr[alpha].high) for alpha in fprs]
    return dict(zip(("fpr", "tpr", "low", "high"), np.array(points, dtype=np.float64).T, strict=True))
