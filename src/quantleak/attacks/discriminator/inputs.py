"""Inputs of the discriminator g: the paper's, fewer, or how an example is aligned with the weights; standardised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from quantleak.attacks.discriminator.observed import Observed

LARGEST = 10.0
"""Standardised values are cut to this size: no column that is nearly constant in training may blow up elsewhere."""


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Scaling:
    """(value - mean) / deviation, cut to plus and minus 10.

    Attributes:
        mean: [C] float32.
        deviation: [C] float32, 1 where a column is constant up to rounding.
    """

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def fit(cls, values: np.ndarray, *, shared: bool = False) -> Scaling:
        """Measure `values` [..., C]; with `shared` all columns get the root of their mean variance.

        Example:
            >>> scaling = Scaling.fit(np.array([[0.0, 5.0], [2.0, 5.0]]))
            >>> scaling(np.array([[3.0, 5.0], [99.0, 4.0]])).tolist()
            [[2.0, 0.0], [10.0, -1.0]]
        """
        axes = tuple(range(values.ndim - 1))
        mean = values.mean(axis=axes, dtype=np.float64)
        variance = values.var(axis=axes, dtype=np.float64)
        if shared:
            variance = np.full_like(variance, variance.mean())
        deviation = np.sqrt(variance)
        constant = deviation <= 1e-6 * np.abs(mean)
        return cls(mean=mean.astype(np.float32), deviation=np.where(constant, 1.0, deviation).astype(np.float32))

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Scale values [..., C]; float32."""
        scaled = (values.astype(np.float32) - self.mean) / self.deviation
        return np.asarray(np.clip(scaled, -LARGEST, LARGEST, out=scaled))


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Alignment:
    r"""Margins of an example under the model and under the mean training model, in three metrics of x.

    A step of training on (x, y) moves theta along :math:`s x` with :math:`s = 2y - 1`, so membership shows in
    :math:`s \theta^\top v(x)` for :math:`v(x) = x`, :math:`x - \mu`, :math:`(x - \mu) / \sigma` (an optimiser such as
    Adam rescales coordinates), against the same under the mean :math:`\bar\theta` of other models, which says how easy
    the example is for anyone; lengths say how far the example could have moved theta.

    Attributes:
        mean: mu, [F] float32: of the features, over the training models.
        deviation: sigma, [F] float32, 1 where a feature is constant.
        model: theta bar, [P] float32, over the training models.
    """

    mean: np.ndarray
    deviation: np.ndarray
    model: np.ndarray

    @classmethod
    def fit(cls, training: Observed) -> Alignment:
        """Take the three statistics from the training models."""
        deviation = training.features.std(axis=(0, 1), dtype=np.float64)
        return cls(
            mean=training.features.mean(axis=(0, 1), dtype=np.float64).astype(np.float32),
            deviation=np.where(deviation > 0, deviation, 1.0).astype(np.float32),
            model=training.parameters.mean(axis=0, dtype=np.float64).astype(np.float32),
        )

    def __call__(self, seen: Observed) -> np.ndarray:
        """Six margins and three lengths, [M, N, 9] float32."""
        sign = 2 * seen.targets - 1
        centred = seen.features - self.mean
        standard = centred / self.deviation
        theta = seen.parameters[:, :, None]
        columns = []
        for metric in (seen.features, centred, standard):
            columns += [sign * (metric @ theta)[..., 0], sign * (metric @ self.model)]
        columns += [_length(seen.features), _length(standard)]
        columns += [np.broadcast_to(_length(seen.parameters)[:, None], sign.shape)]
        return np.stack(columns, axis=-1)


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(np.einsum("...i,...i->...", vectors, vectors)))


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
