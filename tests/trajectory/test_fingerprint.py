"""Fingerprints against Python's integers, digests against hashlib."""

from __future__ import annotations

import hashlib
import struct

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from quantleak.trajectory import fingerprint
from quantleak.trajectory.fingerprint import as_words, canonical, fingerprints, vector_digest

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
WORDS = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3)


@given(rows=st.lists(WORDS, min_size=1, max_size=9))
def test_a_fingerprint_is_the_sum_of_the_equation(rows: list[list[int]]) -> None:
    factors = fingerprint._odd_numbers(3).tolist()
    assert all(factor % 2 for factor in factors)
    sums = [sum(c * (w ^ (w >> 47)) for c, w in zip(factors, row, strict=True)) % 2**64 for row in rows]
    expected = [total - 2**64 if total >= 2**63 else total for total in sums]
    assert fingerprints(torch.tensor(rows)).tolist() == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fingerprint, "CHUNK", 2)  # words: a row is summed in two pieces
        assert fingerprints(torch.tensor(rows)).tolist() == expected


@given(values=st.lists(st.sampled_from([-1.5, -0.0, 0.0, 2.0]), max_size=9), dtype=st.sampled_from(DTYPES))
def test_canonical_rows_have_equal_bits_where_values_are_equal(values: list[float], dtype: torch.dtype) -> None:
    vectors = torch.tensor([values, [abs(value) if value == 0 else value for value in values]], dtype=dtype)
    rows = canonical(vectors)
    words = as_words(rows)
    assert torch.equal(words[0], words[1])
    assert torch.equal(rows[:, : len(values)], vectors)
    assert not rows[:, len(values) :].any()
    assert rows.shape[1] - len(values) < 8


@pytest.mark.parametrize("width", [1, 2, 3, 256])
def test_sign_vectors_have_different_fingerprints(width: int) -> None:
    """Two flipped signs are what a plain sum of odd multiples misses."""
    vectors = torch.ones(1 + width * (width - 1) // 2 if width < 256 else 2000, width)
    pairs = torch.combinations(torch.arange(width))
    for row, pair in zip(vectors[1:], pairs, strict=False):
        row[pair] = -1
    assert len(fingerprints(as_words(canonical(vectors))).unique()) == len(vectors)


def test_a_digest_is_of_the_bytes_with_zero_of_one_sign() -> None:
    expected = hashlib.sha256(struct.pack("=3fq", 0.0, 1.0, -2.5, 7)).digest()
    beside: Tensor = torch.tensor(7)
    assert vector_digest(torch.tensor([-0.0, 1.0, -2.5]), beside) == expected
    assert vector_digest(torch.tensor([0.0, 1.0, -2.5]), torch.tensor(8)) != expected
    assert vector_digest(torch.tensor([0.0, 1.0, -2.5])) != expected
