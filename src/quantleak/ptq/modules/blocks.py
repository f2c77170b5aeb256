"""Blocks: parts of a network whose weights BRECQ reconstructs together."""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatchcase
from typing import TypeVar

from torch import nn

Block = TypeVar("Block", bound=type[nn.Module])

KNOWN = {"BasicBlock", "Bottleneck", "PreActBlock", "PreActBottleneck", "InvertedResidual", "ResidualBlock"}
"""Names of classes that are blocks in the networks most people use."""
_REGISTERED: set[type[nn.Module]] = set()


def register_block(kind: Block) -> Block:
    """Class decorator: modules of this class are reconstructed as a whole.

    A block takes one batch of inputs, computes one tensor, and treats every example by itself in evaluation mode.
    """
    _REGISTERED.add(kind)
    return kind


def blocks_of(module: nn.Module, patterns: Collection[str] = ()) -> list[str]:
    """Names of the outermost blocks, in the order of registration.

    Args:
        module: Which network.
        patterns: Name patterns such as `layer*.*`, in place of the registered and known classes.
    """
    found: list[str] = []
    for name, part in module.named_modules():
        inside = any(name.startswith(f"{block}.") for block in found)
        if name and not inside and _is_block(name, part, patterns):
            found.append(name)
    return found


def _is_block(name: str, part: nn.Module, patterns: Collection[str]) -> bool:
    if patterns:
        return any(fnmatchcase(name, pattern) for pattern in patterns)
    return type(part) in _REGISTERED or type(part).__name__ in KNOWN
