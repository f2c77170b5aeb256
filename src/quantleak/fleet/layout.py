"""How the tensors of a module lie in one flat vector, so that a block of models is one matrix `[models, P]`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

Role = Literal["weight", "bias", "buffer"]


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One tensor of a module.

    `role` is `weight` for floating-point parameters of two or more dimensions (the ones that are quantized), `bias` for
    other parameters, `buffer` for floating-point state such as running statistics.
    """

    name: str
    shape: tuple[int, ...]
    role: Role
    start: int

    @property
    def stop(self) -> int:
        """Where the tensor ends in the flat vector."""
        return self.start + math.prod(self.shape)


@dataclass(frozen=True)
class Layout:
    """The order of a module's parameters and floating-point buffers in a flat vector of `size` float32 numbers."""

    slots: tuple[Slot, ...]

    @classmethod
    def of(cls, module: nn.Module) -> Layout:
        """The layout of a module: floating-point parameters in their order, then floating-point buffers."""
        slots: list[Slot] = []
        start = 0
        for name, role, tensor in _tensors(module):
            slots.append(Slot(name=name, shape=tuple(tensor.shape), role=role, start=start))
            start = slots[-1].stop
        return cls(tuple(slots))

    @property
    def size(self) -> int:
        """`P`, the length of the flat vector."""
        return self.slots[-1].stop

    def views(self, flat: Tensor) -> dict[str, Tensor]:
        """The tensors inside `flat` `[..., P]`, each `[..., *shape]`, without a copy."""
        return {
            slot.name: flat[..., slot.start : slot.stop].unflatten(-1, slot.shape)
            if slot.shape
            else flat[..., slot.start]
            for slot in self.slots
        }

    def flatten(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """The flat vector `[P]` of one model's tensors, a copy."""
        return torch.cat([tensors[slot.name].detach().reshape(-1).float() for slot in self.slots])


def _tensors(module: nn.Module) -> list[tuple[str, Role, Tensor]]:
    parameters: list[tuple[str, Role, Tensor]] = [
        (name, "weight" if tensor.ndim >= 2 else "bias", tensor)
        for name, tensor in module.named_parameters()
        if tensor.is_floating_point()
    ]
    buffers: list[tuple[str, Role, Tensor]] = [
        (name, "buffer", tensor) for name, tensor in module.named_buffers() if tensor.is_floating_point()
    ]
    return parameters + buffers


def state(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers of a module by name, shared parameters once."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}
