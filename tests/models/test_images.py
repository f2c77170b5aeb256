"""Networks for images: sizes counted by hand, outputs computed from their weights by plain functions, refusals."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import quantleak as ql
from quantleak.errors import InputError
from quantleak.models import available, convolution, network, resnet
from quantleak.models.architectures import ARCHITECTURES
from quantleak.ptq.modules import blocks_of


@pytest.mark.parametrize(
    ("depth", "width", "classes", "side", "parameters"),
    [
        # The paper's: 11.17, 11.22 and 11.27 million.
        (18, None, 10, 32, 11_173_962),
        (18, None, 100, 32, 11_220_132),
        (18, None, 200, 64, 11_271_432),
        # The published ResNet-20 has 269,722 with shortcuts without weights; here two of 1x1 convolution and norm more.
        (20, None, 10, 32, 269_722 + 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64),
        (8, 1, 2, 8, 9 * (3 + 2 * 1 + 2 + 4 + 8 + 16) + (2 + 8) + 2 * (1 + 2 * (1 + 2 + 4) + 2 + 4) + 4 * 2 + 2),
    ],
)
def test_parameters_are_those_of_the_publications(
    depth: int, width: int | None, classes: int, side: int, parameters: int
) -> None:
    module = resnet((3, side, side), classes, depth=depth, width=width)
    assert sum(p.numel() for p in module.parameters()) == parameters


def by_functions(tensors: dict[str, Tensor], x: Tensor, stages: int, blocks: int) -> Tensor:
    """A residual network in evaluation mode from its weights, by torchvision's names."""

    def norm(x: Tensor, name: str) -> Tensor:
        mean, var, weight, bias = (
            tensors[f"{name}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (var + 1e-5).sqrt() * weight + bias

    x = norm(F.conv2d(x, tensors["conv1.weight"], padding=1), "bn1").clamp(min=0)
    for stage in range(1, stages + 1):
        for block in range(blocks):
            name, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            inner = F.conv2d(x, tensors[f"{name}.conv1.weight"], stride=stride, padding=1)
            inner = norm(inner, f"{name}.bn1").clamp(min=0)
            inner = norm(F.conv2d(inner, tensors[f"{name}.conv2.weight"], padding=1), f"{name}.bn2")
            if f"{name}.downsample.0.weight" in tensors:
                x = norm(F.conv2d(x, tensors[f"{name}.downsample.0.weight"], stride=stride), f"{name}.downsample.1")
            x = (inner + x).clamp(min=0)
    return x.mean((2, 3)) @ tensors["fc.weight"].T + tensors["fc.bias"]


@pytest.mark.parametrize(("spec", "stages", "blocks"), [("resnet:8?width=4", 3, 1), ("resnet:14?width=3", 3, 2)])
@pytest.mark.parametrize("shape", [(3, 12, 12), (1, 8, 8), (2, 9, 13)])
def test_a_residual_network_computes_what_its_weights_say(
    spec: str, stages: int, blocks: int, shape: tuple[int, ...]
) -> None:
    module = network(spec, shape, 5).module(seed=2)
    images = torch.randn(6, *shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        module(images)  # moves the running statistics away from 0 and 1
        expected = by_functions({**module.state_dict()}, images, stages, blocks)
        torch.testing.assert_close(module.eval()(images), expected, rtol=1e-4, atol=1e-5)


def test_the_papers_network_computes_what_its_weights_say_and_halves_three_times() -> None:
    module = network("resnet:18?width=4", (3, 16, 16), 5).module(seed=2).eval()
    seen = {}
    for stage in range(1, 5):
        module.get_submodule(f"layer{stage}").register_forward_hook(
            lambda _, __, out, stage=stage: seen.update({stage: tuple(out.shape[1:])})
        )
    images = torch.randn(3, 3, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(module(images), by_functions({**module.state_dict()}, images, 4, 2))
    assert seen == {1: (4, 16, 16), 2: (8, 8, 8), 3: (16, 4, 4), 4: (32, 2, 2)}


@pytest.mark.parametrize("depth", [8, 18])
def test_convolutions_start_from_hes_normal_by_fan_out(depth: int) -> None:
    torch.manual_seed(0)
    for name, part in resnet((3, 32, 32), 10, depth=depth, width=32).named_modules():
        if isinstance(part, nn.Conv2d):
            spread = math.sqrt(2 / (part.out_channels * part.kernel_size[0] ** 2))
            assert part.weight.std().item() == pytest.approx(spread, rel=0.15), name
            assert abs(part.weight.mean().item()) < 0.15 * spread
        elif isinstance(part, nn.BatchNorm2d):
            assert part.weight.eq(1).all()
            assert part.bias.eq(0).all()


def test_a_small_convolution_network_computes_what_its_weights_say() -> None:
    module = network("conv:5,7", (3, 9, 8), 4).module(seed=1).eval()
    images = torch.randn(6, 3, 9, 8)
    tensors = {**module.state_dict()}
    with torch.no_grad():
        x = images
        for place in (0, 4):
            x = F.conv2d(x, tensors[f"{place}.weight"], padding=1) / math.sqrt(1 + 1e-5)
            x = F.max_pool2d(x.relu(), 2)
        expected = x.mean((2, 3)) @ tensors["10.weight"].T + tensors["10.bias"]
        torch.testing.assert_close(module(images), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("spec", "blocks"), [("resnet:8", 3), ("resnet:14?width=8", 6), ("resnet:18?width=8", 8)])
def test_its_blocks_are_what_brecq_reconstructs(spec: str, blocks: int) -> None:
    assert len(blocks_of(network(spec, (3, 16, 16), 2).module(seed=0))) == blocks


@pytest.mark.parametrize("spec", ["resnet:8?width=2", "conv:3,4"])
@pytest.mark.parametrize("rule", ["rtn:4", "obq:4", "brecq:4?iterations=5"])
def test_they_can_be_quantized_with_calibration(spec: str, rule: str) -> None:
    images = torch.randn(8, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    module = network(spec, images.shape[1:], 3).module(seed=0).eval()
    quantized = ql.quantize(module, rule, calibration=images)
    with torch.no_grad():
        difference = (quantized(images) - module(images)).abs()
    assert 0 < difference.max() < 5


@pytest.mark.parametrize(
    ("spec", "canonical"),
    [
        ("resnet:8?width=16", "resnet:8"),
        ("resnet:18?width=64", "resnet:18"),
        ("resnet:18?width=16", "resnet:18?width=16"),
        ("resnet:1202", "resnet:1202"),
        ("conv:16", "conv:16"),
    ],
)
def test_one_network_has_one_spec(spec: str, canonical: str) -> None:
    assert ARCHITECTURES.read(spec).spec == canonical
    assert ARCHITECTURES.read(canonical) == ARCHITECTURES.read(spec)


def test_by_function_and_by_spec_are_the_same_network() -> None:
    for made, function in [
        (network("resnet:14?width=4", (3, 8, 8), 3), lambda: resnet((3, 8, 8), 3, depth=14, width=4)),
        (network("conv:4,5", (3, 8, 8), 3), lambda: convolution((3, 8, 8), 3, widths=(4, 5))),
    ]:
        torch.manual_seed(4)
        module = function()
        assert all(torch.equal(*pair) for pair in zip(module.parameters(), made.module(4).parameters(), strict=True))


def test_they_are_listed() -> None:
    assert {"resnet:8", "conv:16,32"} <= {listing.example for listing in available()}


@pytest.mark.parametrize(
    ("spec", "shape", "message"),
    [
        ("resnet:8", (30,), r"takes images \[channels, height, width\].*\(30,\).*--images.*'mlp:128'"),
        ("conv:16", (4, 4), r"takes images .*\(4, 4\)"),
        ("mlp:8", (3, 8, 8), r"takes vectors, .*\(3, 8, 8\).*'resnet:8'"),
        ("resnet:8", (3, 3, 8), "halves height and width 2 times and needs images of at least 4 x 4 pixels"),
        ("resnet:18", (3, 8, 7), "at least 8 x 8 pixels"),
        ("conv:4,4,4,4", (3, 8, 8), "at least 16 x 16 pixels"),
        ("resnet:10", (3, 8, 8), r"depth must be 18, or 8, 14, 20, .* got 10; for example 'resnet:8'"),
        ("resnet:2", (3, 8, 8), "depth must be 18"),
        ("resnet:-4", (3, 8, 8), "depth must be 18"),
        ("resnet:1208", (3, 8, 8), "depth must be 18"),
        ("resnet", (3, 8, 8), "'depth' is missing; for example 'resnet:8'"),
        ("resnet:8?width=0", (3, 8, 8), "width must be at least 1, got 0"),
        ("resnet:8?widht=2", (3, 8, 8), "Did you mean 'width'"),
        ("resnet:eight", (3, 8, 8), "'depth' must be a whole number"),
        ("conv:0", (3, 8, 8), r"widths must be at least 1, got \(0,\); for example 'conv:16,32'"),
        ("conv", (3, 8, 8), "'widths' is missing"),
        ("resnet:8?width=9999999999", (3, 8, 8), "failed: .*narrower"),
    ],
)
def test_what_cannot_be_is_explained(spec: str, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        network(spec, shape, 2)


def test_the_functions_explain_too() -> None:
    with pytest.raises(InputError, match="depth must be 18"):
        resnet((3, 8, 8), 2, depth=9)
    with pytest.raises(InputError, match="takes images"):
        convolution((8,), 2)
    with pytest.raises(InputError, match="widths must be at least 1"):
        convolution((1, 8, 8), 2, widths=())
