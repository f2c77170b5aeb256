"""What every quantizer is: a frozen record that maps a weight tensor onto few values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from quantleak.arrays import packed
from quantleak.errors import InputError
from quantleak.spec import Specified, write_spec


class Quantizer(Specified, ABC):
    """A map `Q: Theta -> Theta_bar` applied to one weight tensor at a time.

    A rule is a final subclass: a frozen keyword-only dataclass of its settings that holds no run state, so that it
    hashes, compares and prints. It implements `apply`, `levels` and `effective_bits`; calling it adds the checks.

    Attributes:
        discrete: Whether the values form a discrete set. Without one there is no r_Q.
        is_baseline: Whether it leaves every weight as it is: the full-precision baseline.
    """

    discrete: ClassVar[bool] = True
    is_baseline: ClassVar[bool] = False

    @property
    def spec(self) -> str:
        """The canonical spec: `quantizer(q.spec) == q`, and equal quantizers have equal specs."""
        return write_spec(self)

    def __call__(self, weight: Tensor | ArrayLike, batch_dims: int = 0) -> Tensor:
        """Quantize a weight tensor, or many at once.

        Args:
            weight: Real floating-point tensor or array [*batch, *shape]. It is not changed and no gradient flows
                through.
            batch_dims: How many leading axes count independent models. The result for a model is bit for bit the
                same whichever models stand beside it.

        Returns:
            A new tensor with the shape, dtype and device of `weight`.

        Raises:
            InputError: If `weight` is not floating point, or holds NaN or infinity (reported with the first index).
        """
        weight = weight.detach() if isinstance(weight, Tensor) else torch.from_numpy(packed(weight, "weight"))
        batch = batch_shape(weight, batch_dims)
        self._refuse_unusable(weight)
        if weight.numel() == 0:
            return weight.clone()
        stacked = weight.reshape(batch.numel(), *(weight.shape[batch_dims:] or (1,)))  # [models, *shape]
        return self.apply(stacked).reshape(weight.shape)

    @abstractmethod
    def apply(self, weight: Float[Tensor, " models *shape"]) -> Float[Tensor, " models *shape"]:
        """The rule itself, on finite weights [models, *shape] with at least one axis of `shape` and one entry."""

    @abstractmethod
    def levels(self, weight: Tensor, batch_dims: int = 0) -> Tensor:
        """The values an entry can take for this tensor, ascending, in the dtype of `weight`.

        Returns:
            Tensor [*batch, levels], or [*batch, channels, levels] where each channel has its own scale.
        """

    @abstractmethod
    def effective_bits(self, shape: tuple[int, ...]) -> float:
        """Bits per weight needed to store a tensor of this shape, overhead included."""

    def _refuse_unusable(self, weight: Tensor) -> None:
        if not weight.is_floating_point() or weight.element_size() < 2:
            raise InputError(
                f"{self.spec}: weight must be a floating-point tensor, got {weight.dtype}; try weight.float()."
            )
        if weight.layout != torch.strided:
            raise InputError(f"{self.spec}: weight must be a dense tensor, got {weight.layout}; try weight.to_dense().")
        # One fast reduction: a finite sum proves that every term is finite. The reverse fails on overflow, so look
        # closer.
        if not bool(torch.isfinite(weight.sum())):
            _refuse_first_non_finite(self.spec, weight)


def batch_shape(weight: Tensor, batch_dims: int) -> torch.Size:
    """The leading axes that count models.

    Raises:
        InputError: If `weight` has fewer than `batch_dims` axes.
    """
    if not 0 <= batch_dims <= weight.ndim:
        raise InputError(f"batch_dims must lie between 0 and {weight.ndim}, the axes of this weight, got {batch_dims}.")
    return weight.shape[:batch_dims]


def _refuse_first_non_finite(spec: str, weight: Tensor) -> None:
    kinds = {"NaN": torch.isnan(weight), "infinite": torch.isinf(weight)}
    for kind, found in kinds.items():
        count = int(found.sum())
        if count:
            first = tuple(int(i) for i in found.nonzero()[0])
            noun = "value" if count == 1 else "values"
            raise InputError(
                f"{spec}: weight has {count} {kind} {noun}, first at index {first}; "
                "the model has diverged: lower its learning rate or leave it out."
            )
