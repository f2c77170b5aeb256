"""Inputs and outputs of a layer as the columns of a matrix product with its weight."""

from __future__ import annotations

from collections.abc import Iterator

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from quantleak.ptq.modules.weights import Weight

CHUNK = 1 << 24
"""Numbers unfolded at a time; 64 MB."""


def columns(
    layer: nn.Module, weight: Weight, inputs: Float[Tensor, "examples ..."]
) -> Float[Tensor, "groups columns data"]:
    """The inputs that each position of the output is computed from: `weight.matrix(...) @ columns` is the output.

    Args:
        layer: A linear layer or a convolution of any kind.
        weight: Its weight.
        inputs: A batch of its inputs.
    """
    if not isinstance(layer, _ConvNd):
        return inputs.reshape(-1, inputs.shape[-1]).T[None]
    spread, strides = _padded(layer, _batched(layer, inputs))
    for axis, (size, stride, dilation) in enumerate(zip(layer.kernel_size, strides, layer.dilation, strict=True), 2):
        spread = spread.unfold(axis, dilation * (size - 1) + 1, stride)[..., ::dilation]
    # [examples, channels, *positions, *kernel]
    dims = len(layer.kernel_size)
    places = list(range(2, 2 + dims))
    spread = spread.permute(1, *range(2 + dims, 2 + 2 * dims), 0, *places)
    return spread.reshape(weight.groups, -1, spread.shape[1 + dims :].numel())


def rows(layer: nn.Module, weight: Weight, outputs: Float[Tensor, "examples ..."]) -> Float[Tensor, "groups rows data"]:
    """The outputs without their bias, laid out like :func:`columns`."""
    if isinstance(layer, _ConvNd):
        flat = _batched(layer, outputs).transpose(0, 1).flatten(1)
    else:
        flat = outputs.reshape(-1, outputs.shape[-1]).T
    bias = getattr(layer, "bias", None)
    flat = flat if bias is None else flat - bias.detach()[:, None]
    return flat.reshape(weight.groups, -1, flat.shape[-1])


def chunks(
    layer: nn.Module, weight: Weight, inputs: Tensor, outputs: Tensor
) -> Iterator[tuple[Float[Tensor, "groups columns data"], Float[Tensor, "groups rows data"], int]]:
    """Columns and rows of few examples at a time, and of how many."""
    examples = len(inputs)
    per_example = weight.count // weight.rows * weight.groups * outputs.numel() // max(1, weight.rows * examples)
    at_once = max(1, CHUNK // max(1, per_example))
    for some, wanted in zip(inputs.split(at_once), outputs.split(at_once), strict=True):
        yield columns(layer, weight, some.float()), rows(layer, weight, wanted.float()), len(some)


def _batched(layer: _ConvNd, tensor: Tensor) -> Tensor:
    return tensor if tensor.ndim == 2 + len(layer.kernel_size) else tensor[None]


def _padded(layer: _ConvNd, inputs: Tensor) -> tuple[Tensor, tuple[int, ...]]:
    """The inputs of the plain convolution that a layer is, padded, and its strides."""
    if isinstance(layer, _ConvTransposeNd):
        return _spread(layer, inputs), (1,) * len(layer.kernel_size)
    pads = layer._reversed_padding_repeated_twice
    if layer.padding_mode == "zeros":
        return F.pad(inputs, pads), layer.stride
    return F.pad(inputs, pads, mode=layer.padding_mode), layer.stride


def _spread(layer: _ConvTransposeNd, inputs: Tensor) -> Tensor:
    """A transposed convolution is a plain one, its kernel flipped, on inputs with zeros between and around them."""
    strides: tuple[int, ...] = layer.stride
    sizes = [stride * (size - 1) + 1 for size, stride in zip(inputs.shape[2:], strides, strict=True)]
    spread = inputs.new_zeros(*inputs.shape[:2], *sizes)
    every: list[slice] = [slice(None), slice(None), *(slice(None, None, stride) for stride in strides)]
    spread[tuple(every)] = inputs
    pads: list[int] = []
    for axis, size in enumerate(layer.kernel_size):
        before = layer.dilation[axis] * (size - 1) - int(layer.padding[axis])
        more = layer.output_padding[axis]
        pads = [before, before + more, *pads]
    return F.pad(spread, pads)
