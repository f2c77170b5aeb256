"""Whole models to train g, to choose among its settings, and to judge it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from quantleak.errors import InputError


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Positions of the models of each part, ascending; no model is in two.

    Attributes:
        train: Those that g is fitted to.
        validation: Those that stop the training and choose settings and threshold.
        test: Those that judge it.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter((self.train, self.validation, self.test))


def split(models: int, validation: float, test: float, random: np.random.Generator) -> Split:
    """Deal the models out at random.

    Args:
        models: How many there are.
        validation: Share of them, rounded, at least one.
        test: Share of them, rounded, at least two: an interval needs two.
        random: Deals.

    Raises:
        InputError: If fewer than two models are left to train on.

    Example:
        >>> parts = split(10, 0.2, 0.2, np.random.default_rng(0))
        >>> [len(part) for part in (parts.train, parts.validation, parts.test)]
        [6, 2, 2]
    """
    for_validation, for_test = max(1, round(validation * models)), max(2, round(test * models))
    if (left := models - for_validation - for_test) < 2:
        raise InputError(
            f"The discriminator needs at least 2 models to train on; of {models}, {for_validation} validate and "
            f"{for_test} test, which leaves {max(left, 0)}. Train more models (the paper: 300) or lower the shares."
        )
    order = random.permutation(models)
    first, second = left, left + for_validation
    return Split(train=np.sort(order[:first]), validation=np.sort(order[first:second]), test=np.sort(order[second:]))
