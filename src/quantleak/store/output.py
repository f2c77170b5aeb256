"""The output of a job, as a record: arrays of it are stored as they are, everything else as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar, get_type_hints

import numpy as np
from pydantic import TypeAdapter, ValidationError

from quantleak.errors import InputError

Arrays = dict[str, np.ndarray]
Kind = TypeVar("Kind", bound="Output")


class Output:
    """Base of a dataclass of arrays, dictionaries of arrays by name, other outputs, and records or plain values."""

    def parts(self) -> tuple[Arrays, dict[str, Any]]:
        """The arrays, those of a dictionary or output as `field/name`, and all else as plain values, perhaps NaN."""
        arrays: Arrays = {}
        values: dict[str, Any] = {}
        for name, hint in _hints(type(self)).items():
            value = getattr(self, name)
            if hint is np.ndarray:
                arrays[name] = value
            elif hint == Arrays:
                arrays |= {f"{name}/{key}": item for key, item in value.items()}
            elif _is_output(hint):
                inside, values[name] = value.parts()
                arrays |= {f"{name}/{key}": item for key, item in inside.items()}
            else:
                values[name] = _adapter(hint).dump_python(value)
        return arrays, values

    @classmethod
    def whole(cls: type[Kind], arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> Kind:
        """The record of its `parts`.

        Raises:
            InputError: If a part is missing or of another kind.
        """
        try:
            return cls(**{name: cls._part(name, hint, arrays, values) for name, hint in _hints(cls).items()})
        except (KeyError, ValidationError) as error:
            raise InputError(f"These are not the parts of {cls.__name__}: {error}. Run the job again.") from error

    @classmethod
    def _part(cls, name: str, hint: Any, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> Any:
        if hint is np.ndarray:
            return arrays[name]
        if hint == Arrays or _is_output(hint):
            inner = f"{name}/"
            inside = {key.removeprefix(inner): item for key, item in arrays.items() if key.startswith(inner)}
            return inside if hint == Arrays else hint.whole(inside, values[name])
        return _adapter(hint).validate_python(values[name])


def _is_output(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Output)


def _hints(kind: type[Output]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}  # type: ignore[arg-type] # subclasses are dataclasses, which mypy cannot know of `Output` itself


@cache
def _adapter(hint: Any) -> Any:
    return TypeAdapter(hint)
