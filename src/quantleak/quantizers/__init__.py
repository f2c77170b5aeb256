"""Quantizers: one rule per file, pure functions of a weight tensor.

Start at `quantizer("ternary:0.9")`; add your own rule with `register` or the entry-point group
`quantleak.quantizers`.
"""

from quantleak.quantizers.base import Quantizer as Quantizer
from quantleak.quantizers.codebook import Codebook as Codebook
from quantleak.quantizers.identity import BASELINE as BASELINE
from quantleak.quantizers.identity import Identity as Identity
from quantleak.quantizers.registry import available as available
from quantleak.quantizers.registry import quantizer as quantizer
from quantleak.quantizers.registry import register as register
from quantleak.quantizers.sign import Sign as Sign
from quantleak.quantizers.ternary import Ternary as Ternary
from quantleak.quantizers.uniform import Uniform as Uniform

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
