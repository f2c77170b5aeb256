"""A guarantee at finite n for an empirical-risk minimiser over the distinct elements of a trajectory."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from quantleak.theory.cramer import Exponents
from quantleak.theory.gaps import Gaps, gaps
from quantleak.theory.size import LARGEST, training_examples


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A lower bound on Membership Inference Security at one n. `float(certificate)` is its value, NaN where undefined.

    Attributes:
        value: The bound in [0, 1], 0 where it is empty; None where the losses prove nothing.
        reason: Why there is no value.
        start: The smallest n with a positive bound; None if there is none, because two elements tie.
    """

    value: float | None
    reason: str | None
    start: int | None

    def __float__(self) -> float:
        return math.nan if self.value is None else self.value


def erm_certificate(losses: object, n: int) -> Certificate:
    r"""Lower bound on the Membership Inference Security of an empirical-risk minimiser over these elements.

    .. math:: \mathrm{MIS} \ge \max\!\left(0,\; 1 - \sum_{k \ge 2} e^{-n I_k}\right)^2

    since `1 - MIS <= 1 - p_1^2` with `p_1 = P(theta_hat_n = theta_bar_1)` and `1 - p_1 <= sum_k exp(-n I_k)`; `I_k` as
    in `cramer_rate`. It speaks of an ERM over *these* elements with the empirical distribution of the validation
    examples as P, never of one trained model. Usually 0 in practice. Sharpens the bound after Lemma B.1 of
    [Aubinais2025]_.

    Fewer than two distinct elements prove nothing, since training may have passed others that were not looked at; nor
    does a single validation example, or a table without a finite mean loss.

    Args:
        losses: Table [K, N] in nats, as for `privacy_rate`.
        n: Number of training examples.

    Raises:
        InputError: If `losses` cannot be used or n is not a positive whole number.

    Example:
        >>> certificate = erm_certificate([[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, -1.0]], n=32)
        >>> round(float(certificate), 4), certificate.start
        (0.9801, 1)
    """
    n, exponents = training_examples(n), Exponents(gaps(losses))
    if reason := _no_proof(exponents.measured):
        return Certificate(value=None, reason=reason, start=None)
    # Terms below exp(-40) / R together cannot change the sum by more than the rounding of float64.
    while exponents.solve_smallest(below=(40 + math.log(len(exponents.lower) + 1)) / n):
        pass
    value = max(0.0, 1 - _failure(exponents.lower, n)) ** 2
    return Certificate(value=value, reason=None, start=certificate_start_of(exponents))


def certificate_start(losses: object) -> int | None:
    """The smallest n at which `erm_certificate` is positive; None if there is none, or if it is undefined.

    Raises:
        InputError: If `losses` cannot be used.

    Example:
        >>> certificate_start([[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, -1.0], [1.0, 1.0, 1.0, -1.5]])
        8
    """
    return certificate_start_of(Exponents(gaps(losses)))


def certificate_start_of(exponents: Exponents) -> int | None:
    """`certificate_start` of a measured table.

    The exponents known exactly bound it from below, the lower bounds of the others from above; exponents are
    solved, the smallest first, until the two meet.
    """
    if exponents.measured.undefined:
        return None
    while True:
        earliest = _first_below_one(exponents.lower[exponents.solved])
        latest = _first_below_one(exponents.lower)
        if earliest == latest or not exponents.solve_smallest(below=math.inf):
            return earliest


def _no_proof(measured: Gaps) -> str | None:
    if measured.best is not None and not len(measured.competitors):
        return "undefined: a certificate needs at least two distinct quantized models; evaluate more epochs"
    return measured.undefined


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
