"""MIS by enumeration of all count vectors of n examples over finitely many values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import special

from quantleak.errors import InputError
from quantleak.theory.exact.distribution import distribution
from quantleak.theory.exact.learners import Learner
from quantleak.theory.exact.record import ExactMis, enumerated


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


CHUNK = 2**18
"""Numbers in the largest table held at a time: 2 MiB in float64, a few such."""

LIMIT = 2**29
"""Numbers looked at in all, beyond which enumeration is refused: some seconds."""


def cost(learner: Learner, examples: int, n: int) -> int:
    """How many numbers enumeration looks at."""
    return Compositions(n=n, parts=examples).count * (learner.elements + examples)


def enumerate_mis(learner: Learner, probabilities: object, n: int) -> ExactMis:
    r"""Exact MIS of a learner trained on n i.i.d. examples of a finite distribution.

    .. math::
        1 - \mathrm{MIS} = \frac12 \sum_{k,z} \left| \sum_c P(c)\, P(k \mid c) \left(\frac{c_z}{n} - p_z\right) \right|

    over all counts c: given them, a uniformly drawn training example is z with probability `c_z / n`. Source:
    [Aubinais2025]_, the identity of MIS with a total variation distance. The deviations of the most likely element are
    minus the sum of all others', since they cancel over k; so a leak of 1e-30 has as many digits as one of 0.1.

    Args:
        learner: The learner.
        probabilities: P [z], positive, sum 1.
        n: Number of training examples.

    Raises:
        InputError: If P is no distribution, n is not positive, or there are too many counts (use `sample_mis`).

    Example:
        >>> from quantleak.theory.exact import Erm
        >>> enumerate_mis(Erm(losses=[[0, 1], [1, 0]]), [0.5, 0.5], 1).value
        0.5
    """
    p = distribution(probabilities, n)
    work = cost(learner, len(p), n)
    if work > LIMIT:
        raise InputError(
            f"n = {n} examples of {len(p)} values have {Compositions(n=n, parts=len(p)).count} count vectors, too many "
            "to enumerate; use sample_mis."
        )
    chosen, deviation = np.zeros(learner.elements), np.zeros((learner.elements, len(p)))
    for counts in Compositions(n=n, parts=len(p)).chunks(max(1, CHUNK // (learner.elements + len(p)))):
        law, weight = learner.law(counts), multinomial(counts, p)
        chosen += weight @ law
        deviation += law.T @ (weight[:, None] * (counts / n - p))
    likely = int(chosen.argmax())
    others = np.arange(len(chosen)) != likely
    chosen[likely], deviation[likely] = 1 - chosen[others].sum(), -deviation[others].sum(0)
    return enumerated(n=n, chosen=chosen, probabilities=p, deviation=deviation)
