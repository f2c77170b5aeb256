"""The network g against a plain product of matrices, and its first values."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from quantleak.attacks.discriminator.inputs import Inputs
from quantleak.attacks.discriminator.network import Network, loss_start


def test_theta_once_a_model_equals_a_network_on_the_concatenated_inputs():
    rng = np.random.default_rng(0)
    network = Network((2.0, -1.0), 3, 4, 8)
    with torch.no_grad():
        for values in network.parameters():
            values.copy_(torch.from_numpy(rng.normal(size=values.shape)))
    examples, theta = rng.normal(size=(40, 5, 3)), rng.normal(size=(40, 4))
    inputs = Inputs(
        examples=torch.tensor(examples, dtype=torch.float32), parameters=torch.tensor(theta, dtype=torch.float32)
    )
    weights = {name: values.numpy() for name, values in network.state_dict().items()}
    first = np.concatenate([weights["example.weight"], weights["theta.weight"]], axis=1)
    for m, n in np.ndindex(40, 5):
        hidden = np.maximum(first @ np.concatenate([examples[m, n], theta[m]]) + weights["example.bias"], 0)
        expected = weights["out.weight"] @ hidden + weights["linear.weight"] @ examples[m, n] + weights["linear.bias"]
        assert network.logits(inputs)[m, n].item() == pytest.approx(expected.item(), abs=1e-4)


def test_g_starts_at_the_log_likelihood_ratio_of_two_normals():
    rng = np.random.default_rng(0)
    member = np.tile([True, False], (50, 500))
    values = rng.normal(np.where(member, -1.0, 2.0), 1.5)
    slope, intercept = loss_start(torch.from_numpy(values)[..., None], torch.from_numpy(member * 1.0))
    for point in (-3.0, 0.0, 4.0):
        ratio = stats.norm.logpdf(point, -1, 1.5) - stats.norm.logpdf(point, 2, 1.5)
        assert slope * point + intercept == pytest.approx(ratio, abs=0.15)
