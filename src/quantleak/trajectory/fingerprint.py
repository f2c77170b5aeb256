"""Fingerprints and digests of the vectors of quantized models: equal vectors have equal ones.

A fingerprint (64 bits, fast) finds candidates for an exact comparison; a digest (SHA-256) stands for the vector itself.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from quantleak.trajectory.batches import tensor_bytes

CHUNK = 2**15
"""Words multiplied at a time: a quarter of a megabyte, which stays in cache."""


def canonical(vectors: Tensor) -> Tensor:
    """Vectors [rows, P] as contiguous rows of whole 64-bit words, in which equal values have equal bits.

    Negative zero becomes zero; zeros fill up the last word. A NaN stays as it is and equals itself.

    Returns:
        A new tensor [rows, at least P] of the same dtype.
    """
    width = vectors.shape[1]
    per_word = 8 // vectors.element_size()
    rows = vectors.new_empty(len(vectors), width + -width % per_word)
    torch.add(vectors, 0.0, out=rows[:, :width])
    rows[:, width:] = 0
    return rows


def as_words(rows: Tensor) -> Tensor:
    """The bits of canonical rows as int64 [rows, words]."""
    return rows.view(torch.int64) if rows.shape[1] else rows.new_empty(rows.shape, dtype=torch.int64)


def vector_digest(vector: Tensor, *beside: Tensor) -> bytes:
    """SHA-256 of a quantized model: the bytes of its vector, with negative zero as zero, then those of other tensors.

    Args:
        vector: Real numbers [P], all that determines the predictions but for `beside`.
        beside: Tensors of any dtype that are no part of the vector, such as integer buffers.

    Returns:
        32 bytes.
    """
    total = hashlib.sha256(tensor_bytes(vector + 0.0))
    for tensor in beside:
        total.update(tensor_bytes(tensor))
    return total.digest()


def fingerprints(words: Int64[Tensor, "rows words"]) -> Int64[Tensor, " rows"]:
    r"""A 64-bit fingerprint of each row.

    .. math:: \sum_i c_i \, (w_i \oplus (w_i \gg 47)) \bmod 2^{64}, \qquad c_i \text{ odd and fixed}

    The shift brings the upper bits down: a sum of odd multiples alone would not see two flipped sign bits at the top of
    their words, the very thing in which two binary networks differ.

    Args:
        words: int64 [rows, words].

    Returns:
        int64 [rows].
    """
    factors = _odd_numbers(words.shape[1]).to(words.device)
    at_once = max(1, CHUNK // max(1, min(CHUNK, words.shape[1])))
    return torch.cat([_mixed_sum(piece, factors) for piece in words.split(at_once)])


def _mixed_sum(words: Tensor, factors: Tensor) -> Tensor:
    total = torch.zeros_like(words[:, :0].sum(1))
    for piece, factor in zip(words.split(CHUNK, dim=1), factors.split(CHUNK), strict=True):
        total += (piece >> 47).bitwise_xor_(piece).mul_(factor).sum(1)
    return total


@lru_cache(maxsize=16)
def _odd_numbers(count: int) -> Tensor:
    random = np.random.Generator(np.random.PCG64(0x9E3779B97F4A7C15))
    return torch.from_numpy(random.integers(-(2**62), 2**62, count) * 2 + 1)
