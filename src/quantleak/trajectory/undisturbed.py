"""Runs a model in the middle of its training, and afterwards puts back bit for bit all state that it reaches."""

from __future__ import annotations

import random
import types
import weakref
from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Condition, Event, Lock, RLock, Semaphore, Thread
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize

from quantleak.ptq.modules.layout import state
from quantleak.trajectory.undo import (
    Undo,
    slots_of,
    undo_dict,
    undo_draws,
    undo_items,
    undo_numpy,
    undo_slots,
    undo_storage,
    undo_view,
)

_NO_STATE = (
    *(type(None), bool, int, float, complex, str, bytes, type, types.ModuleType, types.FunctionType, types.MethodType),
    *(types.BuiltinFunctionType, weakref.ReferenceType, weakref.ProxyType, weakref.CallableProxyType),
)
# What trains, compiles or feeds the model: a LightningModule points back to its trainer.
_AROUND = tuple(
    f"{package}."
    for package in (
        *("accelerate", "lightning", "lightning_fabric", "pytorch_lightning", "concurrent", "logging", "threading"),
        *("torch._dynamo", "torch._inductor", "torch.distributed", "torch.fx", "torch.optim", "torch.utils.data"),
    )
)
_LOCKS = (type(Lock()), type(RLock()), Condition, Event, Semaphore, Thread)
_PARTS = {
    torch.sparse_coo: ("_indices", "_values"),
    torch.sparse_csr: ("crow_indices", "col_indices", "values"),
    torch.sparse_csc: ("ccol_indices", "row_indices", "values"),
    torch.sparse_bsr: ("crow_indices", "col_indices", "values"),
    torch.sparse_bsc: ("ccol_indices", "row_indices", "values"),
}


@contextmanager
def undisturbed(model: nn.Module, loader: Any) -> Iterator[Reachable]:
    """Evaluation mode, no gradients and no autocast inside; on the way out everything is as it was.

    Restored, also after an exception: all that the module reaches, see :class:`Reachable`; the random states of
    Python, NumPy, torch, CUDA where it is in use, and of the loader's own generators. Parametrized tensors are computed
    anew inside, also under `torch.nn.utils.parametrize.cached()`. Modes are set as flags, so that no `train()` of the
    user's own (which may freeze or merge something) runs.

    Args:
        model: The module to be looked at.
        loader: What will be iterated; a `DataLoader` draws a seed from torch whenever it starts.
    """
    with ExitStack() as stack:
        stack.enter_context(random_states(loader))
        for module in model.modules():
            stack.callback(setattr, module, "training", module.training)
            module.training = False
        reached = Reachable(model)
        stack.callback(reached.restore)
        stack.enter_context(_no_cached_parametrizations())
        for kind in {"cpu", *(tensor.device.type for tensor in model.parameters())}:
            stack.enter_context(torch.autocast(kind, enabled=False))
        stack.enter_context(torch.no_grad())
        yield reached


@contextmanager
def random_states(loader: Any = None) -> Iterator[None]:
    """Every global random state, and those of a loader's generators, are on the way out what they were."""
    sampler = getattr(loader, "sampler", None)
    inside = getattr(getattr(loader, "batch_sampler", None), "sampler", None)
    with ExitStack() as stack:
        stack.callback(random.setstate, random.getstate())
        stack.callback(np.random.set_state, np.random.get_state())
        stack.callback(torch.set_rng_state, torch.get_rng_state())
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            stack.callback(torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all())
        for owner in (loader, sampler, inside):
            if undo := undo_draws(getattr(owner, "generator", None)):
                stack.callback(undo)
        yield


@contextmanager
def _no_cached_parametrizations() -> Iterator[None]:
    before = parametrize._cache_enabled, parametrize._cache
    parametrize._cache_enabled, parametrize._cache = 0, {}
    try:
        yield
    finally:
        parametrize._cache_enabled, parametrize._cache = before


