"""Names and values that a user gave, in a YAML file or as `--set name=value`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from quantleak.errors import InputError

TABLES = (".csv", ".tsv", ".parquet", ".npz")
"""Suffixes of files that hold data, never settings."""


def read_config(path: Path | None) -> dict[str, Any]:
    """The names and values of a YAML file; none without a file.

    Raises:
        InputError: A file that cannot be read, is not YAML, or holds anything but names with values.
    """
    if path is None:
        return {}
    from quantleak.requests.yaml_text import read_yaml

    if path.suffix.lower() in TABLES:
        raise InputError(f"{path} is a table, not a YAML file with settings. To audit it, write: --data {path}")
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"Cannot read the settings file {path}: {error.strerror}.") from error
    content = read_yaml(raw, str(path))
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise InputError(f"{path} must hold lines such as `models: 64`, got {type(content).__name__}.")
    return content


def read_sets(texts: list[str]) -> dict[str, Any]:
    """The names and values of `--set name=value`.

    Raises:
        InputError: A text without `=`.
    """
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--set takes name=value, got '{text}'. Example: --set unquantized_dtype=float16")
        values[name.strip()] = value.strip()
    return values
