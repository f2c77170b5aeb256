"""The data distribution P on finitely many examples: checked."""

from __future__ import annotations

import numpy as np

from quantleak.arrays import plain
from quantleak.errors import InputError
from quantleak.theory.size import training_examples


def distribution(probabilities: object, n: int) -> np.ndarray:
    """P as float64 [z], and a check of n.

    Raises:
        InputError: If these are not one axis of positive numbers that sum to 1 (within 1e-9), or n is no positive whole
            number.
    """
    training_examples(n)
    p = plain(probabilities, "probabilities").astype(np.float64)
    if p.ndim != 1:
        raise InputError(f"probabilities must have one axis, got shape {p.shape}.")
    if not (p > 0).all() or abs(p.sum() - 1) > 1e-9:
        raise InputError(
            f"probabilities must be positive and sum to 1, got {p.size} numbers that sum to {p.sum():g}; leave out "
            "examples of probability 0."
        )
    return np.asarray(p / p.sum())
