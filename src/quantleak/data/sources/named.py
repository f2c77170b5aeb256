"""Data sets by name: the bundled ones, and those of plug-ins."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from quantleak.data.dataset import Dataset
from quantleak.data.sources.bundled import DESCRIPTIONS, bundled
from quantleak.errors import InputError, nearest
from quantleak.plugins import load, offered, package_of

GROUP = "quantleak.sources"
"""Entry-point group: a package that declares `hospital = "package.module:open"` there is found by that name."""

Source = Callable[[str], Dataset]
"""What an entry point names: a function from the text after the colon (empty without one) to a data set."""


def named(name: str) -> Dataset:
    """A data set by name.

    Args:
        name: A bundled data set, such as `breast_cancer`, or `source` or `source:text` with a source that an
            installed package offers, which is given the text.

    Raises:
        InputError: If there is no such name, or what the source gives is not a data set.

    Example:
        >>> named("wine")
        Dataset('wine', multiclass, 3 classes, 178 examples in 178 groups)
    """
    if name in DESCRIPTIONS:
        return bundled(name)
    source, _, text = name.partition(":")
    points = offered(GROUP)
    if source not in points:
        known = [*DESCRIPTIONS, *points]
        raise InputError(f"Unknown data set {name!r}.{nearest(source, known)} Known: {', '.join(known)}.")
    dataset = _source(source)(text)
    if not isinstance(dataset, Dataset):
        raise InputError(
            f"The source '{source}' of the package {package_of(points[source])} gave {type(dataset).__name__}, not a "
            "quantleak.data.Dataset; ask its author."
        )
    return dataset


def descriptions() -> dict[str, str]:
    """One line for every bundled data set and every installed source, by name."""
    sources = {name: (_source(name).__doc__ or "").strip().split("\n")[0] for name in offered(GROUP)}
    return {**sources, **DESCRIPTIONS}


def _source(name: str) -> Source:
    point = offered(GROUP)[name]
    source = load(point)
    if not callable(source):
        raise InputError(
            f"The source '{name}' of the package {package_of(point)} ({point.value}) is not a function; ask its author."
        )
    return cast(Source, source)
