"""How state of each kind is put back in place: functions that record a value and return what restores it."""

from __future__ import annotations

import random
from array import array
from collections import OrderedDict, deque
from collections.abc import Callable
from operator import is_
from typing import Any

import numpy as np
import torch
from torch import Tensor

Undo = Callable[[], object]


def undo_dict(value: dict[Any, Any]) -> Undo:
    """The entries of a dict, in their order."""
    # The plain methods: those of a subclass may do more than store.
    kind: Any = OrderedDict if isinstance(value, OrderedDict) else dict
    keys, items = tuple(value), tuple(value.values())
    if not keys:  # most dicts of a module: its hooks
        return lambda: kind.clear(value) if value else None

    def undo() -> None:
        same = len(value) == len(keys) and all(map(is_, value, keys))
        if not (same and all(map(is_, value.values(), items))):
            kind.clear(value)
            for key, item in zip(keys, items, strict=True):
                kind.__setitem__(value, key, item)

    return undo


def undo_items(value: Any) -> Undo:
    """The items of a list, deque, set, bytearray or array."""
    before = list(value)

    def undo() -> None:
        if len(value) == len(before) and all(map(is_, value, before)):
            return
        if isinstance(value, list):
            value[:] = before
        elif isinstance(value, bytearray):
            value[:] = bytes(before)
        elif isinstance(value, array):
            value[:] = array(value.typecode, before)
        else:
            value.clear()
            value.extend(before) if isinstance(value, deque) else value.update(before)

    return undo


def undo_numpy(value: np.ndarray) -> Undo:
    """The numbers of a NumPy array."""
    before = value.copy()
    return lambda: np.copyto(value, before) if value.flags.writeable else None


def slots_of(value: Any) -> dict[str, Any] | None:
    """The attributes of an object that lie in `__slots__`; None if it can have none."""
    if not any("__slots__" in vars(kind) for kind in type(value).__mro__):
        return None
    found = object.__getstate__(value)
    return found[1] if isinstance(found, tuple) else {}


def undo_slots(value: Any) -> Undo:
    """The attributes of an object that lie in `__slots__`."""
    before = slots_of(value) or {}

    def undo() -> None:
        for name in (slots_of(value) or {}).keys() - before.keys():
            object.__delattr__(value, name)
        for name, item in before.items():
            object.__setattr__(value, name, item)

    return undo


def undo_draws(value: Any) -> Undo | None:
    """The state of a random generator, if it is one."""
    if isinstance(value, torch.Generator):
        drawn = value.get_state()
        return lambda: value.set_state(drawn)
    if isinstance(value, random.Random):
        python = value.getstate()
        return lambda: value.setstate(python)
    if isinstance(value, np.random.RandomState):
        legacy = value.get_state()
        return lambda: value.set_state(legacy)
    if isinstance(value, np.random.Generator):
        numpy = value.bit_generator.state
        return lambda: setattr(value.bit_generator, "state", numpy)
    return None


def undo_view(tensor: Tensor) -> Undo:
    """Which memory a tensor sees, its gradient (which object) and whether it requires one."""
    before, leaf, needed = tensor.data, tensor.is_leaf, tensor.requires_grad
    gradient = tensor.grad if leaf else None

    def undo() -> None:
        if _place(tensor) != _place(before):
            tensor.data = before
        if leaf and tensor.requires_grad != needed:
            tensor.requires_grad_(needed)
        if leaf and tensor.grad is not gradient:
            tensor.grad = gradient

    return undo


def undo_storage(storage: torch.UntypedStorage) -> Undo:
    """The bytes of a storage, shared by all tensors that see it; autograd takes no notice."""
    before = storage.clone()
    # A file mapped into memory may be read-only, and only in the memory of the host: to write would end the process.
    host = storage.device.type == "cpu"

    def undo() -> None:
        if storage.nbytes() != before.nbytes():
            storage.resize_(before.nbytes())
        if not (host and torch.equal(_bytes(storage), _bytes(before))):
            storage.copy_(before)

    return undo


def _bytes(storage: torch.UntypedStorage) -> Tensor:
    return torch.empty(0, dtype=torch.uint8, device=storage.device).set_(storage)


def _place(tensor: Tensor) -> tuple[Any, ...]:
    return tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride()
