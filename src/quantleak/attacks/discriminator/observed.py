"""What the discriminator may read of every model: its parameters, some examples, and its loss on each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantleak.arrays import mask
from quantleak.errors import InputError


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Observed:
    """Models and the examples to be distinguished, each model with examples of its own.

    Attributes:
        parameters: theta, [M, P] float32: the flattened (quantized) weights.
        features: x, [M, N, F] float32.
        targets: y, [M, N] float32: class number or real value.
        losses: loss(theta, (x, y)) >= 0, [M, N] float64, nats (regression: any unit).
    """

    parameters: np.ndarray
    features: np.ndarray
    targets: np.ndarray
    losses: np.ndarray

    def of(self, models: np.ndarray) -> Observed:
        """The models at some positions."""
        return Observed(
            parameters=self.parameters[models],
            features=self.features[models],
            targets=self.targets[models],
            losses=self.losses[models],
        )


def observed(parameters: np.ndarray, features: np.ndarray, targets: np.ndarray, losses: np.ndarray) -> Observed:
    """Check the four arrays against each other.

    Raises:
        InputError: If shapes disagree, a value is NaN or infinite, or a loss is negative.
    """
    parameters, features = np.asarray(parameters), np.asarray(features)
    if parameters.ndim != 2 or not parameters.size:
        raise InputError(
            f"parameters must be [models, parameters] and not empty, got shape {parameters.shape}; flatten each model."
        )
    if features.ndim != 3 or not features.size or len(features) != len(parameters):
        raise InputError(
            f"features must be [models, examples, features] for the {len(parameters)} models of parameters, "
            f"got shape {features.shape}; flatten each example."
        )
    targets, losses = np.asarray(targets), np.asarray(losses)
    for name, values in (("targets", targets), ("losses", losses)):
        if values.shape != features.shape[:2]:
            raise InputError(
                f"{name} has shape {values.shape}, expected {features.shape[:2]}: one value per model and example."
            )
    if losses.size and losses.min() < 0:
        raise InputError(f"losses must be 0 or larger, got {losses.min():g}; pass the loss, not its negative.")
    return Observed(
        parameters=_finite(parameters, "parameters", np.float32),
        features=_finite(features, "features", np.float32),
        targets=_finite(targets, "targets", np.float32),
        losses=_finite(losses, "losses", np.float64),
    )


def balanced(member: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """`member` as a bool array in which every model has as many members as others.

    Raises:
        InputError: If the shape differs, or some model's examples are not half members.
    """
    member = mask(member, "member", shape)
    inside, examples = member.sum(axis=1), shape[1]
    if (uneven := np.flatnonzero(2 * inside != examples)).size:
        first = uneven[0]
        raise InputError(
            f"Every model needs as many members as non-members; {uneven.size} models differ, the first is model "
            f"{first} with {inside[first]} and {examples - inside[first]}. Drop examples of the larger side."
        )
    return member


def _finite(values: np.ndarray, name: str, dtype: type[np.floating]) -> np.ndarray:
    with np.errstate(over="ignore"):  # what is too large for the type is reported with the infinite values
        kept = np.ascontiguousarray(values, dtype=dtype)
    if (bad := ~np.isfinite(kept)).any():
        place = tuple(int(axis[0]) for axis in bad.nonzero())
        raise InputError(
            f"{name} has {bad.sum()} values that are NaN or infinite as {kept.dtype}, the first at index {place}; "
            f"leave out these models or examples."
        )
    return kept
