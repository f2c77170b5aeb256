"""Scales that are powers of two, exactly."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def largest_magnitude(weight: Tensor, axis: int | None = None) -> Tensor:
    """The largest absolute value, for each model alone.

    Args:
        weight: Weights [models, *shape].
        axis: Axis of `shape` along which each index has its own; None takes the whole tensor.

    Returns:
        Tensor with the axes of `weight`, all of length 1 but the first and `axis`; 0 where there are no weights.
    """
    kept = {0} if axis is None else {0, 1 + axis}
    shape = [size if index in kept else 1 for index, size in enumerate(weight.shape)]
    if weight.numel() == 0:
        return weight.new_zeros(shape)
    ordered = weight if axis is None else weight.movedim(1 + axis, 1)
    return ordered.reshape(math.prod(shape), -1).abs().amax(-1).reshape(shape)


def power_of_two(value: Tensor) -> Tensor:
    r"""The power of two nearest on a log scale, :math:`2^{\mathrm{round}(\log_2 v)}`.

    Read from the bits rather than from a rounded logarithm: with `v = m 2^e` and `1/2 <= m < 1`, the exponent is e - 1
    where `m < sqrt(1/2)`, else e. The comparison is exact in float64 for every dtype, as no float equals `sqrt(1/2)`.

    Args:
        value: Positive values of any shape.

    Returns:
        Tensor of the same shape in float32, or float64 for float64 values; infinite where it exceeds that dtype
        and at least 2^-1022.

    Example:
        >>> power_of_two(torch.tensor([0.7, 0.71, 1.41, 1.42, 3.0]))
        tensor([0.5000, 1.0000, 1.0000, 2.0000, 4.0000])
    """
    mantissa, exponent = torch.frexp(value.double())
    exponent = exponent.long() - (mantissa < math.sqrt(0.5)).long()
    # An IEEE double with empty mantissa is the power of two that its exponent field says; 1024 gives infinity.
    power = (exponent.clamp_(min=-1022) + 1023).bitwise_left_shift_(52).view(torch.float64)
    return power.to(torch.promote_types(value.dtype, torch.float32))
