"""Residual networks for small images: ResNet-8, -14, -20, ... of three stages, and ResNet-18 of four."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from quantleak.errors import InputError
from quantleak.models.architectures import Shape, register
from quantleak.models.images import ImageArchitecture, start_as_published
from quantleak.ptq.modules import register_block

_DEEPEST = 1202  # of the networks of three stages that were published
_WIDTH, _WIDTH_18 = 16, 64


@register_block
class BasicBlock(nn.Module):
    """Two 3x3 convolutions and the way around them, a 1x1 convolution where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        around: list[nn.Module] = []
        if stride != 1 or inputs != outputs:
            around = [nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)]
        self.downsample = nn.Sequential(*around)

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, inputs, height, width]` to `[batch, outputs, height / stride, width / stride]`, rounded up."""
        inner = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        return functional.relu(inner + self.downsample(x))


@register("resnet", example="resnet:8")
@dataclass(frozen=True, kw_only=True)
class Residual(ImageArchitecture):
    """A residual network for images; `resnet:8`, `resnet:14?width=32`, or the larger `resnet:18`.

    Attributes:
        depth: Layers with weights on the longest way: 8, 14, 20, ... (6 n + 2: three stages of n blocks and widths
            16-32-64), or 18 (four stages of two blocks, widths 64-128-256-512).
        width: Channels of the first stage; each further stage has twice as many. None: 16, and 64 of `resnet:18`.

    Raises:
        InputError: A depth that no such network has, or a width below 1.
    """

    positional: ClassVar[tuple[str, ...]] = ("depth",)
    depth: int
    width: int | None = None

    def __post_init__(self) -> None:
        if self.depth != 18 and (self.depth % 6 != 2 or not 8 <= self.depth <= _DEEPEST):
            raise InputError(
                f"resnet: the depth must be 18, or 8, 14, 20, 26, 32, ... up to {_DEEPEST} (6 n + 2), got "
                f"{self.depth}; for example 'resnet:8'."
            )
        if self.width is not None and self.width < 1:
            raise InputError(
                f"resnet: the width must be at least 1, got {self.width}; for example 'resnet:8?width=16'."
            )
        if self.width == self._usual:
            object.__setattr__(self, "width", None)  # one network, one spec

    @property
    def _usual(self) -> int:
        return _WIDTH_18 if self.depth == 18 else _WIDTH

    @property
    def halvings(self) -> int:
        """See :attr:`ImageArchitecture.halvings`."""
        return 3 if self.depth == 18 else 2

    def build(self, input_shape: Shape, outputs: int) -> nn.Module:
        """See :meth:`Architecture.build`; submodules are named as in torchvision."""
        width = self.width or self._usual
        blocks = 2 if self.depth == 18 else (self.depth - 2) // 6
        parts: OrderedDict[str, nn.Module] = OrderedDict(
            conv1=nn.Conv2d(input_shape[0], width, 3, 1, 1, bias=False), bn1=nn.BatchNorm2d(width), relu=nn.ReLU()
        )
        inputs = width
        for stage in range(self.halvings + 1):
            layer = nn.Sequential()
            for block in range(blocks):
                layer.append(BasicBlock(inputs, width * 2**stage, 2 if stage and not block else 1))
                inputs = width * 2**stage
            parts[f"layer{stage + 1}"] = layer
        parts |= OrderedDict(avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(inputs, outputs))
        module = nn.Sequential(parts)
        start_as_published(module)
        return module


def resnet(input_shape: Shape, outputs: int, *, depth: int = 18, width: int | None = None) -> nn.Module:
    """A residual network from images to logits `[batch, outputs]`, to train or to build upon.

    Args:
        input_shape: `(channels, height, width)` of one image.
        outputs: Number of outputs.
        depth: 18, or 8, 14, 20, ...; see :class:`Residual`.
        width: Channels of the first stage; by default 16, and 64 at depth 18.

    Raises:
        InputError: A shape, depth or width that cannot be.

    Example:
        >>> sum(p.numel() for p in resnet((3, 32, 32), 10, depth=18).parameters())
        11173962
    """
    architecture = Residual(depth=depth, width=width)
    architecture.require(input_shape)
    return architecture.build(input_shape, outputs)
