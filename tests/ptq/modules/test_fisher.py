"""The importance of outputs against derivatives taken one by one; B2."""

from __future__ import annotations

import torch
from tests.ptq.networks import images, perceptron, residual, vectors
from torch import nn

import quantleak as ql
from quantleak.ptq.modules.fisher import importances


def test_it_is_the_squared_derivative_of_a_drawn_label_divided_by_its_mean() -> None:
    model, inputs = perceptron(), vectors(20)
    found = importances(model, inputs, ["0", "2"], seed=3)
    options = []
    for example in inputs:
        hidden = model[0](example).detach().requires_grad_()
        logits = model[2](model[1](hidden))
        logs = logits.log_softmax(-1)
        slopes = [torch.autograd.grad(logs[label], hidden, retain_graph=True)[0] for label in range(3)]
        options.append(torch.stack(slopes).square())
    every = torch.stack(options)  # [examples, labels, hidden]
    scaled = found["0"][:, None] / every
    for example in range(20):
        ratios = [scaled[example, label][every[example, label] > 1e-9] for label in range(3)]
        spread = [float(ratio.std() / ratio.mean()) for ratio in ratios]
        assert min(spread) < 1e-4  # one of the labels explains all of the example's numbers
    assert all(abs(float(one.mean()) - 1) < 1e-5 for one in found.values())
    assert torch.equal(found["0"], importances(model, inputs, ["0", "2"], seed=3)["0"])
    assert not torch.equal(found["0"], importances(model, inputs, ["0", "2"], seed=4)["0"])


def test_its_mean_over_draws_is_the_fisher_information() -> None:
    model, inputs = nn.Sequential(nn.Linear(6, 4)), vectors(4)
    chances = model(inputs).softmax(-1).detach()
    draws = torch.stack([importances(model, inputs, ["0"], seed=seed)["0"] for seed in range(3000)])
    # d log p_y / dz = e_y - p, so the mean of its square is p (1 - p).
    mean = draws.mean(0) / draws.mean()
    expected = chances * (1 - chances) / (chances * (1 - chances)).mean()
    torch.testing.assert_close(mean, expected, rtol=0.25, atol=0.1)


def test_one_output_counts_by_its_own_derivative() -> None:
    model, inputs = nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 1)), vectors(5)
    found = importances(model, inputs, ["0"], seed=0)["0"]
    squared = model[1].weight.detach().square().expand(5, 4)
    torch.testing.assert_close(found, squared / squared.mean())


def test_b2_weights_of_one_are_the_plain_loss(monkeypatch: object) -> None:
    model, inputs = residual(), images()
    plain = ql.quantize(model, "brecq:3?iterations=15&loss=mse", calibration=inputs)

    def ones(trained: nn.Module, rows: torch.Tensor, units: list[str], seed: int) -> dict[str, torch.Tensor]:
        outputs: dict[str, torch.Tensor] = {}
        hooks = [
            trained.get_submodule(name).register_forward_hook(
                lambda part, given, output, name=name: outputs.__setitem__(name, torch.ones_like(output))
            )
            for name in units
        ]
        trained(rows)
        for hook in hooks:
            hook.remove()
        return outputs

    monkeypatch.setattr("quantleak.ptq.network.importances", ones)
    weighted = ql.quantize(model, "brecq:3?iterations=15", calibration=inputs)
    assert all(torch.equal(x, y) for x, y in zip(plain.parameters(), weighted.parameters(), strict=True))
