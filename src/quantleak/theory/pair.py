"""How one element's losses differ from another's, without rounding: for what the compiled pass cannot decide."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from quantleak.errors import InputError

SAFE = 400
"""Differences between 2^-400 and 2^400 have squares, and sums of squares, well inside the range of float64."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Moments of the differences `D` between two rows of losses, in units of `2^exponent` nats.

    Attributes:
        total: `sum D`, the exact sum rounded once; 0 only for an exact tie.
        mean: `E D`.
        variance: `Var D`, ddof 0; exactly 0 where D is constant.
        exponent: 0 where the differences are of ordinary size.
    """

    total: float
    mean: float
    variance: float
    exponent: int

    @property
    def delta(self) -> float:
        """`E D` in nats."""
        return math.ldexp(self.mean, self.exponent)

    @property
    def squared(self) -> float:
        """`Var D` in nats squared; infinite or 0 where it leaves the range of float64."""
        with np.errstate(over="ignore", under="ignore"):
            return float(np.ldexp(self.variance, 2 * self.exponent))

    @property
    def signal_to_noise(self) -> float:
        """`(E D)^2 / Var D`, which has no unit; infinite where D is constant."""
        return math.inf if self.variance == 0 else self.mean**2 / self.variance


def pair(row: Tensor, best: Tensor) -> Pair:
    """Compare a row of finite losses [N] with another that differs from it somewhere.

    Sums are `math.fsum`, which rounds once, so that equal sums of different losses tie. Very small and very large
    differences are scaled by a power of two, which rounds nothing but losses that underflow beside far larger ones; the
    sign of the sum is then that of the sum of fractions.

    Raises:
        InputError: If a difference leaves the range of float64.
    """
    examples = len(row)
    changed = (row != best).numpy()
    one, two = (losses.double().numpy()[changed] for losses in (row, best))
    with np.errstate(over="ignore"):
        difference = one - two
    largest = float(np.abs(difference).max())
    if math.isinf(largest):
        raise InputError(
            f"losses differ by more than float64 can hold, {one[np.isinf(difference)][0]:g} against "
            f"{two[np.isinf(difference)][0]:g}; divide all of them by a constant, which changes no rate."
        )
    exponent = math.frexp(largest)[1]
    exponent = exponent if abs(exponent) > SAFE else 0
    losses = one, two
    one, two, difference = (np.ldexp(values, -exponent) for values in (one, two, difference))
    total = math.fsum(chain(one.tolist(), (-two).tolist()))
    if exponent > 0 and abs(total) <= examples * sys.float_info.min:
        total = _sign(*losses) * sys.float_info.min
    mean = total / examples
    constant = len(difference) == examples and difference.min() == difference.max()
    equal = (examples - len(difference)) * mean**2  # examples at which the two rows agree
    squares = 0.0 if constant else math.fsum([*((difference - mean) ** 2).tolist(), equal])
    return Pair(total=total, mean=mean, variance=squares / examples, exponent=exponent)


def _sign(one: NDArray[np.float64], two: NDArray[np.float64]) -> int:
    """Of `sum (one - two)`, in rational arithmetic."""
    total = sum(map(Fraction, one.tolist())) - sum(map(Fraction, two.tolist()))
    return (total > 0) - (total < 0)
