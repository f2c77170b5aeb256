"""The grammar of spec strings: `name[:positional[,positional]][?key=value[&key=value]]`."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any, ClassVar, TypeVar, cast

from quantleak.errors import InputError, nearest


class Specified:
    """Base of a dataclass whose settings can be written as a spec.

    Attributes:
        name: The word that opens the spec.
        example: A spec to copy, for messages.
        positional: The fields that a spec gives after the colon, in order; a last one of type `tuple[..., ...]` takes
            all values that are left.
        verbatim: Whether all that follows the colon is one value, such as another spec.
    """

    name: ClassVar[str]
    example: ClassVar[str]
    positional: ClassVar[tuple[str, ...]] = ()
    verbatim: ClassVar[bool] = False


Kind = TypeVar("Kind", bound=Specified)


def split_name(spec: str) -> tuple[str, str]:
    """The name that opens a spec, and the rest.

    Example:
        >>> split_name("uniform:4?axis=0")
        ('uniform', ':4?axis=0')
    """
    end = min((spec.index(mark) for mark in ":?" if mark in spec), default=len(spec))
    return spec[:end].strip(), spec[end:]


def read_spec(kind: type[Kind], rest: str) -> Kind:
    """Build a record from what follows its name.

    Args:
        kind: Its class.
        rest: Empty, or starting with `:` or `?`.

    Raises:
        InputError: For an unknown option, one given twice, a value of the wrong kind, or one missing.
    """
    before, _, after = (rest, "", "") if kind.verbatim else rest.partition("?")
    whole = before.removeprefix(":")
    values = [value for value in ([whole] if kind.verbatim else whole.split(",")) if value]
    rest_of = len(kind.positional) - 1
    if kind.positional and _is_list(typing.get_type_hints(kind)[kind.positional[-1]]) and len(values) > rest_of:
        values = [*values[:rest_of], ",".join(values[rest_of:])]
    if len(values) > len(kind.positional):
        raise InputError(
            f"{kind.name}{rest}: takes {len(kind.positional)} values after ':', got {len(values)}{_usage(kind)}"
        )
    given = list(zip(kind.positional, values, strict=False))
    given += [_key_and_value(kind, option) for option in after.split("&") if option]
    options: dict[str, Any] = {}
    for key, text in given:
        if key in options:
            raise InputError(f"{kind.name}{rest}: '{key}' is given twice; keep one.")
        options[key] = _read_value(kind, key, text)
    missing = [field.name for field in _fields(kind) if _is_required(field) and field.name not in options]
    if missing:
        raise InputError(f"{kind.name}{rest}: '{missing[0]}' is missing{_usage(kind)}")
    return kind(**options)


def write_spec(record: Specified) -> str:
    """The canonical spec: positional values, then the options that differ from their defaults, in field order."""
    values = [_write_value(getattr(record, key)) for key in record.positional]
    spec = record.name + (":" + ",".join(values) if values else "")
    options = [
        f"{field.name}={_write_value(getattr(record, field.name))}"
        for field in _fields(type(record))
        if field.name not in record.positional and getattr(record, field.name) != field.default
    ]
    return spec + ("?" + "&".join(options) if options else "")


def _fields(kind: type[Specified]) -> list[dataclasses.Field[Any]]:
    """The settings a spec can carry; a field with `metadata={"spec": False}` is set from Python only."""
    return [field for field in dataclasses.fields(cast(Any, kind)) if field.metadata.get("spec", True)]


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _key_and_value(kind: type[Specified], option: str) -> tuple[str, str]:
    key, equals, value = option.partition("=")
    keys = [field.name for field in _fields(kind)]
    if not equals or key not in keys:
        raise InputError(f"{kind.name}: unknown option '{option}'.{nearest(key, keys)} {_options(keys)}{_usage(kind)}")
    return key, value


def _options(keys: list[str]) -> str:
    return f"Options: {', '.join(keys)}" if keys else "It has no options"


def _usage(kind: type[Specified]) -> str:
    return f"; for example '{kind.example}'."


def _is_list(wanted: Any) -> bool:
    return typing.get_origin(wanted) is tuple


def _read_value(kind: type[Specified], key: str, text: str) -> Any:
    wanted = typing.get_type_hints(kind)[key]
    choices = wanted.__args__ if isinstance(wanted, types.UnionType) else (wanted,)
    for choice in choices:
        try:
            if _is_list(choice):
                return tuple(_READERS[choice.__args__[0]](part.strip().lower()) for part in text.split(","))
            return _READERS[choice](text.strip().lower())
        except (ValueError, KeyError):
            continue
    kinds = " or ".join(_words(choice) for choice in choices)
    raise InputError(f"{kind.name}: '{key}' must be {kinds}, got '{_short(text)}'{_usage(kind)}")


def _words(choice: Any) -> str:
    return f"{_MANY[choice.__args__[0]]}, separated by commas" if _is_list(choice) else _WORDS[choice]


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _write_value(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_write_value, value))
    return str(value).lower() if isinstance(value, bool | None) else str(value)


def _number(kind: type) -> Any:
    """A reader of numbers as one writes them: Python's own reads `1_0` as 10."""

    def read(text: str) -> Any:
        if "_" in text:
            raise ValueError(text)
        return kind(text)

    return read


_SHOWN = 40
_READERS: dict[type, Any] = {
    bool: {"true": True, "false": False}.__getitem__,
    int: _number(int),
    float: _number(float),
    str: str,
    types.NoneType: {"none": None}.__getitem__,
}
_WORDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a word",
    types.NoneType: "none",
}
_MANY: dict[type, str] = {int: "whole numbers", float: "numbers", str: "words"}
