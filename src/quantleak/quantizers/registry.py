"""Finds quantizers by their spec; open to third parties."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from quantleak.quantizers.base import Quantizer
from quantleak.registry import Listing, Registry

Kind = TypeVar("Kind", bound=Quantizer)

QUANTIZERS: Registry[Quantizer] = Registry("quantizer", "quantleak.quantizers", Quantizer)


def register(name: str, *, example: str | None = None) -> Callable[[type[Kind]], type[Kind]]:
    """Class decorator that gives a quantizer the name which opens its spec.

    Args:
        name: A new name; letters, digits, `-` and `_`.
        example: A spec to copy, shown in lists and messages; by default the name.

    Raises:
        InputError: If the name is taken or holds other characters.
    """

    def add(kind: type[Kind]) -> type[Kind]:
        QUANTIZERS.add(name, kind, example)
        return kind

    return add


def quantizer(spec: str | Quantizer) -> Quantizer:
    """The quantizer that a spec describes.

    Args:
        spec: `name[:value[,value]][?key=value[&key=value]]`, or a quantizer, which is returned as it is.

    Raises:
        InputError: For an unknown name, option or value; the message says what is nearest.

    Example:
        >>> quantizer("uniform?bits=4").spec
        'uniform:4'
    """
    return spec if isinstance(spec, Quantizer) else QUANTIZERS.read(spec)


def available() -> list[Listing]:
    """Every quantizer there is, built in or installed by another package, in the order of registration."""
    return QUANTIZERS.available()
