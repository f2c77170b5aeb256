"""Settings of the learning algorithm `A`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from quantleak.errors import InputError, nearest
from quantleak.fleet.augment import NONE, Augment
from quantleak.fleet.optimizers import Adam, Optimizer

SCHEDULES = ("constant", "cosine")
PRECISIONS = ("float32", "bfloat16")
DEFAULT = Adam()


@dataclass(frozen=True, kw_only=True)
class Training:
    """How every model of a fleet is trained.

    Attributes:
        epochs: Passes over a model's own members.
        batch: Largest number of examples in a minibatch.
        optimizer: See :func:`optimizer`.
        evaluate_every: A checkpoint is handed over every so many epochs, and always at the last.
        schedule: `constant`, or `cosine`: half a cosine from the optimizer's learning rate in the first epoch down to
            0, which it would reach after the last.
        augment: What is done to the images of every minibatch; see :func:`augment`.
        precision: `float32`, or `bfloat16`: layers compute in bfloat16 where torch holds it for safe (autocast), while
            weights, optimizer and loss stay in float32.

    Raises:
        InputError: A setting out of range.
    """

    epochs: int = 100
    batch: int = 128
    optimizer: Optimizer = DEFAULT
    evaluate_every: int = 1
    schedule: str = "constant"
    augment: Augment = NONE
    precision: str = "float32"

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "evaluate_every"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}.")
        for name, choices in (("schedule", SCHEDULES), ("precision", PRECISIONS)):
            value = getattr(self, name)
            if value not in choices:
                hint = nearest(value, choices)
                raise InputError(f"{name} must be {' or '.join(choices)}, got '{value}'.{hint}")

    def evaluated(self, epoch: int) -> bool:
        """Whether a checkpoint is handed over after `epoch` (counted from 1)."""
        return epoch % self.evaluate_every == 0 or epoch == self.epochs

    def learning_rate(self, epoch: int) -> float:
        """The learning rate of all steps of `epoch` (counted from 1).

        Example:
            >>> [round(Training(epochs=4, schedule="cosine").learning_rate(epoch), 6) for epoch in (1, 3)]
            [0.001, 0.0005]
        """
        rate = self.optimizer.learning_rate
        if self.schedule == "constant":
            return rate
        return rate / 2 * (1 + math.cos(math.pi * (epoch - 1) / self.epochs))

    def other_than_usual(self, *names: str) -> str | None:
        """Those of the settings that differ from their defaults, in words; None if none does.

        Args:
            names: Of `schedule`, `augment` and `precision`.
        """
        values = {"schedule": self.schedule, "augment": self.augment.spec, "precision": self.precision}
        usual = {"schedule": "constant", "augment": "", "precision": "float32"}
        found = [f"{name} '{values[name]}'" for name in names if values[name] != usual[name]]
        return " and ".join(found) or None
