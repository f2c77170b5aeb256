"""A number with its interval, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value with the limits of its confidence interval.

    Attributes:
        value: The point estimate; None where it cannot be given.
        low: Lower limit; None where there is no interval.
        high: Upper limit; None where there is no interval.
        reason: Why something is missing.

    Example:
        >>> float(Estimate(value=0.5, low=0.4, high=0.6))
        0.5
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None

    def __float__(self) -> float:
        return float("nan") if self.value is None else self.value

    def text(self, digits: int = 3) -> str:
        """`0.123 [0.100, 0.150]`, or `-`.

        Example:
            >>> Estimate(value=0.5, low=0.25, high=0.75).text(2)
            '0.50 [0.25, 0.75]'
        """
        if self.value is None:
            return "-"
        interval = "" if self.low is None or self.high is None else f" [{self.low:.{digits}f}, {self.high:.{digits}f}]"
        return f"{self.value:.{digits}f}{interval}"

    def to_dict(self) -> dict[str, float | str | None]:
        """Plain values, never NaN, ready for JSON."""
        fields: dict[str, float | str | None] = {"value": self.value, "low": self.low, "high": self.high}
        return fields | ({"reason": self.reason} if self.reason else {})

    def map(self, function: Callable[[float], float]) -> Estimate:
        """The estimate of a monotone function of the value."""
        if self.value is None or self.low is None or self.high is None:
            value = None if self.value is None else function(self.value)
            return Estimate(value=value, reason=self.reason)
        low, high = sorted((function(self.low), function(self.high)))
        return Estimate(value=function(self.value), low=low, high=high, reason=self.reason)


def widest(intervals: Sequence[Interval]) -> Interval:
    """The smallest of the lower and the largest of the upper limits.

    Example:
        >>> widest([(0.1, 0.3), (0.2, 0.4)])
        (0.1, 0.4)
    """
    lows, highs = zip(*intervals, strict=True)
    return min(lows), max(highs)


def finite_estimate(
    value: float | None, low: float | None = None, high: float | None = None, reason: str | None = None
) -> Estimate:
    """An :class:`Estimate` from floats; what is not finite becomes None."""
    return Estimate(value=finite(value), low=finite(low), high=finite(high), reason=reason)


def finite(value: float | None) -> float | None:
    """The value as a float, or None if it is None, NaN or infinite."""
    return float(value) if value is not None and math.isfinite(value) else None
