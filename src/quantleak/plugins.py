"""Plug-ins of other packages: quantizers, attacks and data sources, found by their entry points."""

from __future__ import annotations

import logging
from importlib.metadata import EntryPoint, entry_points

from quantleak.errors import InputError

log = logging.getLogger("quantleak")


def offered(group: str) -> dict[str, EntryPoint]:
    """Entry points of a group by name, in the order of their names.

    Raises:
        InputError: If two packages offer one name.
    """
    found: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        other = found.setdefault(point.name, point)
        if other.value != point.value:
            raise InputError(
                f"Two packages offer '{point.name}' under {group}: {package_of(other)} ({other.value}) and "
                f"{package_of(point)} ({point.value}). Uninstall one of them."
            )
    return found


def load(point: EntryPoint) -> object:
    """What an entry point names.

    Raises:
        InputError: If its module or object cannot be imported; the message names the package.
    """
    try:
        thing = point.load()
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"'{point.name}' of the package {package_of(point)} cannot be loaded from {point.value}: {error}. "
            "Install what it needs, or ask its author."
        ) from error
    log.info("%s '%s' comes from %s", point.group, point.name, package_of(point))
    return thing


def package_of(point: EntryPoint) -> str:
    """Name and version of the package that declares an entry point."""
    # An entry point made by hand belongs to no distribution.
    return f"{point.dist.name} {point.dist.version}" if point.dist else "of unknown origin"
