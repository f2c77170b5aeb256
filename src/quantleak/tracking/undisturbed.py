"""A look at a model in the middle of its training that leaves no trace."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn


@contextmanager
def undisturbed(model: nn.Module, loader: Any) -> Iterator[None]:
    """Evaluation mode, no gradients and no autocast inside; on the way out everything is as it was.

    Restored, also after an exception: train or eval mode of every submodule; the random states of Python, NumPy, torch,
    CUDA where it is in use, and of the loader's own generator. The modes are set as flags, so that no `train()` of the
    user's own (which may freeze or merge something) runs.

    Args:
        model: The module to be looked at.
        loader: What will be iterated; a `DataLoader` draws a seed from torch whenever it starts.
    """
    modes = [(module, module.training) for module in model.modules()]
    with ExitStack() as stack:
        for restore in _random_states(getattr(loader, "generator", None)):
            stack.callback(restore)
        for module, mode in modes:
            stack.callback(setattr, module, "training", mode)
        for kind in {"cpu", *(tensor.device.type for tensor in model.parameters())}:
            stack.enter_context(torch.autocast(kind, enabled=False))
        stack.enter_context(torch.no_grad())
        for module, _ in modes:
            module.training = False
        yield


def _random_states(generator: torch.Generator | None) -> Iterator[Callable[[], object]]:
    """What sets each random state back to the present one."""
    yield partial(random.setstate, random.getstate())
    yield partial(np.random.set_state, np.random.get_state())
    yield partial(torch.set_rng_state, torch.get_rng_state())
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        yield partial(torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all())
    if generator is not None:
        yield partial(generator.set_state, generator.get_state())
