"""Quantizers: one rule a file, pure functions of a weight tensor.

Start at `quantizer("ternary:0.9")`; add your own rule with `register` or the entry-point group
`quantleak.quantizers`.
"""

from .base import Quantizer as Quantizer
from .codebook import Codebook as Codebook
from .identity import Identity as Identity
from .registry import Listing as Listing
from .registry import available as available
from .registry import quantizer as quantizer
from .registry import register as register
from .sign import Sign as Sign
from .ternary import Ternary as Ternary
from .uniform import Uniform as Uniform

PAPER_A: tuple[str, ...] = (
    "sign",
    "ternary:0.33",
    "ternary:0.5",
    "ternary:0.9",
    "uniform:2",
    "uniform:3",
    "uniform:4",
    "uniform:5",
    "identity",
)
"""The eight quantizers of [Aubinais2025]_ and the unquantized model: the default list everywhere."""
