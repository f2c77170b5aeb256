"""
Add a quantizer
===============

A rule of your own in twenty lines, checked by the suite that ours pass, then audited beside ours.
"""

# %%
# Stochastic-looking rules are out: a quantizer is a *function* of the weights. This one keeps powers of two, which
# turn products into shifts. A frozen dataclass holds its settings; the base class checks weights and adds axes.
import math
from dataclasses import dataclass
from typing import ClassVar

import torch

import quantleak as ql
from quantleak.quantizers import Quantizer, register
from quantleak.testing import check_quantizer


@register("powers", example="powers:4")
@dataclass(frozen=True, kw_only=True)
class Powers(Quantizer):
    """The nearest of 0 and plus or minus 1, 1/2, 1/4, ... in magnitude's logarithm."""

    positional: ClassVar[tuple[str, ...]] = ("steps",)
    steps: int

    def apply(self, weight):
        magnitude = weight.abs()
        exponent = magnitude.clamp_min(2.0**-20).log2().round().clamp_max(0)
        kept = exponent > -self.steps
        return torch.where(kept, weight.sign() * torch.exp2(exponent), 0.0) + 0.0

    def levels(self, weight, batch_dims=0):
        positive = torch.exp2(-torch.arange(self.steps, dtype=torch.float64)).to(weight)
        every = torch.cat([-positive, positive.new_zeros(1), positive.flip(0)])
        return every.expand(*weight.shape[:batch_dims], len(every))

    def effective_bits(self, shape):
        return math.log2(2 * self.steps + 1)


ql.quantizer("powers:4")(torch.tensor([-3.0, -0.4, 0.01, 0.2, 0.7]))

# %%
# The suite feeds it random, constant, empty and unusable weights of four float types, alone and stacked.
check_quantizer("powers:4", idempotent=True)

# %%
# From here on the spec works everywhere. In a package of your own the entry-point group ``quantleak.quantizers`` takes
# the place of the import, and the command knows ``--quantizer powers:4`` too.
result = ql.audit(
    ql.bundled("breast_cancer"),
    model="linear",
    quantizers=("powers:2", "powers:4", "sign"),
    models=8,
    epochs=10,
    workers=1,
)
result
