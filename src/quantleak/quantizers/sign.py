"""Sign quantization, one bit per weight."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from quantleak.quantizers.base import Quantizer, batch_shape
from quantleak.quantizers.registry import register


@register("sign")
@dataclass(frozen=True, kw_only=True)
class Sign(Quantizer):
    r"""The sign of each weight, -1 or +1.

    .. math:: Q(\theta) = +1 \text{ if } \theta \ge 0 \text{ else } -1

    Zero, of either sign, becomes +1, so that one bit suffices. Source: [Aubinais2025]_, section 5, "Sign".

    Example:
        >>> import torch
        >>> Sign()(torch.tensor([-0.2, 0.0, 3.0]))
        tensor([-1.,  1.,  1.])
    """

    def apply(self, weight: Float[Tensor, " models *shape"]) -> Float[Tensor, " models *shape"]:
        """See `Quantizer.apply`."""
        return weight.clone().ge_(0).mul_(2).sub_(1)

    def levels(self, weight: Tensor, batch_dims: int = 0) -> Tensor:
        """Always -1 and +1; [*batch, 2]."""
        return weight.new_tensor([-1.0, 1.0]).expand(*batch_shape(weight, batch_dims), 2)

    def effective_bits(self, shape: tuple[int, ...]) -> float:
        """One bit; there is no scale to store."""
        return 1.0
