"""Counting along a sorted axis with the very comparison that the definition makes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def leading_true(holds: Callable[[np.ndarray], np.ndarray], size: int, shape: tuple[int, ...]) -> np.ndarray:
    """How many of the indices 0 .. size - 1 satisfy a condition that never comes back once it has failed.

    About log2(size) calls, each on a whole array of indices. Unlike a search for a transformed value, this keeps the
    floating arithmetic of the condition, and with it every tie.

    Args:
        holds: Maps indices [*shape] to bool [*shape], entry by entry; monotone: true first, then false.
        size: Number of indices.
        shape: Shape of the answer.

    Returns:
        Counts between 0 and `size`, [*shape] int64.

    Example:
        >>> leading_true(lambda index: np.array([1, 4, 9])[index] <= np.array([0, 4, 9]), 3, (3,)).tolist()
        [0, 2, 3]
    """
    low, high = np.zeros(shape, dtype=np.int64), np.full(shape, size, dtype=np.int64)
    for _ in range(size.bit_length()):
        middle = (low + high) >> 1
        # A finished search looks once more at a place that exists, and stays where it is.
        true = holds(np.minimum(middle, size - 1)) & (middle < high)
        low = np.where(true, middle + 1, low)
        high = np.where(true, high, middle)
    return low
