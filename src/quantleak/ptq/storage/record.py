"""What is known of a quantized module: the codes and grids of its weights, and what made them."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn

from quantleak.errors import InputError
from quantleak.ptq.modules import Weight
from quantleak.ptq.modules.layout import Layout
from quantleak.ptq.solvers import Grid

ATTRIBUTE = "quantization"
"""The attribute of a quantized module that holds its record."""
SCALE_BITS = 32


@dataclass(frozen=True, eq=False)
class QuantizedWeight:
    """One weight as whole numbers.

    Attributes:
        weight: Which weight of the module.
        rule: Spec of the rule that made it.
        grid: The values of every output channel.
        codes: `[groups, rows, columns]`, uint8 for at most 256 levels, else int32.
    """

    weight: Weight
    rule: str
    grid: Grid
    codes: Integer[Tensor, "groups rows columns"]

    @classmethod
    def of(cls, weight: Weight, rule: str, grid: Grid, codes: Tensor) -> QuantizedWeight:
        """With codes in the smallest dtype."""
        return cls(weight, rule, grid, codes.to(torch.uint8 if grid.levels <= 256 else torch.int32))

    @property
    def values(self) -> Float[Tensor, " ..."]:
        """The dequantized weight, float32, in the shape of the parameter."""
        return self.weight.weight(self.grid.values(self.codes.int()))

    @property
    def bits(self) -> float:
        """Bits of the stored weight: log2 of the levels per number, a float32 scale and a zero point per channel."""
        overhead = self.weight.rows * (SCALE_BITS + 8 * self.zero_dtype.itemsize)
        return self.weight.count * math.log2(self.grid.levels) + overhead

    @property
    def zero_dtype(self) -> torch.dtype:
        """How zero points are stored: in one byte where all of them fit."""
        zero = self.grid.zero
        fits = bool(((zero >= 0) & (zero <= 255)).all())
        return torch.uint8 if fits else torch.int32


@dataclass(frozen=True, eq=False, kw_only=True)
class Quantization:
    """The record of a quantized module.

    Attributes:
        spec: Of the rule.
        policy: Rules of single layers by name pattern, as they were given.
        seed: Of everything drawn.
        weights: The quantized weights.
        left: Names of the weights that stay as they were.
        unquantized_dtype: To what biases, norms and buffers were rounded.
        calibration: `examples`, their `sha256`, and `indices` in the training set where they are known.
        folded: Layers and the batch norms that were folded into them.
        source: SHA-256 of the trained module.
        notes: What a reader should know: inputs that were always 0, layers that did not run.
    """

    spec: str
    policy: dict[str, str]
    seed: int
    weights: tuple[QuantizedWeight, ...]
    left: tuple[str, ...]
    unquantized_dtype: str
    calibration: dict[str, Any] = field(default_factory=dict)
    folded: tuple[tuple[str, str], ...] = ()
    source: str = ""
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> QuantizedWeight:
        """The weight of this parameter or layer.

        Raises:
            KeyError: If it is not quantized.
        """
        found = [one for one in self.weights if name in (one.weight.name, one.weight.layer)]
        if not found:
            raise KeyError(name)
        return found[0]

    def __repr__(self) -> str:
        """The spec and how much is quantized."""
        levels = sorted({one.grid.levels for one in self.weights})
        return f"Quantization({self.spec}: {len(self.weights)} weights of {levels} levels, {len(self.left)} left)"


def quantization(module: nn.Module) -> Quantization:
    """The record of a module that :func:`quantleak.quantize` made or :func:`quantleak.load_quantized` read.

    Raises:
        InputError: If it has none.
    """
    found = getattr(module, ATTRIBUTE, None)
    if not isinstance(found, Quantization):
        raise InputError(
            f"This {type(module).__name__} has no codes: it was not made by ql.quantize. Quantize the "
            "trained module first."
        )
    return found


def effective_bits(module: nn.Module, constants: Collection[str] = ()) -> float:
    """Bits per number of a quantized module as stored, overhead included.

    Every quantized weight counts with :attr:`QuantizedWeight.bits`, weights left as they were with 32 bits, other real
    numbers with those of `unquantized_dtype`, whole numbers as they are.
    """
    record = quantization(module)
    bits = {one.weight.name: one.bits for one in record.weights}
    rest = torch.finfo(getattr(torch, record.unquantized_dtype)).bits
    layout = Layout.of(module, exact=True, constants=constants)
    total = sum(
        bits[slot.name]
        if slot.name in bits
        else slot.count
        * (8 * slot.dtype.itemsize if slot.role == "exact" else 32 if slot.name in record.left else rest)
        for slot in layout.slots
    )
    return total / layout.count
