"""Quantization of whole modules after training.

Start at `quantize(model, "obq:3", calibration=inputs)`. `procedure("ternary:0.9")` is a tensor rule on every weight,
everything else rounded. Add a procedure of your own with `register` or the entry-point group `quantleak.procedures`.
"""

from quantleak.ptq.adapters import dequantized as dequantized
from quantleak.ptq.elementwise import Elementwise as Elementwise
from quantleak.ptq.modules import register_block as register_block
from quantleak.ptq.modules.layout import Layout as Layout
from quantleak.ptq.noise import Noise as Noise
from quantleak.ptq.procedure import Procedure as Procedure
from quantleak.ptq.procedure import digest as digest
from quantleak.ptq.quantize import quantize as quantize
from quantleak.ptq.registry import available as available
from quantleak.ptq.registry import procedure as procedure
from quantleak.ptq.registry import register as register
from quantleak.ptq.storage.record import Quantization as Quantization
from quantleak.ptq.storage.record import quantization as quantization
from quantleak.ptq.storage.saving import load_quantized as load_quantized
from quantleak.ptq.storage.saving import save_quantized as save_quantized
