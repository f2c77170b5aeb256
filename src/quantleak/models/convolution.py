"""A small convolution network for images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from quantleak.errors import InputError
from quantleak.models.architectures import Shape, register
from quantleak.models.images import ImageArchitecture, start_as_published


@register("conv", example="conv:16,32")
@dataclass(frozen=True, kw_only=True)
class Convolution(ImageArchitecture):
    """A small convolution network for images; `conv:16,32` has two 3x3 convolutions with BatchNorm and max-pooling.

    Attributes:
        widths: Channels of each convolution, after which a 2x2 max-pooling halves height and width.

    Raises:
        InputError: A width below 1.
    """

    positional: ClassVar[tuple[str, ...]] = ("widths",)
    widths: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.widths or min(self.widths) < 1:
            raise InputError(f"conv: widths must be at least 1, got {self.widths}; for example 'conv:16,32'.")

    @property
    def halvings(self) -> int:
        """See :attr:`ImageArchitecture.halvings`."""
        return len(self.widths)

    def build(self, input_shape: Shape, outputs: int) -> nn.Module:
        """See :meth:`Architecture.build`."""
        module, inputs = nn.Sequential(), input_shape[0]
        for width in self.widths:
            module.extend([nn.Conv2d(inputs, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()])
            module.append(nn.MaxPool2d(2))
            inputs = width
        module.extend([nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, outputs)])
        start_as_published(module)
        return module


def convolution(input_shape: Shape, outputs: int, *, widths: tuple[int, ...] = (16, 32)) -> nn.Module:
    """A small convolution network from images to logits `[batch, outputs]`, to train or to build upon.

    Args:
        input_shape: `(channels, height, width)` of one image.
        outputs: Number of outputs.
        widths: Channels of each convolution.

    Raises:
        InputError: A shape or width that cannot be.

    Example:
        >>> convolution((1, 8, 8), 10)[0]
        Conv2d(1, 16, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)
    """
    architecture = Convolution(widths=widths)
    architecture.require(input_shape)
    return architecture.build(input_shape, outputs)
