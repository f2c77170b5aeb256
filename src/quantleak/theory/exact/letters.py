"""Merges examples that no empirical-risk minimiser can distinguish."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from quantleak.theory.exact.losses import ExactLosses
from quantleak.theory.exact.record import ExactMis


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
