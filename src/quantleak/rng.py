"""One seed, one stream of random numbers per purpose: what one part draws never shifts what another draws."""

from __future__ import annotations

import zlib
from enum import IntEnum

import numpy as np

from quantleak.errors import InputError


def stream(seed: int, purpose: str) -> np.random.Generator:
    """A generator for `purpose`, independent of those of every other purpose with the same seed.

    Args:
        seed: A whole number, 0 or larger.
        purpose: What the numbers are for, such as `"split"`; part of the result.

    Raises:
        InputError: If the seed is negative or not a whole number.

    Example:
        >>> bool(stream(0, "split").random() == stream(0, "split").random())
        True
        >>> bool(stream(0, "split").random() == stream(0, "membership").random())
        False
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"The seed must be a whole number, 0 or larger, got {seed!r}. Try seed=0.")
    return np.random.default_rng(np.random.SeedSequence([int(seed), zlib.crc32(purpose.encode())]))


class Stream(IntEnum):
    """Purposes that every model of a fleet has random numbers for, each of its own, so that none disturbs another."""

    START = 1
    BATCHES = 2
    FORWARD = 3
    CALIBRATION = 4
    QUANTIZE = 5
    AUGMENT = 6


def model_stream(seed: int, purpose: Stream, model: int, *more: int) -> np.random.SeedSequence:
    """The seed sequence of one purpose of one model."""
    return np.random.SeedSequence([seed, int(purpose), model, *more])


def torch_seed(seed: int, purpose: Stream, model: int, *more: int) -> int:
    """A seed for torch's generator from the same stream, `[0, 2^63)`."""
    return int(model_stream(seed, purpose, model, *more).generate_state(1, np.uint64)[0] >> np.uint64(1))
