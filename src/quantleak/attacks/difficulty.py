"""Difficulty calibration: a target's signal against that of models which never saw the example.

Source: [Watson2022] L. Watson et al., *On the Importance of Difficulty Calibration in Membership Inference Attacks*,
arXiv 2111.08440.
"""

from __future__ import annotations

import numpy as np

from quantleak.attacks.gaussian import describe
from quantleak.attacks.shadows import arrange


def difficulty(
    target: np.ndarray, shadows: np.ndarray, member: np.ndarray, *, use: np.ndarray | None = None
) -> np.ndarray:
    """Score = s(x) - mean of s over OUT shadows, larger = more likely a member; the mean over queries.

    Args:
        target: Signals of the attacked models, shapes as in `lira`; any signal of which larger means member, nats.
        shadows: [S, N] the same of the shadow models.
        member: [S, N] bool, whether each shadow was trained on each example.
        use: [S, N] bool, which shadows may be read; all where None.

    Returns:
        Scores, [N] or [T, N], float64.

    Raises:
        NotEnoughShadows: If an example has no OUT shadow.
        InputError: If shapes disagree or a value is NaN or infinite.

    Example:
        >>> difficulty(np.array([1.0]), np.array([[0.0], [0.5], [9.0]]), np.array([[False], [False], [True]])).tolist()
        [0.75]
    """
    columns = arrange(target, shadows, member, use)
    columns.require(0, 1, attack="Difficulty calibration")
    return columns.mean_over_queries(columns.target - describe(columns.shadows, columns.outside, "mean").centre)
