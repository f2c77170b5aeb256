"""Models, examples and losses in which the best attack is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

World = Callable[..., dict[str, np.ndarray]]


@pytest.fixture
def world() -> World:
    """Everything exchangeable but for log losses N(-shift, 1) of members and N(0, 1) of others."""

    def draw(models: int = 40, examples: int = 40, size: int = 4, shift: float = 0.0, seed: int = 0):
        rng = np.random.default_rng(seed)
        member = rng.permuted(np.tile(np.arange(examples) % 2 == 0, (models, 1)), axis=1)
        return {
            "parameters": rng.normal(size=(models, size)),
            "features": rng.normal(size=(models, examples, size)),
            "targets": rng.integers(0, 2, (models, examples)),
            "losses": np.exp(rng.normal(size=member.shape) - shift * member),
            "member": member,
        }

    return draw


@pytest.fixture
def leaking(world: World) -> World:
    """Members are the half with the larger theta x; the loss is noise."""

    def draw(models: int = 60, examples: int = 64, size: int = 1, seed: int = 0):
        drawn = world(models, examples, size, seed=seed)
        product = np.einsum("mp,mnp->mn", drawn["parameters"], drawn["features"])
        return drawn | {
            "targets": np.ones((models, examples)),
            "member": product.argsort(axis=1).argsort(axis=1) >= examples // 2,
        }

    return draw
