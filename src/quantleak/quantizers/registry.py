"""Finds quantizers by their spec; open to third parties."""

from __future__ import annotations

from quantleak.quantizers.base import Quantizer
from quantleak.registry import Listing, Registry

QUANTIZERS: Registry[Quantizer] = Registry("quantizer", "quantleak.quantizers", Quantizer)


register = QUANTIZERS.register


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
