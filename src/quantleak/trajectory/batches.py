"""The batches of a validation loader: the same at every pass, moved to a device, distinguished into inputs and targets.

Losses of two quantized models compare example by example, so every pass is held to the order of the first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DistributedSampler, RandomSampler, SubsetRandomSampler, WeightedRandomSampler

from quantleak.errors import InputError

TARGETS = ("labels", "label", "targets", "target", "y")
"""Names under which a batch that is a mapping may hold its targets."""
FIX = (
    "r_Q compares losses example by example, so give the same examples in the same order at every pass: "
    "DataLoader(validation, batch_size=..., shuffle=False) without random augmentation."
)
_RANDOM = (RandomSampler, SubsetRandomSampler, WeightedRandomSampler)


def refuse_unordered(loader: Any) -> None:
    """Refuse what can be seen to be unusable before the first pass.

    Raises:
        InputError: A loader that shuffles, one that can be read only once, or one that hands over a part of the set.
    """
    if isinstance(loader, Iterator):
        raise InputError(
            f"The validation loader is {type(loader).__name__}, which can be read only once, but every update reads it "
            "again. Give a DataLoader or a list of batches."
        )
    sampler = getattr(loader, "sampler", None)
    if isinstance(sampler, _RANDOM):
        raise InputError(f"The validation loader draws at random ({type(sampler).__name__}). {FIX}")
    if isinstance(sampler, DistributedSampler) and sampler.num_replicas > 1:
        raise InputError(
            f"The validation loader has a DistributedSampler: this process would see 1 example in "
            f"{sampler.num_replicas}. Give a loader over the whole validation set."
        )


class Order:
    """Digests of the batches of the first pass, to which every later pass is held; None before the first."""

    def __init__(self, digests: list[bytes] | None = None) -> None:
        self.digests = digests

    def over(self, loader: Iterable[Any]) -> Pass:
        """A pass through the loader."""
        return Pass(self, loader)


class Pass:
    """One pass through a loader, compared batch by batch; nothing is kept of it unless it ends well."""

    def __init__(self, order: Order, loader: Iterable[Any]) -> None:
        self.order, self.loader = order, loader
        self.seen: list[bytes] = []

    def __iter__(self) -> Iterator[Any]:
        """The batches.

        Raises:
            InputError: At the first batch that is not the one that came at its place in the first pass.
        """
        before = self.order.digests
        for number, batch in enumerate(self.loader):
            self.seen.append(digest(batch))
            if before is not None and before[number : number + 1] != self.seen[-1:]:
                raise InputError(
                    f"Batch {number} of the validation loader is not what it was at the first pass: the loader "
                    f"shuffles, augments, or is another one. {FIX}"
                )
            yield batch

    def end(self) -> None:
        """The pass is over.

        Raises:
            InputError: If batches are missing, or there were none.
        """
        if not self.seen:
            raise InputError("The validation loader is empty; give one with at least one batch.")
        if self.order.digests is not None and len(self.seen) != len(self.order.digests):
            raise InputError(
                f"The validation loader gave {len(self.seen)} batches, {len(self.order.digests)} at the first pass. "
                + FIX
            )
        self.order.digests = self.seen


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
