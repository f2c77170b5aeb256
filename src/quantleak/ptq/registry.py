"""Finds procedures by their spec: every quantizer as a rule for each weight, and procedures registered by name."""

from __future__ import annotations

from dataclasses import replace

from quantleak.errors import InputError
from quantleak.ptq.adaround import AdaRound
from quantleak.ptq.brecq import Brecq
from quantleak.ptq.elementwise import Elementwise
from quantleak.ptq.nearest import Nearest
from quantleak.ptq.noise import Noise
from quantleak.ptq.obq import OptimalBrainQuantization
from quantleak.ptq.procedure import Procedure, UnquantizedDtype
from quantleak.quantizers import Quantizer
from quantleak.quantizers.registry import QUANTIZERS
from quantleak.registry import Listing, Registry
from quantleak.spec import split_name

PROCEDURES: Registry[Procedure] = Registry("quantizer", "quantleak.procedures", Procedure, beside=QUANTIZERS)


register = PROCEDURES.register

for name, kind, example in (
    ("rtn", Nearest, "rtn:4"),
    ("obq", OptimalBrainQuantization, "obq:3?head=8"),
    ("adaround", AdaRound, "adaround:ternary?iterations=2000"),
    ("brecq", Brecq, "brecq:2"),
    ("noise", Noise, "noise:obq:3"),
):
    PROCEDURES.add(name, kind, example)


def procedure(spec: str | Quantizer, unquantized_dtype: UnquantizedDtype = "bfloat16") -> Procedure:
    """The procedure that a spec describes.

    Args:
        spec: `name[:value[,value]][?key=value[&key=value]]`, of a registered procedure or of a quantizer; or a
            quantizer.
        unquantized_dtype: To what biases, norms and buffers are rounded.

    Raises:
        InputError: For an unknown name, option or value; the message says what is nearest.

    Example:
        >>> procedure("uniform?bits=4").spec, procedure("sign", "float32").discrete
        ('uniform:4', False)
    """
    if isinstance(spec, str) and PROCEDURES.find(split_name(spec)[0]) is not None:
        found = replace(PROCEDURES.read(spec), unquantized_dtype=unquantized_dtype)
        return _noise(found, unquantized_dtype) if isinstance(found, Noise) else found
    rule = spec if isinstance(spec, Quantizer) else QUANTIZERS.read(spec, also=PROCEDURES.kinds)
    return Elementwise(rule=rule, unquantized_dtype=unquantized_dtype)


def _noise(noise: Noise, unquantized_dtype: UnquantizedDtype) -> Noise:
    if not noise.quantizer:
        raise InputError(f"noise:{noise.of} names no quantizer; for example '{noise.example}', or 'noise:0.5:obq:3'.")
    rule = procedure(noise.quantizer, unquantized_dtype)
    if rule.is_control or rule.is_baseline:
        raise InputError(
            f"noise:{noise.of}: '{rule.spec}' has no error of its own to be as large as; name a quantizer."
        )
    return noise.with_rule(rule)


def available() -> list[Listing]:
    """Every quantizer and every procedure there is, in the order of registration."""
    return QUANTIZERS.available() + PROCEDURES.available()
