"""Inputs of the discriminator against their definitions."""

from __future__ import annotations

import numpy as np

from quantleak.attacks.discriminator import Observed
from quantleak.attacks.discriminator.inputs import Alignment, Scaling, reader


def test_alignment_by_its_definition():
    rng = np.random.default_rng(0)
    seen = Observed(
        parameters=rng.normal(size=(6, 3)).astype(np.float32),
        features=rng.normal(2.0, 3.0, size=(6, 5, 3)).astype(np.float32),
        targets=rng.integers(0, 2, (6, 5)).astype(np.float32),
        losses=np.ones((6, 5)),
    )
    every = seen.features.reshape(-1, 3).astype(float)
    mean, deviation, model = every.mean(0), np.sqrt(np.cov(every.T, ddof=0).diagonal()), seen.parameters.mean(0)
    found = Alignment.fit(seen)(seen)
    for m, n in np.ndindex(6, 5):
        x, theta, sign = seen.features[m, n], seen.parameters[m], 1 if seen.targets[m, n] else -1
        metrics = (x, x - mean, (x - mean) / deviation)
        margins = [sign * (weights @ metric) for metric in metrics for weights in (theta, model)]
        lengths = [np.linalg.norm(vector) for vector in (x, metrics[2], theta)]
        np.testing.assert_allclose(found[m, n], margins + lengths, rtol=1e-4, atol=1e-4)


def test_statistics_come_from_the_training_models(world):
    drawn = world(shift=1.0)
    seen = Observed(
        **{name: drawn[name].astype(np.float32) for name in ("parameters", "features", "targets", "losses")}
    )
    read = reader("paper", seen.of(np.arange(20)))
    inputs = read(seen)
    trained = inputs.examples[:20].flatten(0, 1)
    np.testing.assert_allclose(trained.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(trained.std(0, correction=0), 1, atol=1e-4)
    assert inputs.parameters.shape == (40, 4)
    assert abs(float(inputs.examples[20:].mean(dim=(0, 1)).abs().max())) > 1e-3


def test_a_weight_that_is_nearly_always_zero_is_not_blown_up():
    theta = np.zeros((100, 5))
    theta[:, 0], theta[7, 4] = np.random.default_rng(0).normal(size=100), 1.0
    assert np.abs(Scaling.fit(theta, shared=True)(theta)).max() < 6
    assert np.abs(Scaling.fit(theta[:7])(theta)).max() <= 10
