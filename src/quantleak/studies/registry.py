"""Finds studies by name: our own, registered ones, and those of installed packages."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, cast

from quantleak.errors import InputError, nearest
from quantleak.plugins import load, offered

if TYPE_CHECKING:
    from quantleak.studies.common import Study

GROUP = "quantleak.studies"
"""Entry-point group: a package that declares `my-study = "package.module:STUDY"` there is found by that name."""

_OURS = ("synthetic", "vision")
"""Folders of this room that hold a `STUDY`; imported when they are run, for their weight."""
_registered: dict[str, Study[Any, Any]] = {}


def register(study: Study[Any, Any]) -> None:
    """Make a study known under its name.

    Raises:
        InputError: If the name is taken.
    """
    if study.name in names():
        raise InputError(f"The study name '{study.name}' is taken; choose another.")
    _registered[study.name] = study


def names() -> list[str]:
    """Every study there is."""
    return [*_OURS, *_registered, *offered(GROUP)]


def study(name: str) -> Study[Any, Any]:
    """A study by its name.

    Raises:
        InputError: If there is none of that name.
    """
    if name in _OURS:
        return cast("Study[Any, Any]", importlib.import_module(f"quantleak.studies.{name}").STUDY)
    if name in _registered:
        return _registered[name]
    points = offered(GROUP)
    if name not in points:
        raise InputError(f"Unknown study '{name}'; there are {', '.join(names())}.{nearest(name, names())}")
    return cast("Study[Any, Any]", load(points[name]))
