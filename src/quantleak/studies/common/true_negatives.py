"""The share of non-members that LOSS clears: a free score of how private a model is."""

from __future__ import annotations

import numpy as np

TPR = 0.99


def true_negatives(signals: np.ndarray, member: np.ndarray) -> np.ndarray:
    """The share of non-members `[models]` that LOSS calls so where it still finds 99% of the members.

    Source: arXiv 2510.19773, which reads a threshold model's privacy at this end of the ROC.

    Args:
        signals: phi `[models, examples]`; larger where the loss is smaller.
        member: `[models, examples]`.

    Example:
        >>> true_negatives(np.array([[3.0, 2.0, 1.0, 0.0]]), np.array([[True, False, True, False]]))
        array([0.5])
    """
    rows = zip(signals, member, strict=True)
    lowest = [(row, inside, np.quantile(row[inside], 1 - TPR, method="lower")) for row, inside in rows]
    return np.array([(row[~inside] < threshold).mean() for row, inside, threshold in lowest])
