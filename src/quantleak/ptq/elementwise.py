"""An element of `Theta_bar`: a model's flat vector with everything in it quantized or rounded to a finite set."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from quantleak.models import Layout
from quantleak.quantizers import Quantizer

ROUNDED = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}


def element(
    quantizer: Quantizer, layout: Layout, flat: Float[Tensor, "*models parameters"], biases: str
) -> Float[Tensor, "*models parameters"]:
    """Quantize the weights of `flat` and round all other reals, for any number of leading model axes.

    Masks, indices and other integers stay exact.

    Args:
        quantizer: Applied to each tensor of two or more dimensions by itself; `identity` leaves `flat` as it is.
        layout: Where the tensors lie.
        flat: `[..., P]` float32.
        biases: The type to which biases and buffers are rounded, a key of `ROUNDED`.

    Returns:
        `[..., P]` float32, exactly what the quantized model computes with.
    """
    if quantizer.name == "identity":
        return flat
    leading = flat.ndim - 1
    parts: list[Tensor] = []
    for slot in layout.slots:
        part = flat[..., slot.start : slot.stop]
        if slot.role == "exact":
            parts.append(part)
        elif slot.role == "weight":
            parts.append(quantizer(part.unflatten(-1, slot.shape), batch_dims=leading).flatten(leading))
        else:
            parts.append(part.to(ROUNDED[biases]).float())
    return parts[0] if len(parts) == 1 else torch.cat(parts, -1)


def effective_bits(quantizer: Quantizer, layout: Layout, biases: str) -> float:
    """Bits per number of the stored model: quantized weights with their overhead, the rest as rounded.

    Masks, indices and other integers count as they are, constants not at all.
    """
    if quantizer.name == "identity":
        return 32.0
    rest = torch.finfo(ROUNDED[biases]).bits
    bits = {
        slot.name: quantizer.effective_bits(slot.shape)
        if slot.role == "weight"
        else 8 * slot.dtype.itemsize
        if slot.role == "exact"
        else rest
        for slot in layout.slots
    }
    return sum(slot.count * bits[slot.name] for slot in layout.slots) / layout.count
