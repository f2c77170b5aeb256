"""Noise as large as the error of a quantizer: the control that quantization must beat."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from quantleak.errors import InputError
from quantleak.ptq.modules import Weight, weights_of
from quantleak.ptq.modules.layout import Layout
from quantleak.ptq.procedure import Procedure
from quantleak.rng import stream

FLOAT_BITS = 32


def residual_variance(
    weight: Float[Tensor, "groups rows columns"], quantized: Float[Tensor, "groups rows columns"]
) -> Float[Tensor, "groups rows"]:
    r"""Variance of every row's residual on its quantized values, float64.

    .. math:: \sigma^2 = \mathrm{mean}\,(w - c\, Q(w))^2, \qquad c = \langle w, Q(w) \rangle / \lVert Q(w) \rVert^2

    A quantizer that changes the scale of the weights, as the sign does, is not counted as wrong for it: a network with
    norms does not notice.
    """
    w, q = weight.double(), quantized.double()
    energy = q.square().sum(-1)
    factor = torch.where(energy > 0, (w * q).sum(-1) / energy.clamp(min=1e-300), 0.0)
    return (w - factor[..., None] * q).square().mean(-1)


@dataclass(frozen=True, kw_only=True)
class Noise(Procedure):
    """Gaussian noise on every weight, as large as the error of another quantizer: a control, not a quantizer.

    Each output channel of a weight gets noise with the variance of :func:`residual_variance`, fresh for every model;
    biases, norms and buffers stay as they are.

    Attributes:
        of: Spec of the quantizer; with a factor before it, as in `noise:0.5:obq:3`, the noise is so many times as
            large, as a standard deviation.
        rule: The quantizer itself.

    Raises:
        InputError: If the factor is not above 0.
    """

    verbatim: ClassVar[bool] = True
    positional: ClassVar[tuple[str, ...]] = ("of",)
    discrete: ClassVar[bool] = False
    of: str
    rule: Procedure | None = field(default=None, metadata={"spec": False}, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 < self.factor < math.inf:
            raise InputError(f"noise:{self.of}: the factor must be a number above 0, got {self.factor:g}.")

    @property
    def factor(self) -> float:
        """How many times as large as the quantizer's error."""
        return self._parts[0]

    @property
    def quantizer(self) -> str:
        """The spec of the quantizer, without the factor."""
        return self._parts[1]

    @property
    def _parts(self) -> tuple[float, str]:
        first, _, rest = self.of.partition(":")
        try:
            return float(first), rest
        except ValueError:
            return 1.0, self.of

    def with_rule(self, rule: Procedure) -> Noise:
        """The noise of this quantizer, the factor as it is."""
        return replace(self, of=_scaled(self.factor, rule.spec), rule=rule)

    def times(self, factor: float) -> Noise:
        """Noise so many times as large as the quantizer's error."""
        return replace(self, of=_scaled(factor, self.quantizer))

    @property
    def calibration_rows(self) -> int:
        """See `Procedure.calibration_rows`."""
        return self.wrapped.calibration_rows

    @property
    def calibration_source(self) -> str:
        """See `Procedure.calibration_source`."""
        return self.wrapped.calibration_source

    @property
    def data_free(self) -> bool:
        """See `Procedure.data_free`."""
        return self.wrapped.data_free

    @property
    def is_control(self) -> bool:
        """See `Procedure.is_control`."""
        return True

    @property
    def wrapped(self) -> Procedure:
        """The quantizer that the noise is as large as."""
        assert self.rule is not None
        return self.rule

    def quantize(self, model: nn.Module, calibration: Tensor | None, seed: int) -> nn.Module:
        """See `Procedure.quantize`."""
        return self.around(model, self.wrapped.quantize(model, calibration, seed), seed)

    @torch.no_grad()
    def around(self, model: nn.Module, quantized: nn.Module, seed: int) -> nn.Module:
        """The noise on a model that the quantizer made this of; :meth:`quantize` for whoever has it already."""
        made = self.restored(model, {})
        random = torch.Generator().manual_seed(int(stream(seed, "noise").integers(1 << 62)))
        for weight in weights_of(made):
            parameter = made.get_parameter(weight.name)
            spread = self._spread(weight, parameter, quantized)
            drawn = torch.randn(parameter.shape, generator=random).to(parameter.device)
            parameter.add_(weight.weight(weight.matrix(drawn) * spread[..., None]))
        return made

    def _spread(self, weight: Weight, parameter: Tensor, quantized: nn.Module) -> Tensor:
        other = quantized.get_parameter(weight.name)
        error = residual_variance(weight.matrix(parameter), weight.matrix(other)).sqrt()
        return (self.factor * error).float()

    def effective_bits(self, quantized: nn.Module, constants: Collection[str] = ()) -> float:
        """See `Procedure.effective_bits`."""
        layout = Layout.of(quantized, exact=True, constants=constants)
        exact = sum(slot.count * 8 * slot.dtype.itemsize for slot in layout.slots if slot.role == "exact")
        return (exact + FLOAT_BITS * sum(slot.count for slot in layout.slots if slot.role != "exact")) / layout.count


def _scaled(factor: float, spec: str) -> str:
    return spec if factor == 1 else f"{factor:g}:{spec}"
