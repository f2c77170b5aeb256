"""Whole numbers packed into bytes: codes of a power of two levels in their bits, ternary ones five to a byte."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Integer, UInt8

PER_BYTE = 5
"""Ternary digits in one byte: 3^5 = 243."""
_POWERS = (3 ** np.arange(PER_BYTE)).astype(np.uint8)


def code_bits(levels: int) -> int:
    """Bits of one code, other than a ternary one."""
    return max(1, math.ceil(math.log2(levels)))


def packed_size(count: int, levels: int) -> int:
    """Bytes that so many codes take."""
    return -(-count // PER_BYTE) if levels == 3 else -(-count * code_bits(levels) // 8)


def pack(codes: Integer[np.ndarray, " count"], levels: int) -> UInt8[np.ndarray, " bytes"]:
    """Codes from 0 to `levels - 1` as bytes, without gaps; the last byte is filled up with zeros."""
    if levels == 3:
        padded = np.zeros(-(-len(codes) // PER_BYTE) * PER_BYTE, np.uint8)
        padded[: len(codes)] = codes
        return np.asarray((padded.reshape(-1, PER_BYTE) * _POWERS).sum(1, dtype=np.uint8))
    width = code_bits(levels)
    if width == 8:
        return codes.astype(np.uint8)
    bits = (codes[:, None].astype(np.uint32) >> np.arange(width, dtype=np.uint32)) & 1
    return np.packbits(bits.astype(np.uint8).ravel(), bitorder="little")


def unpack(packed: UInt8[np.ndarray, " bytes"], levels: int, count: int) -> Integer[np.ndarray, " count"]:
    """The inverse of :func:`pack`, int32.

    Raises:
        ValueError: If there are not so many bytes, or one holds no code.
    """
    if len(packed) != packed_size(count, levels):
        raise ValueError(f"{packed_size(count, levels)} bytes of codes were expected, {len(packed)} found")
    if levels == 3:
        codes = ((packed[:, None] // _POWERS) % 3).ravel()[:count].astype(np.int32)
    elif code_bits(levels) == 8:
        codes = packed.astype(np.int32)
    else:
        width = code_bits(levels)
        bits = np.unpackbits(packed, count=count * width, bitorder="little").reshape(count, width)
        codes = (bits.astype(np.int32) << np.arange(width, dtype=np.int32)).sum(1, dtype=np.int32)
    if len(codes) and int(codes.max()) >= levels:
        raise ValueError(f"a code of {int(codes.max())} was found where there are {levels} levels")
    return codes
