"""A guarantee at finite n for an empirical-risk minimiser over the visited elements."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from quantleak.errors import InputError

from .cramer import Exponents
from .gaps import gaps

LARGEST = 2**62
"""Training sets beyond this size are not looked at."""


def erm_certificate(losses: object, n: int) -> float:
    r"""Lower bound on the Membership Inference Security of an empirical-risk minimiser over these elements.

    .. math:: \mathrm{MIS} \ge \max\!\left(0,\; 1 - \sum_{k \ge 2} e^{-n I_k}\right)^2

    since `1 - MIS <= 1 - p_1^2` with `p_1 = P(theta_hat_n = theta_bar_1)` and `1 - p_1 <= sum_k exp(-n I_k)`; `I_k` as
    in `cramer_rate`. It speaks of an ERM over the *visited* elements with the empirical distribution of the validation
    examples as P, never of one trained model. Usually 0 in practice. Sharpens the bound after Lemma B.1 of
    [Aubinais2025]_.

    Args:
        losses: Table [K, N] in nats, as for `privacy_rate`.
        n: Number of training examples.

    Returns:
        A bound in [0, 1]; 1 with a single element, 0 where no element has a finite mean loss.

    Raises:
        InputError: If `losses` cannot be used or n is not a positive whole number.

    Example:
        >>> round(erm_certificate([[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, -1.0]], n=32), 4)
        0.9801
    """
    if n != int(n) or n < 1:
        raise InputError(f"n must be the number of training examples, a positive whole number, got {n}.")
    exponents = Exponents(gaps(losses))
    if exponents.measured.best is None:
        return 0.0
    # Terms below exp(-40) / R together cannot change the sum by more than the rounding of float64.
    while exponents.solve_smallest(below=(40 + math.log(len(exponents.lower) + 1)) / n):
        pass
    return max(0.0, 1 - _failure(exponents.lower, n)) ** 2


def certificate_start(losses: object) -> int | None:
    """The smallest n at which `erm_certificate` is positive; None if there is none, because two elements tie.

    Raises:
        InputError: If `losses` cannot be used.

    Example:
        >>> certificate_start([[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, -1.0], [1.0, 1.0, 1.0, -1.5]])
        8
    """
    return certificate_start_of(Exponents(gaps(losses)))


def certificate_start_of(exponents: Exponents) -> int | None:
    """`certificate_start` of a measured table.

    The exponents known exactly bound the answer from below, the lower bounds of the others from above; exponents are
    solved, the smallest first, until the two meet.
    """
    if exponents.measured.best is None:
        return None
    while True:
        earliest = _first_below_one(exponents.lower[exponents.solved])
        latest = _first_below_one(exponents.lower)
        if earliest == latest or not exponents.solve_smallest(below=math.inf):
            return earliest


def _failure(exponents: Tensor, n: int) -> float:
    """`sum_k exp(-n I_k)`."""
    return float(torch.exp(-n * exponents).sum())


def _first_below_one(exponents: Tensor) -> int | None:
    """The smallest n with `_failure` below 1, by doubling and bisection."""
    high = 1
    while _failure(exponents, high) >= 1:
        high *= 2
        if high > LARGEST:
            return None
    low = high // 2  # fails, or is 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _failure(exponents, middle) >= 1 else (low, middle)
    return high
