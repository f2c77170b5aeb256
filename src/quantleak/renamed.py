"""Settings that changed their name: the old one is accepted with a warning, and files that hold it can be read."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping
from typing import Any, TypeVar

from quantleak.errors import InputError

NEW_NAMES = {"biases": "unquantized_dtype"}
"""New names of settings by their old ones."""
REFUSED_FROM = "0.3.0"
"""The version of quantleak from which the old names are no longer accepted."""

Kind = TypeVar("Kind")


def accept_old_names(given: Mapping[str, Any], stacklevel: int = 3) -> dict[str, Any]:
    """Settings under their present names; an old name warns.

    Raises:
        InputError: If a setting is given under both names.

    Example:
        >>> accept_old_names({"models": 8})
        {'models': 8}
    """
    for old in NEW_NAMES.keys() & given.keys():
        new = NEW_NAMES[old]
        if new in given:
            raise InputError(f"{old}: is the old name of {new}, which is given too; leave out {old}.")
        message = f"The setting '{old}' is now called '{new}'; the old name is refused from version {REFUSED_FROM} on."
        warnings.warn(message, FutureWarning, stacklevel=stacklevel)
    return {NEW_NAMES.get(name, name): value for name, value in given.items()}


def takes_old_names(kind: type[Kind]) -> type[Kind]:
    """Class decorator: the constructor takes old names of its keyword arguments too."""
    made = kind.__init__

    @functools.wraps(made)
    def called(self: Kind, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **accept_old_names(kwargs))

    setattr(kind, "__init__", called)  # noqa: B010 - mypy forbids to assign to `kind.__init__`
    return kind


def with_new_names(stored: Any) -> Any:
    """Nested values as an older version stored them, all settings under their present names."""
    return _renamed(stored, NEW_NAMES)


def with_old_names(values: Any) -> Any:
    """Nested values as an older version would have stored them; for hashes that were made of these."""
    return _renamed(values, {new: old for old, new in NEW_NAMES.items()})


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {names.get(key, key): _renamed(item, names) for key, item in value.items()}
    return value
