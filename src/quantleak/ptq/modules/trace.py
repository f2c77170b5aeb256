"""What a module runs, in order, on a few examples."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn


@torch.no_grad()
def executed(module: nn.Module, example: Tensor) -> list[tuple[str, Tensor | None, Any]]:
    """Every submodule without parts of its own, each time that it runs: its name, first input and output."""
    runs: list[tuple[str, Tensor | None, Any]] = []

    def after(name: str, part: nn.Module, inputs: tuple[Any, ...], options: dict[str, Any], output: Any) -> None:
        first = inputs[0] if inputs else next(iter(options.values()), None)
        runs.append((name, first, output))

    leaves: list[tuple[str, Callable[..., None]]] = [
        (name, partial(after, name)) for name, part in module.named_modules() if not list(part.children())
    ]
    hooks = [module.get_submodule(name).register_forward_hook(hook, with_kwargs=True) for name, hook in leaves]
    try:
        module(example)
    finally:
        for hook in hooks:
            hook.remove()
    return runs


def head_of(module: nn.Module, example: Tensor) -> str | None:
    """The name of the last linear layer that runs; None if none does."""
    ran = [name for name, _, _ in executed(module, example) if isinstance(module.get_submodule(name), nn.Linear)]
    return ran[-1] if ran else None
