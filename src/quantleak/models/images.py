"""The common part of the networks for images: what a shape must be, and their usual start."""

from __future__ import annotations

from abc import abstractmethod

from torch import nn

from quantleak.errors import InputError
from quantleak.models.architectures import Architecture, Shape


class ImageArchitecture(Architecture):
    """Base of the architectures for images `[channels, height, width]`."""

    @property
    @abstractmethod
    def halvings(self) -> int:
        """How many times the network halves height and width."""

    def require(self, input_shape: Shape) -> None:
        """See :meth:`Architecture.require`.

        Raises:
            InputError: Of another number of dimensions, or with less than a pixel left where the network ends.
        """
        if len(input_shape) != 3:
            raise InputError(
                f"Model '{self.spec}' takes images [channels, height, width], but one example has shape {input_shape}. "
                "Give a folder of images with --images, or take a model for vectors such as 'mlp:128'."
            )
        least = 2**self.halvings
        if min(input_shape) < 1 or min(input_shape[1:]) < least:
            raise InputError(
                f"Model '{self.spec}' halves height and width {self.halvings} times and needs images of at least "
                f"{least} x {least} pixels, but one example has shape {input_shape}. Take a shallower model or larger "
                "images."
            )


def start_as_published(module: nn.Module) -> None:
    """Draw convolutions from He's normal distribution by fan-out; norms start at one and zero, linear layers as usual.

    The initial values of the published residual networks, and of torchvision's.
    """
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
