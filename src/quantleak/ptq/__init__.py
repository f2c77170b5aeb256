"""Quantization of whole modules after training.

Start at `procedure("ternary:0.9")`: a tensor rule on every weight, everything else rounded. Add a procedure of your own
with `register` or the entry-point group `quantleak.procedures`.
"""

from quantleak.ptq.elementwise import Elementwise as Elementwise
from quantleak.ptq.layout import Layout as Layout
from quantleak.ptq.procedure import Procedure as Procedure
from quantleak.ptq.procedure import digest as digest
from quantleak.ptq.registry import available as available
from quantleak.ptq.registry import procedure as procedure
from quantleak.ptq.registry import register as register
