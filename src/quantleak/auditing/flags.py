"""Which examples an attacker flags as members at a given false-positive rate."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from quantleak.attacks.table import score_table


def flagged(
    scores: Float[np.ndarray, "targets examples"], member: Bool[np.ndarray, "targets examples"], alpha: float
) -> Bool[np.ndarray, "targets examples"]:
    """The examples called members at a false-positive rate of at most alpha, bool `[targets, examples]`.

    Each target has its own threshold, the one behind `Roc.tpr_at`: the mean over members is the true-positive rate.

    Args:
        scores: `[targets, examples]`, larger = more likely a member.
        member: `[targets, examples]`, true membership.
        alpha: False-positive rate.

    Example:
        >>> flagged(np.array([[4.0, 3.0, 2.0, 1.0]]), np.array([[True, False, True, False]]), 0.0)
        array([[ True, False, False, False]])
    """
    curves = score_table(scores, member).curves
    thresholds = [curve.thresholds[np.searchsorted(curve.fpr, alpha, side="right") - 1] for curve in curves]
    return np.asarray(scores >= np.array(thresholds)[:, None])
