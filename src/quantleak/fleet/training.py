"""Settings of the learning algorithm `A`, and the streams of randomness that one seed gives."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
import torch
from torch import Tensor

from quantleak.errors import InputError, nearest


class Stream(IntEnum):
    """Purposes of randomness; each (purpose, model) has a stream of its own, so that none disturbs another."""

    START = 1
    BATCHES = 2
    FORWARD = 3
    CALIBRATION = 4
    QUANTIZE = 5


def stream(seed: int, purpose: Stream, model: int, *more: int) -> np.random.SeedSequence:
    """The seed sequence of one purpose of one model."""
    return np.random.SeedSequence([seed, int(purpose), model, *more])


def torch_seed(seed: int, purpose: Stream, model: int, *more: int) -> int:
    """A seed for torch's generator from the same stream."""
    return int(stream(seed, purpose, model, *more).generate_state(1, np.uint64)[0] >> np.uint64(1))


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """SGD with momentum, Adam or AdamW with torch's meaning of every setting.

    Written `name:learning_rate` with options after `?`: `adam:1e-3`, `sgd:0.1?momentum=0.9&weight_decay=5e-4`.
    """

    name: str = "adam"
    learning_rate: float = 1e-3
    momentum: float = 0.0
    weight_decay: float = 0.0

    @classmethod
    def parse(cls, spec: str) -> Optimizer:
        """The optimizer of a spec.

        Raises:
            InputError: Unknown name or option, or a setting that is no number or is out of range.

        Example:
            >>> Optimizer.parse("sgd:0.1?momentum=0.9").momentum
            0.9
        """
        head, _, tail = spec.partition("?")
        name, _, rate = head.partition(":")
        if name not in {"sgd", "adam", "adamw"}:
            raise InputError(
                f"Optimizer '{spec}' is not one of sgd, adam, adamw.{nearest(name, ['sgd', 'adam', 'adamw'])} "
                "Write it as adam:1e-3 or sgd:0.1?momentum=0.9."
            )
        settings = {"learning_rate": rate or "1e-3"}
        allowed = {field.name for field in fields(cls)} - {"name", "learning_rate"}
        if name != "sgd":
            allowed -= {"momentum"}
        for part in filter(None, tail.split("&")):
            key, _, value = part.partition("=")
            if key not in allowed:
                raise InputError(
                    f"Optimizer '{spec}': {name} has no option '{key}', only {sorted(allowed)}.{nearest(key, allowed)}"
                )
            settings[key] = value
        numbers = {key: _number(spec, key, value) for key, value in settings.items()}
        if numbers["learning_rate"] == 0:
            raise InputError(f"Optimizer '{spec}': the learning rate must be above 0.")
        return cls(name=name, **numbers)

    @property
    def spec(self) -> str:
        """The canonical text; `Optimizer.parse(o.spec) == o`."""
        options = [f"{key}={getattr(self, key)!r}" for key in ("momentum", "weight_decay") if getattr(self, key)]
        return f"{self.name}:{self.learning_rate!r}" + ("?" + "&".join(options) if options else "")

    def make(self, parameters: list[Tensor]) -> torch.optim.Optimizer:
        """Torch's fused optimizer over these leaf tensors (one pass over memory a step)."""
        rate, decay = self.learning_rate, self.weight_decay
        if self.name == "sgd":
            return torch.optim.SGD(parameters, lr=rate, momentum=self.momentum, weight_decay=decay, fused=True)
        kind = torch.optim.Adam if self.name == "adam" else torch.optim.AdamW
        return kind(parameters, lr=rate, weight_decay=decay, fused=True)


def _number(spec: str, key: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise InputError(f"Optimizer '{spec}': {key} must be a number of at least 0, got '{text}'.")
    return value


@dataclass(frozen=True, kw_only=True)
class Training:
    """How every model of a fleet is trained.

    Attributes:
        epochs: Passes over a model's own members.
        batch: Largest number of examples in a minibatch.
        optimizer: See :class:`Optimizer`.
        evaluate_every: A checkpoint is handed over every so many epochs, and always at the last.
    """

    epochs: int = 100
    batch: int = 128
    optimizer: Optimizer = Optimizer()
    evaluate_every: int = 1

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "evaluate_every"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}.")

    def evaluated(self, epoch: int) -> bool:
        """Whether a checkpoint is handed over after `epoch` (counted from 1)."""
        return epoch % self.evaluate_every == 0 or epoch == self.epochs
