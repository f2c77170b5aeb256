"""Random transforms of a minibatch of images, for all of its images at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from quantleak.errors import InputError
from quantleak.registry import Registry
from quantleak.spec import Specified, write_spec

Images = Float[Tensor, "batch channels height width"]


class Transform(Specified, ABC):
    """Base of the transforms: each image of a batch is changed by random numbers of its own.

    The numbers are drawn on the CPU, so that CPU and GPU train on the same images; the images stay where they are.
    """

    @abstractmethod
    def __call__(self, images: Images, generator: torch.Generator) -> Images:
        """The changed batch, of the same shape."""

    def require(self, input_shape: tuple[int, ...]) -> None:
        """Refuse images that it cannot change.

        Raises:
            InputError: It says why.
        """


@dataclass(frozen=True, kw_only=True)
class Flip(Transform):
    """Mirror left and right, every second image on average."""

    def __call__(self, images: Images, generator: torch.Generator) -> Images:
        """See :meth:`Transform.__call__`."""
        chosen = torch.rand(len(images), generator=generator) < 0.5
        return torch.where(chosen.to(images.device)[:, None, None, None], images.flip(-1), images)


@dataclass(frozen=True, kw_only=True)
class Crop(Transform):
    """Shift by up to so many pixels in either direction: a random crop of the same size after padding.

    It is padded with zeros, the mean of the population by which pixels are standardised.
    """

    positional: ClassVar[tuple[str, ...]] = ("padding",)
    padding: int

    def __post_init__(self) -> None:
        if self.padding < 1:
            raise InputError(f"crop: the padding must be at least 1 pixel, got {self.padding}; for example 'crop:4'.")

    def require(self, input_shape: tuple[int, ...]) -> None:
        """See :meth:`Transform.require`."""
        if self.padding >= min(input_shape[1:]):
            raise InputError(
                f"crop:{self.padding} can move the whole image out of sight: one example has shape {input_shape}. "
                "Pad less, for example by an eighth of the height."
            )

    def __call__(self, images: Images, generator: torch.Generator) -> Images:
        """See :meth:`Transform.__call__`."""
        height, width = images.shape[-2:]
        top, left = torch.randint(2 * self.padding + 1, (2, len(images)), generator=generator).to(images.device)
        padded = functional.pad(images, (self.padding,) * 4)
        # All crops there are, as a view; only the drawn ones are copied.
        crops = padded.unfold(2, height, 1).unfold(3, width, 1)
        return crops[torch.arange(len(images), device=images.device), :, top, left]


TRANSFORMS: Registry[Transform] = Registry("transform", None, Transform)

TRANSFORMS.add("flip", Flip)
TRANSFORMS.add("crop", Crop, "crop:4")


@dataclass(frozen=True, kw_only=True)
class Augment:
    """What is done to the images of every minibatch, one transform after the other; nothing if there is none.

    Attributes:
        transforms: In their order.
    """

    transforms: tuple[Transform, ...] = ()

    @property
    def spec(self) -> str:
        """The canonical text; `augment(a.spec) == a`."""
        return ",".join(write_spec(one) for one in self.transforms)

    def require(self, input_shape: tuple[int, ...]) -> None:
        """Refuse examples that it cannot change.

        Raises:
            InputError: Examples that are no images, or too small ones.
        """
        if self.transforms and len(input_shape) != 3:
            raise InputError(
                f"Augmentation '{self.spec}' changes images [channels, height, width], but one example has shape "
                f"{input_shape}. Leave the augmentation out."
            )
        for one in self.transforms:
            one.require(input_shape)

    def __call__(self, images: Images, generator: torch.Generator) -> Images:
        """The changed batch, on the device of the images; `generator` is one of the CPU."""
        for one in self.transforms:
            images = one(images, generator)
        return images


NONE = Augment()


def augment(spec: str) -> Augment:
    """The augmentation of a spec: transforms separated by commas, in their order.

    Args:
        spec: `flip`, `crop:4`, `flip,crop:4`; nothing is done to the images if it is empty.

    Raises:
        InputError: Unknown transform, or a setting that is no number or out of range.

    Example:
        >>> augment("flip, crop:4").spec
        'flip,crop:4'
        >>> augment("").transforms
        ()
    """
    return Augment(transforms=tuple(TRANSFORMS.read(part.strip()) for part in spec.split(",") if part.strip()))
