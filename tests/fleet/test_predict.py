"""Predictions of stacked models against torch's own forward pass of each module."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from quantleak.fleet import LOSSES, Predictor, predictions
from quantleak.models import network
from quantleak.ptq.modules.layout import Layout, state


def convolution(shape: tuple[int, ...], outputs: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(shape[0], 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, outputs))


@pytest.mark.parametrize(
    ("spec", "shape"), [("linear", (6,)), ("linear?bias=false", (6,)), ("mlp:5,4", (6,)), (convolution, (2, 6, 6))]
)
def test_predictions_are_those_of_the_module(spec, shape) -> None:
    made = network(spec, shape, 3)
    features = torch.randn(50, *shape, generator=torch.Generator().manual_seed(0))
    modules = [made.module(seed) for seed in range(4)]
    with torch.no_grad():
        for module in modules:
            module(features)  # moves running statistics, which must be part of a model
    flat = torch.stack([Layout.of(m).flatten(state(m)) for m in modules])
    with torch.no_grad():
        expected = torch.stack([m.eval()(features) for m in modules])
    torch.testing.assert_close(Predictor(made, features)(flat), expected, rtol=1e-5, atol=1e-5)


class Viewed(nn.Module):
    """A convolution whose output is flattened by `view`, which needs the usual memory layout."""

    def __init__(self, shape: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        self.convolution, self.head = nn.Conv2d(shape[0], 4, 3), nn.Linear(4 * 36, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(self.convolution(x).view(len(x), -1))
        return out


@pytest.mark.parametrize("spec", ["resnet:8?width=4", "conv:4,5", Viewed])
def test_images_are_predicted_as_by_the_module_and_by_each_alone_to_the_bit(spec) -> None:
    made = network(spec, (3, 8, 8), 3)
    images = torch.randn(300, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    module = made.module(0)
    with torch.no_grad():
        module(images)
        expected = module.eval()(images)
    flat = made.layout.flatten(state(module))[None]
    found = Predictor(made, images)(flat)[0]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert torch.equal(found, predictions(module, images))
    if spec is not Viewed:  # a wide linear layer rounds by the size of the batch
        assert torch.equal(found[140:190], predictions(module, images[140:190]))


def test_the_bfloat16_route_is_taken_only_where_it_rounds_nothing() -> None:
    generator = torch.Generator().manual_seed(0)
    fingerprints = (torch.rand(64, 512, generator=generator) < 0.1).float()
    made = network("mlp:32", (512,), 1)
    quantized = torch.sign(made.start(0)) / 16
    exact = Predictor(made, fingerprints)(quantized[None])
    module = made.module(0).double()
    with torch.no_grad():
        for (name, view), p in zip(Layout.of(module).views(quantized).items(), module.parameters(), strict=True):
            assert name
            p.copy_(view)
        truth = module(fingerprints.double())
    torch.testing.assert_close(exact[0].double(), truth, rtol=1e-6, atol=1e-5)
    # Features that bfloat16 cannot hold must not be rounded to it: the error would be about 4e-3.
    uneven = torch.randn(64, 512, generator=generator)
    with torch.no_grad():
        truth = module(uneven.double())
    torch.testing.assert_close(Predictor(made, uneven)(quantized[None])[0].double(), truth, rtol=1e-5, atol=1e-4)
    assert torch.get_float32_matmul_precision() == "highest"


def test_losses_are_torchs() -> None:
    logits, classes = torch.randn(2, 9, 3), torch.randint(0, 3, (9,))
    expected = torch.stack([nn.functional.cross_entropy(z, classes, reduction="none") for z in logits])
    torch.testing.assert_close(LOSSES["multiclass"](logits, classes), expected)
    bits = (classes > 0).float()
    expected = nn.functional.binary_cross_entropy_with_logits(logits[..., 0], bits.expand(2, 9), reduction="none")
    torch.testing.assert_close(LOSSES["binary"](logits[..., :1], bits), expected)
    expected = (logits[..., 0] - bits) ** 2
    torch.testing.assert_close(LOSSES["regression"](logits[..., :1], bits), expected)
    assert torch.isfinite(LOSSES["binary"](torch.tensor([[1e4], [-1e4]]), torch.tensor([0.0, 1.0]))).all()
