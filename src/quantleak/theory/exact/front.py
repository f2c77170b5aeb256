"""Computes the MIS of a learner: exactly where counts can be enumerated, by sampling where not.

Examples that no empirical-risk minimiser can distinguish are merged first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from quantleak.errors import InputError
from quantleak.theory.exact.distribution import distribution
from quantleak.theory.exact.enumeration import LIMIT, cost, enumerate_mis
from quantleak.theory.exact.learners import Erm, Learner
from quantleak.theory.exact.losses import ExactLosses, exact_losses
from quantleak.theory.exact.record import ExactMis
from quantleak.theory.exact.sampling import DEFAULT, Sampling, sample_mis


@dataclass(frozen=True, kw_only=True, eq=False)
class Letters:
    """Examples merged where their columns of losses are equal (up to a constant and exactly).

    Given its letter, an example is independent of the parameters, so the total variation distance is that between
    letters, and far fewer counts need enumeration.

    Attributes:
        losses: [K, letters].
        probabilities: [letters].
        letter: The letter of each example [z].
        share: P(z | its letter) [z].
    """

    losses: ExactLosses
    probabilities: np.ndarray
    letter: np.ndarray
    share: np.ndarray

    def spelled_out(self, merged: ExactMis) -> ExactMis:
        """The record over letters as one over examples."""
        probabilities = merged.probabilities[self.letter] * self.share
        return replace(merged, probabilities=probabilities, deviation=merged.deviation[:, self.letter] * self.share)


def letters(losses: ExactLosses, probabilities: np.ndarray) -> Letters:
    """Merge the examples of P [z] whose columns of `losses` [K, z] are equal.

    Example:
        >>> from quantleak.theory.exact.losses import exact_losses
        >>> letters(exact_losses([[0, 5, 1], [1, 6, 0]]), np.array([0.25, 0.5, 0.25])).letter.tolist()
        [0, 0, 1]
    """
    codes: dict[tuple[int, ...], int] = {}
    letter = np.array([codes.setdefault(tuple(column), len(codes)) for column in losses.integers.T.tolist()])
    first = np.unique(letter, return_index=True)[1]
    merged = np.bincount(letter, probabilities)
    kept = ExactLosses(integers=losses.integers[:, first], scaled=losses.scaled[:, first], largest=losses.largest)
    return Letters(losses=kept, probabilities=merged, letter=letter, share=probabilities / merged[letter])


def learner_mis(learner: Learner, probabilities: object, n: int, sampling: Sampling = DEFAULT) -> ExactMis:
    """MIS of any learner that sees counts; `method` says whether it was enumerated or sampled.

    Args:
        learner: The learner.
        probabilities: P [z], positive, sum 1.
        n: Number of training examples.
        sampling: For where there are too many counts.

    Raises:
        InputError: If P is no distribution or n is not positive.

    Example:
        >>> from quantleak.theory.exact import Gibbs
        >>> learner_mis(Gibbs(losses=[[0, 1], [1, 0]], inverse_temperature=0.0), [0.5, 0.5], 8).value
        1.0
    """
    p = distribution(probabilities, n)
    return enumerate_mis(learner, p, n) if cost(learner, len(p), n) <= LIMIT else sample_mis(learner, p, n, sampling)


def erm_mis(
    losses: object, probabilities: object, n: int, *, ties: str = "lowest", sampling: Sampling = DEFAULT
) -> ExactMis:
    """MIS of the empirical-risk minimiser over finitely many parameters, trained on n i.i.d. examples of a finite P.

    Args:
        losses: [K, z] of K parameters on the z examples that P can draw: whole numbers, fractions or floats; see
            `exact_losses` for when two risks are equal.
        probabilities: P [z], positive, sum 1.
        n: Number of training examples.
        ties: "lowest" takes the first of equal parameters, "uniform" each with the same probability.
        sampling: For where there are too many counts.

    Raises:
        InputError: If the losses are no table of finite numbers with a column for each example, P is no distribution,
            or n is not positive.

    Example:
        >>> erm_mis([[0, 1], [1, 0]], [0.75, 0.25], n=2).value  # theta_2 only after (z_2, z_2): 1 - 2 / 16 * 3 / 4 * 2
        0.90625
    """
    exact, p = exact_losses(losses), distribution(probabilities, n)
    if exact.integers.shape[1] != len(p):
        raise InputError(f"losses has {exact.integers.shape[1]} columns for {len(p)} probabilities; give one each.")
    merged = letters(exact, p)
    learner = Erm(losses=merged.losses, ties=ties)
    found = merged.spelled_out(learner_mis(learner, merged.probabilities, n, sampling))
    best = int((exact.scaled @ p).argmin())
    same = (exact.integers == exact.integers[best]).all(1)  # equal rows are one element
    return replace(found, ties=ties, p_1=float(np.sum(found.chosen[same])))
