"""Named architectures, found by their spec; open to other packages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import nn

from quantleak.errors import InputError
from quantleak.registry import Registry
from quantleak.spec import Specified, write_spec

Shape = tuple[int, ...]


class Architecture(Specified, ABC):
    """Base of a frozen keyword-only dataclass of the settings of an architecture.

    Attributes:
        vectors_only: Whether an example must be a vector.
    """

    vectors_only: ClassVar[bool] = False

    @property
    def spec(self) -> str:
        """The canonical text; `ARCHITECTURES.read(a.spec) == a`."""
        return write_spec(self)

    @abstractmethod
    def build(self, input_shape: Shape, outputs: int) -> nn.Module:
        """A new module from one example's shape `input_shape` to logits `[examples, outputs]`.

        It draws its start from torch's global random numbers and nothing else.
        """

    def require(self, input_shape: Shape) -> None:
        """Refuse examples of a shape that it cannot take.

        Raises:
            InputError: Of another number of dimensions.
        """
        if self.vectors_only and len(input_shape) != 1:
            raise InputError(
                f"Model '{self.spec}' takes vectors, but one example has shape {input_shape}. "
                "Take a model for images such as 'resnet:8', or give your own as package.module:function."
            )


ARCHITECTURES: Registry[Architecture] = Registry("model", "quantleak.models", Architecture)


register = ARCHITECTURES.register


@register("linear")
@dataclass(frozen=True, kw_only=True)
class Linear(Architecture):
    """One linear layer; `linear?bias=false` has no bias."""

    vectors_only: ClassVar[bool] = True
    bias: bool = True

    def build(self, input_shape: Shape, outputs: int) -> nn.Module:
        """See :meth:`Architecture.build`."""
        return _perceptron([*input_shape, outputs], bias=self.bias)


@register("mlp", example="mlp:128")
@dataclass(frozen=True, kw_only=True)
class Perceptron(Architecture):
    """A perceptron with ReLU; `mlp:128` has one hidden layer of 128, `mlp:256,128` two."""

    vectors_only: ClassVar[bool] = True
    positional: ClassVar[tuple[str, ...]] = ("widths",)
    widths: tuple[int, ...]
    bias: bool = True

    def __post_init__(self) -> None:
        if min(self.widths) < 1:
            raise InputError(f"mlp: hidden widths must be at least 1, got {min(self.widths)}; for example 'mlp:128'.")

    def build(self, input_shape: Shape, outputs: int) -> nn.Module:
        """See :meth:`Architecture.build`."""
        return _perceptron([*input_shape, *self.widths, outputs], bias=self.bias)


def _perceptron(sizes: list[int], *, bias: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs, bias=bias), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
