"""How an example lies along the weights of a linear classifier: the few numbers in which a member shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantleak.attacks.discriminator.observed import Observed


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
