"""The simplest procedure: a tensor rule on every weight, everything else rounded; for many models at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from quantleak.ptq.modules.layout import Layout, state
from quantleak.ptq.procedure import Procedure
from quantleak.quantizers import Quantizer

ROUNDED = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}


@dataclass(frozen=True, kw_only=True)
class Elementwise(Procedure):
    """A quantizer on each tensor of two or more dimensions by itself; all other real numbers are rounded.

    Masks, indices and other integers stay exact. It needs no data, and is followed at every evaluated epoch. If other
    real numbers stay float32, the models form no discrete set.

    Attributes:
        rule: The quantizer; the baseline leaves the whole model as it is.
    """

    rule: Quantizer

    @property
    def spec(self) -> str:
        """The spec of the quantizer."""
        return self.rule.spec

    @property
    def discrete(self) -> bool:
        """See `Procedure.discrete`."""
        return self.rule.discrete and self.unquantized_dtype != "float32"

    @property
    def every_epoch(self) -> bool:
        """See `Procedure.every_epoch`."""
        return True

    @property
    def is_baseline(self) -> bool:
        """See `Procedure.is_baseline`."""
        return self.rule.is_baseline

    def quantize(self, model: nn.Module, calibration: Tensor | None = None, seed: int = 0) -> nn.Module:
        """See `Procedure.quantize`."""
        layout = Layout.of(model, exact=True)
        return self.restored(model, layout.views(self.quantize_flat(layout, layout.flatten(state(model)))))

    def quantize_flat(
        self, layout: Layout, flat: Float[Tensor, "*models parameters"]
    ) -> Float[Tensor, "*models parameters"]:
        """Quantize many models at once, bit for bit as each by itself.

        Args:
            layout: Where the tensors lie.
            flat: `[..., P]` float32, any number of leading axes of models.

        Returns:
            `[..., P]` float32, exactly what the quantized models compute with.
        """
        if self.is_baseline:
            return flat
        leading = flat.ndim - 1
        parts: list[Tensor] = []
        for slot in layout.slots:
            part = flat[..., slot.start : slot.stop]
            if slot.role == "exact":
                parts.append(part)
            elif slot.role == "weight":
                parts.append(self.rule(part.unflatten(-1, slot.shape), batch_dims=leading).flatten(leading))
            else:
                parts.append(part.to(ROUNDED[self.unquantized_dtype]).float())
        return parts[0] if len(parts) == 1 else torch.cat(parts, -1)

    def effective_bits(self, quantized: nn.Module, constants: Collection[str] = ()) -> float:
        """See `Procedure.effective_bits`: quantized weights with their overhead, the rest as rounded.

        Masks, indices and other integers count as they are, constants not at all. Only shapes are read.
        """
        if self.is_baseline:
            return 32.0
        layout = Layout.of(quantized, exact=True, constants=constants)
        rest = torch.finfo(ROUNDED[self.unquantized_dtype]).bits
        bits = {
            slot.name: self.rule.effective_bits(slot.shape)
            if slot.role == "weight"
            else 8 * slot.dtype.itemsize
            if slot.role == "exact"
            else rest
            for slot in layout.slots
        }
        return sum(slot.count * bits[slot.name] for slot in layout.slots) / layout.count
