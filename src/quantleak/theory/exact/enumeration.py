"""MIS by enumeration of all counts."""

from __future__ import annotations

import numpy as np

from quantleak.errors import InputError
from quantleak.theory.exact.compositions import Compositions, multinomial
from quantleak.theory.exact.distribution import distribution
from quantleak.theory.exact.learners import Learner
from quantleak.theory.exact.record import ExactMis, enumerated

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
