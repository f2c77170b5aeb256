"""Worlds with a known truth, drawn for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest


@dataclass(frozen=True)
class World:
    """Signals of a fleet: models x examples, and on a population that nobody was trained on."""

    signals: np.ndarray
    member: np.ndarray
    population: np.ndarray


def exact_half(models: int, examples: int, rng: np.random.Generator) -> np.ndarray:
    """Every example in exactly half of the models, section 6.2 of the design."""
    return rng.random((models, examples)).argsort(axis=0) < models // 2


@pytest.fixture
def fleet() -> Callable[..., World]:
    """Signals N(mean_i + shift member, 1) with means N(0, spread^2)."""

    def draw(models: int, examples: int, *, shift: float = 1.0, spread: float = 3.0, seed: int = 0) -> World:
        rng = np.random.default_rng(seed)
        member = exact_half(models, examples, rng)
        means, population_means = rng.normal(0, spread, examples), rng.normal(0, spread, 1000)
        return World(
            signals=means + shift * member + rng.normal(size=member.shape),
            member=member,
            population=population_means + rng.normal(size=(models, 1000)),
        )

    return draw
