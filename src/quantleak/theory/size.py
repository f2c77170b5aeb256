"""The number of training examples: checked."""

from __future__ import annotations

import operator
from typing import Any, SupportsIndex

from quantleak.errors import InputError

LARGEST = 2**62
"""Training sets beyond this size are not looked at."""


def training_examples(n: Any) -> int:
    """The number as an `int`; 128.0 is one too.

    Raises:
        InputError: If it is none from 1 to 2^62.

    Example:
        >>> training_examples(128.0)
        128
    """
    try:
        whole = operator.index(n) if isinstance(n, SupportsIndex) else int(float(n))
        if whole == n and 1 <= whole <= LARGEST:
            return whole
    except (TypeError, ValueError, OverflowError):
        pass
    raise InputError(f"n must be the number of training examples, a positive whole number, got {n}.")
