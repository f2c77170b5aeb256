"""The study's numbers as text."""

from __future__ import annotations

import math

MISSING = "-"
SIGNIFICANT = 3
NOTHING = 1e-9
"""Smaller than this is rounding."""


def number(value: float | None) -> str:
    """A figure with three significant digits; whole numbers whole.

    Example:
        >>> number(0.8649), number(17.5), number(1500.0), number(-1e-16), number(None)
        ('0.865', '17.5', '1,500', '0', '-')
    """
    if value is None or math.isnan(value):
        return MISSING
    if abs(value) < NOTHING:
        return "0"
    return f"{value:,.0f}" if value == round(value) else f"{value:.{SIGNIFICANT}g}"


def correlation(value: float) -> str:
    """Two decimals.

    Example:
        >>> correlation(0.864), correlation(float("nan"))
        ('0.86', '-')
    """
    return MISSING if math.isnan(value) else f"{value + 0.0:.2f}"


def limits(low: float | None, high: float | None) -> str:
    """An interval in brackets, empty where there is none.

    Example:
        >>> limits(0.81234, 0.9), limits(None, None)
        ('[0.812, 0.9]', '')
    """
    return "" if low is None or high is None else f"[{number(low)}, {number(high)}]"
