"""Uniform quantization, b bits per weight: levels at equal distances, the scale a power of two."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from quantleak.errors import InputError
from quantleak.quantizers.base import Quantizer, batch_shape
from quantleak.quantizers.registry import register


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


@register("uniform", example="uniform:4")
@dataclass(frozen=True, kw_only=True)
class Uniform(Quantizer):
    r"""The next level up in magnitude on a grid of equal steps, scaled by a power of two.

    .. math::
        Q(\theta) = \mathrm{sign}(\theta) \, \frac{\alpha}{2^{b-1}}
            \left\lfloor 1 + \mathrm{clip}\!\left(\frac{2^{b-1} |\theta|}{\alpha}, 0, 2^{b-1}\right) \right\rfloor,
        \qquad \alpha = 2^{\mathrm{round}(\log_2 \max |\theta|)}

    with `sign(0) = 0`. Everything is computed exactly: the scale from the exponent bits (a half cannot occur in the
    rounding, because `sqrt(2)` is irrational), the rest by products with powers of two. Source: [Aubinais2025]_,
    section 5, "b bits", with the absolute value inside the clip that its table omits.

    1. Read literally, magnitudes of `alpha` and above take one level more than b bits can code. `saturate` clips
       them one level lower and lets 0 become the smallest positive level, which leaves exactly `2^b` levels.
    2. An all-zero tensor (or channel) stays zero in both.
    3. The step never falls below the smallest normal number of the dtype (float16: its smallest number), so that it
       has an inverse.

    Args:
        bits: b, from 1 to 16.
        saturate: Keep to `2^b` levels.
        axis: The axis, counted after the batch axes, along which each index has its own alpha; None shares one.

    Raises:
        InputError: If a setting is out of range, the tensor has no such axis, or its top level overflows its dtype.

    Example:
        >>> Uniform(bits=2)(torch.tensor([-0.9, -0.4, 0.0, 0.3, 1.2]))
        tensor([-1.0000, -0.5000,  0.0000,  0.5000,  1.5000])
    """

    positional: ClassVar[tuple[str, ...]] = ("bits",)
    bits: int
    saturate: bool = False
    axis: int | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.bits, int) and 1 <= self.bits <= 16):
            raise InputError(
                f"uniform: bits must be a whole number from 1 to 16, got {self.bits}; for example 'uniform:4'."
            )

    def apply(self, weight: Float[Tensor, " models *shape"]) -> Float[Tensor, " models *shape"]:
        """See `Quantizer.apply`."""
        working = weight.float() if weight.element_size() == 2 else weight
        step = self._step(weight)
        per_step = torch.where(step > 0, 1 / step, 0)
        level = (working * per_step).abs_().floor_().clamp_(max=self._top - 1).add_(1).mul_(step)
        return level.mul_(self._sign(working)).to(weight.dtype)

    def levels(self, weight: Tensor, batch_dims: int = 0) -> Tensor:
        """`j * step` for every code j; [*batch, levels], or [*batch, channels, levels] with an axis.

        The paper's rule has j from -(2^(b-1) + 1) to 2^(b-1) + 1, zero included; `saturate` has 1 to 2^(b-1) on
        either side and no zero.
        """
        batch = batch_shape(weight, batch_dims)
        stacked = weight.detach().reshape(batch.numel(), *(weight.shape[batch_dims:] or (1,)))
        step = self._step(stacked).flatten(1)  # [models, 1 or channels]
        codes = torch.arange(1, self._top + 1, device=weight.device, dtype=step.dtype)
        middle = codes.new_zeros(0 if self.saturate else 1)
        codes = torch.cat([-codes.flip(0), middle, codes])
        levels = (step[..., None] * codes + 0.0).to(weight.dtype)
        channels = () if self.axis is None else (step.shape[1],)
        return levels.reshape(*batch, *channels, len(codes))

    def effective_bits(self, shape: tuple[int, ...]) -> float:
        """log2 of the number of levels, and 8 bits for the exponent of every alpha, shared by its weights."""
        levels = 2 * self._top + (0 if self.saturate else 1)
        scales = 1 if self.axis is None else shape[self._checked_axis(len(shape))]
        return math.log2(levels) + 8 * scales / max(1, math.prod(shape))

    @property
    def _top(self) -> int:
        """The number of positive levels."""
        return int(2 ** (self.bits - 1)) + (0 if self.saturate else 1)

    def _sign(self, weight: Tensor) -> Tensor:
        return weight.clone().ge_(0).mul_(2).sub_(1) if self.saturate else torch.sign(weight)

    def _checked_axis(self, axes: int) -> int:
        if self.axis is None or not -axes <= self.axis < axes:
            raise InputError(f"{self.spec}: axis must lie between {-axes} and {axes - 1} for a weight of {axes} axes.")
        return self.axis % axes

    def _step(self, weight: Tensor) -> Tensor:
        """The step alpha / 2^(b-1), in at least float32; it broadcasts against the weights [models, *shape]."""
        axis = None if self.axis is None else self._checked_axis(weight.ndim - 1)
        largest = largest_magnitude(weight, axis)
        step = power_of_two(largest) / 2 ** (self.bits - 1)
        limits = torch.finfo(weight.dtype)
        smallest = limits.tiny * (limits.eps if weight.dtype == torch.float16 else 1)
        step = torch.where(largest > 0, step.clamp_min(smallest), 0)
        if bool((step * self._top > limits.max).any()):
            raise InputError(
                f"{self.spec}: weights reach {float(largest.max()):g}, whose level overflows {weight.dtype}; "
                "convert them to a wider dtype or scale them."
            )
        return step
