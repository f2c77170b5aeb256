"""All count vectors of n examples over finitely many values, and their multinomial probabilities."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import special


@dataclass(frozen=True, kw_only=True)
class Compositions:
    r"""The vectors of `parts` whole numbers of at least 0 that sum to n: :math:`\binom{n + z - 1}{z - 1}` of them.

    Attributes:
        n: The sum, number of training examples.
        parts: z, number of values an example can take.

    Example:
        >>> Compositions(n=2, parts=2).rows(0, 3).tolist()
        [[2, 0], [1, 1], [0, 2]]
    """

    n: int
    parts: int

    @property
    def count(self) -> int:
        """How many there are."""
        return math.comb(self.n + self.parts - 1, self.parts - 1)

    def rows(self, first: int, last: int) -> np.ndarray:
        """Those numbered first to last - 1; int64 [last - first, parts].

        The combinatorial number system: what is left for the last r - 1 parts is the largest t with
        `comb(t + r - 2, r - 1) <= number`, whatever came before.
        """
        number = np.arange(first, last)
        left = np.full(len(number), self.n)
        columns = []
        for parts in range(self.parts, 1, -1):
            before = np.array([math.comb(t + parts - 2, parts - 1) for t in range(self.n + 1)])
            rest = np.searchsorted(before, number, side="right") - 1
            number = number - before[rest]
            columns.append(left - rest)
            left = rest
        return np.stack([*columns, left], axis=1)

    def chunks(self, rows: int) -> Iterator[np.ndarray]:
        """All of them, at most `rows` at a time."""
        for first in range(0, self.count, rows):
            yield self.rows(first, min(first + rows, self.count))


def multinomial(counts: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Probability of each count vector; equals `scipy.stats.multinomial.pmf`.

    Summed as logarithms, so that factorials do not overflow; below 1e-308 it is 0.

    Args:
        counts: Whole numbers [rows, z], equal row sums.
        probabilities: [z], positive.

    Returns:
        float64 [rows].
    """
    n = int(counts[0].sum())
    log_factorial = special.gammaln(np.arange(n + 1) + 1.0)
    logarithm = np.full(len(counts), log_factorial[n])
    for column, p in zip(counts.T, probabilities, strict=True):
        logarithm += (np.arange(n + 1) * np.log(p) - log_factorial)[column]
    return np.asarray(np.exp(logarithm))
