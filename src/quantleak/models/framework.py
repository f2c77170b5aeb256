"""What belongs to torch and Lightning in a module, and not to its author."""

from __future__ import annotations

import importlib

from torch import nn


def lightning_base(module: nn.Module) -> str | None:
    """The package whose LightningModule this is, `lightning.pytorch` or `pytorch_lightning`, or None.

    It imports neither: a module's classes say where they come from.
    """
    for kind in type(module).__mro__:
        if kind.__name__ == "LightningModule" and ".core." in kind.__module__:
            return kind.__module__.partition(".core.")[0]
    return None


def own_attributes(module: nn.Module) -> set[str]:
    """Names of the attributes that every module has, or every LightningModule if it is one."""
    names = set(vars(nn.Module()))
    base = lightning_base(module)
    return names if base is None else names | set(vars(importlib.import_module(base).LightningModule()))
