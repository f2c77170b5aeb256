"""Quantization of whole modules: a tensor rule on every weight, everything else rounded."""

from quantleak.ptq.elementwise import effective_bits as effective_bits
from quantleak.ptq.elementwise import element as element
