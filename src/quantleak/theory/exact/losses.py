"""Losses of finitely many parameters on finitely many examples, as whole numbers, so that ties are exact."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from quantleak.arrays import of_arrays, plain
from quantleak.errors import InputError

EXACT = 2**53
"""float64 holds every whole number up to here, and sums of them without rounding."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactLosses:
    """Losses up to a factor and up to a constant an example, neither of which any empirical-risk minimiser can see.

    Attributes:
        integers: Python's whole numbers [K, z], at least 0, the smallest of each column 0; no common divisor.
        scaled: The same in float64 (rounded where they exceed 2^53), divided by the largest where that is so.
        largest: The largest of `integers`.
    """

    integers: np.ndarray
    scaled: np.ndarray
    largest: int

    def minimisers(self, counts: np.ndarray) -> np.ndarray:
        """Which elements have the smallest empirical risk, exactly; bool [rows, K], at least one per row.

        Where the whole numbers fit float64, its sums are exact. Otherwise the elements within rounding of the smallest
        are compared in Python's whole numbers.
        """
        risk = counts @ self.scaled.T
        smallest = risk.min(1, keepdims=True)
        if self.largest * int(counts[0].sum()) < EXACT:
            return np.asarray(risk == smallest)
        # A risk is z products of rounded entries, and z sums; twice that for a difference, twice for safety.
        slack = 4 * (counts.shape[1] + 2) * np.finfo(np.float64).eps * float(counts[0].sum() * self.scaled.max())
        close = np.asarray(risk <= smallest + slack)
        if np.count_nonzero(close) > len(close):
            self._settle(close, counts)
        return close

    def _settle(self, close: np.ndarray, counts: np.ndarray) -> None:
        """Keep the true minimisers among the `close` [rows, K]."""
        row, element = (close & (close.sum(1, keepdims=True) > 1)).nonzero()
        exact = (counts[row].astype(object) * self.integers[element]).sum(1)
        first = np.flatnonzero(np.diff(row, prepend=-1))
        least = np.repeat(np.minimum.reduceat(exact, first), np.diff(first, append=len(row)))
        close[row, element] = exact == least


def exact_losses(losses: object) -> ExactLosses:
    """Read a loss table as exact numbers.

    Args:
        losses: [K, z]: whole numbers, `fractions.Fraction`, or floats, each taken as the binary fraction that it is
            (0.1 + 0.2 is not 0.3 there: give 1, 2 and 3 if ties matter).

    Raises:
        InputError: If `losses` is not a table of finite numbers.

    Example:
        >>> exact_losses([[0.5, 1.0], [2.0, 1.0]]).integers.tolist()
        [[0, 0], [1, 0]]
    """
    # Lists keep their whole numbers of any size; what is an array or a tensor already has a dtype.
    arrays = hasattr(losses, "__array__") or of_arrays(losses)
    table = plain(losses, "losses") if arrays else np.array(losses, dtype=object)
    if table.ndim != 2 or not table.size:
        raise InputError(f"losses must be a table [elements, examples], got shape {table.shape}.")
    rows = [[_fraction(value) for value in row] for row in table.tolist()]
    least = [min(column) for column in zip(*rows, strict=True)]
    fractions = [[value - low for value, low in zip(row, least, strict=True)] for row in rows]
    entries = [value for row in fractions for value in row]
    denominator = math.lcm(*(value.denominator for value in entries))
    divisor = math.gcd(*(int(value * denominator) for value in entries)) or 1
    integers = np.array([[int(value * denominator) // divisor for value in row] for row in fractions], dtype=object)
    largest = int(integers.max())
    scale = 1 if largest < EXACT else largest
    scaled = np.array([[value / scale for value in row] for row in integers.tolist()], dtype=np.float64)
    return ExactLosses(integers=integers, scaled=scaled, largest=largest)


def _fraction(value: object) -> Fraction:
    if isinstance(value, numbers.Rational):
        return Fraction(value)
    if isinstance(value, numbers.Real) and math.isfinite(value):
        return Fraction(float(value))
    raise InputError(f"losses must be finite numbers, got {value!r}; cap infinite losses or leave the element out.")
