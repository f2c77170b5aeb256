"""Loops compiled for the processor at hand, where batched tensor operations move more memory than they compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

# Sums may be reordered, which vector instructions need; NaN and infinity keep their meaning.
_FASTMATH = {"reassoc", "contract", "nsz"}

inner = njit(error_model="numpy", fastmath=_FASTMATH)
"""A part of a loop, compiled into what calls it."""


def kept(function: Callable[..., Any]) -> Callable[..., Any]:
    """A loop, compiled once for all processes to come, or once a process where there is no folder to keep it in.

    Modules of such loops are imported where they are first needed: numba takes half a second.
    """
    try:
        return njit(cache=True, error_model="numpy", fastmath=_FASTMATH)(function)
    except RuntimeError:
        return inner(function)
