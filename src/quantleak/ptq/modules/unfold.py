"""Inputs and outputs of a layer as the columns of a matrix product with its weight."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from quantleak.ptq.modules.weights import Weight

CHUNK = 1 << 20
"""Numbers unfolded at a time where the weight has few columns; 4 MB stay in the cache."""
MOST = 1 << 24
"""Numbers unfolded at a time where it has many, so that its Gram matrix is not added to too often; 64 MB."""


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
    spread = spread.transpose(0, 1)
    sizes: list[int] = [
        (size - layer.dilation[axis] * (layer.kernel_size[axis] - 1) - 1) // strides[axis] + 1
        for axis, size in enumerate(spread.shape[2:])
    ]
    found = spread.new_empty(spread.shape[0], *layer.kernel_size, spread.shape[1], *sizes)
    # One copy per place of the kernel: each moves long runs of memory.
    places: list[tuple[int, ...]] = list(product(*(range(int(size)) for size in layer.kernel_size)))
    for place in places:
        window: list[slice] = [slice(None), slice(None)]
        for axis, offset in enumerate(place):
            start = offset * int(layer.dilation[axis])
            window.append(slice(start, start + strides[axis] * (sizes[axis] - 1) + 1, strides[axis]))
        at: tuple[slice | int, ...] = (slice(None), *place)
        found[at] = spread[tuple(window)]
    return found.view(weight.groups, -1, spread.shape[1] * math.prod(sizes))


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
    each = weight.count // weight.rows
    per_example = each * weight.groups * outputs.numel() // max(1, weight.rows * examples)
    at_once = max(1, min(MOST, max(CHUNK, 4 * each**2)) // max(1, per_example))
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