class Reachable:
    """All state that a module reaches, as it is when this is made.

    Recorded, for every submodule and every object that an attribute leads to: attributes (with them parameters,
    buffers, submodules, hooks and modes), the contents of lists, dicts, sets, deques and arrays, the numbers of every
    tensor and of its gradient, `requires_grad`, and the states of random generators. So a value that is derived from
    parameters and cached (by pruning, weight or spectral norm, a recurrent layer, attention) is put back whatever its
    kind. Objects stay the same objects.

    Not reached: what functions and methods close over (such as the list of a training script to which a hook appends),
    class attributes and globals, objects shared with other threads, and the trainer of a LightningModule.

    Args:
        model: The module to record; it takes as much memory as the tensors that it reaches.
    """

    def __init__(self, model: nn.Module) -> None:
        self._swapped = {id(tensor) for tensor in state(model).values()}
        self._undo: list[Undo] = []
        self._undo_swapped: list[Undo] = []
        self._storages: set[tuple[torch.device, int]] = set()
        self._seen: dict[int, Any] = {}  # alive until the end, so that no id is used twice
        ahead: list[Any] = [model]
        while ahead:
            value = ahead.pop()
            if id(value) not in self._seen and not issubclass(type(value), _NO_STATE):
                self._seen[id(value)] = value
                ahead += self._tensor(value) if isinstance(value, Tensor) else self._object(value)

    def restore(self) -> None:
        """Put everything back."""
        self.rewind()
        for undo in self._undo_swapped:
            undo()

    def rewind(self) -> None:
        """Put back what a forward pass can have changed whose registered parameters and buffers were stand-ins."""
        for undo in self._undo:
            undo()

    def _object(self, value: Any) -> Iterable[Any]:
        """Record a value that is no tensor; returns what it leads to."""
        attributes, slots = getattr(value, "__dict__", None), slots_of(value)
        own = [*(attributes or {}).values(), *(slots or {}).values()]
        if not isinstance(value, nn.Module) and _is_shared(type(value), own):
            return ()
        if attributes is not None:
            self._undo.append(undo_dict(attributes))
        if slots is not None:
            self._undo.append(undo_slots(value))
        if draws := undo_draws(value):
            self._undo.append(draws)
        return own + self._contents(value)

    def _contents(self, value: Any) -> list[Any]:
        """Record what a container holds, and return it."""
        if isinstance(value, dict):
            self._undo.append(undo_dict(value))
            return [*value.keys(), *value.values()]
        if isinstance(value, list | deque | set | bytearray | array):
            self._undo.append(undo_items(value))
        elif isinstance(value, np.ndarray):
            self._undo.append(undo_numpy(value))
            return value.ravel().tolist() if value.dtype.hasobject else []
        elif not isinstance(value, tuple | frozenset):
            return []
        return [] if isinstance(value, bytearray | array) else list(value)

    def _tensor(self, tensor: Tensor) -> Iterable[Any]:
        """Record a tensor; returns what it leads to: its gradient, or the tensors of which it is made."""
        parts = _PARTS.get(tensor.layout) or getattr(tensor, "__tensor_flatten__", lambda: ((), None))()[0]
        if parts or tensor.layout != torch.strided or tensor.is_meta or is_lazy(tensor):
            return [part() if callable(part := getattr(tensor, name)) else part for name in parts]
        registered = id(tensor) in self._swapped
        undo = self._undo_swapped if registered else self._undo
        undo += [undo_view(tensor), undo_dict(vars(tensor))]
        storage = tensor.untyped_storage()
        place = storage.device, storage.data_ptr()
        if place not in self._storages:
            self._storages.add(place)
            undo.append(undo_storage(storage))
        gradient = tensor.grad if tensor.is_leaf else None
        if gradient is not None and registered:
            self._swapped.add(id(gradient))
        return vars(tensor).values() if gradient is None else [gradient, *vars(tensor).values()]


def _is_shared(kind: type, attributes: list[Any]) -> bool:
    """Whether an object is no part of the model, but of what is around it."""
    if kind.__module__ == "builtins":
        return False
    around = any(f"{base.__module__}.".startswith(_AROUND) for base in kind.__mro__)
    return around or any(isinstance(item, _LOCKS) for item in attributes)
