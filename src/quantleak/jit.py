"""Loops compiled for the processor at hand, where batched tensor operations move more memory than they compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

# NaN and infinity keep their meaning. What is kept is keyed by the file of the loop, not by this one: after a change
# here, remove `__pycache__`.
reordered = njit(error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
"""A part of a loop in which sums may be taken in any order, which vector instructions need.

So may differences: `a - b - c` becomes `a - (b + c)`, which loses a tie.
"""

ordered_numbers = njit(error_model="numpy", fastmath={"reassoc", "nsz", "nnan"})
"""A part of a loop that compares numbers of which none is NaN, as vector instructions need."""


def kept(function: Callable[..., Any]) -> Callable[..., Any]:
    """A loop, compiled once for all processes to come, or once a process where there is no folder to keep it in.

    Modules of such loops are imported where they are first needed: numba takes half a second.
    """
    try:
        return njit(cache=True, error_model="numpy")(function)
    except RuntimeError:
        return njit(error_model="numpy")(function)
