"""The full-precision baseline in a list of quantizers: no quantization at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from quantleak.errors import InputError
from quantleak.quantizers.base import Quantizer
from quantleak.quantizers.registry import register

BASELINE = "identity"
"""The spec of the full-precision baseline, which every audit has."""


@register(BASELINE)
@dataclass(frozen=True, kw_only=True)
class Identity(Quantizer):
    """The weights unchanged (a copy): the baseline for utility and attacks; it has no r_Q."""

    discrete: ClassVar[bool] = False
    is_baseline: ClassVar[bool] = True

    def apply(self, weight: Float[Tensor, " models *shape"]) -> Float[Tensor, " models *shape"]:
        """See `Quantizer.apply`."""
        return weight.clone()

    def levels(self, weight: Tensor, batch_dims: int = 0) -> Tensor:
        """There is no list of levels.

        Raises:
            InputError: Always.
        """
        raise InputError(
            f"{BASELINE} keeps every value and has no finite list of levels; take a quantizer such as 'uniform:4'."
        )

    def effective_bits(self, shape: tuple[int, ...]) -> float:
        """The 32 bits of a float32 weight."""
        return 32.0
