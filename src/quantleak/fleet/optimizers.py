"""The optimizers of a fleet, with torch's meaning of every setting."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from quantleak.errors import InputError
from quantleak.registry import Registry
from quantleak.spec import Specified, write_spec


class Optimizer(Specified, ABC):
    """Base of the optimizers, written as a spec: `adam:1e-3`, `sgd:0.1?momentum=0.9&weight_decay=5e-4`.

    Attributes:
        learning_rate: Above 0.
        momentum: At least 0; of SGD.
        nesterov: Whether the gradient is taken ahead of the momentum; of SGD.
        weight_decay: At least 0; of Adam and SGD added to the gradient, of AdamW taken off the weights.

    Raises:
        InputError: If a setting is out of range.
    """

    positional: ClassVar[tuple[str, ...]] = ("learning_rate",)
    learning_rate: float
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"{self.name}: {name} must be a number of at least 0, got {value}.")
        if self.learning_rate == 0:
            raise InputError(f"{self.name}: the learning rate must be above 0.")

    @property
    def spec(self) -> str:
        """The canonical text; `optimizer(o.spec) == o`."""
        return write_spec(self)

    @abstractmethod
    def make(self, parameters: list[Tensor]) -> torch.optim.Optimizer:
        """Torch's fused optimizer over these leaf tensors (one pass over memory per step)."""


@dataclass(frozen=True, kw_only=True)
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum, of Nesterov's kind or not, or without."""

    learning_rate: float = 1e-3
    momentum: float = 0.0
    weight_decay: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and not self.momentum:
            raise InputError("sgd: nesterov needs momentum; for example 'sgd:0.1?momentum=0.9&nesterov=true'.")

    def make(self, parameters: list[Tensor]) -> torch.optim.Optimizer:
        """See :meth:`Optimizer.make`."""
        return torch.optim.SGD(
            parameters, self.learning_rate, self.momentum, 0, self.weight_decay, self.nesterov, fused=True
        )


@dataclass(frozen=True, kw_only=True)
class Adam(Optimizer):
    """Adam, weight decay added to the gradient."""

    learning_rate: float = 1e-3
    weight_decay: float = 0.0

    def make(self, parameters: list[Tensor]) -> torch.optim.Optimizer:
        """See :meth:`Optimizer.make`."""
        return torch.optim.Adam(parameters, self.learning_rate, weight_decay=self.weight_decay, fused=True)


@dataclass(frozen=True, kw_only=True)
class AdamW(Optimizer):
    """Adam, weight decay taken off the weights."""

    learning_rate: float = 1e-3
    weight_decay: float = 0.0

    def make(self, parameters: list[Tensor]) -> torch.optim.Optimizer:
        """See :meth:`Optimizer.make`."""
        return torch.optim.AdamW(parameters, self.learning_rate, weight_decay=self.weight_decay, fused=True)


OPTIMIZERS: Registry[Optimizer] = Registry("optimizer", None, Optimizer)
"""Closed: the trainers that train many models at once step by themselves and know these three."""

OPTIMIZERS.add("sgd", SGD, "sgd:0.1?momentum=0.9")
OPTIMIZERS.add("adam", Adam, "adam:1e-3")
OPTIMIZERS.add("adamw", AdamW, "adamw:1e-3?weight_decay=0.01")


def optimizer(spec: str) -> Optimizer:
    """The optimizer of a spec.

    Raises:
        InputError: Unknown name or option, or a setting that is no number or is out of range.

    Example:
        >>> optimizer("sgd:0.1?momentum=0.9").momentum
        0.9
    """
    return OPTIMIZERS.read(spec)


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of all steps to come."""
    for group in optimizer.param_groups:
        group["lr"] = rate
