"""Packed codes come back, and take the room that their width says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantleak.ptq.storage.packing import pack, packed_size, unpack


@given(st.sampled_from((2, 3, 4, 5, 8, 11, 16, 100, 256, 257, 1024, 65536)), st.integers(0, 70), st.integers(0, 999))
def test_what_is_packed_comes_back(levels: int, count: int, seed: int) -> None:
    codes = np.random.default_rng(seed).integers(levels, size=count).astype(np.int32)
    packed = pack(codes, levels)
    assert packed.dtype == np.uint8
    assert len(packed) == packed_size(count, levels)
    np.testing.assert_array_equal(unpack(packed, levels, count), codes)


@pytest.mark.parametrize("levels", [2, 3, 4, 8, 16, 256])
def test_it_takes_little_more_than_log2_of_the_levels(levels: int) -> None:
    assert packed_size(10_000, levels) == pytest.approx(10_000 * math.log2(levels) / 8, rel=0.01)


def test_the_first_bytes_by_hand() -> None:
    assert pack(np.array([1, 2, 3, 0]), 4).tolist() == [0b00111001]
    assert pack(np.array([2, 1, 0, 0, 2, 1]), 3).tolist() == [2 + 3 + 2 * 81, 1]
    assert pack(np.array([7, 0, 5]), 8).tolist() == [0b01000111, 0b1]


def test_bytes_that_are_no_codes_are_refused() -> None:
    with pytest.raises(ValueError, match="2 bytes of codes were expected, 3 found"):
        unpack(np.zeros(3, np.uint8), 4, 8)
    with pytest.raises(ValueError, match="a code of 7 was found where there are 5 levels"):
        unpack(np.array([7], np.uint8), 5, 2)
