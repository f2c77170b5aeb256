"""The strongest attack on each quantizer: the estimate of Membership Inference Security."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from quantleak.attacks import mis_bound

Floats = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Strongest:
    """The MIS bound of the strongest attack under one quantizer.

    Attributes:
        chosen: The attacks that the two halves of the models chose.
        value: `min(1, 2 (1 - accuracy))`, the accuracy measured on the half that did not choose.
        resampled: The same for models drawn again, the choice with them.
        each: By attack, the mean accuracy over its models.
    """

    chosen: tuple[str, str]
    value: float
    resampled: Floats
    each: dict[str, float]


def strongest(accuracies: Mapping[str, Floats], resamples: int, seed: int = 0) -> Strongest:
    """Choose on one half of the models and measure on the other, both ways.

    The attacks may come from different fleets, of different sizes: each contributes its own halves.

    Args:
        accuracies: By attack, its accuracy on each of its models, the threshold chosen elsewhere.
        resamples: Bootstrap resamples over models.
        seed: Draws them.
    """
    names = list(accuracies)
    halves = [[accuracies[name][half::2] for name in names] for half in (0, 1)]
    means = np.array([[part.mean() for part in parts] for parts in halves])  # [halves, attacks]
    drawn = [_resampled_means(parts, resamples, seed + half) for half, parts in enumerate(halves)]
    chosen = means.argmax(1)
    return Strongest(
        chosen=(names[chosen[0]], names[chosen[1]]),
        value=mis_bound(float((means[1, chosen[0]] + means[0, chosen[1]]) / 2)),
        resampled=np.minimum(1.0, 2 * (1 - _crossed(*drawn))),
        each={name: float(values.mean()) for name, values in accuracies.items()},
    )


def _resampled_means(parts: list[Floats], resamples: int, seed: int) -> Floats:
    """`[resamples, attacks]`; attacks on the same models draw the same ones."""
    found = np.empty((resamples, len(parts)))
    for size in {len(part) for part in parts}:
        rows = np.random.default_rng([seed, size]).integers(size, size=(resamples, size))
        for number, part in enumerate(parts):
            if len(part) == size:
                found[:, number] = part[rows].mean(1)
    return found


def _crossed(first: Floats, second: Floats) -> Floats:
    """Accuracy by resample of the attack that the other half chose, the mean of both ways."""
    rows = np.arange(len(first))
    return np.asarray((second[rows, first.argmax(1)] + first[rows, second.argmax(1)]) / 2)
