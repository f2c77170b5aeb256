"""Settings of the learning algorithm `A`."""

from __future__ import annotations

from dataclasses import dataclass

from quantleak.errors import InputError
from quantleak.fleet.optimizers import Adam, Optimizer

DEFAULT = Adam()


@dataclass(frozen=True, kw_only=True)
class Training:
    """How every model of a fleet is trained.

    Attributes:
        epochs: Passes over a model's own members.
        batch: Largest number of examples in a minibatch.
        optimizer: See :func:`optimizer`.
        evaluate_every: A checkpoint is handed over every so many epochs, and always at the last.
    """

    epochs: int = 100
    batch: int = 128
    optimizer: Optimizer = DEFAULT
    evaluate_every: int = 1

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "evaluate_every"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}.")

    def evaluated(self, epoch: int) -> bool:
        """Whether a checkpoint is handed over after `epoch` (counted from 1)."""
        return epoch % self.evaluate_every == 0 or epoch == self.epochs
