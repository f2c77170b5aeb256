"""Inputs of the discriminator g: the paper's, fewer, or how an example is aligned with the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from quantleak.attacks.discriminator.alignment import Alignment
from quantleak.attacks.discriminator.observed import Observed
from quantleak.attacks.discriminator.scaling import Scaling

InputKind = Literal["loss", "example", "paper", "alignment"]
"""What g reads of (theta, x, y, loss).

- `loss`: the logarithm of the loss;
- `example`: that, y and x;
- `paper`: those and theta;
- `alignment`: the logarithm of the loss, y, and how x lies along theta (`Alignment`); for linear classifiers of two
  classes.
"""


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Inputs:
    """What g reads, standardised; theta once a model, not once an example.

    Attributes:
        examples: [M, N, C] float32, the logarithm of the loss first.
        parameters: [M, P] float32, or None where g does not read theta.
    """

    examples: Tensor
    parameters: Tensor | None

    def of(self, models: slice) -> Inputs:
        """Some of the models."""
        return Inputs(
            examples=self.examples[models], parameters=None if self.parameters is None else self.parameters[models]
        )


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Reader:
    """Turns what is observed into inputs, with every statistic taken from the training models.

    Attributes:
        kind: What g reads.
        smallest_loss: The smallest positive loss; where a loss is 0 its logarithm is taken of this.
        columns: Scales the columns of the examples.
        parameters: Scales theta: one mean a parameter, one scale for all. A weight that is 0 in nearly every model
            would otherwise be huge in the one where it is not.
        alignment: For `alignment` only.
    """

    kind: InputKind
    smallest_loss: float
    columns: Scaling
    parameters: Scaling
    alignment: Alignment | None

    def __call__(self, seen: Observed) -> Inputs:
        """The inputs of some models."""
        columns = self.columns(_columns(self.kind, seen, self.smallest_loss, self.alignment))
        theta = torch.from_numpy(self.parameters(seen.parameters)) if self.kind == "paper" else None
        return Inputs(examples=torch.from_numpy(columns), parameters=theta)


def reader(kind: InputKind, training: Observed) -> Reader:
    """Fit the statistics of a kind of inputs to the training models."""
    positive = training.losses[training.losses > 0]
    smallest = float(positive.min()) if positive.size else 1.0
    alignment = Alignment.fit(training) if kind == "alignment" else None
    return Reader(
        kind=kind,
        smallest_loss=smallest,
        columns=Scaling.fit(_columns(kind, training, smallest, alignment)),
        parameters=Scaling.fit(training.parameters, shared=True),
        alignment=alignment,
    )


def refusal(kind: InputKind, seen: Observed) -> str | None:
    """Why these inputs cannot be formed, or None if they can."""
    if kind != "alignment":
        return None
    if seen.parameters.shape[1] != seen.features.shape[2]:
        return (
            f"alignment needs one parameter per feature, got {seen.parameters.shape[1]} parameters and "
            f"{seen.features.shape[2]} features"
        )
    if not np.isin(seen.targets, (0, 1)).all():
        return "alignment needs targets 0 and 1"
    return None


def _columns(kind: InputKind, seen: Observed, smallest_loss: float, alignment: Alignment | None) -> np.ndarray:
    logarithm = np.log(np.maximum(seen.losses, smallest_loss)).astype(np.float32)[..., None]
    if kind == "loss":
        return np.asarray(logarithm)
    parts = [logarithm, seen.targets[..., None], seen.features if alignment is None else alignment(seen)]
    return np.concatenate(parts, axis=-1)
