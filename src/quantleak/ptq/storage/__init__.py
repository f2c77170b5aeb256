"""Quantized modules as what is stored: records of codes and grids, packed bytes, files."""

from quantleak.ptq.storage.record import ATTRIBUTE as ATTRIBUTE
from quantleak.ptq.storage.record import Quantization as Quantization
from quantleak.ptq.storage.record import QuantizedWeight as QuantizedWeight
from quantleak.ptq.storage.record import effective_bits as effective_bits
from quantleak.ptq.storage.record import quantization as quantization
from quantleak.ptq.storage.saving import load_quantized as load_quantized
from quantleak.ptq.storage.saving import save_quantized as save_quantized
