"""Every attack on confident arrays: none gives NaN, and none hides in ties what it could tell apart."""

from __future__ import annotations

import numpy as np
import pytest

from quantleak.attacks import ATTACKS, published
from quantleak.scores.attack import attacked
from quantleak.scores.scores import scores_of

PUBLISHED_COUNTS = {"rmia-rmia2024", "rmia-ml_privacy_meter"}
"""RMIA as published counts population points: at most M + 1 scores."""


def confident(examples: int = 300) -> dict[str, np.ndarray]:
    """float32 phi of models that are nearly certain; all examples have the same shadows."""
    random = np.random.default_rng(0)
    shadows = np.array([30.0, 31, 33, 34, 25, 26, 28, 29])[:, None].repeat(examples, axis=1)
    target = np.linspace(35, 60, examples // 3).astype(np.float32).repeat(3)
    return {
        "target": target, "target_member": random.random(examples) < 0.5,
        "shadows": shadows, "shadows_member": np.arange(8)[:, None] < np.full(examples, 4),
        "population_target": random.normal(20, 5, 50), "population_shadows": random.normal(20, 5, (8, 50)),
    }  # fmt: skip


@pytest.mark.parametrize("name", [attack.name for attack in (*ATTACKS, *published())])
def test_confident_examples_stay_apart(name: str) -> None:
    arrays = confident()
    scores = next(scores for (found, _), scores in attacked(scores_of(arrays)).scores.items() if found == name)
    assert np.isfinite(scores).all()
    by_target = scores[0].reshape(-1, 3)
    assert (by_target == by_target[:, :1]).all()
    if name in PUBLISHED_COUNTS:
        assert np.unique(scores).size <= 51
    elif name.startswith("rmia"):
        # Against references with 1 - p = 1e-11 the ratio itself stops to change, in float64, at about phi = 52.
        clear = by_target[arrays["target"][::3] < 50, 0]
        assert (np.diff(clear) > 0).all()
    else:
        assert np.unique(scores).size == 100


def test_the_loss_attack_tells_apart_what_ln_p_does_not() -> None:
    arrays = confident()
    arrays["target"] = np.linspace(800, 2000, 300)
    scores = attacked(scores_of(arrays)).scores["loss", "none"]
    np.testing.assert_array_equal(scores, arrays["target"][None])
