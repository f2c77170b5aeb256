"""Small networks that have what larger ones have."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class BasicBlock(nn.Module):
    """A residual block; its name makes it a block for BRECQ."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        same = inputs == outputs and stride == 1
        self.around = nn.Sequential() if same else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return (self.bn2(self.conv2(self.bn1(self.conv1(x)).relu())) + self.around(x)).relu()


def residual(seed: int = 0, width: int = 6) -> nn.Module:
    """Two blocks between a stem and a head; inputs are `[N, 3, 8, 8]`."""
    torch.manual_seed(seed)
    stem = (nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
    blocks = (BasicBlock(width, width), BasicBlock(width, 2 * width, 2))
    module = nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * width, 4))
    for _ in range(30):
        module.train()(torch.randn(32, 3, 8, 8))
    return module.eval()


def images(count: int = 48, seed: int = 1) -> Tensor:
    """Smooth random images, so that neighbouring inputs are correlated."""
    random = torch.Generator().manual_seed(seed)
    coarse = torch.randn(count, 3, 3, 3, generator=random)
    return nn.functional.interpolate(coarse, size=(8, 8), mode="bilinear") * 1.5


def perceptron(seed: int = 0) -> nn.Module:
    """Two layers; inputs are `[N, 6]`."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3)).eval()


def vectors(count: int = 64, seed: int = 1) -> Tensor:
    """Correlated inputs of the perceptron."""
    random = torch.Generator().manual_seed(seed)
    return torch.randn(count, 6, generator=random) @ torch.randn(6, 6, generator=random)
