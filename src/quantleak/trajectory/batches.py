"""What a loader hands over: moved to the model's device, fingerprinted, and told apart into inputs and targets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quantleak.errors import InputError

TARGETS = ("labels", "label", "targets", "target", "y")
"""Names under which a batch that is a mapping may hold its targets."""


def moved(value: Any, device: torch.device, least: torch.dtype = torch.float32) -> Any:
    """The batch with every tensor on `device`, and no floating-point number in less than `least`."""
    if isinstance(value, Tensor):
        return value.to(device, torch.promote_types(value.dtype, least) if value.is_floating_point() else value.dtype)
    if isinstance(value, Mapping):
        return {name: moved(item, device, least) for name, item in value.items()}
    if isinstance(value, list | tuple):
        items = [moved(item, device, least) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value.to(device) if hasattr(value, "to") else value


def digest(value: Any) -> bytes:
    """SHA-256 of every tensor, array, number and text in a batch, with their order."""
    total = hashlib.sha256()
    _add(total, value)
    return total.digest()


def tensor_bytes(tensor: Tensor) -> memoryview:
    """The bytes of a tensor of any dtype, sparse or not, without a copy where it lies in memory as one piece."""
    dense = tensor if tensor.layout == torch.strided else tensor.to_dense()
    return dense.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data


def _add(total: Any, value: Any) -> None:
    total.update(type(value).__name__.encode())
    if isinstance(value, Tensor):
        total.update(str((value.dtype, tuple(value.shape))).encode())
        total.update(tensor_bytes(value))
    elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
        total.update(str((value.dtype, value.shape)).encode())
        total.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, Mapping):
        for name, item in value.items():
            total.update(str(name).encode())
            _add(total, item)
    elif isinstance(value, list | tuple | np.ndarray):
        for item in value:
            _add(total, item)
    elif isinstance(value, str | bytes | int | float | complex | bool | np.generic) or value is None:
        total.update(repr(value).encode())
    else:
        _add(total, {name: item for name, item in vars(value).items()} if hasattr(value, "__dict__") else None)


def inputs_and_targets(batch: Any) -> tuple[Any, Any]:
    """Inputs and targets of a batch `(x, y)`, or of a mapping that holds its targets under one of `TARGETS`.

    Raises:
        InputError: If the batch is neither.
    """
    if isinstance(batch, Mapping):
        names = [name for name in TARGETS if name in batch]
        if len(names) == 1:
            return {name: item for name, item in batch.items() if name != names[0]}, batch[names[0]]
        seen = f"a mapping with {', '.join(map(str, batch))}"
    elif isinstance(batch, list | tuple) and len(batch) == 2:
        return batch[0], batch[1]
    else:
        seen = f"{type(batch).__name__} of {len(batch)}" if isinstance(batch, list | tuple) else type(batch).__name__
    raise InputError(
        f"A batch of the validation loader must be (inputs, targets), or a mapping with its targets under one of "
        f"{', '.join(TARGETS)}; got {seen}. For others give TrajectoryTracker(forward=...), a function "
        "(model, batch) -> (outputs, targets)."
    )


def outputs_of(outputs: Any) -> Any:
    """The logits of a model that returns a record or a mapping with them, as those of transformers do."""
    if isinstance(outputs, Mapping) and "logits" in outputs:
        return outputs["logits"]
    return getattr(outputs, "logits", outputs)
