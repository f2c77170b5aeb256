"""Finds procedures by their spec: every quantizer as a rule for each weight, and procedures registered by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from quantleak.errors import InputError
from quantleak.ptq.elementwise import Elementwise
from quantleak.ptq.procedure import Procedure, UnquantizedDtype
from quantleak.quantizers import Quantizer
from quantleak.quantizers.registry import QUANTIZERS
from quantleak.registry import Listing, Registry
from quantleak.spec import split_name

Kind = TypeVar("Kind", bound=Procedure)

PROCEDURES: Registry[Procedure] = Registry("quantizer", "quantleak.procedures", Procedure)


def register(name: str, *, example: str | None = None) -> Callable[[type[Kind]], type[Kind]]:
    """Class decorator that gives a procedure the name which opens its spec.

    Args:
        name: A new name; letters, digits, `-` and `_`.
        example: A spec to copy, shown in lists and messages; by default the name.

    Raises:
        InputError: If the name is taken, by a quantizer too, or holds other characters.
    """

    def add(kind: type[Kind]) -> type[Kind]:
        if QUANTIZERS.find(name) is not None:
            raise InputError(f"The name '{name}' is taken by a quantizer; choose another.")
        PROCEDURES.add(name, kind, example)
        return kind

    return add


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
        return replace(PROCEDURES.read(spec), unquantized_dtype=unquantized_dtype)
    rule = spec if isinstance(spec, Quantizer) else QUANTIZERS.read(spec, also=PROCEDURES.kinds)
    return Elementwise(rule=rule, unquantized_dtype=unquantized_dtype)


def available() -> list[Listing]:
    """Every quantizer and every procedure there is, in the order of registration."""
    return QUANTIZERS.available() + PROCEDURES.available()
