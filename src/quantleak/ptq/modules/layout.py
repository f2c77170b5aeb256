"""How the tensors of a module lie in one flat vector, so that a block of models is one matrix `[models, P]`."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from quantleak.errors import InputError

Role = Literal["weight", "bias", "buffer", "exact"]
COUNTER = "num_batches_tracked"  # BatchNorm counts, and no prediction depends on it


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One tensor of a module.

    `role` is `weight` for floating-point parameters of two or more dimensions (the ones that are quantized), `bias` for
    other parameters, `buffer` for floating-point state such as running statistics, `exact` for tensors of other dtypes
    (masks, indices, zero points), which lie in the flat vector byte by byte, as numbers from 0 to 255.
    """

    name: str
    shape: tuple[int, ...]
    role: Role
    start: int
    dtype: torch.dtype = torch.float32

    @property
    def stop(self) -> int:
        """Where the tensor ends in the flat vector."""
        return self.start + self.count * (self.dtype.itemsize if self.role == "exact" else 1)

    @property
    def count(self) -> int:
        """How many numbers the tensor has."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Layout:
    """The order of a module's tensors in a flat vector of `size` float32 numbers."""

    slots: tuple[Slot, ...]

    @classmethod
    def of(cls, module: nn.Module, *, exact: bool = False, constants: Collection[str] = ()) -> Layout:
        """The layout of a module: floating-point parameters in their order, then floating-point buffers.

        Args:
            module: Whose tensors.
            exact: Also, at the end, parameters and buffers of other dtypes.
            constants: Names of tensors to leave out.
        """
        slots: list[Slot] = []
        start = 0
        for name, role, tensor in _tensors(module):
            if name in constants or (role == "exact" and not exact):
                continue
            dtype = tensor.dtype if role == "exact" else torch.float32
            slots.append(Slot(name=name, shape=tuple(tensor.shape), role=role, start=start, dtype=dtype))
            start = slots[-1].stop
        return cls(tuple(slots))

    @property
    def size(self) -> int:
        """`P`, the length of the flat vector."""
        return self.slots[-1].stop

    @property
    def count(self) -> int:
        """How many numbers a model has; one of several bytes counts once."""
        return sum(slot.count for slot in self.slots)

    def views(self, flat: Tensor) -> dict[str, Tensor]:
        """The tensors inside `flat` `[..., P]`, each `[..., *shape]`; without a copy but for those of other dtypes."""
        return {slot.name: _shaped(_numbers(flat[..., slot.start : slot.stop], slot), slot) for slot in self.slots}

    def flatten(self, tensors: Mapping[str, Tensor], batch_dims: int = 0) -> Tensor:
        """The flat vector `[*batch, P]` of tensors `[*batch, *shape]`, a copy.

        Raises:
            InputError: A tensor that is missing, or has another shape or dtype than the layout says.
        """
        self.require(tensors, batch_dims)
        return torch.cat([_row(tensors[slot.name].detach(), slot, batch_dims) for slot in self.slots], -1)

    def require(self, tensors: Mapping[str, Tensor], batch_dims: int = 0) -> None:
        """Refuse tensors that do not fit.

        Raises:
            InputError: A tensor that is missing, or has another shape or dtype than the layout says.
        """
        for slot in self.slots:
            tensor = tensors.get(slot.name)
            if tensor is None or not _fits(tensor, slot, batch_dims):
                shape = () if tensor is None else tuple(tensor.shape[batch_dims:])
                seen = "is missing" if tensor is None else f"is {tensor.dtype} of shape {shape}"
                raise InputError(
                    "All models must have the same parameters and buffers, from the first step to the last, but "
                    f"'{slot.name}' ({slot.dtype} of shape {slot.shape}) {seen} in one. Choose sizes outside the "
                    "model, and add or remove no tensors in training."
                )


def _shaped(numbers: Tensor, slot: Slot) -> Tensor:
    return numbers.unflatten(-1, slot.shape) if slot.shape else numbers[..., 0]


def _numbers(part: Tensor, slot: Slot) -> Tensor:
    if slot.role != "exact":
        return part
    # A single row would keep its stride in the flat vector, which need not be a whole number of elements.
    return part.to(torch.uint8, memory_format=torch.contiguous_format).view(slot.dtype)


def _fits(tensor: Tensor, slot: Slot, batch_dims: int) -> bool:
    kind = tensor.dtype == slot.dtype if slot.role == "exact" else tensor.is_floating_point()
    return kind and tuple(tensor.shape[batch_dims:]) == slot.shape


def _row(tensor: Tensor, slot: Slot, batch_dims: int) -> Tensor:
    values = tensor.reshape(*tensor.shape[:batch_dims], -1)
    return (values.contiguous().view(torch.uint8) if slot.role == "exact" else values).float()


def _tensors(module: nn.Module) -> list[tuple[str, Role, Tensor]]:
    parameters, buffers = list(module.named_parameters()), list(module.named_buffers())
    found: list[tuple[str, Role, Tensor]] = [
        (name, "weight" if tensor.ndim >= 2 else "bias", tensor)
        for name, tensor in parameters
        if tensor.is_floating_point()
    ]
    found += [(name, "buffer", tensor) for name, tensor in buffers if tensor.is_floating_point()]
    found += [
        (name, "exact", tensor)
        for name, tensor in (*parameters, *buffers)
        if not tensor.is_floating_point() and name.rpartition(".")[2] != COUNTER
    ]
    return found


def state(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers of a module by name, shared parameters once."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}
