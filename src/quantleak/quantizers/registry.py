"""The register of quantizers: spec strings to records, open to third parties."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from quantleak.errors import InputError, nearest
from quantleak.plugins import load, offered, package_of
from quantleak.quantizers.base import Quantizer
from quantleak.spec import read_spec, split_name

GROUP = "quantleak.quantizers"
"""Entry-point group: a package that declares `my_rule = "package.module:Class"` there is found by that name."""

Kind = TypeVar("Kind", bound=Quantizer)

_registered: dict[str, type[Quantizer]] = {}


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One line of `quantleak list quantizers`."""

    name: str
    description: str
    example: str


def register(name: str, *, example: str | None = None) -> Callable[[type[Kind]], type[Kind]]:
    """Class decorator that gives a quantizer the name which opens its spec.

    Args:
        name: A new name; letters, digits, `-` and `_`.
        example: A spec to copy, shown in lists and messages; by default the name.

    Raises:
        InputError: If the name is taken or holds other characters.
    """
    if not name.replace("-", "").replace("_", "").isalnum():
        raise InputError(f"A quantizer's name holds letters, digits, '-' and '_' only, got '{name}'.")

    def add(kind: type[Kind]) -> type[Kind]:
        taken = _registered.get(name, kind)
        if (taken.__module__, taken.__qualname__) != (kind.__module__, kind.__qualname__):
            raise InputError(f"The quantizer name '{name}' is taken by {taken.__qualname__}; choose another.")
        kind.name, kind.example = name, example or name
        _registered[name] = kind
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
    if isinstance(spec, Quantizer):
        return spec
    name, rest = split_name(spec)
    kind = _registered.get(name) or _from_entry_point(name)
    if kind is None:
        hint = nearest(name, [*_registered, *offered(GROUP)])
        raise InputError(f"Unknown quantizer '{name}'.{hint} `quantleak list quantizers` shows all.")
    return read_spec(kind, rest)


def available() -> list[Listing]:
    """Every quantizer there is, built in or installed by another package, in the order of registration."""
    for name in offered(GROUP):
        _from_entry_point(name)
    return [
        Listing(name=name, description=(kind.__doc__ or "").strip().split("\n")[0], example=kind.example)
        for name, kind in _registered.items()
    ]


def _from_entry_point(name: str) -> type[Quantizer] | None:
    point = offered(GROUP).get(name)
    if point is None or name in _registered:
        return _registered.get(name)
    kind = load(point)
    if not (isinstance(kind, type) and issubclass(kind, Quantizer)):
        raise InputError(
            f"'{name}' of the package {package_of(point)} ({point.value}) is not a Quantizer class; ask its author."
        )
    return _registered.get(name) or register(name)(kind)
