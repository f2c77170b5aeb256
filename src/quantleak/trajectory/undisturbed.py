"""A look at a model in the middle of its training that leaves no trace."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrize

from quantleak.trajectory.reachable import Reachable
from quantleak.trajectory.undo import undo_draws


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
