"""The loss table of a whole population, for the rates: each example as often as its probability says."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from quantleak.arrays import plain
from quantleak.errors import InputError

LARGEST = 100_000
"""Columns of the table at most."""


def population_table(losses: object, probabilities: object) -> np.ndarray:
    """Columns repeated so that the mean over them is the expectation under P: `privacy_rate` of it is the true r_Q.

    Args:
        losses: [K, z] in nats.
        probabilities: P [z]: fractions, or floats that are one with a denominator of at most 100,000.

    Returns:
        float64 [K, N] with the smallest N for which all `N p_z` are whole.

    Raises:
        InputError: If the shapes do not fit or there is no such N.

    Example:
        >>> population_table([[0, 1], [1, 0]], [0.75, 0.25]).tolist()
        [[0.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 0.0]]
    """
    table, given = (
        plain(values, name).astype(np.float64)
        for values, name in ((losses, "losses"), (probabilities, "probabilities"))
    )
    if table.ndim != 2 or given.shape != table.shape[1:]:
        raise InputError(f"losses {table.shape} needs one probability per column, got shape {given.shape}.")
    shares = [Fraction(p).limit_denominator(LARGEST) for p in given.tolist()]
    columns = math.lcm(*(share.denominator for share in shares))
    near = np.allclose([float(share) for share in shares], given, rtol=0, atol=1e-12)
    if not near or sum(shares) != 1 or columns > LARGEST:
        raise InputError(
            f"probabilities must be fractions with a common denominator of at most {LARGEST} that sum to 1; round them."
        )
    return np.repeat(table, [int(share * columns) for share in shares], axis=1)
