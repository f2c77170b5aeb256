"""Figures computed from such a record: attacks at their best threshold, slopes, quantization after training."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from quantleak.arrays import plain
from quantleak.errors import InputError
from quantleak.theory.exact.record import ExactMis, enumerated


def quantized(exact: ExactMis, onto: np.ndarray) -> ExactMis:
    """The record of the learner whose parameters are mapped afterwards: training, then quantization.

    Its MIS is at least that of the learner.

    Args:
        exact: The learner, enumerated.
        onto: Whole numbers [K]: the number of the element that each parameter becomes.

    Raises:
        InputError: If there is not one number for each parameter, or the record was sampled.

    Example:
        >>> from quantleak.theory.exact import erm_mis
        >>> quantized(erm_mis([[0, 1], [1, 0]], [0.5, 0.5], n=3), np.array([0, 0])).value
        1.0
    """
    if onto.shape != exact.chosen.shape:
        raise InputError(f"onto must hold {len(exact.chosen)} numbers, one per parameter, got shape {onto.shape}.")
    if exact.method != "enumeration":
        raise InputError("quantized needs an enumerated record; this one was sampled, so that its errors would add up.")
    elements = int(onto.max()) + 1
    deviation = np.zeros((elements, exact.deviation.shape[1]))
    np.add.at(deviation, onto, exact.deviation)
    chosen = np.bincount(onto, exact.chosen, minlength=elements)
    return enumerated(n=exact.n, chosen=chosen, probabilities=exact.probabilities, deviation=deviation)


def attack_bound(exact: ExactMis, scores: ArrayLike) -> float:
    r"""What an attack proves about MIS at its best threshold and without sampling error.

    .. math::
        2 (1 - \max_t \mathrm{accuracy}_t) = 1 - \max_t \sum_{k, z: s_{kz} \ge t} (P(\hat\theta=k, z_1=z) - P(k) P(z))

    Never below `exact.value` where that is exact; equal to it for `exact.bayes_score`.

    Args:
        exact: The enumerated learner.
        scores: The attack's score of every parameter and example [K, z], larger = more likely a member; no NaN.

    Raises:
        InputError: If the scores have another shape or hold NaN.

    Example:
        >>> from quantleak.theory.exact import erm_mis
        >>> exact = erm_mis([[0, 1], [1, 0]], [0.5, 0.5], n=3)
        >>> attack_bound(exact, -np.array([[0, 1], [1, 0]])) == exact.value
        True
    """
    scores = plain(scores, "scores")
    if scores.shape != exact.deviation.shape or np.isnan(scores).any():
        raise InputError(f"scores must have shape {exact.deviation.shape} and no NaN, got shape {scores.shape}.")
    levels, level = np.unique(scores, return_inverse=True)
    gain = np.bincount(level.ravel(), exact.deviation.ravel(), minlength=len(levels))
    return 1 - max(0.0, float(gain[::-1].cumsum().max()))


def slope(first: ExactMis, second: ExactMis) -> float:
    r"""The rate at which 1 - MIS falls between two sizes, :math:`\ln(leak_1 / leak_2) / (n_2 - n_1)`, nats per example.

    Factors that do not grow with n cancel, unlike in `ExactMis.exponent`. NaN where nothing leaks at either.

    Raises:
        InputError: If both have the same n.
    """
    if first.n == second.n:
        raise InputError(f"slope needs two different numbers of training examples, got {first.n} twice.")
    if not (first.leak > 0 and second.leak > 0):
        return math.nan
    return math.log(first.leak / second.leak) / (second.n - first.n)
